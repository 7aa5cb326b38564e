//! Events of the declared sources, each read and numbered.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::Mutex;

use jiff::Timestamp;
use vaern_event::line::{self, Head, Received, Scratch, Source};
use vaern_event::mask::{self, Context};
use vaern_event::origin::{Origin, Origins};

use crate::connections::held;
use crate::guarded;
use crate::settings::Sources;

/// In the place of a message that could not be read: nothing of it leaves the relay.
const WITHHELD: &[u8] = b"<13>[withheld: could not be read]";
/// Bytes of a message that come at a time; the rest follows as events of their own. Where rsyslog itself cuts, without the one byte between them.
const LONGEST: usize = 65536;
const CUT: &[u8] = b" [cut: longer than 64 KiB]";
/// Of a source in rsyslog's configuration, before its name.
const RULESET: &str = "source_";
/// Of the name of a host that is not declared.
const LONGEST_HOST: usize = 64;
/// What is counted of each source, by the names that the counters have in rsyslog's statistics.
pub const COUNTED: [&str; 4] = ["unparsed", "clock_off", "withheld", "cut"];

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
    /// Of its header, or of who made it; RFC 3339.
    pub reported: &'a str,
    pub host: &'a str,
}

struct One {
    source: Source,
    headless: bool,
    state: Mutex<(u64, Scratch)>,
    counted: [AtomicU64; COUNTED.len()],
}

/// The sources of a relay since it started.
pub struct Reader(HashMap<String, One>, Origins);

impl Reader {
    pub fn new((sources, origins): (Sources, Origins)) -> Reader {
        let one = |(source, headless)| One { source, headless, state: Mutex::default(), counted: Default::default() };
        Reader(sources.into_iter().map(|(name, declared)| (name, one(declared))).collect(), origins)
    }

    /// Writes the name of the ruleset of the source whose event it is; or, where none is declared, the address and the host that it names, with
    /// nothing that is masked: by that it is counted.
    pub fn decide(&self, input: &str, sender: &str, whole: &[u8], name: &mut Vec<u8>) {
        name.clear();
        let named =
            |host: &String| host.len() <= LONGEST_HOST && mask::find(host, &Context { typed: &[], without_leading_zero: &[] }).is_empty();
        match self.1.of(input, sender, whole) {
            Origin::Source(source) => name.extend([RULESET, source].concat().bytes()),
            Origin::Undeclared(Some(host)) if named(&host) => name.extend(format!("{sender} {host}").bytes()),
            Origin::Undeclared(_) => name.extend(sender.bytes()),
        }
    }

    /// The source whose event it is, where one is declared.
    pub fn source_of(&self, input: &str, sender: &str, whole: &[u8]) -> Option<&str> {
        match self.1.of(input, sender, whole) {
            Origin::Source(source) => Some(source),
            Origin::Undeclared(_) => None,
        }
    }

    /// Each source's name with its counters, in the order of `COUNTED`.
    pub fn counted(&self) -> impl Iterator<Item = (&str, &[AtomicU64; COUNTED.len()])> {
        self.0.iter().map(|(name, one)| (name.as_str(), &one.counted))
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
        let bytes = marked(if one.headless { message.body } else { message.whole }, message.whole.len());
        let given = || Head::Given { time: message.reported.parse().unwrap_or(at), host: message.host };
        let head = if one.headless { given() } else { Head::OfLine };
        line.clear();
        let seen = guarded(None, || {
            Some(line::write(&one.source, &Received { bytes: &bytes, at, sender: message.sender, head }, sequence, scratch, line))
        });
        let counted = match seen {
            Some(seen) => [!seen.parsed, seen.clock_off, false, message.whole.len() >= LONGEST],
            None => {
                line.clear();
                *scratch = Scratch::default();
                let withheld = Received { bytes: WITHHELD, at, sender: message.sender, head: Head::OfLine };
                line::write(&one.source, &withheld, sequence, scratch, line);
                [false, false, true, false]
            }
        };
        for (counter, _) in one.counted.iter().zip(counted).filter(|(_, more)| *more) {
            counter.fetch_add(1, Relaxed);
        }
        line.push(b'\n');
        true
    }
}

/// A message that rsyslog has cut says so.
fn marked(bytes: &[u8], length: usize) -> Cow<'_, [u8]> {
    if length < LONGEST {
        return Cow::Borrowed(bytes);
    }
    Cow::Owned([bytes, CUT].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings;
    use std::path::PathBuf;
    use std::{env, fs, process};

    fn written(text: &str) -> PathBuf {
        static WRITTEN: AtomicU64 = AtomicU64::new(0);
        let path = env::temp_dir().join(format!("vaern-reader-{}-{}.json", process::id(), WRITTEN.fetch_add(1, Relaxed)));
        fs::write(&path, text).expect("a file can be written");
        path
    }

    fn reader() -> Reader {
        let path = written(
            r#"{"municipality": "0710", "relay": "gw1", "site": "raadhus", "cpr": "mask", "parsers": "/none", "sources": [
                {"name": "a", "kind": "dhcp", "sector": "administration", "parser": "generic", "timezone": "UTC"},
                {"name": "b", "kind": "tap", "sector": "administration", "parser": "generic", "timezone": "UTC", "headless": true}]}"#,
        );
        let sources = settings::read(&path, "00").expect("the settings are sound");
        fs::remove_file(path).expect("it was written");
        Reader::new(sources)
    }

    fn message(source: &'static str) -> Message<'static> {
        let whole = b"<13>1 2026-11-29T12:00:00Z h a - - - 010203-1234";
        Message {
            source,
            whole,
            body: &whole[37..],
            sender: "192.0.2.1",
            received: "2026-11-29T12:00:01.5+00:00",
            reported: "2026-11-29T13:00:00+01:00",
            host: "h",
        }
    }

    fn counts(reader: &Reader, source: &str) -> Vec<u64> {
        let (_, counted) = reader.counted().find(|(name, _)| *name == source).expect("the source is declared");
        counted.iter().map(|one| one.load(Relaxed)).collect()
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
    fn what_was_cut_says_so_and_is_counted() {
        let (reader, mut line) = (reader(), Vec::new());
        for (length, expected) in [(LONGEST - 1, 0), (LONGEST, 1)] {
            let text = vec![b'x'; length];
            let whole = [b"<13>", &text[4..]].concat();
            assert!(reader.write(&Message { whole: &whole, ..message("a") }, &mut line));
            let event: serde_json::Value = serde_json::from_slice(&line).expect("it is JSON");
            let text = event["message"].as_str().expect("it is text");
            assert_eq!((text.ends_with("x [cut: longer than 64 KiB]"), counts(&reader, "a")[3]), (expected == 1, expected));
        }
    }

    #[test]
    fn a_clock_that_is_off_is_counted_by_source() {
        let (reader, mut line) = (reader(), Vec::new());
        for (received, expected) in [("2026-11-29T12:15:00Z", 0), ("2026-11-29T12:15:01Z", 1)] {
            reader.write(&Message { received, ..message("a") }, &mut line);
            reader.write(&Message { received, ..message("b") }, &mut line);
            assert_eq!((counts(&reader, "a"), counts(&reader, "b")), (vec![0, expected, 0, 0], vec![0, expected, 0, 0]));
        }
    }

    #[test]
    fn a_line_that_no_form_reads_is_counted() {
        let folder = env::temp_dir().join(format!("vaern-parsers-{}", process::id()));
        fs::create_dir_all(&folder).expect("a folder can be made");
        fs::write(folder.join("json.yml"), "read: json\n").expect("a file can be written");
        let text = r#"{"municipality": "0710", "relay": "gw1", "site": "raadhus", "cpr": "mask", "parsers": "FOLDER", "sources": [
            {"name": "a", "kind": "dhcp", "sector": "administration", "parser": "json", "timezone": "UTC"}]}"#;
        let path = written(&text.replace("FOLDER", &folder.to_string_lossy()));
        let reader = Reader::new(settings::read(&path, "00").expect("the settings are sound"));
        fs::remove_file(path).expect("it was written");
        fs::remove_dir_all(folder).expect("it was made");
        reader.write(&message("a"), &mut Vec::new());
        assert_eq!(counts(&reader, "a"), [1, 0, 0, 0]);
    }

    #[test]
    fn a_message_without_a_source_is_given_its_ruleset_or_the_name_to_count_it_by() {
        let path = written(
            r#"{"municipality": "0710", "relay": "gw1", "site": "raadhus", "cpr": "mask", "parsers": "/none", "sources": [
                {"name": "a", "kind": "dhcp", "sector": "health", "parser": "generic", "timezone": "UTC", "from":
                    {"input": "syslog_udp", "networks": ["192.0.2.1/32"], "host": "sw1"}}]}"#,
        );
        let reader = Reader::new(settings::read(&path, "00").expect("the settings are sound"));
        fs::remove_file(path).expect("it was written");
        let mut name = Vec::new();
        for (host, expected) in [("sw1", "source_a"), ("sw2", "192.0.2.1 sw2"), ("010203-1234", "192.0.2.1"), ("localhost", "192.0.2.1")] {
            reader.decide("syslog_udp", "192.0.2.1", format!("<13>1 2026-11-29T12:00:00Z {host} a - - - x").as_bytes(), &mut name);
            assert_eq!(String::from_utf8_lossy(&name), expected);
        }
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
            let Err(told) = settings::read(&path, "") else { panic!("they are wrong") };
            fs::remove_file(&path).expect("it was written");
            assert!(told.starts_with(&*path.to_string_lossy()) && told.contains(what), "{told}");
        }
    }
}
