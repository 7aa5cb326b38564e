//! Reading an event: bytes as they came in, to the line of JSON that leaves the relay.
//!
//! Everything here is pure: no files, no clock, no sockets. Nothing panics, whatever the bytes, and the cost is linear in their number.

pub mod clean;
pub mod clock;
pub mod fields;
pub mod framing;
pub mod header;
pub mod json;
pub mod line;
pub mod mask;
pub mod origin;
pub mod parser;
pub mod read;
pub mod reading;

/// Bytes of a text from `start` up to `end`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

impl Span {
    /// Whether they share a byte.
    pub fn overlaps(self, other: Span) -> bool {
        self.start < other.end && other.start < self.end
    }
}
