//! What the command line says.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use vaern_event::clock::Zone;
use vaern_event::line::{Head, Received, Source};
use vaern_event::mask::Mask;
use vaern_event::parser::Parser;

use crate::{parsers, Failure};

/// The command line, each value checked.
pub struct Options {
    pub input: String,
    pub parser: String,
    pub parsers: PathBuf,
    pub zone: String,
    pub received: Timestamp,
    pub sender: String,
    pub cpr: String,
    pub key: Option<PathBuf>,
    pub frames: bool,
    pub of_file: bool,
}

impl Options {
    /// Reads what stands behind the verb.
    pub fn new(arguments: &[String]) -> Result<Options, Failure> {
        let mut found = Options {
            input: "-".to_owned(),
            parser: String::new(),
            parsers: std::env::var_os("VAERN_PARSERS").map_or_else(|| PathBuf::from("roles/programs/reader/parsers"), PathBuf::from),
            zone: "UTC".to_owned(),
            received: Timestamp::now(),
            sender: "192.0.2.1".to_owned(),
            cpr: "mask".to_owned(),
            key: None,
            frames: false,
            of_file: false,
        };
        let mut rest = arguments.iter();
        let mut inputs = 0;
        while let Some(argument) = rest.next() {
            let mut value = || rest.next().cloned().ok_or_else(|| Failure(2, format!("{argument} needs a value")));
            match argument.as_str() {
                "--parser" => found.parser = value()?,
                "--parsers" => found.parsers = PathBuf::from(value()?),
                "--timezone" => found.zone = value()?,
                "--received" => found.received = instant(&value()?)?,
                "--sender" => found.sender = value()?,
                "--cpr" => found.cpr = value()?,
                "--key" => found.key = Some(PathBuf::from(value()?)),
                "--frames" => found.frames = true,
                "--file" => found.of_file = true,
                "--json" => {}
                other if other.starts_with("--") => return Err(Failure(2, format!("{other} is not known"))),
                other => {
                    found.input = other.to_owned();
                    inputs += 1;
                }
            }
        }
        if inputs > 1 {
            return Err(Failure(2, "one file at a time; write - for standard input".to_owned()));
        }
        Ok(found)
    }

    /// What came in, as the command line says it did.
    pub fn received<'a>(&'a self, bytes: &'a [u8]) -> Received<'a> {
        let given = Head::Given { time: self.received, host: &self.sender };
        Received { bytes, at: self.received, sender: &self.sender, head: if self.of_file { given } else { Head::OfLine } }
    }

    /// The source that is tried, with its parser.
    pub fn source(&self) -> Result<Source, Failure> {
        if self.parser.is_empty() {
            return Err(Failure(2, "--parser NAME is missing; `list` shows them".to_owned()));
        }
        source(Arc::new(parsers::named(&self.parsers, &self.parser)?), &self.zone, mask(&self.cpr, self.key.as_ref())?)
    }
}

/// A source of no declaration.
pub fn source(parser: Arc<Parser>, zone: &str, mask: Mask) -> Result<Source, Failure> {
    let zone = Zone::named(zone).ok_or_else(|| Failure(2, format!("{zone} is no time zone; write UTC or Europe/Copenhagen")))?;
    Ok(Source {
        parser,
        zone,
        mask,
        municipality: "0000".to_owned(),
        relay: "try".to_owned(),
        boot: "0".repeat(32),
        site: "try".to_owned(),
        name: "try".to_owned(),
        kind: "generic".to_owned(),
        sector: "administration".to_owned(),
    })
}

/// A time of reception.
pub fn instant(text: &str) -> Result<Timestamp, Failure> {
    text.parse().map_err(|_| Failure(2, format!("{text} is no time; write one as 2026-11-29T12:00:00Z")))
}

/// What is done with CPR numbers.
pub fn mask(mode: &str, key: Option<&PathBuf>) -> Result<Mask, Failure> {
    match mode {
        "keep" => Ok(Mask::Keep),
        "mask" => Ok(Mask::Mask),
        "hash" => {
            let path = key.ok_or_else(|| Failure(2, "--cpr hash needs --key FILE: 64 hexadecimal digits".to_owned()))?;
            let text = fs::read_to_string(path).map_err(|error| Failure(3, format!("{}: {error}", path.display())))?;
            read_key(text.trim())
                .map(Mask::Hash)
                .ok_or_else(|| Failure(3, format!("{}:1: no key; it is 64 hexadecimal digits", path.display())))
        }
        _ => Err(Failure(2, format!("{mode} is none of mask, hash, keep"))),
    }
}

fn read_key(text: &str) -> Option<[u8; 32]> {
    let mut key = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (place, each) in key.iter_mut().enumerate() {
        *each = u8::from_str_radix(&text[place * 2..place * 2 + 2], 16).ok()?;
    }
    Some(key)
}
