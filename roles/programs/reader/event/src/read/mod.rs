//! Steps that read the fields of a text.

pub mod cef;
pub mod csv;
pub mod json;
pub mod key_value;
pub mod pattern;
pub mod space;
pub mod values;
pub mod xml;

use crate::parser::names::{Id, Names};
use values::{From, Sink, Values};

/// One step of a form.
#[derive(Clone, Debug)]
pub struct Step {
    /// The field whose text is read.
    pub of: Id,
    pub how: How,
}

/// How a text is read.
#[derive(Clone, Debug)]
pub enum How {
    KeyValue(key_value::Pairs),
    /// Columns are given their names: the place from 0, and the field.
    Csv(space::Separator, Vec<(usize, Id)>),
    /// Whether an object that has marks of XML beside it is left alone.
    Json(bool),
    Cef,
    Leef,
    /// The name that the element must have.
    Xml(Option<String>),
    Pattern(Vec<pattern::Pattern>),
}

impl How {
    /// Whether another step gives the same fields of the same text; columns apart, which are named anew.
    fn same(&self, other: &How) -> bool {
        match (self, other) {
            (How::KeyValue(one), How::KeyValue(two)) => one == two,
            (How::Csv(one, _), How::Csv(two, _)) => one == two,
            (How::Xml(one), How::Xml(two)) => one == two,
            (How::Json(one), How::Json(two)) => one == two,
            (How::Cef, How::Cef) | (How::Leef, How::Leef) => true,
            _ => false,
        }
    }
}

/// Whether two forms read a line alike, so that it is read once.
pub fn same(one: &[Step], two: &[Step]) -> bool {
    match (one, two) {
        ([one], [two]) => one.of == two.of && one.how.same(&two.how),
        _ => false,
    }
}

/// Runs the steps of a form. Whether all of them succeed.
pub fn run(steps: &[Step], message: &str, names: &Names, values: &mut Values) -> bool {
    steps.iter().all(|step| {
        let Some(value) = values.get(step.of) else { return false };
        match value.own {
            None => {
                let text = message.get(value.span.start..value.span.end).unwrap_or("");
                one(step, text, &mut Sink { names, values, from: From::Message(value.span.start) })
            }
            Some(_) => {
                let text = values.text(value, message).to_owned();
                one(step, &text, &mut Sink { names, values, from: From::Own(value.span) })
            }
        }
    })
}

fn one(step: &Step, text: &str, sink: &mut Sink) -> bool {
    match &step.how {
        How::KeyValue(pairs) => key_value::read(pairs, text, sink),
        How::Csv(separator, columns) => {
            let found = csv::split(*separator, text, sink);
            name_columns(columns, sink.names, sink.values);
            found
        }
        How::Json(outside_xml) => json::read(*outside_xml, text, sink),
        How::Cef => cef::read(text, sink),
        How::Leef => cef::read_leef(text, sink),
        How::Xml(root) => xml::read(root.as_deref(), text, sink),
        How::Pattern(patterns) => pattern::read(patterns, text, sink),
    }
}

/// Gives the columns of the line their names in this form.
pub fn name_columns(columns: &[(usize, Id)], names: &Names, values: &mut Values) {
    for (place, id) in columns {
        let Some(value) = values.columns.get(*place).copied() else { continue };
        let kind = names.kinds[usize::from(*id)];
        if kind.typed {
            values.typed.push(value.span);
        }
        if kind.without_leading_zero {
            values.without_leading_zero.push(value.span);
        }
        values.set(*id, value);
    }
}

#[cfg(test)]
mod tests;
