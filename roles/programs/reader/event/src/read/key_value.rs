//! `key=value key="a value"`.

use super::space::{self, Separator};
use super::values::Sink;

/// How pairs are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pairs {
    pub separator: Separator,
    pub assign: u8,
}

/// Reads every pair of a text; text between them is passed over. Whether there was one.
pub fn read(pairs: &Pairs, text: &str, sink: &mut Sink) -> bool {
    let bytes = text.as_bytes();
    let (mut at, mut any) = (0, false);
    while let Some(found) = memchr::memchr(pairs.assign, &bytes[at..]) {
        let assign = at + found;
        let key = key(&bytes[at..assign]);
        let mut start = assign + 1;
        if pairs.separator != Separator::Spaces {
            start += space::all(&bytes[start..]);
        }
        if key.0 == key.1 {
            at = assign + 1;
            continue;
        }
        let name = &text[at + key.0..at + key.1];
        any = true;
        if bytes.get(start) == Some(&b'"') {
            let (end, escaped) = quoted(&bytes[start + 1..], pairs.separator);
            let (from, to) = (start + 1, start + 1 + end);
            if escaped {
                sink.unescaped(name, &unescaped(&text[from..to]), from, to);
            } else {
                sink.found(name, text, from, to);
            }
            at = (to + 1).min(bytes.len());
        } else {
            let end = start + pairs.separator.before(&bytes[start..]);
            let kept = text[start..end].trim_end_matches(' ').len();
            sink.found(name, text, start, start + kept);
            at = end;
        }
    }
    any
}

/// The last word of what stands before the sign.
fn key(text: &[u8]) -> (usize, usize) {
    let end = text.len() - text.iter().rev().take_while(|each| **each == b' ').count();
    let known =
        |each: &u8| each.is_ascii_alphanumeric() || matches!(each, b'_' | b'-' | b'.' | b'/' | b'@' | b'$' | b'#' | b'%') || *each >= 0x80;
    let size = text[..end].iter().rev().take_while(|each| known(each)).count();
    let start = end - size;
    // A tab before the key is no part of it.
    let tab = if text[start..end].starts_with(b"#011") { 4 } else { 0 };
    (start + tab, end)
}

/// Bytes to the closing quotation mark: one before a separator or the end; and whether something is escaped.
fn quoted(text: &[u8], separator: Separator) -> (usize, bool) {
    let (mut at, mut escaped) = (0, false);
    while let Some(found) = memchr::memchr2(b'"', b'\\', &text[at..]) {
        at += found;
        if text[at] == b'\\' {
            let known = matches!(text.get(at + 1), Some(b'"' | b'\\'));
            escaped |= known;
            at += 1 + usize::from(known);
        } else {
            let behind = &text[at + 1..];
            if behind.is_empty()
                || separator.at(behind) > 0
                || space::one(behind) > 0
                || matches!(behind[0], b']' | b',' | b';' | b')' | b'}')
            {
                return (at, escaped);
            }
            at += 1;
        }
    }
    (text.len(), escaped)
}

fn unescaped(text: &str) -> String {
    let mut found = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(each) = rest.next() {
        match (each, rest.peek()) {
            ('\\', Some(next @ ('"' | '\\'))) => {
                found.push(*next);
                rest.next();
            }
            _ => found.push(each),
        }
    }
    found
}
