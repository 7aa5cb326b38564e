//! Where the values of fields are from.

use super::form::field as id;
use super::keys::Keys;
use super::names::Names;
use super::words::Word;
use super::yaml::{Data, Node, Problem};
use super::{Change, Field, Source};
use crate::fields::Type;

/// Reads one of `fields`.
pub fn field(ecs: &str, node: &Node, line: usize, names: &mut Names) -> Result<Field, Problem> {
    let known = |each: u8| each.is_ascii_alphanumeric() || matches!(each, b'.' | b'_' | b'-' | b'@');
    if ecs.is_empty() || !ecs.bytes().all(known) {
        return Err(Problem::new(line, format!("{ecs:?} is no ECS name")));
    }
    if ecs == "@timestamp" {
        return Err(Problem::new(line, "@timestamp is written by `clock`, not by `fields`"));
    }
    let sources = node.list().iter().map(|each| source(each, names)).collect::<Result<_, _>>()?;
    Ok(Field { ecs: ecs.to_owned(), kind: Type::of(ecs), sources })
}

fn source(node: &Node, names: &mut Names) -> Result<Source, Problem> {
    if let Data::Map(_) = node.data {
        return made(node, names);
    }
    let text = node.text()?;
    match text.strip_prefix('=') {
        Some(constant) => Ok(Source::Constant(constant.to_owned())),
        None => Ok(Source::Field(id(text, node.line, names)?)),
    }
}

fn made(node: &Node, names: &mut Names) -> Result<Source, Problem> {
    let keys = Keys::of(node, "a value", &["from", "map", "else", "pattern", "as"])?;
    let from = keys.need("from")?;
    let from = from.texts()?.into_iter().map(|name| id(name, from.line, names)).collect::<Result<Vec<_>, _>>()?;
    match (keys.get("map"), keys.get("pattern"), keys.get("as")) {
        (Some(map), None, None) => {
            let pairs = map.pairs("map")?.into_iter();
            let map = pairs.map(|(value, words, _)| Ok((value.to_owned(), words.texts()?.into_iter().map(Word::new).collect())));
            Ok(Source::Words { from, map: map.collect::<Result<_, Problem>>()?, other: keys.text("else")?.map(str::to_owned) })
        }
        (None, Some(patterns), None) => {
            Ok(Source::Part { from, patterns: super::steps::patterns(patterns, names)?, value: names.add("value") })
        }
        (None, None, Some(how)) => {
            let how = match how.text()? {
                "lower" => Change::Lower,
                "upper" => Change::Upper,
                "dns_labels" => Change::DnsLabels,
                other => return Err(Problem::new(how.line, format!("{other:?} is not known; known are lower, upper, dns_labels"))),
            };
            Ok(Source::Changed { from, how })
        }
        _ => Err(Problem::new(node.line, "a value with `from` needs exactly one of map, pattern and as")),
    }
}
