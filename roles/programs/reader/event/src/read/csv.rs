//! Columns, quoted as in RFC 4180.

use super::space::Separator;
use super::values::Sink;

/// More columns than any device writes; what follows is not read.
const MOST: usize = 1024;

/// Splits a text into the columns of `sink.values`. Whether there are two.
pub fn split(separator: Separator, text: &str, sink: &mut Sink) -> bool {
    let bytes = text.as_bytes();
    sink.values.columns.clear();
    let mut at = if separator == Separator::Spaces { separator.at(bytes) } else { 0 };
    while sink.values.columns.len() < MOST {
        at = if bytes.get(at) == Some(&b'"') { quoted(separator, text, at, sink) } else { plain(separator, text, at, sink) };
        match separator.at(&bytes[at..]) {
            0 => break,
            size => at += size,
        }
        if separator == Separator::Spaces && at == bytes.len() {
            break;
        }
    }
    sink.values.columns.len() >= 2
}

fn plain(separator: Separator, text: &str, at: usize, sink: &mut Sink) -> usize {
    let end = at + separator.before(&text.as_bytes()[at..]);
    let value = sink.value(text, at, end);
    sink.values.columns.push(value);
    end
}

/// A column in quotation marks. What follows the closing one up to the separator is passed over.
fn quoted(separator: Separator, text: &str, at: usize, sink: &mut Sink) -> usize {
    let bytes = text.as_bytes();
    let start = at + 1;
    let (mut end, mut doubled) = (start, false);
    loop {
        end += memchr::memchr(b'"', &bytes[end..]).unwrap_or(bytes.len() - end);
        if bytes.get(end + 1) != Some(&b'"') {
            break;
        }
        doubled = true;
        end += 2;
    }
    let end = end.min(bytes.len());
    let mut value = sink.value(text, start, end);
    if doubled {
        value.own = Some(sink.values.keep(&text[start..end].replace("\"\"", "\"")));
    }
    sink.values.columns.push(value);
    let behind = (end + 1).min(bytes.len());
    behind + separator.before(&bytes[behind..])
}
