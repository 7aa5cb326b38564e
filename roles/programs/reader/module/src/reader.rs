//! Events of the declared sources, each read and numbered.

use std::collections::HashMap;
use std::sync::Mutex;

use jiff::Timestamp;
use vaern_event::line::{self, Received, Scratch, Source};

use crate::connections::held;
use crate::guarded;
use crate::settings::Sources;

/// In the place of a message that could not be read: nothing of it leaves the relay.
const WITHHELD: &[u8] = b"<13>[withheld: could not be read]";

/// What rsyslog says of a message.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    pub source: &'a str,
    /// As it came in, without its framing.
    pub whole: &'a [u8],
    /// Without its header.
    pub body: &'a [u8],
    pub sender: &'a str,
    /// RFC 3339.
    pub received: &'a str,
}

struct One {
    source: Source,
    headless: bool,
    state: Mutex<(u64, Scratch)>,
}

/// The sources of a relay since it started.
pub struct Reader(HashMap<String, One>);

impl Reader {
    pub fn new(sources: Sources) -> Reader {
        let one = |(source, headless)| One { source, headless, state: Mutex::new((0, Scratch::default())) };
        Reader(sources.into_iter().map(|(name, declared)| (name, one(declared))).collect())
    }

    /// Writes the line of an event with its line feed; false when its source or its time of reception is not known, which only a configuration of
    /// another version could bring about.
    pub fn write(&self, message: &Message, line: &mut Vec<u8>) -> bool {
        let (Some(one), Ok(at)) = (self.0.get(message.source), message.received.parse::<Timestamp>()) else {
            return false;
        };
        let mut state = held(&one.state);
        state.0 += 1;
        let (sequence, scratch) = (state.0, &mut state.1);
        let bytes = if one.headless { message.body } else { message.whole };
        let of = |bytes| Received { bytes, at, sender: message.sender, of_file: one.headless };
        line.clear();
        if !guarded(false, || {
            line::write(&one.source, &of(bytes), sequence, scratch, line);
            true
        }) {
            line.clear();
            *scratch = Scratch::default();
            line::write(&one.source, &of(WITHHELD), sequence, scratch, line);
        }
        line.push(b'\n');
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings;
    use std::path::PathBuf;
    use std::{env, fs, process};

    fn written(text: &str) -> PathBuf {
        let path = env::temp_dir().join(format!("vaern-reader-{}-{:p}.json", process::id(), text));
        fs::write(&path, text).expect("a file can be written");
        path
    }

    fn reader() -> Reader {
        let path = written(
            r#"{"municipality": "0710", "relay": "gw1", "site": "raadhus", "cpr": "mask", "parsers": "/none", "sources": [
                {"name": "a", "kind": "dhcp", "sector": "administration", "parser": "generic", "timezone": "UTC"},
                {"name": "b", "kind": "tap", "sector": "administration", "parser": "generic", "timezone": "UTC", "headless": true}]}"#,
        );
        let sources = settings::sources(&path, "00").expect("the settings are sound");
        fs::remove_file(path).expect("it was written");
        Reader::new(sources)
    }

    fn message(source: &'static str) -> Message<'static> {
        let whole = b"<13>1 2026-11-29T12:00:00Z h a - - - 010203-1234";
        Message { source, whole, body: &whole[37..], sender: "192.0.2.1", received: "2026-11-29T12:00:01.5+00:00" }
    }

    #[test]
    fn each_source_has_its_own_numbers_and_part_of_the_message() {
        let (reader, mut line, mut seen) = (reader(), Vec::new(), Vec::new());
        for source in ["a", "b", "a"] {
            assert!(reader.write(&message(source), &mut line));
            let event: serde_json::Value = serde_json::from_slice(&line).expect("it is JSON");
            seen.push((event["source"].to_string(), event["sequence"].as_u64(), event["message"].as_str().map(str::to_owned)));
        }
        let whole = "<13>1 2026-11-29T12:00:00Z h a - - - [CPR]";
        let expected = [("\"a\"", 1, whole), ("\"b\"", 1, "[CPR]"), ("\"a\"", 2, whole)];
        assert_eq!(seen, expected.map(|(source, number, text)| (source.to_owned(), Some(number), Some(text.to_owned()))));
    }

    #[test]
    fn a_source_that_is_not_declared_has_no_line() {
        let mut line = Vec::new();
        assert!(!reader().write(&message("c"), &mut line));
        assert!(line.is_empty());
    }

    #[test]
    fn wrong_settings_are_said_with_their_file() {
        for (text, what) in [("{", "EOF"), ("{}", "sources is no list"), (r#"{"sources": [{}]}"#, "parser is no text")] {
            let path = written(text);
            let told = settings::sources(&path, "").err().expect("they are wrong");
            fs::remove_file(&path).expect("it was written");
            assert!(told.starts_with(&*path.to_string_lossy()) && told.contains(what), "{told}");
        }
    }
}
