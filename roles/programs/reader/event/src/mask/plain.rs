//! Every place of a text where ten digits are written as a number may be: a date, perhaps a separator, and four digits.

use super::digits::{is_digit, run_end, Kind, Places};
use super::separator::{escape_ends, other, usual};
use crate::Span;

const DATE: usize = 6;
const LAST: usize = 4;
/// An escaped character ends with at most so many digits.
const ESCAPE: usize = 4;

/// Calls `take` with each place and its ten digits, from the left; it says whether that is a number, and what overlaps with one is
/// not looked at again.
pub fn each(bytes: &[u8], mut take: impl FnMut(Span, [u8; 10]) -> bool) {
    let mut kept = 0;
    let mut offer = |start: usize, end: usize, digits: [u8; 10]| {
        if start >= kept && take(Span { start, end }, digits) {
            kept = end;
        }
    };
    for (start, kind) in Places::of(bytes) {
        match kind {
            Kind::Run => {
                let end = run_end(bytes, start);
                // Digits of an escape are behind its sign or its letters.
                let escapes = start > 0 && (b"#%ux".contains(&bytes[start - 1]) || bytes[start - 1].is_ascii_hexdigit());
                let most = if escapes { ESCAPE } else { 0 };
                for first in start..=(start + most).min(end - DATE) {
                    if first == start || escape_ends(bytes, first) {
                        if let Some(last) = ends(bytes, first, end) {
                            offer(first, last, outer(&bytes[first..last]));
                        }
                    }
                }
            }
            Kind::Apart => {
                if let Some(last) = apart(bytes, start) {
                    offer(start, last, outer(&bytes[start..last]));
                }
            }
            Kind::Spaced => {
                if let Some(last) = spaced(bytes, start) {
                    offer(start, last, outer(&bytes[start..last]));
                }
            }
        }
    }
}

/// The first six digits of a piece of text and the last four: between them, those of an escaped separator do not count.
fn outer(piece: &[u8]) -> [u8; 10] {
    let mut digits = [b'0'; 10];
    let all = || piece.iter().copied().filter(u8::is_ascii_digit);
    digits.iter_mut().zip(all().take(DATE)).for_each(|(place, digit)| *place = digit);
    digits.iter_mut().rev().zip(all().rev().take(LAST)).for_each(|(place, digit)| *place = digit);
    digits
}

/// Where a number ends that begins at `first` in a run of digits with the given end.
fn ends(bytes: &[u8], first: usize, end: usize) -> Option<usize> {
    match end - first {
        10 => Some(end),
        DATE => four(bytes, end + usual(bytes, end)).or_else(|| {
            let (mark, length) = other(bytes, end)?;
            let last = four(bytes, end + length)?;
            // A version or an object identifier goes on in the same way.
            (mark != b'.' || !is_one_of_many(bytes, first, last, mark)).then_some(last)
        }),
        _ => None,
    }
}

/// The place behind exactly four digits.
fn four(bytes: &[u8], at: usize) -> Option<usize> {
    let digits = bytes.get(at..at + LAST)?;
    (digits.iter().all(u8::is_ascii_digit) && !is_digit(bytes, at + LAST)).then_some(at + LAST)
}

/// Whether more digits stand before or behind, with the same mark between.
fn is_one_of_many(bytes: &[u8], first: usize, last: usize, mark: u8) -> bool {
    first >= 2 && bytes[first - 1] == mark && is_digit(bytes, first - 2) || bytes.get(last) == Some(&mark) && is_digit(bytes, last + 1)
}

/// `01.02.03-4567`, `01 02 03 4567`: the same mark twice, then any.
fn apart(bytes: &[u8], start: usize) -> Option<usize> {
    if start > 0 && is_digit(bytes, start - 1) && !escape_ends(bytes, start) {
        return None;
    }
    let (mark, again, third) = (bytes[start + 2], bytes[start + 5], bytes[start + 8]);
    if mark != again || !b". -/_".contains(&mark) || !b". -/_+".contains(&third) {
        return None;
    }
    let last = four(bytes, start + 9)?;
    (!is_one_of_many(bytes, start, last, mark)).then_some(last)
}

/// `0 1 0 2 0 3 4 5 6 7`, `0 1 0 2 0 3 - 4 5 6 7`: UTF-16 of which each NUL has become a space, or the boxes of a form.
fn spaced(bytes: &[u8], start: usize) -> Option<usize> {
    let pairs = |at: usize, count: usize| {
        let text = bytes.get(at..at + 2 * count - 1)?;
        let fits = |(offset, byte): (usize, &u8)| {
            if offset % 2 == 0 {
                byte.is_ascii_digit()
            } else {
                *byte == b' '
            }
        };
        text.iter().enumerate().all(fits).then_some(at + 2 * count - 1)
    };
    let date = pairs(start, DATE)?;
    let rest = bytes.get(date..)?;
    let last = pairs(date + if rest.starts_with(b" - ") { 3 } else { 1 }, LAST)?;
    (rest.first() == Some(&b' ') && !is_digit(bytes, last) && !is_one_of_many(bytes, start, last, b' ')).then_some(last)
}
