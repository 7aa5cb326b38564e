//! `vaern-unread SPOOL`: reads what a relay has spooled unread, for a minute at most; the next run goes on.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};
use std::{env, fs};

use vaern_module::unread;

const SETTINGS: &str = "/etc/vaern/log_shipper/reader.json";
/// Keeps the spool within its bounds, as each segment that is closed does.
const ROTATE: &str = "/etc/vaern/log_shipper/rotate";

fn main() -> ExitCode {
    let Some(spool) = unread::spool(env::args()) else {
        eprintln!("usage: vaern-unread SPOOL");
        return ExitCode::from(2);
    };
    if !fs::exists(spool.join("unread")).unwrap_or(false) {
        return ExitCode::SUCCESS;
    }
    let until = Instant::now() + Duration::from_secs(60);
    while Instant::now() < until {
        match unread::next(&spool, Path::new(SETTINGS)) {
            Ok(None) => break,
            Ok(Some(counts)) => {
                println!("{} events were read, {} lines are none", counts.events, counts.lost);
                if let Err(error) = Command::new(ROTATE).arg("room").status() {
                    eprintln!("{ROTATE}: {error}");
                }
            }
            Err(what) => {
                eprintln!("{what}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
