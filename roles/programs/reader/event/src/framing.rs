//! Bytes of a connection to frames: lines, octet-counted frames (RFC 6587, RFC 5425) and frames that end in NUL, mixed on one connection.
//!
//! A number is an octet count only when a priority follows it, and when the next frame begins where it says. What is no count is a line, so
//! nothing that a sender writes can swallow what comes after it.

use memchr::{memchr, memchr2};

/// The most that is waited for because a count says so; more is no count.
const MOST: usize = 1 << 20;

/// A connection that is being read.
#[derive(Debug)]
pub struct Framer {
    buffer: Vec<u8>,
    start: usize,
    /// Up to here no end of the line that begins at `start` was found.
    searched: usize,
    largest: usize,
    closed: bool,
    /// Bytes of the octet-counted frame that is being given out in pieces.
    left: usize,
}

/// One message without its framing.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame {
    pub bytes: Vec<u8>,
    /// It was longer than the largest; the rest follows in frames of its own.
    pub cut: bool,
}

/// What stands at the beginning of a frame.
enum Count {
    None,
    /// More bytes are needed to tell.
    Unknown,
    /// Bytes of the count with its space, and of the message.
    Is(usize, usize),
}

impl Framer {
    /// A new connection, of whose frames at most `largest` bytes are given at a time.
    pub fn new(largest: usize) -> Framer {
        Framer { buffer: Vec::new(), start: 0, searched: 0, largest: largest.max(1), closed: false, left: 0 }
    }

    /// Takes in what the connection gave.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The connection has ended: what waits is given out.
    pub fn close(&mut self) {
        self.closed = true;
    }

    /// Bytes that wait for the rest of their frame.
    pub fn waiting(&self) -> usize {
        self.buffer.len() - self.start
    }

    fn rest_of_count(&mut self) -> Option<Frame> {
        let size = self.left.min(self.largest);
        if self.waiting() < size && !self.closed {
            return None;
        }
        let size = size.min(self.waiting());
        self.left = if self.closed && size == self.waiting() { 0 } else { self.left - size };
        let cut = self.left > 0;
        Some(self.take(size, cut))
    }

    fn line(&mut self) -> Option<Frame> {
        let data = &self.buffer[self.start..];
        let mut from = self.searched - self.start;
        let limit = data.len().min(self.largest + 1);
        while from < limit {
            let Some(found) = memchr2(b'\n', 0, &data[from..limit]) else {
                break;
            };
            let end = from + found;
            if data[end] == b'\n' || self.ends_in_nul(end) {
                return Some(self.take(end, false));
            }
            from = end + 1;
        }
        if data.len() > self.largest {
            return Some(self.take(self.largest, true));
        }
        if self.closed {
            let all = data.len();
            return Some(self.take(all, false));
        }
        self.searched = self.start + limit;
        None
    }

    /// A NUL ends a frame when another begins behind it; text in UTF-16 has them between its letters, also where a read has ended.
    fn ends_in_nul(&self, at: usize) -> bool {
        let data = &self.buffer[self.start..];
        let behind = &data[at + 1..];
        if at >= 2 && data[at - 2] == 0 {
            return false;
        }
        if behind.is_empty() {
            return priority(data).is_some();
        }
        begins(behind)
    }

    fn take(&mut self, size: usize, cut: bool) -> Frame {
        let mut bytes = self.buffer[self.start..self.start + size].to_vec();
        self.start += size;
        self.searched = self.start;
        while !cut && matches!(bytes.last(), Some(b'\n' | b'\r')) {
            bytes.pop();
        }
        Frame { bytes, cut }
    }
}

impl Iterator for Framer {
    type Item = Frame;

    /// The next frame that is there as a whole; `None` until more bytes come.
    fn next(&mut self) -> Option<Frame> {
        loop {
            let frame = if self.left > 0 {
                self.rest_of_count()?
            } else {
                let between = self.buffer[self.start..].iter().take_while(|each| matches!(each, b'\n' | b'\r' | 0));
                let skipped = between.count();
                // What is searched already is in the middle of a line.
                if self.searched == self.start {
                    self.start += skipped;
                    self.searched = self.start;
                }
                let data = &self.buffer[self.start..];
                if data.is_empty() {
                    return None;
                }
                match count(data) {
                    Count::Unknown if !self.closed => return None,
                    Count::Is(head, size) if data.len() < head + size && !self.closed => {
                        if head + size > self.largest && data.len() > head + self.largest {
                            self.start += head;
                            self.left = size;
                            continue;
                        }
                        return None;
                    }
                    Count::Is(head, size) if data.len() >= head + size && begins(&data[head + size..]) => {
                        self.start += head;
                        self.left = size;
                        continue;
                    }
                    _ => self.line()?,
                }
            };
            if !frame.bytes.is_empty() {
                return Some(frame);
            }
        }
    }
}

/// Whether a frame may begin here, as far as can be seen.
fn begins(data: &[u8]) -> bool {
    match data.first() {
        None | Some(b'\n' | b'\r' | 0) => true,
        Some(b'<') => priority(data).is_some() || data.len() < 5 && memchr(b'>', data).is_none(),
        _ => !matches!(count(data), Count::None),
    }
}

fn count(data: &[u8]) -> Count {
    let digits = data.iter().take(8).take_while(|each| each.is_ascii_digit()).count();
    if digits == 0 || digits == 8 || data[0] == b'0' {
        return Count::None;
    }
    let size = data[..digits].iter().fold(0, |sum, each| sum * 10 + usize::from(each - b'0'));
    let behind = &data[digits..];
    match behind {
        [] | [b' '] => Count::Unknown,
        [b' ', rest @ ..] if size <= MOST => match priority(rest) {
            Some(_) => Count::Is(digits + 1, size),
            None if rest.len() < 5 && b"<".starts_with(&rest[..1]) && memchr(b'>', rest).is_none() => Count::Unknown,
            None => Count::None,
        },
        _ => Count::None,
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frames(pieces: &[&[u8]]) -> Vec<String> {
        let mut framer = Framer::new(65536);
        let mut found = Vec::new();
        for piece in pieces {
            framer.push(piece);
            found.extend(framer.by_ref());
        }
        framer.close();
        found.extend(framer.by_ref());
        found.iter().map(|each| String::from_utf8_lossy(&each.bytes).into_owned()).collect()
    }

    fn counted(text: &str) -> String {
        format!("{} {text}", text.len())
    }

    #[test]
    fn a_line_that_begins_with_digits_is_a_line() {
        let good = "<134>1 2026-11-29T13:00:00Z h a - - - good001\n".repeat(50);
        for first in [
            "20261129 13:00:00 a line of a stack trace",
            "2026-11-29 13:00:00 hello",
            "500 Internal server error",
            "500 <html>",
            "0 <13>x",
            "1 <13>x",
            "300 <13>x",
            "7",
        ] {
            let found = frames(&[format!("{first}\n{good}").as_bytes()]);
            assert_eq!((found.len(), found[0].as_str()), (51, first));
        }
    }

    #[test]
    fn counted_frames_hold_line_feeds_and_lines_may_follow() {
        let text = format!("{}{}<13>c\r\n{}\n<13>e", counted("<13>a\nb"), counted("<13>b"), counted("<13>d\n"));
        assert_eq!(frames(&[text.as_bytes()]), ["<13>a\nb", "<13>b", "<13>c", "<13>d", "<13>e"]);
    }

    #[test]
    fn nul_ends_a_frame_but_not_a_letter_of_utf_16() {
        assert_eq!(frames(&[b"<13>a\0<14>b\0"]), ["<13>a", "<14>b"]);
        assert_eq!(frames(&[b"<13>c\0p\0r\0 \x001\0\n<13>b\n"]), ["<13>c\0p\0r\0 \x001\0", "<13>b"]);
    }

    #[test]
    fn a_read_that_ends_in_utf_16_cuts_no_number() {
        let text = |order: fn(u16) -> [u8; 2]| {
            let letters: Vec<u8> = "nr 010203-1234 < 5 <".encode_utf16().flat_map(order).collect();
            [b"<13>", &letters[..], b"\n<13>b\n"].concat()
        };
        for sent in [text(u16::to_le_bytes), text(u16::to_be_bytes)] {
            let whole = frames(&[&sent]);
            // Behind the first letter it could be the end of a message of one letter.
            for cut in 8..sent.len() {
                assert_eq!(frames(&[&sent[..cut], &sent[cut..]]), whole, "{cut}");
            }
        }
    }

    #[test]
    fn a_long_frame_is_given_in_pieces() {
        for text in [format!("<13>{}\n<13>b\n", "x".repeat(25)), format!("29 <13>{}<13>b\n", "x".repeat(25))] {
            let mut framer = Framer::new(10);
            framer.push(text.as_bytes());
            let found: Vec<_> = framer.map(|each| (each.bytes.len(), each.cut)).collect();
            assert_eq!(found, [(10, true), (10, true), (9, false), (5, false)]);
        }
    }

    #[test]
    fn a_count_that_is_never_filled_loses_nothing() {
        assert_eq!(frames(&[b"900 <13>a\n<13>b\n", b"<13>c"]), ["900 <13>a", "<13>b", "<13>c"]);
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_pieces_are_all_given_out(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..8)) {
            let mut framer = Framer::new(16);
            let mut given = 0;
            for piece in &pieces {
                framer.push(piece);
                given += framer.by_ref().map(|each| each.bytes.len()).sum::<usize>();
            }
            framer.close();
            given += framer.by_ref().map(|each| each.bytes.len()).sum::<usize>();
            let kept = |bytes: &Vec<u8>| bytes.iter().filter(|each| !matches!(each, b'\n' | b'\r' | 0 | b' ' | b'0'..=b'9')).count();
            prop_assert!(given >= pieces.iter().map(kept).sum::<usize>());
            prop_assert_eq!(framer.waiting(), 0);
        }

        #[test]
        fn lines_and_counts_mix(texts in prop::collection::vec(("[ -~]{0,30}", any::<bool>()), 1..20), size in 1usize..50) {
            let sent: String = texts.iter().map(|(text, count)| if *count { counted(&format!("<13>{text}")) } else { format!("<13>{text}\n") }).collect();
            let pieces: Vec<&[u8]> = sent.as_bytes().chunks(size).collect();
            let expected: Vec<String> = texts.iter().map(|(text, _)| format!("<13>{text}")).collect();
            prop_assert_eq!(frames(&pieces), expected);
        }
    }
}
