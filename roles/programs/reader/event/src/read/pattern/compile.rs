//! A pattern from its text.

use memchr::memmem::{Finder, FinderRev};

use super::{Element, Kind, Pattern, Stop};
use crate::parser::names::{Id, Names};

/// A part of a pattern before what follows it is known.
enum Part {
    Done(Element),
    Field(Option<Id>, String, String),
    Optional(Vec<Part>),
}

impl Pattern {
    /// Reads a pattern, adding the names of its fields. The error says what is wrong with it.
    pub fn new(text: &str, names: &mut Names) -> Result<Pattern, String> {
        let mut rest = text;
        let parts = parts(&mut rest, names, false)?;
        Ok(Pattern { elements: linked(parts, names)?, shared: 0 })
    }

    /// Notes what each pattern has in common with the one in front, so that it is held against a line once.
    pub fn share(patterns: &mut [Pattern]) {
        for place in 1..patterns.len() {
            let (before, rest) = patterns.split_at_mut(place);
            let pairs = before[place - 1].elements.iter().zip(&rest[0].elements);
            rest[0].shared = pairs.take_while(|(one, two)| format!("{one:?}") == format!("{two:?}")).count();
        }
    }
}

fn parts(rest: &mut &str, names: &mut Names, inner: bool) -> Result<Vec<Part>, String> {
    let mut found = Vec::new();
    let mut literal = String::new();
    while let Some(each) = rest.chars().next() {
        if inner && rest.starts_with("?}") {
            break;
        }
        if rest.starts_with("{{") || rest.starts_with("}}") {
            literal.push(each);
            *rest = &rest[2..];
            continue;
        }
        if each == '}' {
            return Err(format!("a brace is closed that was not opened, before {rest:?}; write }}}} for a brace itself"));
        }
        if each != '{' {
            literal.push(each);
            *rest = &rest[each.len_utf8()..];
            continue;
        }
        if !literal.is_empty() {
            found.push(Part::Done(Element::Literal(std::mem::take(&mut literal))));
        }
        *rest = &rest[1..];
        if let Some(inside) = rest.strip_prefix('?') {
            *rest = inside;
            found.push(Part::Optional(parts(rest, names, true)?));
            *rest = rest.strip_prefix("?}").ok_or("{? is not closed; write ?} behind it")?;
            continue;
        }
        let end = rest.find('}').ok_or_else(|| format!("a brace is not closed before {rest:?}; write {{{{ for a brace itself"))?;
        found.push(field(&rest[..end], names)?);
        *rest = &rest[end + 1..];
    }
    if !literal.is_empty() {
        found.push(Part::Done(Element::Literal(literal)));
    }
    Ok(found)
}

fn field(text: &str, names: &mut Names) -> Result<Part, String> {
    if let Some((name, constant)) = text.split_once('=') {
        return Ok(Part::Done(Element::Constant(named(name, names)?.ok_or("a constant needs a name")?, constant.to_owned())));
    }
    let (name, kind) = text.split_once(':').unwrap_or((text, "text"));
    match (name, kind) {
        ("_", _) => Ok(Part::Done(Element::Spaces)),
        ("end", "text") => Ok(Part::Done(Element::End)),
        (_, "ip_port") => {
            named(name, names)?;
            Ok(Part::Field(None, kind.to_owned(), name.to_owned()))
        }
        _ => Ok(Part::Field(named(name, names)?, kind.to_owned(), name.to_owned())),
    }
}

fn named(name: &str, names: &mut Names) -> Result<Option<Id>, String> {
    if name.is_empty() {
        return Ok(None);
    }
    if !name.bytes().all(|each| each.is_ascii_alphanumeric() || matches!(each, b'_' | b'.' | b'-')) {
        return Err(format!("{name:?} is no name of a field; letters, digits, _, - and . are"));
    }
    Ok(Some(names.add(name)))
}

/// Gives each field what follows it.
fn linked(parts: Vec<Part>, names: &mut Names) -> Result<Vec<Element>, String> {
    let mut found: Vec<Element> = Vec::new();
    for part in parts.into_iter().rev() {
        // A constant takes nothing, so what is behind it follows.
        let behind = found.iter().rev().find(|each| !matches!(each, Element::Constant(..)));
        let element = match part {
            Part::Done(element) => element,
            Part::Optional(inner) => Element::Optional(linked(inner, names)?),
            Part::Field(id, kind, name) => Element::Take(id, self::kind(&kind, &name, behind, names)?),
        };
        found.push(element);
    }
    found.reverse();
    Ok(found)
}

fn kind(kind: &str, name: &str, behind: Option<&Element>, names: &mut Names) -> Result<Kind, String> {
    Ok(match kind {
        "text" | "rest" => Kind::Text(stop(behind).ok_or_else(|| format!("{{{name}}} has no text behind it that would end it"))?),
        "last" => Kind::Last(stop(behind).ok_or_else(|| format!("{{{name}:last}} has no text behind it that would end it"))?),
        "word" => Kind::Word(match behind {
            Some(Element::Literal(literal)) if !literal.starts_with(' ') => Some(Box::new(Finder::new(literal).into_owned())),
            _ => None,
        }),
        "name" => Kind::Name,
        "number" => Kind::Number,
        "ip" => Kind::Ip,
        "mac" => Kind::Mac,
        "port" => Kind::Port,
        "ip_port" if name.is_empty() => Kind::IpPort(None),
        "ip_port" => Kind::IpPort(Some((names.add(&format!("{name}.ip")), names.add(&format!("{name}.port"))))),
        "quoted" => Kind::Quoted,
        words if words.contains('|') => {
            let mut words: Vec<String> = words.split('|').map(str::to_owned).collect();
            words.sort_by_key(|word| std::cmp::Reverse(word.len()));
            Kind::OneOf(words)
        }
        _ => {
            return Err(format!(
                "{kind:?} is no kind; known are text, last, word, name, number, ip, mac, port, ip_port, quoted and words with | between"
            ))
        }
    })
}

fn stop(behind: Option<&Element>) -> Option<Stop> {
    match behind {
        None | Some(Element::End) => Some(Stop::Rest),
        Some(Element::Spaces) => Some(Stop::Space),
        Some(Element::Literal(literal)) => {
            Some(Stop::Text(Box::new(Finder::new(literal).into_owned()), Box::new(FinderRev::new(literal).into_owned())))
        }
        Some(_) => None,
    }
}
