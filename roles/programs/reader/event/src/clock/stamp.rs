//! Times at the beginning of a text, in the forms that syslog headers have.

use super::{zone, Fraction, Stamp};

const MONTHS: [&[u8; 3]; 12] = [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];

/// The month of three letters at the beginning. Danish `maj` and `okt` are read too.
pub fn month(text: &[u8]) -> Option<i8> {
    let three = text.get(..3)?.to_ascii_lowercase();
    let place = match three.as_slice() {
        b"maj" => 4,
        b"okt" => 9,
        _ => MONTHS.iter().position(|each| each.as_slice() == three)?,
    };
    i8::try_from(place + 1).ok()
}

/// Names of months as Danish, English and German devices write them, in lower case: those that are no English month of three letters.
const MONTH_NAMES: &str =
    "maj okt mai dez juni juli june july sept januar january februar february marts april august september oktober november december";

/// Whether a word in lower case is the name of a month.
pub fn is_month(word: &str) -> bool {
    MONTH_NAMES.split(' ').any(|each| each == word) || MONTHS.iter().any(|month| month.as_slice() == word.as_bytes())
}

/// A number of one up to `most` digits at the beginning: its bytes and value.
pub fn number(text: &[u8], most: usize) -> Option<(usize, i16)> {
    let size = text.iter().take(most.min(4)).take_while(|each| each.is_ascii_digit()).count();
    let value = text[..size].iter().fold(0i16, |sum, each| sum * 10 + i16::from(each - b'0'));
    (size > 0).then_some((size, value))
}

/// `13:00:00` with a fraction behind a point or a comma: its bytes.
fn time_of_day(text: &[u8], stamp: &mut Stamp) -> Option<usize> {
    let (mut at, hour) = number(text, 2)?;
    stamp.hour = i8::try_from(hour).ok()?;
    for part in [&mut stamp.minute, &mut stamp.second] {
        if text.get(at) != Some(&b':') {
            return None;
        }
        let (size, value) = number(&text[at + 1..], 2).filter(|(size, _)| *size == 2)?;
        *part = i8::try_from(value).ok()?;
        at += 1 + size;
    }
    at += fraction(&text[at..], stamp);
    (stamp.hour < 24 && stamp.minute < 60 && stamp.second <= 60).then_some(at)
}

/// A fraction at the beginning, with its point or comma: its bytes, 0 when there is none.
pub fn fraction(text: &[u8], stamp: &mut Stamp) -> usize {
    let digits = match text {
        [b'.' | b',', rest @ ..] => rest.iter().take_while(|each| each.is_ascii_digit()).count(),
        _ => 0,
    };
    if digits == 0 {
        return 0;
    }
    stamp.fraction = Fraction::read(&text[1..]);
    digits + 1
}

fn spaces(text: &[u8]) -> usize {
    text.iter().take_while(|each| **each == b' ').count()
}

/// A time of a header at the beginning of a text: `2026-11-29T13:00:00.5+01:00`, `Nov 29 13:00:00`, with the year behind the day or behind the
/// time, or `2026 Nov 29 13:00:00`. Its bytes without a zone's name, and what it says.
pub fn read(text: &str) -> Option<(usize, Stamp)> {
    let bytes = text.as_bytes();
    if bytes.first()?.is_ascii_digit() {
        return if bytes.get(4) == Some(&b' ') { year_first(bytes) } else { iso(bytes, b"T") };
    }
    let mut stamp = Stamp::default();
    let size = month_first(bytes, &mut stamp)?;
    Some((size, stamp))
}

fn month_first(text: &[u8], stamp: &mut Stamp) -> Option<usize> {
    stamp.month = month(text)?;
    let mut at = 3 + Some(spaces(&text[3..])).filter(|size| (1..=2).contains(size))?;
    let (size, day) = number(&text[at..], 2)?;
    stamp.day = i8::try_from(day).ok()?;
    at += size;
    at += Some(spaces(&text[at..])).filter(|size| *size > 0)?;
    if let Some((4, year)) = number(&text[at..], 4) {
        stamp.year = Some(year);
        at += 4 + Some(spaces(&text[at + 4..])).filter(|size| *size > 0)?;
    }
    at += time_of_day(&text[at..], stamp)?;
    // As AnyConnect's and older Unix' headers have it.
    if stamp.year.is_none() && text.get(at) == Some(&b' ') {
        if let Some((4, year @ 1970..=2200)) = number(&text[at + 1..], 4) {
            if matches!(text.get(at + 5), Some(b' ' | b':') | None) {
                stamp.year = Some(year);
                at += 5;
            }
        }
    }
    Some(at)
}

fn year_first(text: &[u8]) -> Option<(usize, Stamp)> {
    let mut stamp = Stamp::default();
    let (_, year) = number(text, 4).filter(|(size, _)| *size == 4)?;
    let size = month_first(&text[5..], &mut stamp)?;
    stamp.year = Some(year);
    Some((5 + size, stamp))
}

/// A date of ISO 8601, one of the bytes `between`, and a time; an offset may follow.
pub fn iso(text: &[u8], between: &[u8]) -> Option<(usize, Stamp)> {
    let mut stamp = Stamp::default();
    let (4, year) = number(text, 4)? else { return None };
    if text.get(4) != Some(&b'-') || text.get(7) != Some(&b'-') || !between.contains(text.get(10)?) {
        return None;
    }
    let (2, month) = number(&text[5..], 2)? else { return None };
    let (2, day) = number(&text[8..], 2)? else { return None };
    stamp.year = Some(year);
    stamp.month = i8::try_from(month).ok()?;
    stamp.day = i8::try_from(day).ok()?;
    let mut at = 11 + time_of_day(&text[11..], &mut stamp)?;
    if let Some((size, offset)) = zone::offset(&text[at..]) {
        stamp.offset = Some(offset);
        at += size;
    }
    Some((at, stamp))
}
