//! Civil registration numbers (CPR): which spans of a text are one, and what is put in their place.
//!
//! A number is six digits that are a date of birth, perhaps a separator, and four digits; not inside a longer run of digits. What is
//! found, what is spared and why is in docs/cpr.md. The cost is linear in the length of the text; nearly no line holds a place to look at.

mod birth;
mod clock;
mod digits;
mod nine;
mod plain;
mod replacement;
mod separator;
mod shape;
mod written;

use std::borrow::Cow;

use crate::Span;

pub use nine::under;

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
pub fn find(text: &str, context: &Context) -> Vec<Found> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut take = |span, digits| {
        let is_one = is_number(bytes, span, &digits, context);
        if is_one {
            found.push(Found { span, digits });
        }
        is_one
    };
    match written::in_ascii(text) {
        None => plain::each(bytes, take),
        Some(plain) => plain::each(&plain.bytes, |span, digits| take(plain.original(span), digits)),
    }
    if let Some(plain) = written::unwrapped(text) {
        let mut more = Vec::new();
        plain::each(&plain.bytes, |span, digits| {
            let span = plain.original(span);
            let is_new = !overlaps(&found, span) && is_number(bytes, span, &digits, context);
            if is_new {
                more.push(Found { span, digits });
            }
            is_new
        });
        add(&mut found, more);
    }
    let nine = context.without_leading_zero.iter().filter_map(|span| nine::in_span(bytes, *span));
    let more = nine.filter(|(span, digits)| birth::is_birth(digits) && !overlaps(&found, *span));
    let more = more.map(|(span, digits)| Found { span, digits }).collect();
    add(&mut found, more);
    found
}

/// The text with what was found replaced. Where a bare number of JSON stood, the replacement is in quotation marks, so that it stays JSON.
pub fn apply<'a>(text: &'a str, found: &[Found], mask: &Mask) -> Cow<'a, str> {
    if found.is_empty() || matches!(mask, Mask::Keep) {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let arrays = replacement::array_numbers(bytes);
    let (mut masked, mut kept) = (String::with_capacity(text.len()), 0);
    for one in found {
        let Some(replacement) = replacement::of(&one.digits, mask) else {
            continue;
        };
        let piece = replacement::piece(bytes, one, &arrays, replacement);
        if piece.span.start >= kept {
            masked.push_str(&text[kept..piece.span.start]);
            masked.push_str(&piece.text);
            kept = piece.span.end;
        }
    }
    masked.push_str(&text[kept..]);
    Cow::Owned(masked)
}

/// A part of the text, such as the value of a field, with what was found in the text replaced wherever the part holds a piece of it.
pub fn apply_within<'a>(text: &'a str, part: Span, found: &[Found], mask: &Mask) -> Cow<'a, str> {
    let inside = found.iter().filter(|one| one.span.overlaps(part));
    let (mut masked, mut kept) = (String::new(), part.start);
    for one in inside {
        let Some(replacement) = replacement::of(&one.digits, mask) else {
            break;
        };
        masked.push_str(&text[kept..one.span.start.max(kept)]);
        masked.push_str(&replacement);
        kept = one.span.end.min(part.end);
    }
    if kept == part.start {
        return Cow::Borrowed(&text[part.start..part.end]);
    }
    masked.push_str(&text[kept..part.end]);
    Cow::Owned(masked)
}

fn is_number(bytes: &[u8], span: Span, digits: &[u8; 10], context: &Context) -> bool {
    birth::is_birth(digits) && !clock::is_time(bytes, span) && !is_typed(bytes, span, context.typed) && !shape::is_identifier(bytes, span)
}

/// Whether a number begins and ends in values that their parser declares to be none.
///
/// A value that is text of several words, or that is nothing but a number with its hyphen, is not spared, whatever was declared.
fn is_typed(bytes: &[u8], span: Span, typed: &[Span]) -> bool {
    const LONGEST: usize = 128;
    let holder = |at: usize| {
        let before = &typed[..typed.partition_point(|one| one.start <= at)];
        before.iter().rev().take(4).find(|one| at < one.end)
    };
    let fits = |one: &Span| {
        let word = &bytes[one.start..one.end.min(bytes.len())];
        word.len() <= LONGEST && word.iter().all(u8::is_ascii_graphic) && (*one != span || word.iter().all(u8::is_ascii_digit))
    };
    holder(span.start).is_some_and(fits) && holder(span.end - 1).is_some_and(fits)
}

fn overlaps(found: &[Found], span: Span) -> bool {
    let next = found.partition_point(|one| one.span.end <= span.start);
    found.get(next).is_some_and(|one| one.span.overlaps(span))
}

fn add(found: &mut Vec<Found>, more: Vec<Found>) {
    if !more.is_empty() {
        found.extend(more);
        found.sort_by_key(|one| one.span.start);
    }
}

#[cfg(test)]
mod tests;
