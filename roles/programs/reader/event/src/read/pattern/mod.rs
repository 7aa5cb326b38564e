//! Named patterns: text with `{name:kind}`. Nothing is tried twice, so the cost is linear in the text.

mod compile;
mod kinds;

pub use kinds::split;

use memchr::memmem;

use super::space;
use super::values::{Sink, Value};
use crate::parser::names::Id;
use crate::Span;

/// A pattern, ready to be held against a text.
#[derive(Clone, Debug)]
pub struct Pattern {
    elements: Vec<Element>,
    /// So many of them, from the first, are those of the pattern in front.
    shared: usize,
}

#[derive(Clone, Debug)]
enum Element {
    Literal(String),
    /// Any space, also none.
    Spaces,
    /// A constant: nothing is taken.
    Constant(Id, String),
    Optional(Vec<Element>),
    Take(Option<Id>, Kind),
    End,
}

#[derive(Clone, Debug)]
enum Kind {
    /// The shortest text before what follows.
    Text(Stop),
    /// The longest.
    Last(Stop),
    /// No spaces; before what follows when that is no space.
    Word(Option<Box<memmem::Finder<'static>>>),
    Name,
    Number,
    Ip,
    Mac,
    Port,
    /// Places of the address and the port.
    IpPort(Option<(Id, Id)>),
    Quoted,
    /// One of these, the longest first.
    OneOf(Vec<String>),
}

#[derive(Clone, Debug)]
enum Stop {
    Rest,
    Space,
    Text(Box<memmem::Finder<'static>>, Box<memmem::FinderRev<'static>>),
}

impl Pattern {
    /// The fields that it may give.
    pub fn fields(&self) -> Vec<Id> {
        fields(&self.elements)
    }
}

fn fields(elements: &[Element]) -> Vec<Id> {
    let mut found = Vec::new();
    for element in elements {
        match element {
            Element::Constant(id, _) | Element::Take(Some(id), _) => found.push(*id),
            Element::Take(None, Kind::IpPort(Some((address, port)))) => found.extend([*address, *port]),
            Element::Optional(inner) => found.extend(fields(inner)),
            _ => {}
        }
    }
    found
}

/// What was taken so far: a field and where it stands, or a constant; and whether its digits are typed.
enum Taken<'p> {
    Field(Option<Id>, Span, bool),
    Constant(Id, &'p str),
}

/// Holds patterns against a text, in order; the fields of the first that fits are added.
pub fn read(patterns: &[Pattern], text: &str, sink: &mut Sink) -> bool {
    let mut taken = Vec::with_capacity(16);
    if !any(patterns, text, &mut taken) {
        return false;
    }
    for each in &taken {
        add(each, text, sink);
    }
    true
}

/// Whether one fits; what it takes is in `taken`. What a pattern shares with the one in front is not held against the text again.
fn any<'p>(patterns: &'p [Pattern], text: &str, taken: &mut Vec<Taken<'p>>) -> bool {
    // The place, and how much was taken, before each element of the pattern that was tried last; it did not get past the last of them.
    let mut before: Vec<(usize, usize)> = Vec::with_capacity(16);
    for pattern in patterns {
        let shared = pattern.shared;
        if before.len() > shared {
            before.truncate(shared + 1);
        } else if !before.is_empty() {
            continue;
        }
        let (mut at, kept) = before.pop().unwrap_or((0, 0));
        taken.truncate(kept);
        let fits = pattern.elements[before.len()..].iter().all(|element| {
            before.push((at, taken.len()));
            one(element, text, at, taken).map(|end| at = end).is_some()
        });
        if fits {
            return true;
        }
    }
    false
}

/// What the first pattern that fits takes as this field.
pub fn part(patterns: &[Pattern], field: Id, text: &str) -> Option<Span> {
    let mut taken = Vec::with_capacity(8);
    if !any(patterns, text, &mut taken) {
        return None;
    }
    taken.iter().find_map(|each| match each {
        Taken::Field(Some(id), span, _) if *id == field => Some(*span),
        _ => None,
    })
}

fn add(taken: &Taken, text: &str, sink: &mut Sink) {
    match taken {
        Taken::Field(id, span, typed) => {
            let kind = id.map(|id| sink.names.kinds[usize::from(id)]).unwrap_or_default();
            let place = sink.span(span.start, span.end);
            if *typed || kind.typed {
                sink.values.typed.push(place);
            }
            if kind.without_leading_zero {
                sink.values.without_leading_zero.push(place);
            }
            if let Some(id) = id {
                let value = sink.value(text, span.start, span.end);
                sink.values.set(*id, value);
            }
        }
        Taken::Constant(id, constant) => {
            let own = Some(sink.values.keep(constant));
            sink.values.set(*id, Value { span: Span::default(), own });
        }
    }
}

/// Where the elements end, held against the text from a place.
fn fit<'p>(elements: &'p [Element], text: &str, start: usize, taken: &mut Vec<Taken<'p>>) -> Option<usize> {
    elements.iter().try_fold(start, |at, element| one(element, text, at, taken))
}

/// Where an element ends.
fn one<'p>(element: &'p Element, text: &str, at: usize, taken: &mut Vec<Taken<'p>>) -> Option<usize> {
    let bytes = text.as_bytes();
    match element {
        Element::Literal(literal) => bytes[at..].starts_with(literal.as_bytes()).then(|| at + literal.len()),
        Element::Spaces => Some(at + space::all(&bytes[at..])),
        Element::Constant(id, constant) => {
            taken.push(Taken::Constant(*id, constant));
            Some(at)
        }
        Element::Optional(inner) => {
            let kept = taken.len();
            let end = fit(inner, text, at, taken);
            if end.is_none() {
                taken.truncate(kept);
            }
            Some(end.unwrap_or(at))
        }
        Element::Take(id, kind) => kinds::take(*id, kind, text, at, taken),
        Element::End => (at + space::all(&bytes[at..]) == bytes.len()).then_some(at),
    }
}

#[cfg(test)]
mod tests;
