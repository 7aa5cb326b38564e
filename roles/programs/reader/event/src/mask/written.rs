//! Digits that are written otherwise: of other scripts, escaped, or with a NUL between, as UTF-16 is when it is read byte by byte.

use memchr::{memchr2_iter, memchr3_iter};

use super::separator::one;
use crate::Span;

/// The zeros of all decimal digits of Unicode but ASCII; each is followed by its nine others.
const ZEROS: [u32; 73] = [
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0, 0xf20, 0x1040, 0x1090, 0x17e0,
    0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10,
    0x104a0, 0x10d30, 0x10d40, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x116d0, 0x116da, 0x11730,
    0x118e0, 0x11950, 0x11bf0, 0x11c50, 0x11d50, 0x11da0, 0x11f50, 0x16a60, 0x16ac0, 0x16b50, 0x1ccf0, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec,
    0x1d7f6, 0x1e140, 0x1e2f0, 0x1e4f0, 0x1e5f1, 0x1e950, 0x1fbf0,
];

/// The lowest byte of UTF-8 with which one of these begins.
const LOWEST: u8 = 0xd9;

/// A text with its digits in ASCII, and where each byte was.
pub struct Plain {
    pub bytes: Vec<u8>,
    places: Vec<Span>,
}

impl Plain {
    fn of(length: usize) -> Self {
        Plain { bytes: Vec::with_capacity(length), places: Vec::with_capacity(length) }
    }

    fn push(&mut self, byte: u8, start: usize, end: usize) {
        self.bytes.push(byte);
        self.places.push(Span { start, end });
    }

    /// Where a place was in the text.
    pub fn original(&self, span: Span) -> Span {
        Span { start: self.places[span.start].start, end: self.places[span.end - 1].end }
    }
}

/// The text with digits of other scripts written in ASCII; None when it has none.
pub fn in_ascii(text: &str) -> Option<Plain> {
    // Danish letters begin with a lower byte: nearly every text is done with here.
    let highest = text.bytes().max().unwrap_or(0);
    if highest < LOWEST || !text.chars().any(|mark| other_digit(mark).is_some()) {
        return None;
    }
    let mut plain = Plain::of(text.len());
    for (start, mark) in text.char_indices() {
        copy(&mut plain, text, start, mark);
    }
    Some(plain)
}

/// The text without NULs, however they are written, and with escaped digits as digits; None when it has neither.
pub fn unwrapped(text: &str) -> Option<Plain> {
    let bytes = text.as_bytes();
    let marks = memchr3_iter(0, b'#', b'%', bytes).chain(memchr2_iter(b'\\', b'&', bytes));
    if !marks.into_iter().any(|at| token(bytes, at).is_some()) {
        return None;
    }
    let mut plain = Plain::of(text.len());
    let mut at = 0;
    for (start, mark) in text.char_indices() {
        if start < at {
            continue;
        }
        if let Some((digit, length)) = token(bytes, start) {
            if let Some(digit) = digit {
                plain.push(digit, start, start + length);
            }
            at = start + length;
        } else {
            copy(&mut plain, text, start, mark);
        }
    }
    Some(plain)
}

fn copy(plain: &mut Plain, text: &str, start: usize, mark: char) {
    let end = start + mark.len_utf8();
    match other_digit(mark) {
        Some(digit) => plain.push(digit, start, end),
        None => text[start..end].bytes().enumerate().for_each(|(offset, byte)| plain.push(byte, start + offset, start + offset + 1)),
    }
}

/// An escaped digit, or None for a NUL, and the bytes it takes.
fn token(bytes: &[u8], at: usize) -> Option<(Option<u8>, usize)> {
    match bytes[at] {
        0 => return Some((None, 1)),
        b'#' => return bytes[at..].starts_with(b"#000").then_some((None, 4)),
        b'\\' => match bytes.get(at + 1) {
            Some(b'x') => return bytes[at..].starts_with(b"\\x00").then_some((None, 4)),
            Some(b'u' | b'\\') => {}
            _ => return None,
        },
        b'%' | b'&' => {}
        _ => return None,
    }
    match one(bytes, at)? {
        (_, 1) => None,
        ('\0', length) => Some((None, length)),
        (digit @ '0'..='9', length) => Some((Some(digit as u8), length)),
        _ => None,
    }
}

fn other_digit(mark: char) -> Option<u8> {
    let code = u32::from(mark);
    let zero = ZEROS[..ZEROS.partition_point(|zero| *zero <= code)].last()?;
    u8::try_from(code - zero).ok().filter(|value| *value < 10).map(|value| b'0' + value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_other_scripts_begin_with_the_bytes_that_are_looked_for() {
        assert!(ZEROS.is_sorted());
        for zero in ZEROS {
            for value in 0..10 {
                let mark = char::from_u32(zero + value).expect("a character");
                assert_eq!(other_digit(mark), Some(b'0' + u8::try_from(value).unwrap()));
                assert!(mark.encode_utf8(&mut [0; 4]).as_bytes()[0] >= LOWEST, "{zero:x}");
            }
        }
        assert!(['a', 'æ', '9', '²', '½', '一'].into_iter().all(|mark| other_digit(mark).is_none()));
    }

    #[test]
    fn a_place_is_found_again() {
        let text = "x#000１\\u0032%33&#52;5\0";
        let plain = unwrapped(text).expect("there is something to unwrap");
        assert_eq!(plain.bytes, b"x12345");
        assert_eq!(plain.original(Span { start: 1, end: 6 }), Span { start: 5, end: text.len() - 1 });
        assert!(unwrapped("a%2Fb \\\"c\\\" #012 &amp; \u{ff11}").is_none());
    }
}
