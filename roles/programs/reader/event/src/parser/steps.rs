//! How a parser says that a line is read.

use super::form::field;
use super::keys::Keys;
use super::names::{Id, Names, BODY, OF_LINE};
use super::yaml::{Data, Node, Problem};
use super::{Clock, Form, Source, ZoneOf};
use crate::read::key_value::Pairs;
use crate::read::pattern::Pattern;
use crate::read::space::Separator;
use crate::read::{How, Step};

/// Reads `read`: one step or a list of them.
pub fn read(node: &Node, names: &mut Names) -> Result<Vec<Step>, Problem> {
    node.list().iter().map(|each| step(each, names)).collect()
}

fn step(node: &Node, names: &mut Names) -> Result<Step, Problem> {
    let nothing = Node { line: node.line, data: Data::Map(Vec::new()) };
    let (how, options) = match &node.data {
        Data::Text(text) => (text.as_str(), &nothing),
        _ => match node.pairs("a step")?.as_slice() {
            [(how, options, _)] => (*how, *options),
            _ => {
                return Err(Problem::new(node.line, "a step is one of key_value, csv, json, xml, cef, leef and pattern, with its options"))
            }
        },
    };
    let options = if options.data == Data::Nothing { &nothing } else { options };
    if how == "pattern" && !matches!(options.data, Data::Map(_)) {
        return Ok(Step { of: BODY, how: How::Pattern(patterns(options, names)?) });
    }
    let known: &[&str] = match how {
        "key_value" => &["of", "separator", "assign"],
        "csv" => &["of", "separator", "columns"],
        "cef" | "leef" => &["of"],
        "json" => &["of", "outside_xml"],
        "xml" => &["of", "root"],
        "pattern" => &["of", "patterns"],
        _ => return Err(Problem::new(node.line, format!("{how:?} is no step; known are key_value, csv, json, xml, cef, leef, pattern"))),
    };
    let keys = Keys::of(options, how, known)?;
    let of = keys.text("of")?.map_or(Ok(BODY), |name| field(name, options.line, names))?;
    let how = match how {
        "key_value" => How::KeyValue(Pairs { separator: separator(keys, Separator::Spaces)?, assign: assign(keys)? }),
        "csv" => How::Csv(separator(keys, Separator::Byte(b','))?, columns(keys.get("columns"), names)?),
        "json" => How::Json(outside_xml(keys)?),
        "cef" => How::Cef,
        "leef" => How::Leef,
        "xml" => How::Xml(keys.text("root")?.map(str::to_owned)),
        _ => How::Pattern(patterns(keys.need("patterns")?, names)?),
    };
    Ok(Step { of, how })
}

/// One pattern or a list of them.
pub fn patterns(node: &Node, names: &mut Names) -> Result<Vec<Pattern>, Problem> {
    let one = |each: &Node, names: &mut Names| Pattern::new(each.text()?, names).map_err(|what| Problem::new(each.line, what));
    let mut found = node.list().iter().map(|each| one(each, names)).collect::<Result<Vec<_>, _>>()?;
    Pattern::share(&mut found);
    Ok(found)
}

fn separator(keys: Keys, usual: Separator) -> Result<Separator, Problem> {
    let Some(text) = keys.text("separator")? else { return Ok(usual) };
    Separator::new(text)
        .ok_or_else(|| Problem::new(keys.node.line, format!("{text:?} is no separator; write one ASCII character, tab or spaces")))
}

fn assign(keys: Keys) -> Result<u8, Problem> {
    match keys.text("assign")?.map(str::as_bytes) {
        None => Ok(b'='),
        Some([byte]) if byte.is_ascii_punctuation() => Ok(*byte),
        Some(_) => Err(Problem::new(keys.node.line, "assign is one sign, such as = or :")),
    }
}

fn outside_xml(keys: Keys) -> Result<bool, Problem> {
    match keys.text("outside_xml")? {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(text) => Err(Problem::new(keys.node.line, format!("outside_xml is true or false, not {text:?}"))),
    }
}

/// A list of names by place, or a map of number to name.
fn columns(node: Option<&Node>, names: &mut Names) -> Result<Vec<(usize, Id)>, Problem> {
    let Some(node) = node else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    if let Data::List(parts) = &node.data {
        for (place, each) in parts.iter().enumerate() {
            if !matches!(each.text()?, "" | "_") {
                found.push((place, field(each.text()?, each.line, names)?));
            }
        }
        return Ok(found);
    }
    for (number, name, line) in node.pairs("columns")? {
        let place = number.parse::<usize>().ok().filter(|number| (1..=1000).contains(number));
        let place = place.ok_or_else(|| Problem::new(line, format!("{number:?} is no number of a column; the first is 1")))?;
        found.push((place - 1, field(name.text()?, name.line, names)?));
    }
    Ok(found)
}

/// The fields that a step gives, when that is known before a line is read.
fn gives(step: &Step) -> Option<Vec<Id>> {
    match &step.how {
        How::Csv(_, columns) => Some(columns.iter().map(|(_, id)| *id).collect()),
        How::Pattern(patterns) => Some(patterns.iter().flat_map(Pattern::fields).collect()),
        _ => None,
    }
}

/// A field that is asked for and that no column and no pattern of the file gives is a slip of the pen.
pub fn check(forms: &[Form], names: &Names, line: usize) -> Result<(), Problem> {
    let steps = forms.iter().flat_map(|form| &form.steps);
    let Some(given) = steps.map(gives).collect::<Option<Vec<_>>>() else { return Ok(()) };
    let given = given.concat();
    let asked = forms.iter().flat_map(asks).find(|id| usize::from(*id) >= OF_LINE.len() && !given.contains(id));
    match asked {
        Some(id) => Err(Problem::new(line, format!("no column and no pattern gives {:?}, which a form asks for", names.name(id)))),
        None => Ok(()),
    }
}

/// The fields that a form asks for.
fn asks(form: &Form) -> Vec<Id> {
    let mut found: Vec<Id> = form.before.iter().chain(&form.after).map(|each| each.field).collect();
    found.extend(form.steps.iter().map(|step| step.of));
    for clock in &form.clocks {
        if let Clock::Fields { from, zone, .. } = clock {
            found.extend(from);
            found.extend(match zone {
                ZoneOf::Field(id) => Some(id),
                _ => None,
            });
        }
    }
    for source in form.fields.iter().flat_map(|field| &field.sources) {
        match source {
            Source::Field(id) => found.push(*id),
            Source::Constant(_) => {}
            Source::Words { from, .. } | Source::Part { from, .. } | Source::Changed { from, .. } => found.extend(from),
        }
    }
    found
}
