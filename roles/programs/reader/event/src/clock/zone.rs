//! Zones as devices name them.

use super::stamp::number;

const HOUR: i32 = 3_600;

/// Names that devices write behind a time, with seconds east of Greenwich. `EST` and its like are North American, as Cisco means them.
const NAMES: &[(&str, i32)] = &[
    ("UTC", 0),
    ("GMT", 0),
    ("Z", 0),
    ("WET", 0),
    ("WEST", HOUR),
    ("BST", HOUR),
    ("CET", HOUR),
    ("MET", HOUR),
    ("MEZ", HOUR),
    ("CEST", 2 * HOUR),
    ("MEST", 2 * HOUR),
    ("MESZ", 2 * HOUR),
    ("CEDT", 2 * HOUR),
    ("CET-DST", 2 * HOUR),
    ("MET-DST", 2 * HOUR),
    ("CETDST", 2 * HOUR),
    ("METDST", 2 * HOUR),
    ("EET", 2 * HOUR),
    ("EEST", 3 * HOUR),
    ("EET-DST", 3 * HOUR),
    ("MSK", 3 * HOUR),
    ("EST", -5 * HOUR),
    ("EDT", -4 * HOUR),
    ("CST", -6 * HOUR),
    ("CDT", -5 * HOUR),
    ("MST", -7 * HOUR),
    ("MDT", -6 * HOUR),
    ("PST", -8 * HOUR),
    ("PDT", -7 * HOUR),
];

/// The offset of a zone's name, written in capital letters; none when it is unknown.
pub fn named(name: &str) -> Option<i32> {
    NAMES.iter().find(|(each, _)| *each == name).map(|(_, offset)| *offset)
}

/// `Z`, `+01:00`, `+0100` or `+01` at the beginning: its bytes and seconds east of Greenwich.
pub fn offset(text: &[u8]) -> Option<(usize, i32)> {
    let sign = match text.first()? {
        b'Z' | b'z' => return Some((1, 0)),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let two = |at: usize| -> Option<i32> {
        let (tens, ones) = (text.get(at)?, text.get(at + 1)?);
        (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| i32::from(tens - b'0') * 10 + i32::from(ones - b'0'))
    };
    let hours = two(1).filter(|hours| *hours <= 15)?;
    let colon = usize::from(text.get(3) == Some(&b':'));
    match two(3 + colon).filter(|minutes| *minutes < 60) {
        Some(minutes) => Some((5 + colon, sign * (hours * HOUR + minutes * 60))),
        None if colon == 0 => Some((3, sign * hours * HOUR)),
        None => None,
    }
}

/// `UTC+1` or `GMT-03:30`, as IOS writes a zone that got no name of its own: its bytes and seconds east of Greenwich.
fn from_utc(text: &str) -> Option<(usize, i32)> {
    let rest = text.strip_prefix("UTC").or_else(|| text.strip_prefix("GMT"))?.as_bytes();
    let sign = match rest.first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (size, hours) = number(&rest[1..], 2).filter(|(_, hours)| *hours <= 15)?;
    let end = 1 + size;
    let minutes = rest[end..].strip_prefix(b":").and_then(|rest| number(rest, 2)).filter(|(size, minutes)| *size == 2 && *minutes < 60);
    let more = minutes.map_or(0, |_| 3);
    let minutes = minutes.map_or(0, |(_, minutes)| minutes);
    Some(("UTC".len() + end + more, sign * (i32::from(hours) * HOUR + i32::from(minutes) * 60)))
}

/// A zone at the beginning of a text, an offset or a known name that ends there: its bytes and seconds east of Greenwich.
pub fn read(text: &str) -> Option<(usize, i32)> {
    if let Some(found) = from_utc(text) {
        return Some(found);
    }
    let size = text.bytes().take_while(|each| each.is_ascii_uppercase() || *each == b'-').count();
    if let Some(offset) = named(&text[..size]) {
        return (!text.as_bytes().get(size).is_some_and(u8::is_ascii_alphanumeric)).then_some((size, offset));
    }
    offset(text.as_bytes())
}
