//! A text that is one element of XML, each value under its path with dots; such as an event as Windows renders it.
//!
//! Our own, as for JSON: a field must be known by where it stands in the message. What XML can do beside elements, attributes and text is not
//! done: a document type is refused, so no entity but the five of XML is ever expanded. Half an element is none, and nothing is tried twice.

mod references;
mod tags;
mod text;

use super::space;
use super::values::Sink;
use crate::header::is_host;
use crate::Span;
use text::Held;

/// Deeper elements are not read.
const DEEPEST: usize = 64;

/// An element that is not closed yet.
struct Open {
    /// Where its name stands, with its prefix.
    name: Span,
    /// Bytes of the path before it.
    path: usize,
    /// It has elements in it, so its text is no value.
    parent: bool,
    /// Elements `Data` without a name in it so far.
    unnamed: usize,
}

struct Reader<'a, 'b, 'c> {
    text: &'a str,
    at: usize,
    path: String,
    open: Vec<Open>,
    held: Held,
    sink: &'b mut Sink<'c>,
}

/// Reads the element, which must have the name `root` where one is given. Whether the text is such an element and nothing else.
pub fn read(root: Option<&str>, text: &str, sink: &mut Sink) -> bool {
    let Some(at) = beginning(text) else { return false };
    let mut reader = Reader { text, at, path: String::new(), open: Vec::new(), held: Held::default(), sink };
    reader.document(root).is_some()
}

/// Where the first mark stands: at the beginning, or behind one word, as a host is written where the header has no time.
fn beginning(text: &str) -> Option<usize> {
    let mark = usize::from(text.starts_with('\u{feff}')) * '\u{feff}'.len_utf8();
    let at = mark + space::all(&text.as_bytes()[mark..]);
    let end = at + space::before(&text.as_bytes()[at..]);
    if text[at..].starts_with('<') {
        return Some(at);
    }
    let behind = end + space::all(&text.as_bytes()[end..]);
    (is_host(&text[at..end]) && text[behind..].starts_with('<')).then_some(behind)
}

impl<'a> Reader<'a, '_, '_> {
    fn rest(&self) -> &'a [u8] {
        &self.text.as_bytes()[self.at..]
    }

    fn get(&self, span: Span) -> &'a str {
        &self.text[span.start..span.end]
    }

    fn document(&mut self, root: Option<&str>) -> Option<()> {
        self.between()?;
        self.start(root)?;
        while !self.open.is_empty() {
            self.piece()?;
        }
        self.between()?;
        // What ends messages that are framed by NUL is written like this.
        self.text[self.at..].trim_end_matches("#000").is_empty().then_some(())
    }

    /// Passes over space, comments and instructions.
    fn between(&mut self) -> Option<()> {
        loop {
            self.at += space::all(self.rest());
            match self.rest() {
                [b'<', b'?', ..] => self.past(2, b"?>")?,
                [b'<', b'!', b'-', b'-', ..] => self.past(4, b"-->")?,
                _ => return Some(()),
            };
        }
    }

    /// Goes behind an end that follows so many bytes. What stands between.
    fn past(&mut self, begin: usize, end: &[u8]) -> Option<Span> {
        let start = self.at + begin;
        let size = memchr::memmem::find(&self.text.as_bytes()[start..], end)?;
        self.at = start + size + end.len();
        Some(Span { start, end: start + size })
    }

    /// One piece of what an element holds.
    fn piece(&mut self) -> Option<()> {
        let rest = self.rest();
        match rest {
            [b'<', b'/', ..] => self.end(),
            [b'<', b'?', ..] => self.past(2, b"?>").map(|_| ()),
            [b'<', b'!', b'-', b'-', ..] => self.past(4, b"-->").map(|_| ()),
            [b'<', ..] if rest.starts_with(b"<![CDATA[") => {
                let span = self.past(9, b"]]>")?;
                self.hold(span, true)
            }
            [b'<', ..] => self.start(None),
            _ => {
                let end = self.at + memchr::memchr(b'<', rest)?;
                let span = Span { start: self.at, end };
                self.at = end;
                self.hold(span, false)
            }
        }
    }

    /// Adds to the text of the innermost element. In CDATA, `&` is no reference.
    fn hold(&mut self, span: Span, is_plain: bool) -> Option<()> {
        match self.open.last() {
            Some(open) if !open.parent => self.held.add(self.text, span, is_plain),
            _ => Some(()),
        }
    }
}

#[cfg(test)]
mod tests;
