//! Fields as read to the values of ECS names, each of the type of its name.

mod transport;
mod types;

pub use types::Type;

use crate::parser::names::Id;
use crate::parser::{Change, Field, Form, Source};
use crate::read::pattern;
use crate::read::values::{Value, Values};

/// A value of an event.
#[derive(Debug, PartialEq, Eq)]
pub enum Out<'p> {
    /// As the line has it.
    Read(Value),
    /// Made from what the line has there; it is masked as the line is.
    Made(String, Value),
    /// Made, and of a type that holds no CPR number.
    Typed(String),
    Constant(&'p str),
    Number(u64),
}

/// The values of a form that fits, in the order of its fields. Spans of typed values are noted in `values`.
pub fn all<'p>(form: &'p Form, message: &str, values: &mut Values) -> Vec<(&'p Field, Out<'p>)> {
    let mut found = Vec::with_capacity(form.fields.len());
    for field in &form.fields {
        if let Some(out) = field.sources.iter().find_map(|source| value(field.kind, source, form, message, values)) {
            found.push((field, out));
        }
    }
    found
}

/// The text of a field, or none when it stands for no value.
pub fn text<'a>(id: Id, form: &Form, message: &'a str, values: &'a Values) -> Option<(Value, &'a str)> {
    let value = values.get(id)?;
    let text = values.text(value, message);
    (!text.is_empty() && !form.nothing.iter().any(|each| each == text)).then_some((value, text))
}

fn value<'p>(kind: Type, source: &'p Source, form: &Form, message: &str, values: &mut Values) -> Option<Out<'p>> {
    match source {
        Source::Field(id) => {
            let (value, found) = text(*id, form, message, values)?;
            if kind == Type::Text {
                return Some(Out::Read(value));
            }
            let typed = types::read(kind, found)?;
            note(typed, value, values)
        }
        Source::Constant(constant) => typed_constant(kind, constant),
        Source::Words { from, map, other } => {
            let all = || from.iter().filter_map(|id| text(*id, form, message, values));
            let known = all().find_map(|(_, found)| map.iter().find(|(_, words)| words.iter().any(|word| word.is(found))));
            let chosen = known.map(|(chosen, _)| chosen).or(other.as_ref().filter(|_| all().next().is_some()))?;
            typed_constant(kind, chosen)
        }
        Source::Part { from, patterns, value } => from.iter().find_map(|id| {
            let (whole, found) = text(*id, form, message, values)?;
            let span = pattern::part(patterns, *value, found)?;
            let part = types::narrowed(whole, span);
            let found = &found[span.start..span.end];
            if found.is_empty() || form.nothing.iter().any(|each| each == found) {
                return None;
            }
            if kind == Type::Text {
                return Some(Out::Read(part));
            }
            let typed = types::read(kind, found)?;
            note(typed, part, values)
        }),
        Source::Changed { from, how } => from.iter().find_map(|id| {
            let (value, found) = text(*id, form, message, values)?;
            Some(Out::Made(changed(*how, found)?, value))
        }),
    }
}

fn note<'p>(typed: types::Typed, value: Value, values: &mut Values) -> Option<Out<'p>> {
    let (out, safe) = match typed {
        types::Typed::Text(text) => (Out::Typed(text), true),
        types::Typed::Part(span) => (Out::Read(types::narrowed(value, span)), false),
        types::Typed::Same => (Out::Read(value), true),
        types::Typed::Word(word) => (Out::Constant(word), true),
        types::Typed::Number(number) => (Out::Number(number), true),
    };
    if safe {
        values.typed.push(value.span);
    }
    Some(out)
}

fn typed_constant(kind: Type, constant: &str) -> Option<Out<'_>> {
    match kind {
        Type::Port | Type::Whole | Type::Status => match types::read(kind, constant)? {
            types::Typed::Number(number) => Some(Out::Number(number)),
            _ => None,
        },
        _ => Some(Out::Constant(constant)),
    }
}

fn changed(how: Change, text: &str) -> Option<String> {
    match how {
        Change::Lower => Some(text.to_lowercase()),
        Change::Upper => Some(text.to_uppercase()),
        Change::DnsLabels => dns_labels(text),
    }
}

/// `(3)www(7)example(0)`, as Windows writes a name; the root is a dot.
fn dns_labels(text: &str) -> Option<String> {
    let mut found = String::with_capacity(text.len());
    let mut rest = text.trim_end();
    loop {
        let (size, behind) = rest.strip_prefix('(')?.split_once(')')?;
        let size: usize = size.parse().ok().filter(|size| *size < 64)?;
        if size == 0 {
            break;
        }
        if !found.is_empty() {
            found.push('.');
        }
        // The counts are of bytes that Windows writes with escapes, so the next bracket ends a label that is longer in the line.
        let end = if behind.get(size..).is_some_and(|next| next.starts_with('(')) { size } else { behind.find('(')? };
        found.push_str(&behind[..end]);
        rest = &behind[end..];
    }
    Some(if found.is_empty() { ".".to_owned() } else { found })
}

#[cfg(test)]
mod tests;
