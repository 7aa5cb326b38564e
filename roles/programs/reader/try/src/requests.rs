//! Many lines of many sources in one run: each request is a JSON object, each answer the event.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;
use vaern_event::framing::Framer;
use vaern_event::line::{self, Received, Scratch};

use crate::options::{instant, mask, source, Options};
use crate::{parsers, Failure, LARGEST};

/// One event a line for each request: `{"parser", "timezone", "received", "sender", "cpr", "line" or "bytes"}`, of which all but `parser` and what
/// came in have the usual values. `bytes` is text in Latin-1, a connection's; a request with it has an event a frame.
pub fn answers(options: &Options, input: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut known = HashMap::new();
    let mut scratch = Scratch::default();
    let mut out = Vec::new();
    for (place, text) in input.split(|each| *each == b'\n').enumerate().filter(|(_, text)| !text.is_empty()) {
        let wrong = |what: String| Failure(3, format!("-:{}: {what}", place + 1));
        let request: Value = serde_json::from_slice(text).map_err(|error| wrong(error.to_string()))?;
        let get = |key: &str| request.get(key).and_then(Value::as_str);
        let name = get("parser").ok_or_else(|| wrong("the request names no parser".to_owned()))?;
        if !known.contains_key(name) {
            known.insert(name.to_owned(), Arc::new(parsers::named(&options.parsers, name)?));
        }
        let parser = Arc::clone(&known[name]);
        let source =
            source(parser, get("timezone").unwrap_or(&options.zone), mask(get("cpr").unwrap_or(&options.cpr), options.key.as_ref())?)?;
        let at = get("received").map_or(Ok(options.received), instant)?;
        let mut write = |bytes: &[u8]| {
            let received = Received { at, sender: get("sender").unwrap_or(&options.sender), ..options.received(bytes) };
            line::write(&source, &received, 1, &mut scratch, &mut out);
            out.push(b'\n');
        };
        match (get("line"), get("bytes")) {
            (Some(line), _) => write(line.as_bytes()),
            (None, Some(bytes)) => {
                let mut framer = Framer::new(LARGEST);
                framer.push(&bytes.chars().map(|each| u8::try_from(u32::from(each)).unwrap_or(b'?')).collect::<Vec<u8>>());
                framer.close();
                framer.for_each(|frame| write(&frame.bytes));
            }
            _ => return Err(wrong("the request has neither line nor bytes".to_owned())),
        }
    }
    Ok(out)
}
