//! A parser from its file: what the file says is the default of each form.

use super::clocks;
use super::keys::Keys;
use super::names::{Id, Names};
use super::sources;
use super::steps;
use super::words::Word;
use super::yaml::{Data, Node, Problem};
use super::{Condition, Field, Form, Parser};

const OF_FORM: [&str; 8] = ["name", "if", "read", "clock", "fields", "nothing", "not_cpr", "cpr_without_leading_zero"];
/// What stands for no value everywhere.
const NOTHING: [&str; 4] = ["-", "(null)", "null", "N/A"];
/// A parser has fewer names than an `Id` can tell apart.
const MOST_NAMES: usize = 10_000;

/// Reads a parser.
pub fn parser(name: &str, node: &Node) -> Result<Parser, Problem> {
    let mut known = OF_FORM.to_vec();
    known.push("forms");
    let file = Keys::of(node, "a parser", &known)?;
    let mut names = Names::default();
    let mut forms = Vec::new();
    let none = Node { line: node.line, data: Data::Map(Vec::new()) };
    match file.get("forms").map(|node| (node, node.list())) {
        None => forms.push(form(1, file, Keys::of(&none, "a form", &[])?, &mut names)?),
        Some((node, [])) => return Err(Problem::new(node.line, "forms is empty; leave it out or write one")),
        Some((_, all)) => {
            for (place, each) in all.iter().enumerate() {
                forms.push(form(place + 1, file, Keys::of(each, "a form", &OF_FORM)?, &mut names)?);
            }
        }
    }
    steps::check(&forms, &names, node.line)?;
    if names.len() > MOST_NAMES {
        return Err(Problem::new(node.line, "more names of fields than a parser may have"));
    }
    Ok(Parser { name: name.to_owned(), names, forms })
}

fn form(number: usize, file: Keys, own: Keys, names: &mut Names) -> Result<Form, Problem> {
    let either = |key: &str| own.get(key).or_else(|| file.get(key));
    let read =
        either("read").ok_or_else(|| Problem::new(own.node.line, "neither the form nor the file says how a line is read; write `read`"))?;
    let steps = steps::read(read, names)?;
    let (before, after) = conditions(either("if"), names)?;
    let clocks = either("clock").map(|node| clocks::read(node, names)).transpose()?.unwrap_or_default();
    let mut nothing: Vec<String> = NOTHING.iter().map(|each| (*each).to_owned()).collect();
    for keys in [file, own] {
        for text in keys.get("nothing").map(Node::texts).transpose()?.unwrap_or_default() {
            nothing.push(text.to_owned());
        }
        for (key, typed) in [("not_cpr", true), ("cpr_without_leading_zero", false)] {
            for text in keys.get(key).map(Node::texts).transpose()?.unwrap_or_default() {
                let kind = names.add(text);
                let kind = &mut names.kinds[usize::from(kind)];
                kind.typed |= typed;
                kind.without_leading_zero |= !typed;
                names.any_kind = true;
            }
        }
    }
    let fields = fields(file, own, names)?;
    let name = own.text("name")?.map_or_else(|| number.to_string(), str::to_owned);
    Ok(Form { name, before, steps, after, clocks, fields, nothing })
}

/// Conditions on what is known of the line, and on what is read of it.
fn conditions(node: Option<&Node>, names: &mut Names) -> Result<(Vec<Condition>, Vec<Condition>), Problem> {
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for (key, value, line) in node.map(|node| node.pairs("if")).transpose()?.unwrap_or_default() {
        let words = value.texts()?.into_iter().map(Word::new).collect();
        let condition = Condition { field: field(key, line, names)?, words };
        if key.starts_with('$') {
            before.push(condition)
        } else {
            after.push(condition)
        }
    }
    Ok((before, after))
}

/// The place of a field; what begins with `$` must be known.
pub fn field(name: &str, line: usize, names: &mut Names) -> Result<Id, Problem> {
    if name.is_empty() {
        return Err(Problem::new(line, "a field without a name"));
    }
    if name.starts_with('$') && names.find(name).is_none() {
        let known = super::names::OF_LINE.join(", ");
        return Err(Problem::new(line, format!("{name} is not known of a line; known are {known}")));
    }
    Ok(names.add(name))
}

/// Fields of the form, then those of the file that the form does not name.
fn fields(file: Keys, own: Keys, names: &mut Names) -> Result<Vec<Field>, Problem> {
    let mut found: Vec<Field> = Vec::new();
    let mut taken = Vec::new();
    for keys in [own, file] {
        for (ecs, value, line) in keys.get("fields").map(|node| node.pairs("fields")).transpose()?.unwrap_or_default() {
            if taken.contains(&ecs) {
                continue;
            }
            taken.push(ecs);
            if value.data != Data::Nothing {
                found.push(sources::field(ecs, value, line, names)?);
            }
        }
    }
    Ok(found)
}
