//! How a parser says that a time is written.

use jiff::Timestamp;

use super::{stamp, zone, Fraction, Instant, Stamp, Zone};

/// A way to write a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    Epoch,
    Rfc3339,
    Pieces(Vec<Piece>),
}

/// One part of a way to write a time: a directive without its `%`, or a byte as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    Directive(u8),
    Byte(u8),
    Spaces,
}

/// What was read of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    Instant(Instant),
    Stamp(Stamp),
}

impl Time {
    /// The same with its zone, when it names none itself.
    pub fn in_offset(self, offset: i32) -> Time {
        match self {
            Time::Stamp(stamp) => Time::Stamp(Stamp { offset: stamp.offset.or(Some(offset)), ..stamp }),
            instant => instant,
        }
    }

    /// The instant meant; see `Stamp::instant`.
    pub fn instant(&self, zone: &Zone, received: Timestamp) -> Option<Instant> {
        match self {
            Time::Instant(instant) => Some(*instant),
            Time::Stamp(stamp) => stamp.instant(zone, received),
        }
    }
}

const DIRECTIVES: &[u8] = b"YymdeabHIMSpZ";

impl Format {
    /// `epoch`, `rfc3339` or a text with directives. The error says what is wrong with it.
    pub fn new(text: &str) -> Result<Format, String> {
        match text {
            "epoch" => return Ok(Format::Epoch),
            "rfc3339" => return Ok(Format::Rfc3339),
            _ => {}
        }
        let mut pieces = Vec::new();
        let mut bytes = text.bytes();
        while let Some(byte) = bytes.next() {
            pieces.push(match byte {
                b' ' => Piece::Spaces,
                b'%' => {
                    let name = bytes.next().unwrap_or(b' ');
                    if !DIRECTIVES.contains(&name) {
                        return Err(format!(
                            "%{} is no directive; known are %{}",
                            char::from(name),
                            "Y %y %m %d %e %a %b %H %I %M %S %p %Z"
                        ));
                    }
                    Piece::Directive(name)
                }
                _ => Piece::Byte(byte),
            });
        }
        let has = |names: &[u8]| names.iter().any(|name| pieces.contains(&Piece::Directive(*name)));
        if has(b"mb") && has(b"de") && has(b"HI") {
            Ok(Format::Pieces(pieces))
        } else {
            Err(format!("{text} names no month, day or hour; write epoch, rfc3339 or directives such as %Y-%m-%d %H:%M:%S"))
        }
    }

    /// The time in a text; none when it is written otherwise.
    pub fn read(&self, text: &str) -> Option<Time> {
        let text = text.trim_matches(' ');
        match self {
            Format::Epoch => epoch(text.as_bytes()).map(Time::Instant),
            Format::Rfc3339 => {
                let (size, mut stamp) = stamp::iso(text.as_bytes(), b"Tt ")?;
                let rest = text[size..].trim_start();
                if stamp.offset.is_none() && !rest.is_empty() {
                    let (zone, offset) = zone::read(rest)?;
                    stamp.offset = Some(offset);
                    return (zone == rest.len()).then_some(Time::Stamp(stamp));
                }
                rest.is_empty().then_some(Time::Stamp(stamp))
            }
            Format::Pieces(pieces) => by_pieces(pieces, text).map(Time::Stamp),
        }
    }
}

/// Seconds since 1970, or milli-, micro- or nanoseconds by their number of digits.
fn epoch(text: &[u8]) -> Option<Instant> {
    let digits = text.iter().take_while(|each| each.is_ascii_digit()).count();
    let whole = match digits {
        1..=11 => digits,
        13 | 16 | 19 => 10,
        _ => return None,
    };
    let seconds = text[..whole].iter().fold(0i64, |sum, each| sum * 10 + i64::from(each - b'0'));
    let mut rest = Stamp::default();
    let fraction = match &text[digits..] {
        [] => Fraction::read(&text[whole..digits]),
        behind if whole == digits && stamp::fraction(behind, &mut rest) == behind.len() => rest.fraction,
        _ => return None,
    };
    Some(Instant { seconds, fraction })
}

fn by_pieces(pieces: &[Piece], text: &str) -> Option<Stamp> {
    let bytes = text.as_bytes();
    let mut stamp = Stamp::default();
    let (mut at, mut half) = (0, None);
    for piece in pieces {
        let rest = bytes.get(at..)?;
        at += match piece {
            // What may be missing at the end has its space with it.
            Piece::Spaces if rest.is_empty() => 0,
            Piece::Spaces => Some(rest.iter().take_while(|each| **each == b' ').count()).filter(|size| *size > 0)?,
            Piece::Byte(byte) => rest.first().filter(|each| *each == byte).map(|_| 1)?,
            Piece::Directive(b'Z') if rest.is_empty() => 0,
            Piece::Directive(b'Z') => {
                let (size, offset) = zone::read(text.get(at..)?)?;
                stamp.offset = Some(offset);
                size
            }
            Piece::Directive(b'b') => {
                stamp.month = stamp::month(rest)?;
                rest.iter().take_while(|each| each.is_ascii_alphabetic()).count()
            }
            // The day of the week says nothing that the date does not.
            Piece::Directive(b'a') => Some(rest.iter().take_while(|each| each.is_ascii_alphabetic()).count()).filter(|size| *size > 0)?,
            Piece::Directive(b'p') => {
                half = Some(rest.first()?.to_ascii_uppercase());
                rest.get(1).filter(|each| each.eq_ignore_ascii_case(&b'M')).map(|_| 2)?
            }
            Piece::Directive(name) => numeric(*name, rest, &mut stamp)?,
        };
    }
    stamp.hour = match half {
        Some(b'P') if stamp.hour < 12 => stamp.hour + 12,
        Some(b'A') if stamp.hour == 12 => 0,
        Some(b'A' | b'P') | None => stamp.hour,
        Some(_) => return None,
    };
    (at == bytes.len() && stamp.second <= 60).then_some(stamp)
}

fn numeric(name: u8, rest: &[u8], stamp: &mut Stamp) -> Option<usize> {
    let (mut size, value) = stamp::number(rest, if name == b'Y' { 4 } else { 2 })?;
    let small = i8::try_from(value).unwrap_or(i8::MAX);
    match name {
        b'Y' if size == 4 => stamp.year = Some(value),
        b'Y' => return None,
        b'y' => stamp.year = Some(2000 + value),
        b'm' => stamp.month = small,
        b'H' | b'I' => stamp.hour = small,
        b'M' => stamp.minute = small,
        b'S' => {
            stamp.second = small;
            size += stamp::fraction(&rest[size..], stamp);
        }
        _ => stamp.day = small,
    }
    Some(size)
}
