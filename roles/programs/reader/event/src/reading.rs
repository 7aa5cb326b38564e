//! Reading a line: its header, its time, the form that fits it and its fields.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::clock::{Instant, Zone};
use crate::fields::{self, Out};
use crate::header::{self, Header};
use crate::line::{Head, Received, Source};
use crate::parser::names::{BODY, DATA, HOST, MESSAGE, MESSAGE_ID, PID, PROGRAM};
use crate::parser::{Clock, Condition, Field, Form, Parser, ZoneOf};
use crate::read;
use crate::read::values::{Value, Values};
use crate::Span;

/// What a line says.
#[derive(Debug)]
pub struct Reading<'p> {
    pub header: Header,
    /// Of the header; of the reception when it says none.
    pub time: Instant,
    /// Of the sender's clock as the parser finds it; otherwise of the header.
    pub clock: Instant,
    pub parsed: bool,
    pub fields: Vec<(&'p Field, Out<'p>)>,
}

/// Reads a line of text. Where its values stand is in `values`.
pub fn read<'p>(source: &'p Source, received: &Received, message: &str, values: &mut Values) -> Reading<'p> {
    let (header, given) = match received.head {
        Head::OfLine => (header::read(message), None),
        Head::Given { time, .. } => (without_header(message), Some(Instant::received(time))),
    };
    start(&source.parser, message, &header, received, values);
    let of_header = || header.time.and_then(|time| time.instant(&source.zone, received.at));
    let time = given.or_else(of_header).unwrap_or_else(|| Instant::received(received.at));
    let forms = &source.parser.forms;
    let form = (0..forms.len()).find(|place| fits(&source.parser, *place, message, values)).map(|place| &forms[place]);
    let clock = form.and_then(|form| clock(form, source, received.at, message, values)).unwrap_or(time);
    let fields = form.map(|form| fields::all(form, message, values)).unwrap_or_default();
    Reading { header, time, clock, parsed: form.is_some(), fields }
}

fn without_header(message: &str) -> Header {
    Header { body: Span { start: 0, end: message.len() }, ..Header::default() }
}

/// What is known of the line before it is read.
fn start(parser: &Parser, message: &str, header: &Header, received: &Received, values: &mut Values) {
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
    let own = Some(values.keep(match received.head {
        Head::Given { host, .. } if header::is_host(host) => host,
        _ => received.sender,
    }));
    values.set(HOST, Value { span: Span::default(), own });
}

/// Whether a form fits the line; its fields are in `values` then.
fn fits(parser: &Parser, place: usize, message: &str, values: &mut Values) -> bool {
    let form = &parser.forms[place];
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
