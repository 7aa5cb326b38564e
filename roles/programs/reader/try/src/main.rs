//! `vaern-reader`: the relay's reader on the control node. `vaern parser` runs it.
//!
//!     vaern-reader try [FILE|-] --parser NAME [--parsers DIRECTORY] [--timezone ZONE] [--received RFC3339] [--sender ADDRESS]
//!                      [--cpr mask|hash|keep] [--key FILE] [--frames] [--file]
//!     vaern-reader many [--parsers DIRECTORY]     requests, one JSON object a line, from standard input
//!     vaern-reader cost [--parsers DIRECTORY]     nanoseconds a line of such requests, against serde_json
//!     vaern-reader list [--parsers DIRECTORY]
//!
//! Exit codes: 0 read, 2 wrong use, 3 a parser or a file cannot be read (`FILE:LINE: what`, on standard error).

mod cost;
mod options;
mod parsers;
mod requests;

use std::fs;
use std::io::{self, Read, Write};
use std::process::ExitCode;

use options::Options;
use vaern_event::framing::Framer;
use vaern_event::line::{self, Scratch};

/// What is taken of one frame at a time, as on the relay.
const LARGEST: usize = 65_536;

/// Why nothing came out: the exit code, and what to say.
pub struct Failure(pub u8, pub String);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(code, what)) => {
            eprintln!("{what}");
            ExitCode::from(code)
        }
    }
}

fn run(arguments: &[String]) -> Result<(), Failure> {
    let Some((verb, rest)) = arguments.split_first() else {
        return Err(Failure(2, "write try, many, cost or list".to_owned()));
    };
    let options = Options::new(rest)?;
    let text = match verb.as_str() {
        "try" => lines(&options)?,
        "many" => requests::answers(&options, &input("-")?)?,
        "cost" => cost::table(&options, &input("-")?)?,
        "list" => parsers::list(&options.parsers)?,
        _ => return Err(Failure(2, format!("{verb} is not known; write try, many, cost or list"))),
    };
    match io::stdout().lock().write_all(&text) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure(3, format!("standard output: {error}"))),
        _ => Ok(()),
    }
}

fn input(path: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = match path {
        "-" => io::stdin().lock().read_to_end(&mut bytes).map(|_| ()),
        _ => fs::read(path).map(|all| bytes = all),
    };
    read.map(|()| bytes).map_err(|error| Failure(3, format!("{path}: {error}")))
}

/// The event of each line, or of each frame of a connection.
fn lines(options: &Options) -> Result<Vec<u8>, Failure> {
    let source = options.source()?;
    let bytes = input(&options.input)?;
    let mut framer = Framer::new(LARGEST);
    let mut out = Vec::new();
    let mut scratch = Scratch::default();
    let mut write = |sequence: usize, bytes: &[u8]| {
        line::write(&source, &options.received(bytes), sequence as u64 + 1, &mut scratch, &mut out);
        out.push(b'\n');
    };
    if options.frames {
        framer.push(&bytes);
        framer.close();
        framer.enumerate().for_each(|(place, frame)| write(place, &frame.bytes));
    } else {
        let all = bytes.split(|each| *each == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        all.filter(|line| !line.is_empty()).enumerate().for_each(|(place, line)| write(place, line));
    }
    Ok(out)
}
