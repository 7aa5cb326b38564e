//! What a line costs, against `serde_json` reading a line of JSON of the same length.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{json, Value};
use vaern_event::line::{self, Scratch, Source};
use vaern_event::reading;

use crate::options::{mask, source, Options};
use crate::{parsers, Failure};

/// Rounds in which both ways are taken in turn; the best of each counts, so that what else the machine does counts little.
const ROUNDS: usize = 40;
/// What one way takes in a round, at the least.
const ROUND: Duration = Duration::from_millis(5);

/// One JSON object a parser, from requests as `many` takes them: nanoseconds a line of reading it (header, time, fields with their types)
/// and of the whole way to the event's JSON, masked; those of `serde_json`; and their ratios.
pub fn table(options: &Options, input: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut lines: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for text in input.split(|each| *each == b'\n').filter(|text| !text.is_empty()) {
        let request: Value = serde_json::from_slice(text).map_err(|error| Failure(3, format!("-: {error}")))?;
        if let (Some(parser), Some(line)) = (request["parser"].as_str(), request["line"].as_str()) {
            lines.entry(parser.to_owned()).or_default().push(line.to_owned());
        }
    }
    let mut out = Vec::new();
    for (name, lines) in &lines {
        let source =
            source(Arc::new(parsers::named(&options.parsers, name)?), "Europe/Copenhagen", mask(&options.cpr, options.key.as_ref())?)?;
        let [read, event, serde] = measured(&source, options, lines);
        let bytes = lines.iter().map(String::len).sum::<usize>() / lines.len();
        let ratio = |one: f64| (one / serde * 100.0).round() / 100.0;
        let row = json!({"parser": name, "lines": lines.len(), "bytes": bytes, "read_ns": read.round(), "event_ns": event.round(),
            "serde_json_ns": serde.round(), "read_ratio": ratio(read), "event_ratio": ratio(event)});
        out.extend_from_slice(row.to_string().as_bytes());
        out.push(b'\n');
    }
    Ok(out)
}

/// Nanoseconds a line: of reading, of the whole event and of `serde_json`.
fn measured(source: &Source, options: &Options, lines: &[String]) -> [f64; 3] {
    let others: Vec<String> = lines.iter().map(|line| json_of(line.len())).collect();
    let (mut scratch, mut out) = (Scratch::default(), Vec::new());
    let mut values = Scratch::default();
    let mut read = || {
        for line in lines {
            black_box(reading::read(source, &options.received(&[]), line, values.values()));
        }
    };
    let mut event = || {
        for line in lines {
            out.clear();
            black_box(line::write(source, &options.received(line.as_bytes()), 1, &mut scratch, &mut out));
        }
    };
    let serde = || {
        for line in &others {
            black_box(serde_json::from_slice::<Value>(line.as_bytes()).ok());
        }
    };
    let counts = [repeats(&mut read), repeats(&mut event), repeats(serde)];
    let mut best = [f64::MAX; 3];
    for _ in 0..ROUNDS {
        let took = [time(&mut read, counts[0]), time(&mut event, counts[1]), time(serde, counts[2])];
        best = [0, 1, 2].map(|way| took[way].min(best[way]));
    }
    best.map(|one| one / lines.len() as f64)
}

/// How often a way is taken in a round.
fn repeats(mut way: impl FnMut()) -> u32 {
    let start = Instant::now();
    let mut count = 0;
    while start.elapsed() < ROUND {
        way();
        count += 1;
    }
    count
}

fn time(mut way: impl FnMut(), repeats: u32) -> f64 {
    let start = Instant::now();
    for _ in 0..repeats {
        way();
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(repeats)
}

/// An object of so many bytes, with names and values as long as those of logs: about 25 bytes a pair.
fn json_of(size: usize) -> String {
    let mut text = String::from("{\"time\":\"2026-11-29T12:00:00Z\"");
    let mut place = 0;
    while text.len() + 27 < size {
        text.push_str(&format!(",\"field{place:02}\":\"value{:07}\"", place * 7919));
        place += 1;
    }
    if text.len() + 8 < size {
        text.push_str(&format!(",\"z\":\"{}\"", "x".repeat(size - text.len() - 8)));
    }
    text.push('}');
    text
}
