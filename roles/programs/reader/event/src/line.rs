//! An event: what a line says, as one line of JSON that leaves the relay.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;

use crate::clean;
use crate::clock::{Instant, Zone};
use crate::fields::Out;
use crate::header::{is_device, is_host, Header};
use crate::json;
use crate::mask::{self, Found, Mask};
use crate::parser::Parser;
use crate::read::values::{Value, Values};
use crate::reading;
use crate::Span;

/// What came in.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// The line, without its end and its framing.
    pub bytes: &'a [u8],
    pub at: Timestamp,
    /// The address it came from.
    pub sender: &'a str,
    pub head: Head<'a>,
}

/// Where the time and the host of a line are said.
#[derive(Clone, Copy, Debug)]
pub enum Head<'a> {
    /// In its own header.
    OfLine,
    /// By who hands it over: the line has no header.
    Given { time: Timestamp, host: &'a str },
}

/// What is declared of a source, and of the relay that it sends to.
#[derive(Debug)]
pub struct Source {
    pub parser: Arc<Parser>,
    pub zone: Zone,
    pub mask: Mask,
    pub municipality: String,
    pub relay: String,
    pub boot: String,
    pub site: String,
    pub name: String,
    pub kind: String,
    pub sector: String,
}

/// What is used again for every line.
#[derive(Debug, Default)]
pub struct Scratch {
    values: Values,
    text: String,
}

/// What was seen of a line beside what is written of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    pub parsed: bool,
    /// CPR numbers that were found.
    pub masked: usize,
    /// The sender's clock is a quarter of an hour off, or more.
    pub clock_off: bool,
}

/// A clock that is so many seconds off is counted.
const OFF: i64 = 900;

impl Scratch {
    /// The fields of a line, for who reads without writing.
    pub fn values(&mut self) -> &mut Values {
        &mut self.values
    }
}

/// Reads what came in and appends its line of JSON, without a line feed, to `line`.
pub fn write(source: &Source, received: &Received, sequence: u64, scratch: &mut Scratch, line: &mut Vec<u8>) -> Seen {
    let message = clean::text(clean::without_end(received.bytes));
    let message: &str = &message;
    let Scratch { values, text } = scratch;
    let reading = reading::read(source, received, message, values);
    let found = numbers(source, message, reading.parsed, values);
    let came = Instant::received(received.at);

    json::member(line, b"{\"time\":", instant(text, &reading.time));
    json::member(line, b",\"received\":", instant(text, &came));
    json::member(line, b",\"municipality\":", &source.municipality);
    json::member(line, b",\"relay\":", &source.relay);
    json::member(line, b",\"boot\":", &source.boot);
    line.extend_from_slice(b",\"sequence\":");
    json::number(line, sequence);
    json::member(line, b",\"site\":", &source.site);
    json::member(line, b",\"source\":", &source.name);
    json::member(line, b",\"kind\":", &source.kind);
    json::member(line, b",\"sector\":", &source.sector);
    json::member(line, b",\"host\":", host(source, message, &reading.header, received, &found));
    json::member(line, b",\"message\":", &mask::apply(message, &found, &source.mask));
    json::member(line, b",\"parser\":", &source.parser.name);
    line.extend_from_slice(if reading.parsed { b",\"parsed\":true" } else { b",\"parsed\":false" });
    json::member(line, b",\"ecs\":{\"@timestamp\":", instant(text, &reading.clock));
    for (field, out) in &reading.fields {
        line.extend_from_slice(b",\"");
        line.extend_from_slice(field.ecs.as_bytes());
        line.extend_from_slice(b"\":");
        let masked = |text, value: &Value, as_read| masked(source, text, *value, as_read, values, &found);
        match out {
            Out::Number(number) => json::number(line, *number),
            Out::Read(value) => json::string(line, &masked(values.text(*value, message), value, true)),
            Out::Made(text, value) => json::string(line, &masked(text, value, false)),
            Out::Typed(text) => json::string(line, text),
            Out::Constant(text) => json::string(line, text),
        }
    }
    line.extend_from_slice(b"}}");
    Seen { parsed: reading.parsed, masked: found.len(), clock_off: (reading.clock.seconds - came.seconds).abs() > OFF }
}

fn instant<'a>(text: &'a mut String, instant: &Instant) -> &'a str {
    text.clear();
    instant.write(text);
    text
}

/// CPR numbers of the message.
fn numbers(source: &Source, message: &str, is_read: bool, values: &mut Values) -> Vec<Found> {
    if matches!(source.mask, Mask::Keep) {
        return Vec::new();
    }
    if !is_read {
        values.without_leading_zero.extend(mask::under(message, &source.parser.names.without_leading_zero()));
    }
    values.typed.sort_unstable();
    values.without_leading_zero.sort_unstable();
    mask::find(message, &mask::Context { typed: &values.typed, without_leading_zero: &values.without_leading_zero })
}

/// The host of the header where it names a device, or the sender, IPv4 as IPv4: nothing that is masked stands in it.
fn host<'a>(source: &Source, message: &'a str, header: &Header, received: &Received<'a>, found: &[Found]) -> &'a str {
    let named = |span: Span| &message[span.start..span.end];
    match (received.head, header.host) {
        (Head::Given { host, .. }, _) if is_host(host) && is_device(host) && !is_masked(source, host) => host,
        (Head::OfLine, Some(span)) if !found.iter().any(|each| each.span.overlaps(span)) && is_device(named(span)) => named(span),
        _ => received.sender.strip_prefix("::ffff:").filter(|sender| sender.contains('.')).unwrap_or(received.sender),
    }
}

fn is_masked(source: &Source, text: &str) -> bool {
    !matches!(source.mask, Mask::Keep) && !mask::find(text, &mask::Context { typed: &[], without_leading_zero: &[] }).is_empty()
}

/// A value with what is masked in the message masked in it too. One that the message writes otherwise is looked at itself.
fn masked<'a>(source: &Source, text: &'a str, value: Value, as_read: bool, values: &Values, found: &[Found]) -> Cow<'a, str> {
    let span = value.span;
    if matches!(source.mask, Mask::Keep) {
        return Cow::Borrowed(text);
    }
    if !as_read || value.own.is_some() {
        let whole = [Span { start: 0, end: text.len() }];
        let of = |spans: &[Span]| if spans.contains(&span) { 1 } else { 0 };
        let context =
            mask::Context { typed: &whole[..of(&values.typed)], without_leading_zero: &whole[..of(&values.without_leading_zero)] };
        return mask::apply(text, &mask::find(text, &context), &source.mask);
    }
    let within = found.iter().filter(|each| each.span.overlaps(span));
    let own: Vec<Found> = within
        .map(|each| Found {
            span: Span { start: each.span.start.max(span.start) - span.start, end: each.span.end.min(span.end) - span.start },
            ..*each
        })
        .collect();
    if own.is_empty() {
        Cow::Borrowed(text)
    } else {
        mask::apply(text, &own, &source.mask)
    }
}

#[cfg(test)]
pub mod tests;
