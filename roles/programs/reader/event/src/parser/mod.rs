//! Parsers: one YAML file a vendor, checked and ready to read lines. The language is described in `docs/parsers.md`.

mod clocks;
mod form;
mod keys;
pub mod names;
mod sources;
mod steps;
pub mod words;
pub mod yaml;

use crate::clock::format::Format;
use crate::fields::Type;
use crate::read::pattern::Pattern;
use crate::read::Step;
use names::{Id, Names};
use words::Word;
use yaml::Problem;

/// A parser, ready to read.
#[derive(Debug)]
pub struct Parser {
    pub name: String,
    pub names: Names,
    /// Tried in this order.
    pub forms: Vec<Form>,
}

/// One way in which the vendor writes lines.
#[derive(Debug)]
pub struct Form {
    /// Its name, or its number from 1.
    pub name: String,
    /// Conditions on the header, held before the line is read.
    pub before: Vec<Condition>,
    pub steps: Vec<Step>,
    pub after: Vec<Condition>,
    pub clocks: Vec<Clock>,
    pub fields: Vec<Field>,
    /// Words that stand for no value.
    pub nothing: Vec<String>,
}

/// A field that must be one of these words.
#[derive(Debug)]
pub struct Condition {
    pub field: Id,
    pub words: Vec<Word>,
}

/// Where a time is.
#[derive(Debug)]
pub enum Clock {
    Header,
    Fields { from: Vec<Id>, formats: Vec<Format>, zone: ZoneOf },
}

/// The zone of a time that names none.
#[derive(Debug, PartialEq, Eq)]
pub enum ZoneOf {
    Declared,
    Utc,
    Field(Id),
}

/// One field of an event.
#[derive(Debug)]
pub struct Field {
    pub ecs: String,
    pub kind: Type,
    /// The first that has a value of the type counts.
    pub sources: Vec<Source>,
}

/// Where the value of a field is from.
#[derive(Debug)]
pub enum Source {
    Field(Id),
    Constant(String),
    Words { from: Vec<Id>, map: Vec<(String, Vec<Word>)>, other: Option<String> },
    Part { from: Vec<Id>, patterns: Vec<Pattern>, value: Id },
    Changed { from: Vec<Id>, how: Change },
}

/// How a text is written otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Lower,
    Upper,
    DnsLabels,
}

impl Parser {
    /// A parser by the text of its file. The error says what is wrong, and in which line.
    pub fn new(name: &str, text: &str) -> Result<Parser, Problem> {
        form::parser(name, &yaml::read(text)?)
    }

    /// What `generic` names: no fields, the clock of the header, every line read.
    pub fn generic() -> Parser {
        let form = Form {
            name: "1".to_owned(),
            before: Vec::new(),
            steps: Vec::new(),
            after: Vec::new(),
            clocks: Vec::new(),
            fields: Vec::new(),
            nothing: Vec::new(),
        };
        Parser { name: "generic".to_owned(), names: Names::default(), forms: vec![form] }
    }
}

#[cfg(test)]
mod tests;
