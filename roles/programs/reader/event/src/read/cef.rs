//! Common Event Format and Log Event Extended Format.

use super::space::Separator;
use super::values::Sink;

const CEF: [&str; 7] = ["Version", "DeviceVendor", "DeviceProduct", "DeviceVersion", "SignatureID", "Name", "Severity"];
const LEEF: [&str; 5] = ["Version", "DeviceVendor", "DeviceProduct", "DeviceVersion", "EventID"];

/// `CEF:0|vendor|product|version|id|name|severity|key=value key=value`.
pub fn read(text: &str, sink: &mut Sink) -> bool {
    let Some(at) = memchr::memmem::find(text.as_bytes(), b"CEF:") else { return false };
    match header(&CEF, text, at + 4, sink) {
        Some(at) => {
            extension(text, at, sink);
            true
        }
        None => false,
    }
}

/// `LEEF:1.0|vendor|product|version|id|key=value<tab>key=value`; 2.0 names its separator behind the id.
pub fn read_leef(text: &str, sink: &mut Sink) -> bool {
    let Some(at) = memchr::memmem::find(text.as_bytes(), b"LEEF:") else { return false };
    let second = text[at + 5..].starts_with('2');
    let Some(mut at) = header(&LEEF, text, at + 5, sink) else { return false };
    let mut separator = Separator::Tab;
    if second {
        if let Some(size) = text[at..].find('|').filter(|size| *size <= 6) {
            separator = leef_separator(&text[at..at + size]).unwrap_or(Separator::Tab);
            at += size + 1;
        }
    }
    let bytes = text.as_bytes();
    while at < bytes.len() {
        let end = at + separator.before(&bytes[at..]);
        if let Some(size) = memchr::memchr(b'=', &bytes[at..end]) {
            sink.found(text[at..at + size].trim(), text, at + size + 1, end);
        }
        at = end + separator.at(&bytes[end..]).max(1);
    }
    true
}

fn leef_separator(text: &str) -> Option<Separator> {
    let code = text.strip_prefix("0x").or_else(|| text.strip_prefix('x')).filter(|code| !code.is_empty());
    match code.map(|code| u8::from_str_radix(code, 16)) {
        Some(Ok(9)) => Some(Separator::Tab),
        Some(Ok(byte)) if byte.is_ascii() => Some(Separator::Byte(byte)),
        Some(_) => None,
        None => Separator::new(text),
    }
}

/// Parts between bars, in which `\|` and `\\` are escaped. Where the extension begins; none when a bar is missing.
fn header(names: &[&str], text: &str, mut at: usize, sink: &mut Sink) -> Option<usize> {
    let bytes = text.as_bytes();
    for name in names {
        let start = at;
        let mut escaped = false;
        loop {
            at += memchr::memchr2(b'|', b'\\', &bytes[at..])?;
            if bytes[at] == b'|' {
                break;
            }
            escaped = true;
            at = (at + 2).min(bytes.len());
        }
        put(name, text, start, at, escaped, sink);
        at += 1;
    }
    Some(at)
}

/// Where the next ` key=` begins, if its sign is not escaped: the space, and the sign.
fn next_key(bytes: &[u8], from: usize) -> Option<(usize, usize)> {
    let mut at = from;
    loop {
        let sign = at + memchr::memchr(b'=', &bytes[at..])?;
        let known = |each: &u8| each.is_ascii_alphanumeric() || matches!(each, b'_' | b'.' | b'-' | b'[' | b']');
        let size = bytes[at..sign].iter().rev().take_while(|each| known(each)).count();
        let key = sign - size;
        if size > 0 && key > from && bytes[key - 1] == b' ' {
            return Some((key - 1, sign));
        }
        at = sign + 1;
    }
}

fn extension(text: &str, at: usize, sink: &mut Sink) {
    let bytes = text.as_bytes();
    let mut key = at + bytes[at..].iter().take_while(|each| **each == b' ').count();
    let Some(found) = memchr::memchr(b'=', &bytes[key..]) else { return };
    let mut sign = key + found;
    loop {
        let next = next_key(bytes, sign + 1);
        let end = next.map_or(bytes.len(), |(space, _)| space);
        let start = sign + 1;
        let end = start + text[start..end.max(start)].trim_end_matches(' ').len();
        let escaped = memchr::memchr(b'\\', &bytes[start..end]).is_some();
        put(&text[key..sign], text, start, end, escaped, sink);
        let Some((space, found)) = next else { return };
        (key, sign) = (space + 1, found);
    }
}

fn put(name: &str, text: &str, start: usize, end: usize, escaped: bool, sink: &mut Sink) {
    if !escaped {
        return sink.found(name, text, start, end);
    }
    let mut meaning = String::with_capacity(end - start);
    let mut rest = text[start..end].chars();
    while let Some(each) = rest.next() {
        match each {
            '\\' => match rest.next() {
                Some('n' | 'r') => meaning.push('\n'),
                Some(next @ ('|' | '=' | '\\')) => meaning.push(next),
                // An unescaped path: `C:\x`.
                Some(next) => meaning.extend(['\\', next]),
                None => meaning.push('\\'),
            },
            _ => meaning.push(each),
        }
    }
    sink.unescaped(name, &meaning, start, end);
}
