//! The parsers of a folder.

use std::fs;
use std::path::Path;

use serde_json::json;
use vaern_event::parser::Parser;

use crate::Failure;

/// A parser by its name, or by the path of its file. `generic` needs no file.
pub fn named(folder: &Path, name: &str) -> Result<Parser, Failure> {
    if name == "generic" {
        return Ok(Parser::generic());
    }
    let path = if name.ends_with(".yml") || name.contains('/') { Path::new(name).to_owned() } else { folder.join(format!("{name}.yml")) };
    let shown = path.display();
    if !path.is_file() {
        return Err(Failure(3, format!("{shown}: there is no such parser; known are {}", names(folder)?.join(", "))));
    }
    let text = fs::read_to_string(&path).map_err(|error| Failure(3, format!("{shown}: {error}")))?;
    let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    Parser::new(&name, &text).map_err(|problem| Failure(3, format!("{shown}:{}: {}", problem.line, problem.what)))
}

/// Names of the parsers in a folder, and `generic`, in order.
pub fn names(folder: &Path) -> Result<Vec<String>, Failure> {
    let unreadable = |error: std::io::Error| Failure(3, format!("{}: {error}", folder.display()));
    let mut found = vec!["generic".to_owned()];
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "yml") {
            found.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    found.sort();
    Ok(found)
}

/// One JSON object a parser: its name, its forms and the ECS names that it may give. All of them are checked.
pub fn list(folder: &Path) -> Result<Vec<u8>, Failure> {
    let mut out = Vec::new();
    let mut problems = Vec::new();
    for name in names(folder)? {
        match named(folder, &name) {
            Ok(parser) => {
                let forms: Vec<&str> = parser.forms.iter().map(|form| form.name.as_str()).collect();
                let mut fields: Vec<&str> =
                    parser.forms.iter().flat_map(|form| form.fields.iter().map(|field| field.ecs.as_str())).collect();
                fields.sort_unstable();
                fields.dedup();
                out.extend_from_slice(json!({"name": name, "forms": forms, "fields": fields}).to_string().as_bytes());
                out.push(b'\n');
            }
            Err(Failure(_, what)) => problems.push(what),
        }
    }
    if problems.is_empty() {
        Ok(out)
    } else {
        Err(Failure(3, problems.join("\n")))
    }
}
