//! The tags of elements: what a start adds to the path, its attributes, and the end that must have the same name.

use std::borrow::Cow;

use super::{references, Open, Reader, DEEPEST};
use crate::read::json::push_number;
use crate::read::space;
use crate::Span;

/// Elements within one of an event's parts that are known by their attribute `Name`, or by their place from 0.
const NAMED: &str = "Data";

impl<'a> Reader<'a, '_, '_> {
    /// `<name attribute="value">`, also closed at once.
    pub(super) fn start(&mut self, root: Option<&str>) -> Option<()> {
        if self.rest().first() != Some(&b'<') || self.open.len() == DEEPEST {
            return None;
        }
        self.at += 1;
        self.held.forget();
        let name = self.name()?;
        let own = local(self.get(name));
        if root.is_some_and(|root| root != own) {
            return None;
        }
        let path = self.path.len();
        // A name that an application chose is never one of the event itself.
        let is_named = own == NAMED && self.open.len() > 1;
        if !self.open.is_empty() {
            self.push(own);
        }
        let given = self.attributes(is_named)?;
        let unnamed = self.open.last_mut().map_or(0, |open| {
            open.parent = true;
            open.unnamed += usize::from(is_named && given.is_none());
            open.unnamed
        });
        if is_named {
            self.path.truncate(path);
            match given {
                Some(given) => self.push(&given),
                None => self.push_place(unnamed.saturating_sub(1)),
            }
        }
        if self.rest().first() == Some(&b'/') {
            self.at += 1;
            self.path.truncate(path);
        } else {
            self.open.push(Open { name, path, parent: false, unnamed: 0 });
        }
        (self.rest().first() == Some(&b'>')).then(|| self.at += 1)
    }

    /// Reads attributes up to `>` or `/`. Of an element that is known by its name, that name alone.
    fn attributes(&mut self, is_named: bool) -> Option<Option<Cow<'a, str>>> {
        let mut given = None;
        loop {
            let gap = space::all(self.rest());
            self.at += gap;
            if matches!(self.rest().first()?, b'>' | b'/') {
                return Some(given);
            }
            if gap == 0 {
                return None;
            }
            let name = self.name()?;
            let name = local(self.get(name));
            let span = self.quoted()?;
            let value = self.get(span);
            let meaning = references::meaning(value)?;
            if !is_named {
                self.put_attribute(name, span, meaning);
            } else if name == "Name" && !value.is_empty() && given.replace(meaning).is_some() {
                return None;
            }
        }
    }

    /// `="value"` or `='value'`.
    fn quoted(&mut self) -> Option<Span> {
        self.at += space::all(self.rest());
        self.at += self.rest().starts_with(b"=").then_some(1)?;
        self.at += space::all(self.rest());
        let quote = self.rest().first().copied().filter(|byte| matches!(byte, b'"' | b'\''))?;
        let start = self.at + 1;
        // A mark within means that the quote is not closed.
        let end = start + memchr::memchr2(quote, b'<', &self.text.as_bytes()[start..])?;
        self.at = end + 1;
        (self.text.as_bytes()[end] == quote).then_some(Span { start, end })
    }

    fn put_attribute(&mut self, name: &str, span: Span, meaning: Cow<str>) {
        let kept = self.path.len();
        self.push(name);
        match meaning {
            Cow::Borrowed(_) => self.sink.found(&self.path, self.text, span.start, span.end),
            Cow::Owned(meaning) => self.sink.unescaped(&self.path, &meaning, span.start, span.end),
        }
        self.path.truncate(kept);
    }

    /// `</name>` of the innermost element.
    pub(super) fn end(&mut self) -> Option<()> {
        self.at += 2;
        let name = self.name()?;
        self.at += space::all(self.rest());
        let open = self.open.pop()?;
        if self.get(open.name) != self.get(name) || self.rest().first() != Some(&b'>') {
            return None;
        }
        self.at += 1;
        if !open.parent {
            self.held.put(&self.path, self.text, self.sink);
        }
        self.held.forget();
        self.path.truncate(open.path);
        Some(())
    }

    fn name(&mut self) -> Option<Span> {
        let known = |each: &u8| each.is_ascii_alphanumeric() || matches!(each, b'_' | b'-' | b'.' | b':') || *each >= 0x80;
        let size = self.rest().iter().take_while(|each| known(each)).count();
        let span = Span { start: self.at, end: self.at + size };
        let first = self.rest()[..size].first()?;
        self.at = span.end;
        (first.is_ascii_alphabetic() || *first == b'_' || *first >= 0x80).then_some(span)
    }

    fn push(&mut self, part: &str) {
        if !self.path.is_empty() {
            self.path.push('.');
        }
        self.path.push_str(part);
    }

    fn push_place(&mut self, place: usize) {
        if !self.path.is_empty() {
            self.path.push('.');
        }
        push_number(&mut self.path, place);
    }
}

/// A name without the prefix of its namespace.
fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}
