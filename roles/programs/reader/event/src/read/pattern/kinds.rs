//! What each kind of a pattern takes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Kind, Stop, Taken};
use crate::parser::names::Id;
use crate::read::space;
use crate::Span;

/// Takes a kind at a place: where it ends, or none when it does not fit.
pub(super) fn take<'p>(id: Option<Id>, kind: &'p Kind, text: &str, at: usize, taken: &mut Vec<Taken<'p>>) -> Option<usize> {
    let rest = &text.as_bytes()[at..];
    let (size, typed) = match kind {
        Kind::Text(stop) => (before(stop, rest, false)?, false),
        Kind::Last(stop) => (before(stop, rest, true)?, false),
        Kind::Word(stop) => (word(stop.as_deref(), rest)?, false),
        Kind::Name => (run(rest, |each| each.is_ascii_alphanumeric() || matches!(each, b'_' | b'-' | b'.'))?, false),
        Kind::Number => (run(rest, |each| each.is_ascii_digit())?, true),
        Kind::Ip => (address(&text[at..])?, true),
        Kind::Mac => (mac(rest)?, true),
        Kind::Port => (port(&text[at..])?, true),
        Kind::IpPort(ids) => return ip_port(*ids, text, at, taken),
        Kind::Quoted => return quoted(id, text, at, taken),
        Kind::OneOf(words) => (words.iter().find(|word| rest.starts_with(word.as_bytes()))?.len(), false),
    };
    if id.is_some() || typed {
        taken.push(Taken::Field(id, Span { start: at, end: at + size }, typed));
    }
    Some(at + size)
}

fn before(stop: &Stop, rest: &[u8], last: bool) -> Option<usize> {
    match stop {
        Stop::Rest => Some(rest.len()),
        Stop::Space => Some(space::before(rest)),
        Stop::Text(_, finder) if last => finder.rfind(rest),
        Stop::Text(finder, _) => finder.find(rest),
    }
}

fn word(stop: Option<&memchr::memmem::Finder>, rest: &[u8]) -> Option<usize> {
    let end = space::before(rest);
    let size = match stop {
        // What follows may hold a space itself.
        Some(stop) => stop.find(&rest[..rest.len().min(end + stop.needle().len())])?,
        None => end,
    };
    (size > 0 && size <= end).then_some(size)
}

fn run(rest: &[u8], known: impl Fn(u8) -> bool) -> Option<usize> {
    Some(rest.iter().take_while(|each| known(**each)).count()).filter(|size| *size > 0)
}

/// Bytes of an address at the beginning of a text. A zone (`%eth0`) is no part of it.
pub(super) fn address(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let four = bytes.iter().take(16).take_while(|each| each.is_ascii_digit() || **each == b'.').count();
    for size in [four, four.saturating_sub(1)] {
        if text[..size].parse::<Ipv4Addr>().is_ok() {
            return Some(size);
        }
    }
    let six = bytes.iter().take(46).take_while(|each| each.is_ascii_hexdigit() || matches!(each, b':' | b'.')).count();
    [six, six.saturating_sub(1)].into_iter().find(|size| text[..*size].parse::<Ipv6Addr>().is_ok())
}

fn port(text: &str) -> Option<usize> {
    let size = text.bytes().take(6).take_while(u8::is_ascii_digit).count();
    text[..size].parse::<u16>().ok().map(|_| size)
}

/// Six bytes in hexadecimal, with `:`, `-` or `.` between them or nothing.
fn mac(rest: &[u8]) -> Option<usize> {
    let (mut digits, mut size) = (0, 0);
    for each in rest.iter().take(17) {
        match each {
            each if each.is_ascii_hexdigit() && digits < 12 => digits += 1,
            b':' | b'-' | b'.' if digits > 0 && digits < 12 => {}
            _ => break,
        }
        size += 1;
    }
    (digits == 12).then_some(size)
}

/// An address with a port behind it, as spans of the address and the port. `text` is all of it.
pub fn split(text: &str) -> Option<(Span, Option<Span>)> {
    let (address, port, end) = parts(text)?;
    (end == text.len()).then_some((address, port))
}

fn parts(text: &str) -> Option<(Span, Option<Span>, usize)> {
    let behind = |at: usize| -> Option<(Span, usize)> {
        let rest = text.get(at..)?.strip_prefix(':')?;
        let size = port(rest)?;
        Some((Span { start: at + 1, end: at + 1 + size }, at + 1 + size))
    };
    if let Some(inner) = text.strip_prefix('[') {
        let close = inner.bytes().take(64).position(|each| each == b']')?;
        inner[..close].split('%').next()?.parse::<IpAddr>().ok()?;
        let address = Span { start: 1, end: 1 + close };
        let end = close + 2;
        return Some(behind(end).map_or((address, None, end), |(port, end)| (address, Some(port), end)));
    }
    let run = text.bytes().take(64).take_while(|each| each.is_ascii_hexdigit() || matches!(each, b':' | b'.')).count();
    if let Some(colon) = text[..run].rfind(':') {
        if let (Ok(_), Some((port, end))) = (text[..colon].parse::<IpAddr>(), behind(colon)) {
            return Some((Span { start: 0, end: colon }, Some(port), end));
        }
    }
    let size = address(text)?;
    Some(behind(size).map_or((Span { start: 0, end: size }, None, size), |(port, end)| (Span { start: 0, end: size }, Some(port), end)))
}

fn ip_port<'p>(ids: Option<(Id, Id)>, text: &str, at: usize, taken: &mut Vec<Taken<'p>>) -> Option<usize> {
    let (address, port, end) = parts(&text[at..])?;
    let moved = |span: Span| Span { start: at + span.start, end: at + span.end };
    taken.push(Taken::Field(ids.map(|ids| ids.0), moved(address), true));
    if let Some(port) = port {
        taken.push(Taken::Field(ids.map(|ids| ids.1), moved(port), true));
    }
    Some(at + end)
}

/// Text in quotation marks, or a word.
fn quoted<'p>(id: Option<Id>, text: &str, at: usize, taken: &mut Vec<Taken<'p>>) -> Option<usize> {
    let rest = &text.as_bytes()[at..];
    let (inner, end) = match rest.first()? {
        quote @ (b'"' | b'\'') => {
            let size = memchr::memchr(*quote, &rest[1..])?;
            (Span { start: at + 1, end: at + 1 + size }, at + size + 2)
        }
        _ => {
            let size = word(None, rest)?;
            (Span { start: at, end: at + size }, at + size)
        }
    };
    taken.push(Taken::Field(id, inner, false));
    Some(end)
}
