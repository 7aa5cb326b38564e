//! The fields of one line: spans of the message, or text of their own where the message writes them otherwise.

use crate::parser::names::{Id, Names, OF_LINE};
use crate::Span;

/// A field that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value {
    /// Where it stands in the message.
    pub span: Span,
    /// Where its text stands in `Values::own`, when the message writes it with escapes.
    pub own: Option<Span>,
}

/// The fields of a line by their places in the parser. It is used again for every line.
#[derive(Debug, Default)]
pub struct Values {
    slots: Vec<Option<Value>>,
    own: String,
    /// Spans whose digits are never a CPR number.
    pub typed: Vec<Span>,
    /// Spans of which nine digits count.
    pub without_leading_zero: Vec<Span>,
    /// Columns of a line of comma-separated values.
    pub columns: Vec<Value>,
    /// Whether the steps of the form that was tried last succeeded.
    pub read: bool,
    /// The form that was tried last.
    pub last: Option<usize>,
    /// Where the header's time stands.
    time: Option<Span>,
}

impl Values {
    /// Forgets everything, for a parser with so many names.
    pub fn start(&mut self, names: usize) {
        self.slots.clear();
        self.slots.resize(names, None);
        self.own.clear();
        self.last = None;
        self.of_header(None);
        self.without_leading_zero.clear();
    }

    /// Notes where the time of the header stands: its digits are no CPR number.
    pub fn of_header(&mut self, time: Option<Span>) {
        self.time = time;
        self.typed.clear();
        self.typed.extend(time);
    }

    /// Forgets what was read by a form that did not fit, but not what is known of the line itself.
    pub fn again(&mut self) {
        for slot in self.slots.iter_mut().skip(OF_LINE.len()) {
            *slot = None;
        }
        self.of_header(self.time);
        self.without_leading_zero.clear();
    }

    pub fn get(&self, id: Id) -> Option<Value> {
        self.slots.get(usize::from(id)).copied().flatten()
    }

    /// The first of a name counts.
    pub fn set(&mut self, id: Id, value: Value) {
        if let Some(slot @ None) = self.slots.get_mut(usize::from(id)) {
            *slot = Some(value);
        }
    }

    /// Keeps a text and says where it is.
    pub fn keep(&mut self, text: &str) -> Span {
        let start = self.own.len();
        self.own.push_str(text);
        Span { start, end: self.own.len() }
    }

    /// The text of a value, `message` being the line that is read.
    pub fn text<'a>(&'a self, value: Value, message: &'a str) -> &'a str {
        match value.own {
            Some(own) => self.own.get(own.start..own.end),
            None => message.get(value.span.start..value.span.end),
        }
        .unwrap_or("")
    }
}

/// Where the text of a step is from.
#[derive(Clone, Copy, Debug)]
pub enum From {
    /// The message, from this byte.
    Message(usize),
    /// A field that the message writes otherwise, there.
    Own(Span),
}

/// Takes what a step finds.
pub struct Sink<'a> {
    pub names: &'a Names,
    pub values: &'a mut Values,
    pub from: From,
}

impl Sink<'_> {
    /// A field as it stands, from `start` to `end` of the step's `text`.
    pub fn found(&mut self, name: &str, text: &str, start: usize, end: usize) {
        let id = self.names.find(name);
        if id.is_none() && !self.names.any_kind {
            return;
        }
        let value = self.value(text, start, end);
        self.add(name, id, value);
    }

    /// A field that is written with escapes from `start` to `end`, and what it means.
    pub fn unescaped(&mut self, name: &str, meaning: &str, start: usize, end: usize) {
        let id = self.names.find(name);
        if id.is_none() && !self.names.any_kind {
            return;
        }
        let own = Some(self.values.keep(meaning));
        let span = self.span(start, end);
        self.add(name, id, Value { span, own });
    }

    fn add(&mut self, name: &str, id: Option<Id>, value: Value) {
        let kind = self.names.kind(name, id);
        if kind.typed {
            self.values.typed.push(value.span);
        }
        if kind.without_leading_zero {
            self.values.without_leading_zero.push(value.span);
        }
        if let Some(id) = id {
            self.values.set(id, value);
        }
    }

    /// The value from `start` to `end` of the step's text.
    pub fn value(&mut self, text: &str, start: usize, end: usize) -> Value {
        let span = self.span(start, end);
        match self.from {
            From::Message(_) => Value { span, own: None },
            From::Own(_) => Value { span, own: Some(self.values.keep(text.get(start..end).unwrap_or(""))) },
        }
    }

    pub fn span(&self, start: usize, end: usize) -> Span {
        match self.from {
            From::Message(base) => Span { start: base + start, end: base + end },
            From::Own(span) => span,
        }
    }
}
