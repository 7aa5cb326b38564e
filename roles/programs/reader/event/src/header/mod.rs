//! The header of a syslog message, in the forms that devices write: which part says the time, the host and the program, and where the body begins.

mod cisco;

use std::net::IpAddr;

use crate::clock::stamp;
use crate::clock::{zone, Stamp};
use crate::framing::priority;
use crate::Span;

/// Parts of a header, as spans of the message. What is not there is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    pub priority: Option<u8>,
    pub time: Option<Stamp>,
    /// Where the time stands, without the name of a zone.
    pub time_at: Option<Span>,
    pub host: Option<Span>,
    pub program: Option<Span>,
    pub pid: Option<Span>,
    pub message_id: Option<Span>,
    pub data: Option<Span>,
    pub body: Span,
}

/// A message that is being read from its beginning.
#[derive(Clone, Copy)]
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip(&mut self, byte: u8) -> bool {
        let found = self.text.as_bytes().get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    fn spaces(&mut self) {
        while self.skip(b' ') {}
    }

    /// The characters up to a space or the end.
    fn word(&mut self) -> Span {
        let start = self.at;
        self.at += memchr::memchr(b' ', self.rest().as_bytes()).unwrap_or(self.rest().len());
        Span { start, end: self.at }
    }

    fn get(&self, span: Span) -> &'a str {
        &self.text[span.start..span.end]
    }
}

/// Reads the header of a message. Anything is a message: what has no header has a body only.
pub fn read(text: &str) -> Header {
    let mut reader = Reader { text, at: 0 };
    let mut found = Header::default();
    if let Some((size, value)) = priority(text.as_bytes()) {
        found.priority = Some(value);
        reader.at = size;
        if let Some(found) = rfc5424(reader, found) {
            return found;
        }
    }
    cisco::read(reader, found).unwrap_or_else(|| rfc3164(reader, found))
}

/// `1 TIME HOST PROGRAM PID MSGID [DATA] BODY`. The time may lack its zone, as some versions of Junos write it.
fn rfc5424(mut reader: Reader, mut found: Header) -> Option<Header> {
    if !(reader.skip(b'1') && reader.skip(b' ')) {
        return None;
    }
    let start = reader.at;
    let word = reader.word();
    if reader.get(word) != "-" {
        let (size, stamp) = stamp::iso(reader.get(word).as_bytes(), b"T")?;
        if size != word.end - word.start {
            return None;
        }
        found.time = Some(stamp);
        found.time_at = Some(Span { start, end: reader.at });
    }
    let text = reader.text;
    let mut next = || {
        reader.skip(b' ').then_some(())?;
        let word = reader.word();
        Some(if reader.get(word) == "-" { None } else { Some(word).filter(|word| word.start < word.end) })
    };
    found.host = next()?.filter(|word| is_host(&text[word.start..word.end]));
    found.program = next()?;
    found.pid = next()?;
    found.message_id = next()?;
    reader.skip(b' ');
    let start = reader.at;
    if !reader.skip(b'-') {
        while reader.rest().starts_with('[') {
            reader.at += element(reader.rest())?;
        }
        found.data = Some(Span { start, end: reader.at }).filter(|data| data.start < data.end);
    }
    // A program that forwards what came by RFC 3164 keeps the space behind its colon: rsyslog's RSYSLOG_SyslogProtocol23Format.
    reader.spaces();
    if reader.rest().starts_with('\u{feff}') {
        reader.at += '\u{feff}'.len_utf8();
    }
    found.body = Span { start: reader.at, end: reader.text.len() };
    Some(found)
}

/// Bytes of an element of structured data with its brackets. Brackets within quotation marks do not count.
fn element(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut quoted) = (1, false);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if quoted => at += 1,
            b'"' => quoted = !quoted,
            b']' if !quoted => return Some(at + 1),
            _ => {}
        }
        at += 1;
    }
    None
}

/// `TIME [ZONE] HOST PROGRAM[PID]: BODY`, of which any may be missing.
fn rfc3164(mut reader: Reader, mut found: Header) -> Header {
    reader.spaces();
    // `1 ` before a header that is not of RFC 5424.
    let start = reader.at;
    if let Some((size, stamp)) = stamp::read(reader.rest()) {
        let end = start + size;
        if matches!(reader.text.as_bytes().get(end), Some(b' ' | b':') | None) {
            found.time = Some(stamp);
            found.time_at = Some(Span { start, end });
            reader.at = end;
            zone_behind(&mut reader, &mut found);
            reader.skip(b':');
            reader.spaces();
            host(&mut reader, &mut found);
        }
    }
    tag(&mut reader, &mut found);
    found.body = Span { start: reader.at, end: reader.text.len() };
    found
}

/// A zone's name behind the time, when something that may be a host or a program follows it.
fn zone_behind(reader: &mut Reader, found: &mut Header) {
    let Some(rest) = reader.rest().strip_prefix(' ') else { return };
    if let (Some((size, offset)), Some(stamp)) = (zone::read(rest), found.time.as_mut()) {
        if matches!(rest.as_bytes().get(size), Some(b' ' | b':')) {
            stamp.offset.get_or_insert(offset);
            reader.at += 1 + size;
        }
    }
}

/// The next word is the host unless it is the program.
fn host(reader: &mut Reader, found: &mut Header) {
    let mut ahead = *reader;
    let word = ahead.word();
    if is_host(reader.get(word)) && ahead.skip(b' ') {
        found.host = Some(word);
        ahead.spaces();
        *reader = ahead;
    }
}

/// Letters, digits and `.`, `-`, `_`, and `:` as IPv6 has it; not at its end, where it ends a program's name.
pub fn is_host(word: &str) -> bool {
    let known = |each: u8| each.is_ascii_alphanumeric() || matches!(each, b'.' | b'-' | b'_' | b':');
    let first = word.bytes().next().is_some_and(|each| each.is_ascii_alphanumeric() || each == b':');
    first && word.bytes().any(|each| each.is_ascii_alphanumeric()) && word.len() <= 255 && word.bytes().all(known) && !word.ends_with(':')
}

/// What devices without a name of their own write in its place.
const NO_NAMES: [&str; 8] = ["localhost", "localhost.localdomain", "localhost4", "localhost6", "ip6-localhost", "unknown", "none", "null"];

/// Whether the host of a header names a device: not `localhost` and its like, nor the month or zone of a time that is written otherwise.
pub fn is_device(host: &str) -> bool {
    let lower = host.trim_end_matches('.').to_ascii_lowercase();
    let address = lower.parse::<IpAddr>();
    let none = address.is_ok_and(|each| each.to_canonical().is_loopback() || each.to_canonical().is_unspecified());
    !(none || NO_NAMES.contains(&lower.as_str()) || stamp::is_month(&lower) || zone::named(&lower.to_ascii_uppercase()).is_some())
}

/// Bytes that are looked at for the end of a program's name.
const LONGEST_NAME: usize = 128;

/// `PROGRAM[PID]: ` or `PROGRAM: `.
fn tag(reader: &mut Reader, found: &mut Header) {
    let bytes = reader.rest().as_bytes();
    let head = &bytes[..bytes.len().min(LONGEST_NAME)];
    let name = head.iter().take_while(|each| each.is_ascii_graphic() && !matches!(each, b':' | b'[' | b'=' | b'"' | b',' | b'{')).count();
    if name == 0 {
        return;
    }
    let mut end = name;
    let mut pid = None;
    if head.get(end) == Some(&b'[') {
        let size = head[end + 1..].iter().take_while(|each| each.is_ascii_graphic() && **each != b']').count();
        if head.get(end + 1 + size) != Some(&b']') {
            return;
        }
        pid = Some(Span { start: reader.at + end + 1, end: reader.at + end + 1 + size });
        end += size + 2;
    }
    let colon = usize::from(head.get(end) == Some(&b':'));
    let behind = matches!(head.get(end + colon), Some(b' ' | b'{' | b'[' | b'<') | None);
    if !behind || (colon == 0 && pid.is_none()) || matches!(&head[..name], b"CEF" | b"LEEF") {
        return;
    }
    found.program = Some(Span { start: reader.at, end: reader.at + name });
    found.pid = pid;
    reader.at += end + colon;
    reader.spaces();
}

#[cfg(test)]
mod tests;
