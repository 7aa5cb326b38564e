//! Identifiers that hold numbers by chance: security identifiers of Windows, GUIDs and hashes, known by their shape alone.
//!
//! A shape lets digits pass unmasked, so each is one that ordinary text does not have: whole, between boundaries, and random elsewhere.

use super::digits::{is_digit, run_end};
use crate::Span;

/// Hexadecimal digits of MD5 and bare GUIDs, SHA-1, SHA-224, SHA-256, SHA-384 and SHA-512.
const HASHES: [usize; 6] = [32, 40, 56, 64, 96, 128];
const GUID: usize = 36;
const HYPHENS: [usize; 4] = [8, 13, 18, 23];
/// Of random digits beside the ten, 22 at the least, one in a hundred thousand has fewer.
const DIFFERENT: u32 = 7;
const DIFFERENT_LETTERS: u32 = 2;
/// Beginnings of security identifiers, and how many numbers of 32 bits follow.
const SIDS: [(&[u8], usize); 6] = [(b"5-21-", 3), (b"5-80-", 5), (b"5-82-", 5), (b"5-83-1-", 4), (b"12-1-", 4), (b"15-2-", 7)];
/// Longest text of an identifier before its last number.
const SID_BEFORE: usize = 96;

/// Whether a place is within an identifier of a known shape, or begins in one and ends in the next.
pub fn is_identifier(bytes: &[u8], span: Span) -> bool {
    const FIRST: usize = 6;
    const LAST: usize = 4;
    is_within(bytes, span, span)
        || is_within(bytes, Span { end: span.start + FIRST, ..span }, span)
            && is_within(bytes, Span { start: span.end - LAST, ..span }, span)
}

/// Whether a part of the place is within an identifier.
fn is_within(bytes: &[u8], part: Span, place: Span) -> bool {
    is_hash(bytes, part, place) || is_guid(bytes, part, place) || is_sid(bytes, part)
}

fn is_boundary(bytes: &[u8], at: Option<usize>) -> bool {
    !at.and_then(|at| bytes.get(at)).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80)
}

fn is_hash(bytes: &[u8], span: Span, place: Span) -> bool {
    let longest = HASHES[HASHES.len() - 1];
    let hexadecimal = |byte: &&u8| byte.is_ascii_hexdigit();
    let before = bytes[..span.start].iter().rev().take(longest).take_while(hexadecimal).count();
    let behind = bytes[span.start..].iter().take(longest + 1).take_while(hexadecimal).count();
    let (start, end) = (span.start - before, span.start + behind);
    HASHES.contains(&(end - start)) && span.end <= end && is_whole(bytes, start, end) && is_random(bytes, start, end, place)
}

fn is_guid(bytes: &[u8], span: Span, place: Span) -> bool {
    let first = span.end.saturating_sub(GUID);
    (first..=span.start).any(|start| {
        let Some(text) = bytes.get(start..start + GUID) else {
            return false;
        };
        let fits = |(at, byte): (usize, &u8)| {
            if HYPHENS.contains(&at) {
                *byte == b'-'
            } else {
                byte.is_ascii_hexdigit()
            }
        };
        text.iter().enumerate().all(fits) && is_whole(bytes, start, start + GUID) && is_random(bytes, start, start + GUID, place)
    })
}

fn is_whole(bytes: &[u8], start: usize, end: usize) -> bool {
    is_boundary(bytes, start.checked_sub(1)) && is_boundary(bytes, Some(end))
}

/// Whether all digits but those of the place look drawn by chance, their letters all small or all capital.
fn is_random(bytes: &[u8], start: usize, end: usize, place: Span) -> bool {
    let (mut seen, mut small, mut capital) = (0_u16, false, false);
    let (before, behind) = (place.start.clamp(start, end), place.end.clamp(start, end));
    for byte in bytes[start..before].iter().chain(&bytes[behind..end]) {
        if let Some(value) = char::from(*byte).to_digit(16) {
            seen |= 1 << value;
            small |= byte.is_ascii_lowercase();
            capital |= byte.is_ascii_uppercase();
        }
    }
    seen.count_ones() >= DIFFERENT && (seen >> 10).count_ones() >= DIFFERENT_LETTERS && !(small && capital)
}

fn is_sid(bytes: &[u8], span: Span) -> bool {
    let part = |byte: &&u8| byte.is_ascii_digit() || **byte == b'-';
    let before = bytes[..span.start].iter().rev().take(SID_BEFORE).take_while(part).count();
    let Some(start) = (span.start - before).checked_sub(1) else {
        return false;
    };
    if !matches!(bytes[start], b'S' | b's') || !is_boundary(bytes, start.checked_sub(1)) {
        return false;
    }
    sid_end(bytes, start).is_some_and(|end| span.end <= end)
}

/// Where an identifier ends that begins at `start`: behind the numbers that its kind has, and behind one more, which names an account,
/// if nothing follows that one.
fn sid_end(bytes: &[u8], start: usize) -> Option<usize> {
    let rest = bytes[start + 1..].strip_prefix(b"-1-")?;
    let (kind, numbers) = SIDS.iter().find(|(kind, _)| rest.starts_with(kind))?;
    let mut end = sub_authority(bytes, start + "S-1-".len() + kind.len())?;
    for _ in 1..*numbers {
        end = next_sub_authority(bytes, end)?;
    }
    match next_sub_authority(bytes, end) {
        Some(account) if !(bytes.get(account) == Some(&b'-') && is_digit(bytes, account + 1)) => Some(account),
        _ => Some(end),
    }
}

fn next_sub_authority(bytes: &[u8], at: usize) -> Option<usize> {
    (bytes.get(at) == Some(&b'-')).then(|| sub_authority(bytes, at + 1)).flatten()
}

/// The place behind a number of 32 bits without leading zeros.
fn sub_authority(bytes: &[u8], at: usize) -> Option<usize> {
    let end = run_end(bytes, at);
    let text = std::str::from_utf8(&bytes[at..end]).ok().filter(|text| text.len() <= 10)?;
    text.parse::<u32>().ok().filter(|_| text == "0" || !text.starts_with('0')).map(|_| end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(text: &str, number: &str) -> bool {
        let start = text.find(number).expect("the number is in the text");
        is_identifier(text.as_bytes(), Span { start, end: start + number.len() })
    }

    #[test]
    fn numbers_in_identifiers_are_no_numbers() {
        for (text, number) in [
            ("S-1-5-21-3152096821-2607746426-814423311-1105", "2607746426"),
            ("\"S-1-5-21-3152096821-2607746426-814423311\"", "2607746426"),
            ("S-1-5-21-3152096821-2607746426-111203-1105", "111203-1105"),
            ("S-1-5-80-2607746426-1-2-3-4", "2607746426"),
            ("S-1-12-1-3152096821-1112034567-814423311-1105", "1112034567"),
            ("hash=ab0102034567cdef00112233445566778899aabb", "0102034567"),
            ("{2F2D6E0B-93B1-4A52-9C1B-DC7505233471}", "7505233471"),
            ("x-2f2d6e0b-93b1-4a52-9c1b-dc0102034567", "0102034567"),
            ("2f110203-4567-4a52-9c1b-dcaa02034567", "110203-4567"),
            ("2f2d6e0b-93b1-4a52-9c1b-dcaa07110203 4567bc0b-93b1-4a52-9c1b-dcaa07e10f03", "110203 4567"),
        ] {
            assert!(within(text, number), "{text}");
        }
    }

    #[test]
    fn a_shape_hides_nothing_that_is_not_in_it() {
        for (text, number) in [
            ("S-1-5-21-0102034567-1-2-1105", "0102034567"),
            ("S-1-5-21-7102034567-1-2-1105", "7102034567"),
            ("S-1-5-21-1-2-3-111203-4567", "111203-4567"),
            ("S-1-5-21-1-2-3-1105-111203-4567", "111203-4567"),
            ("S-1-5-21-1-2-3-1105 111203-4567", "111203-4567"),
            ("S-1-5-21-1-2-3-1105-1112034567", "1112034567"),
            ("XS-1-5-21-1112034567-1-2-1105", "1112034567"),
            ("S-1-5-1112034567", "1112034567"),
            ("S-1-5-21-1112034567", "1112034567"),
            ("ab0102034567cdef00112233445566778899aabbc", "0102034567"),
            ("aaaaaaaaaaaaaaaaaaaaaa0102034567", "0102034567"),
            ("0000a0a0a0aaaaa0aa0abc0101450123", "0101450123"),
            ("00000000-0000-0000-0000-ab0102034567", "0102034567"),
            ("borger0102034567", "0102034567"),
            ("2f2d6e0b-93b1-4a52-9c1b-dcaa07110203 4567", "110203 4567"),
            ("2f2d6e0b-93b1-4a52-9c1b-dc0102034567z", "0102034567"),
            ("2f2d6e0b93b14a529c1bdc0102034567X", "0102034567"),
            ("2F2d6e0b93b14a529c1bdc0102034567", "0102034567"),
        ] {
            assert!(!within(text, number), "{text}");
        }
    }
}
