//! What stands at the beginning of a frame: an octet count, a priority, or the text of a line.

use memchr::memchr;

/// A count of more digits is none: 20261129 is a date, 1700000000 a time.
const MOST_DIGITS: usize = 7;

/// What stands at the beginning of a frame.
pub enum Count {
    None,
    /// More bytes are needed to tell.
    Unknown,
    /// Bytes of the count with its space, and of the message.
    Is(usize, usize),
}

/// Whether a frame with a priority or a count begins here for sure.
pub fn starts(data: &[u8]) -> bool {
    priority(data).is_some() || matches!(count(data), Count::Is(..))
}

/// Whether a frame may begin here, as far as can be seen.
pub fn begins(data: &[u8]) -> bool {
    match data.first() {
        None | Some(b'\n' | b'\r' | 0) => true,
        Some(b'<') => priority(data).is_some() || priority_may_follow(data),
        _ => !matches!(count(data), Count::None),
    }
}

pub fn count(data: &[u8]) -> Count {
    let digits = data.iter().take(MOST_DIGITS + 1).take_while(|each| each.is_ascii_digit()).count();
    if digits == 0 || digits > MOST_DIGITS || data[0] == b'0' {
        return Count::None;
    }
    let size = data[..digits].iter().fold(0, |sum, each| sum * 10 + usize::from(each - b'0'));
    let behind = &data[digits..];
    match behind {
        [] | [b' '] => Count::Unknown,
        [b' ', rest @ ..] => match priority(rest) {
            Some(_) => Count::Is(digits + 1, size),
            None if priority_may_follow(rest) => Count::Unknown,
            None => Count::None,
        },
        _ => Count::None,
    }
}

/// More bytes may make it a priority.
fn priority_may_follow(data: &[u8]) -> bool {
    data.is_empty() || data.len() < 5 && data[0] == b'<' && memchr(b'>', data).is_none()
}

/// Bytes of `<PRI>`, 0 to 191, at the beginning.
pub fn priority(data: &[u8]) -> Option<(usize, u8)> {
    let rest = data.strip_prefix(b"<")?;
    let digits = rest.iter().take(4).take_while(|each| each.is_ascii_digit()).count();
    if !(1..=3).contains(&digits) || rest.get(digits) != Some(&b'>') {
        return None;
    }
    let value = rest[..digits].iter().fold(0u16, |sum, each| sum * 10 + u16::from(each - b'0'));
    u8::try_from(value).ok().filter(|value| *value <= 191).map(|value| (digits + 2, value))
}
