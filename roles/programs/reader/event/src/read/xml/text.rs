//! The text of an element, of one piece or of several: between comments, and in CDATA.

use super::references;
use crate::read::values::Sink;
use crate::Span;

/// The text of the innermost element so far.
#[derive(Default)]
pub struct Held {
    span: Option<Span>,
    /// What it means, where it is written otherwise.
    meaning: String,
    is_written_otherwise: bool,
}

impl Held {
    pub fn forget(&mut self) {
        self.span = None;
        self.meaning.clear();
        self.is_written_otherwise = false;
    }

    /// Adds a piece; a plain one has no references. None when one of them is wrong.
    pub fn add(&mut self, text: &str, span: Span, is_plain: bool) -> Option<()> {
        let piece = &text[span.start..span.end];
        let is_plain = is_plain || memchr::memchr(b'&', piece.as_bytes()).is_none();
        if piece.is_empty() {
            return Some(());
        }
        let Some(before) = self.span.replace(Span { start: self.span.map_or(span.start, |before| before.start), ..span }) else {
            self.is_written_otherwise = !is_plain;
            return if is_plain { Some(()) } else { references::read(piece, &mut self.meaning) };
        };
        if !self.is_written_otherwise {
            self.meaning.push_str(&text[before.start..before.end]);
            self.is_written_otherwise = true;
        }
        if is_plain {
            self.meaning.push_str(piece);
            return Some(());
        }
        references::read(piece, &mut self.meaning)
    }

    /// Gives it to the sink, where there is any.
    pub fn put(&self, name: &str, text: &str, sink: &mut Sink) {
        match self.span {
            Some(span) if self.is_written_otherwise => sink.unescaped(name, &self.meaning, span.start, span.end),
            Some(span) => sink.found(name, text, span.start, span.end),
            None => {}
        }
    }
}
