//! What was spooled while rsyslog could not read: each closed file of the unread spool becomes a closed segment of numbered lines.
//!
//! A file is read into `draft`, which becomes `NAME.ready` once it is whole and on the disk; then `NAME.unread` goes, and the segment gets its
//! place. Whenever it is killed, the next run goes on from there: nothing is read twice, and nothing is left out.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::os::unix::fs::{chown, MetadataExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::reader::{Message, Reader};
use crate::settings;

/// Of rsyslog's largest message, with all that stands before it.
const LONGEST: usize = 1 << 20;

/// Before the name of an input, in the place of a source: the reader is to say which one it is.
const UNDECIDED: char = '@';

/// What was in a file: events, and lines that are none (their source is declared no more, or a power cut left them).
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub events: u64,
    pub lost: u64,
}

/// Reads the next closed file of `spool`; none when there is none left. What is wrong is said with its file.
pub fn next(spool: &Path, settings: &Path) -> Result<Option<Counts>, String> {
    let unread = spool.join("unread");
    let Some(name) = oldest(&unread).map_err(|error| said(&unread, &error))? else { return Ok(None) };
    let place = |kind: &str| unread.join(format!("{name}.{kind}"));
    // One for all files: what a killed run has left is written over, also when its file has been evicted meanwhile.
    let begun = unread.join("draft");
    let mut counts = Counts::default();
    if !place("ready").exists() {
        let reader = Reader::new(settings::read(settings, &boot(&name))?);
        counts = draft(&reader, &place("unread"), &begun).map_err(|error| said(&place("unread"), &error))?;
        of_the_group(&begun, &spool.join("segments"))?;
        moved(&begun, &place("ready"))?;
    }
    match fs::remove_file(place("unread")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(said(&place("unread"), &error)),
        _ => synced(&unread)?,
    }
    if fs::metadata(place("ready")).is_ok_and(|ready| ready.len() == 0) {
        // Nobody would ever remove a segment without an event: nothing of it is sent, so nothing is confirmed.
        fs::remove_file(place("ready")).map_err(|error| said(&place("ready"), &error))?;
    } else {
        moved(&place("ready"), &spool.join("segments").join(format!("{name}.jsonl")))?;
    }
    Ok(Some(counts))
}

/// Its events have numbers of their own: a file is what a start of the relay is to other events. No other has its name, which has the time.
fn boot(name: &str) -> String {
    Sha256::digest(name)[..16].iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// The name of the oldest file that is closed, or that an earlier run was about to finish.
fn oldest(unread: &Path) -> io::Result<Option<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(unread)? {
        let path = entry?.path();
        let (Some(stem), Some(kind)) = (path.file_stem().and_then(|stem| stem.to_str()), path.extension()) else { continue };
        if (kind == "unread" || kind == "ready") && !stem.starts_with("open") {
            names.push(stem.to_owned());
        }
    }
    Ok(names.into_iter().min())
}

fn draft(reader: &Reader, from: &Path, to: &Path) -> io::Result<Counts> {
    let (mut input, mut output) =
        (BufReader::with_capacity(1 << 18, File::open(from)?), BufWriter::with_capacity(1 << 18, File::create(to)?));
    let (mut counts, mut read, mut line) = (Counts::default(), Vec::new(), Vec::new());
    loop {
        read.clear();
        input.read_until(b'\n', &mut read)?;
        // What ends without a line break was cut off when the relay was killed.
        if read.pop() != Some(b'\n') {
            break;
        }
        if read.len() <= LONGEST
            && message(&read).is_some_and(|(message, host)| {
                let source = match message.source.strip_prefix(UNDECIDED) {
                    Some(input) => reader.source_of(input, message.sender, message.whole),
                    None => Some(message.source),
                };
                source.is_some_and(|source| reader.write(&Message { source, host: &host, ..message }, &mut line))
            })
        {
            output.write_all(&line)?;
            counts.events += 1;
        } else {
            counts.lost += 1;
        }
    }
    output.into_inner()?.sync_all()?;
    Ok(counts)
}

/// As rsyslog has written it: source, times of reception and of its header, sender, `{"host":"..."}`, and the message with or without its header.
fn message(line: &[u8]) -> Option<(Message<'_>, String)> {
    let mut parts = line.splitn(6, |byte| *byte == b'\t');
    let mut text = || parts.next().and_then(|part| std::str::from_utf8(part).ok());
    let (source, received, reported, sender) = (text()?, text()?, text()?, text()?);
    // The name of a host may be of any bytes; the address of the sender stands for one that is no text.
    let named: serde_json::Value = serde_json::from_slice(parts.next()?).unwrap_or_default();
    let host = named["host"].as_str().unwrap_or(sender).to_owned();
    let whole = parts.next()?;
    Some((Message { source, whole, body: whole, sender, received, reported, host: "" }, host))
}

/// Who reads segments is in the group of their folder, and may not look into this one.
fn of_the_group(path: &Path, folder: &Path) -> Result<(), String> {
    fs::metadata(folder).and_then(|seen| chown(path, None, Some(seen.gid()))).map_err(|error| said(path, &error))
}

fn moved(from: &Path, to: &Path) -> Result<(), String> {
    fs::rename(from, to).map_err(|error| said(to, &error))?;
    [from, to].into_iter().filter_map(Path::parent).try_for_each(synced)
}

/// What was made, renamed or removed in a folder is so after a power cut too.
fn synced(folder: &Path) -> Result<(), String> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| said(folder, &error))
}

fn said(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}

/// Of the arguments of the program: the folder of the spool.
pub fn spool(mut arguments: impl Iterator<Item = String>) -> Option<PathBuf> {
    arguments.nth(1).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::env;
    use std::sync::atomic::{AtomicU64, Ordering};

    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Folder {
            static MADE: AtomicU64 = AtomicU64::new(0);
            let path = env::temp_dir().join(format!("vaern-unread-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed)));
            for name in ["unread", "segments"] {
                fs::create_dir_all(path.join(name)).expect("a folder can be made");
            }
            let settings = r#"{"municipality": "0710", "relay": "gw1", "site": "raadhus", "cpr": "mask", "parsers": "/none", "sources": [
                {"name": "a", "kind": "dhcp", "sector": "administration", "parser": "generic", "timezone": "UTC"},
                {"name": "b", "kind": "tap", "sector": "administration", "parser": "generic", "timezone": "UTC", "headless": true},
                {"name": "c", "kind": "dhcp", "sector": "health", "parser": "generic", "timezone": "UTC", "from":
                    {"input": "syslog_udp", "networks": ["192.0.2.0/24"], "host": "sw1"}}]}"#;
            fs::write(path.join("reader.json"), settings).expect("a file can be written");
            Folder(path)
        }

        fn write(&self, name: &str, text: &[u8]) {
            fs::write(self.0.join("unread").join(name), text).expect("a file can be written");
        }

        fn next(&self) -> Option<Counts> {
            next(&self.0, &self.0.join("reader.json")).expect("it can be read")
        }

        fn names(&self, folder: &str) -> Vec<String> {
            let listed = fs::read_dir(self.0.join(folder)).expect("it is there");
            let mut names: Vec<_> = listed.map(|entry| entry.expect("it is listed").file_name().into_string().expect("text")).collect();
            names.sort();
            names
        }

        fn events(&self) -> Vec<serde_json::Value> {
            let texts =
                self.names("segments").into_iter().map(|name| fs::read_to_string(self.0.join("segments").join(name)).expect("text"));
            texts.flat_map(|text| text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect::<Vec<_>>()).collect()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).expect("it was made");
        }
    }

    fn line(source: &str, text: &[u8]) -> Vec<u8> {
        let before = format!("{source}\t2026-11-29T12:00:01.5+00:00\t2026-11-29T12:00:00+00:00\t192.0.2.1\t{{\"host\":\"h1\"}}\t");
        [before.as_bytes(), text, b"\n"].concat()
    }

    #[test]
    fn each_file_becomes_a_segment_of_numbered_and_masked_events() {
        let folder = Folder::new();
        folder.write(
            "20261129T120000.1-2.unread",
            &[line("a", b"<13>h x: \xe5 010203-1234\ttab"), line("b", b"{}"), line("a", b"two")].concat(),
        );
        folder.write(
            "20261129T120000.2-1.unread",
            &[line("a", b"three"), line("gone", b"x"), b"no event\n".to_vec(), line("a", b"cut")[..60].to_vec()].concat(),
        );
        folder.write("open-2.unread", &line("a", b"waits"));
        assert_eq!((folder.next(), folder.next()), (Some(Counts { events: 3, lost: 0 }), Some(Counts { events: 1, lost: 2 })));
        assert_eq!((folder.next(), folder.names("unread")), (None, vec!["open-2.unread".to_owned()]));
        assert_eq!(folder.names("segments"), ["20261129T120000.1-2.jsonl", "20261129T120000.2-1.jsonl"]);
        let events = folder.events();
        let told = |key: &str| events.iter().map(|event| event[key].to_string()).collect::<Vec<_>>();
        assert_eq!(told("sequence"), ["1", "1", "2", "1"]);
        assert_eq!(told("source"), ["\"a\"", "\"b\"", "\"a\"", "\"a\""]);
        assert_eq!(events[0]["message"], "<13>h x: \u{e5} [CPR]\ttab");
        assert_eq!((&events[1]["host"], events[0]["received"].as_str().map(|at| &at[..19])), (&"h1".into(), Some("2026-11-29T12:00:01")));
        assert_eq!(told("boot").into_iter().collect::<HashSet<_>>().len(), 2);
        assert_eq!(events[0]["boot"].as_str().map(str::len), Some(32));
    }

    #[test]
    fn whose_event_it_is_is_decided_when_it_is_read() {
        let folder = Folder::new();
        let texts = ["<13>Nov 29 12:00:00 sw1 a: x", "<13>Nov 29 12:00:00 sw2 a: x"];
        folder.write("20261129T120000.1-2.unread", &texts.map(|text| line("@syslog_udp", text.as_bytes())).concat());
        assert_eq!(folder.next(), Some(Counts { events: 1, lost: 1 }));
        assert_eq!((&folder.events()[0]["source"], &folder.events()[0]["sector"]), (&"c".into(), &"health".into()));
    }

    #[test]
    fn a_run_that_was_killed_is_finished_whenever_that_was() {
        let (name, text) = ("20261129T120000.1-2", [line("a", b"one"), line("a", b"two")].concat());
        let whole = {
            let folder = Folder::new();
            folder.write(&format!("{name}.unread"), &text);
            folder.next();
            fs::read(folder.0.join(format!("segments/{name}.jsonl"))).expect("it is there")
        };
        // In the middle of the draft; before its source was removed; before the segment was in its place.
        for left in [
            vec![("draft", &whole[..9]), ("unread", &text[..])],
            vec![("ready", &whole[..]), ("unread", &text[..])],
            vec![("ready", &whole[..])],
        ] {
            let folder = Folder::new();
            for (kind, bytes) in left {
                folder.write(&if kind == "draft" { kind.to_owned() } else { format!("{name}.{kind}") }, bytes);
            }
            assert!(folder.next().is_some());
            assert_eq!((folder.next(), folder.names("unread")), (None, vec![]));
            assert_eq!(fs::read(folder.0.join(format!("segments/{name}.jsonl"))).expect("it is there"), whole);
        }
    }

    #[test]
    fn a_file_without_an_event_leaves_no_segment() {
        let folder = Folder::new();
        folder.write("20261129T120000.1-2.unread", &line("gone", b"x"));
        folder.write("draft", b"of a file that has been evicted");
        assert_eq!((folder.next(), folder.next()), (Some(Counts { events: 0, lost: 1 }), None));
        assert_eq!((folder.names("unread").len(), folder.names("segments").len()), (0, 0));
    }

    #[test]
    fn settings_that_are_wrong_leave_everything() {
        let folder = Folder::new();
        folder.write("20261129T120000.1-2.unread", &line("a", b"one"));
        fs::write(folder.0.join("reader.json"), "{").expect("a file can be written");
        assert!(next(&folder.0, &folder.0.join("reader.json")).is_err());
        assert_eq!((folder.names("unread").len(), folder.names("segments").len()), (1, 0));
    }
}
