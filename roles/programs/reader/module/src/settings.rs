//! What a relay declares of itself and of its sources: the file that the role writes.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use vaern_event::clock::Zone;
use vaern_event::line::Source;
use vaern_event::mask::Mask;
use vaern_event::origin::{Declared, Origins};
use vaern_event::parser::Parser;

/// A source by its name, and whether its lines come without their header.
pub type Sources = HashMap<String, (Source, bool)>;

/// Reads the settings, and the parsers that they name, to the sources and how they are told apart. What is wrong is said with the file.
pub fn read(path: &Path, boot: &str) -> Result<(Sources, Origins), String> {
    let wrong = |what: String| format!("{}: {what}", path.display());
    let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let all: Value = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let mut parsers = HashMap::new();
    let mut found = Sources::new();
    let mut declared = Vec::new();
    for one in all["sources"].as_array().ok_or_else(|| wrong("sources is no list".to_owned()))? {
        let parser = word(one, "parser").map_err(wrong)?;
        let folder = word(&all, "parsers").map_err(wrong)?;
        if !parsers.contains_key(&parser) {
            parsers.insert(parser.clone(), Arc::new(named(Path::new(&folder), &parser)?));
        }
        let zone = word(one, "timezone").map_err(wrong)?;
        let source = Source {
            parser: Arc::clone(&parsers[&parser]),
            zone: Zone::named(&zone).ok_or_else(|| wrong(format!("{zone} is no time zone")))?,
            mask: mask(&word(&all, "cpr").map_err(wrong)?, &all["key"])?,
            municipality: word(&all, "municipality").map_err(wrong)?,
            relay: word(&all, "relay").map_err(wrong)?,
            boot: boot.to_owned(),
            site: word(&all, "site").map_err(wrong)?,
            name: word(one, "name").map_err(wrong)?,
            kind: word(one, "kind").map_err(wrong)?,
            sector: word(one, "sector").map_err(wrong)?,
        };
        declared.extend(origin(&source.name, &one["from"]).map_err(wrong)?);
        found.insert(source.name.clone(), (source, one["headless"].as_bool().unwrap_or(false)));
    }
    Ok((found, Origins::new(&declared).map_err(wrong)?))
}

/// How a source is known; none for one whose address alone says it, which rsyslog's own table has.
fn origin(source: &str, from: &Value) -> Result<Option<Declared>, String> {
    if from.is_null() {
        return Ok(None);
    }
    let networks = from["networks"].as_array().ok_or("networks is no list")?;
    let networks = networks.iter().map(|each| each.as_str().map(str::to_owned).ok_or_else(|| format!("{each} is no network")));
    Ok(Some(Declared {
        source: source.to_owned(),
        input: word(from, "input")?,
        networks: networks.collect::<Result<_, _>>()?,
        host: from["host"].as_str().map(str::to_owned),
        program: from["program"].as_str().map(str::to_owned),
    }))
}

fn word(of: &Value, key: &str) -> Result<String, String> {
    of[key].as_str().map(str::to_owned).ok_or_else(|| format!("{key} is no text"))
}

fn named(folder: &Path, name: &str) -> Result<Parser, String> {
    if name == "generic" {
        return Ok(Parser::generic());
    }
    let path = folder.join(format!("{name}.yml"));
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    Parser::new(name, &text).map_err(|problem| format!("{}:{}: {}", path.display(), problem.line, problem.what))
}

fn mask(mode: &str, key: &Value) -> Result<Mask, String> {
    match mode {
        "keep" => Ok(Mask::Keep),
        "mask" => Ok(Mask::Mask),
        "hash" => {
            let path = key.as_str().ok_or("cpr is hash and names no key")?;
            let text = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
            digits(text.trim()).map(Mask::Hash).ok_or_else(|| format!("{path}: no 64 hexadecimal digits"))
        }
        _ => Err(format!("cpr is {mode}; it is one of mask, hash and keep")),
    }
}

fn digits(text: &str) -> Option<[u8; 32]> {
    let mut key = [0; 32];
    if text.len() != 64 || !text.bytes().all(|each| each.is_ascii_hexdigit()) {
        return None;
    }
    for (place, each) in key.iter_mut().enumerate() {
        *each = u8::from_str_radix(&text[place * 2..place * 2 + 2], 16).ok()?;
    }
    Some(key)
}
