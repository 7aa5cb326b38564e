//! An event: what a line says, as one line of JSON that leaves the relay.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;

use crate::clean;
use crate::clock::{Instant, Zone};
use crate::fields::{self, Out};
use crate::header::{self, Header};
use crate::json;
use crate::mask::{self, Found, Mask};
use crate::parser::names::{BODY, DATA, HOST, MESSAGE, MESSAGE_ID, PID, PROGRAM};
use crate::parser::{Clock, Condition, Form, Parser, ZoneOf};
use crate::read;
use crate::read::values::{Value, Values};
use crate::Span;

/// What came in.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// The line, without its end and its framing.
    pub bytes: &'a [u8],
    pub at: Timestamp,
    /// The address it came from.
    pub sender: &'a str,
    /// It is a line of a file, which has no header.
    pub of_file: bool,
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

/// Reads what came in and appends its line of JSON, without a line feed, to `line`.
pub fn write(source: &Source, received: &Received, sequence: u64, scratch: &mut Scratch, line: &mut Vec<u8>) -> Seen {
    let message = clean::text(received.bytes);
    let message: &str = &message;
    let header = if received.of_file { of_file(message) } else { header::read(message) };
    let Scratch { values, text } = scratch;
    start(&source.parser, message, &header, received.sender, values);
    let came = Instant::received(received.at);
    let of_header = header.time.and_then(|time| time.instant(&source.zone, received.at)).unwrap_or(came);
    let form = source.parser.forms.iter().enumerate().position(|(place, form)| fits(&source.parser, place, form, message, values));
    let form = form.map(|place| &source.parser.forms[place]);
    let clock = form.and_then(|form| clock(form, source, received.at, message, values)).unwrap_or(of_header);
    let out = form.map(|form| fields::all(form, message, values)).unwrap_or_default();
    let found = numbers(source, message, values);

    json::member(line, b"{\"time\":", instant(text, &of_header));
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
    json::member(line, b",\"host\":", host(message, &header, received.sender, &found));
    json::member(line, b",\"message\":", &mask::apply(message, &found, &source.mask));
    json::member(line, b",\"parser\":", &source.parser.name);
    line.extend_from_slice(if form.is_some() { b",\"parsed\":true" } else { b",\"parsed\":false" });
    json::member(line, b",\"ecs\":{\"@timestamp\":", instant(text, &clock));
    for (field, out) in &out {
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
    Seen { parsed: form.is_some(), masked: found.len(), clock_off: (clock.seconds - came.seconds).abs() > OFF }
}

fn of_file(message: &str) -> Header {
    Header { body: Span { start: 0, end: message.len() }, ..Header::default() }
}

fn instant<'a>(text: &'a mut String, instant: &Instant) -> &'a str {
    text.clear();
    instant.write(text);
    text
}

/// What is known of the line before it is read.
fn start(parser: &Parser, message: &str, header: &Header, sender: &str, values: &mut Values) {
    values.start(parser.names.len());
    let whole = Span { start: 0, end: message.len() };
    let known = [
        (BODY, Some(header.body)),
        (MESSAGE, Some(whole)),
        (HOST, header.host),
        (PROGRAM, header.program),
        (PID, header.pid),
        (MESSAGE_ID, header.message_id),
        (DATA, header.data),
    ];
    for (id, span) in known {
        if let Some(span) = span {
            values.set(id, Value { span, own: None });
        }
    }
    values.of_header(header.time_at);
    let own = Some(values.keep(sender));
    values.set(HOST, Value { span: Span::default(), own });
}

/// Whether a form fits the line; its fields are in `values` then.
fn fits(parser: &Parser, place: usize, form: &Form, message: &str, values: &mut Values) -> bool {
    if !hold(&form.before, message, values) {
        return false;
    }
    // A form in front that reads the line alike has read it, whether or not it held.
    let known = values.last.is_some_and(|last| read::same(&parser.forms[last].steps, &form.steps));
    values.last = Some(place);
    let columns = form.steps.iter().find_map(|step| match &step.how {
        read::How::Csv(_, columns) => Some(columns),
        _ => None,
    });
    let read = match (known, columns) {
        (true, None) => values.read,
        (true, Some(columns)) => {
            values.again();
            read::name_columns(columns, &parser.names, values);
            values.read
        }
        (false, _) => {
            values.again();
            read::run(&form.steps, message, &parser.names, values)
        }
    };
    values.read = read;
    read && hold(&form.after, message, values)
}

fn hold(conditions: &[Condition], message: &str, values: &Values) -> bool {
    conditions.iter().all(|each| {
        let text = values.get(each.field).map_or("", |value| values.text(value, message));
        each.words.iter().any(|word| word.is(text))
    })
}

/// The time that the form's clocks say; what they read is noted as typed.
fn clock(form: &Form, source: &Source, received: Timestamp, message: &str, values: &mut Values) -> Option<Instant> {
    for clock in &form.clocks {
        let Clock::Fields { from, formats, zone } = clock else { return None };
        let found: Vec<_> = from.iter().filter_map(|id| fields::text(*id, form, message, values)).collect();
        if found.len() < from.len() {
            continue;
        }
        let text = match found.as_slice() {
            [(_, only)] => Cow::Borrowed(*only),
            all => Cow::Owned(all.iter().map(|(_, text)| *text).collect::<Vec<_>>().join(" ")),
        };
        let utc;
        let (zone, named) = match zone {
            ZoneOf::Declared => (&source.zone, None),
            ZoneOf::Utc => {
                utc = Zone::utc();
                (&utc, None)
            }
            ZoneOf::Field(id) => {
                (&source.zone, fields::text(*id, form, message, values).and_then(|(_, text)| crate::clock::zone::read(text)))
            }
        };
        let time = formats.iter().find_map(|format| format.read(&text)).map(|time| match named {
            Some((_, offset)) => time.in_offset(offset),
            None => time,
        });
        if let Some(instant) = time.and_then(|time| time.instant(zone, received)) {
            let spans: Vec<Span> = found.iter().map(|(value, _)| value.span).collect();
            values.typed.extend(spans);
            return Some(instant);
        }
    }
    None
}

/// CPR numbers of the message.
fn numbers(source: &Source, message: &str, values: &mut Values) -> Vec<Found> {
    if matches!(source.mask, Mask::Keep) {
        return Vec::new();
    }
    values.typed.sort_unstable();
    values.without_leading_zero.sort_unstable();
    mask::find(message, &mask::Context { typed: &values.typed, without_leading_zero: &values.without_leading_zero })
}

/// The host of the header, or the sender: nothing that is masked stands in it.
fn host<'a>(message: &'a str, header: &Header, sender: &'a str, found: &[Found]) -> &'a str {
    match header.host {
        Some(host) if !found.iter().any(|each| each.span.overlaps(host)) => &message[host.start..host.end],
        _ => sender,
    }
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
mod tests;
