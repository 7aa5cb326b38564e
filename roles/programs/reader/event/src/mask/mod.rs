//! Civil registration numbers (CPR): which spans of a text are one, and what is put in their place.

use std::borrow::Cow;

use crate::Span;

/// What a source does with the numbers it finds.
#[derive(Clone, Debug)]
pub enum Mask {
    Keep,
    Mask,
    /// Pseudonyms under this key.
    Hash([u8; 32]),
}

/// What is known of the text from the reading of its fields. Both are sorted by their starts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context<'a> {
    /// Spans that are never a number: addresses, identifiers, hashes, counters.
    pub typed: &'a [Span],
    /// Spans of which nine digits count as a number that lost its zero.
    pub without_leading_zero: &'a [Span],
}

/// A number in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    pub span: Span,
    /// Its ten digits in ASCII, whatever stood between or instead of them.
    pub digits: [u8; 10],
}

/// Every number in the text, in order, none overlapping another.
pub fn find(_text: &str, _context: &Context) -> Vec<Found> {
    Vec::new()
}

/// The text with what was found replaced.
pub fn apply<'a>(text: &'a str, _found: &[Found], _mask: &Mask) -> Cow<'a, str> {
    Cow::Borrowed(text)
}
