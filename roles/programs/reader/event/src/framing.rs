//! Bytes of a connection to frames: lines, octet-counted frames (RFC 6587, RFC 5425) and frames that end in NUL, mixed on one connection.
//!
//! A number is an octet count only when a priority follows it, and when the next frame begins where it says. What is no count is a line, so
//! nothing that a sender writes can swallow what comes after it.

mod count;

use count::{begins, count, starts, Count};
use memchr::{memchr2, memchr_iter};

pub use count::priority;

/// A connection that is being read.
#[derive(Debug)]
pub struct Framer {
    buffer: Vec<u8>,
    start: usize,
    /// Up to here no end of the line that begins at `start` was found.
    searched: usize,
    largest: usize,
    closed: bool,
    /// Bytes of the octet-counted frame that is being given out.
    left: usize,
    /// Its end was seen: another frame begins there.
    sure: bool,
    /// The line that begins at `start` is the rest of one that was cut.
    rest: bool,
}

/// One message without its framing.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame {
    pub bytes: Vec<u8>,
    /// It was longer than the largest; the rest follows in frames of its own.
    pub cut: bool,
}

impl Framer {
    /// A new connection, of whose frames at most `largest` bytes are given at a time.
    pub fn new(largest: usize) -> Framer {
        Framer { buffer: Vec::new(), start: 0, searched: 0, largest: largest.max(1), closed: false, left: 0, sure: true, rest: false }
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

    fn begin(&mut self, head: usize, size: usize, sure: bool) {
        self.skip(head);
        (self.left, self.sure) = (size, sure);
    }

    /// The next piece of an octet-counted frame. One longer than the largest is given before its end is seen, so it may be a line that looks like a
    /// frame: what begins behind a line feed within it is a frame, and where none begins at its end, the line goes on.
    fn piece(&mut self) -> Option<Frame> {
        let data = &self.buffer[self.start..];
        let size = self.left.min(self.largest);
        if let Some(end) = (!self.sure).then(|| line_within(&data[..size.min(data.len())])).flatten() {
            self.left -= end + 1;
            let frame = self.take(end, false);
            self.skip(1);
            return Some(frame);
        }
        if data.len() < size && !self.closed {
            return None;
        }
        let size = size.min(data.len());
        if !self.sure && size == self.left && !begins(&data[size..]) {
            self.left = 0;
            self.rest = true;
            return self.line();
        }
        self.left = if self.closed && size == data.len() { 0 } else { self.left - size };
        Some(self.take(size, self.left > 0))
    }

    fn line(&mut self) -> Option<Frame> {
        let data = &self.buffer[self.start..];
        let mut from = self.searched - self.start;
        let limit = data.len().min(self.largest + 1);
        if let Some(end) = self.rest.then(|| counted_within(&data[..limit.min(self.largest)], data)).flatten() {
            return Some(self.take(end, false));
        }
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
            let frame = self.take(self.largest, true);
            self.rest = true;
            return Some(frame);
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
        self.skip(size);
        self.rest = false;
        while !cut && matches!(bytes.last(), Some(b'\n' | b'\r')) {
            bytes.pop();
        }
        Frame { bytes, cut }
    }

    fn skip(&mut self, size: usize) {
        self.start += size;
        self.searched = self.start;
    }
}

/// Where a line ends behind which another frame begins.
fn line_within(data: &[u8]) -> Option<usize> {
    memchr_iter(b'\n', data).find(|end| *end > 0 && starts(&data[end + 1..]))
}

/// Where an octet-counted frame begins within the rest of a line that was cut, as behind a frame whose count was too large to be one. Its end must
/// be there, and another frame behind it.
fn counted_within(window: &[u8], data: &[u8]) -> Option<usize> {
    memchr_iter(b'<', window).filter(|at| *at > 1 && data[at - 1] == b' ').find_map(|at| {
        let digits = data[..at - 1].iter().rev().take_while(|each| each.is_ascii_digit()).count();
        (at - 1 - digits..at - 1).find(|from| {
            *from > 0 && matches!(count(&data[*from..]), Count::Is(head, size) if data.len() >= from + head + size && begins(&data[from + head + size..]))
        })
    })
}

impl Iterator for Framer {
    type Item = Frame;

    /// The next frame that is there as a whole; `None` until more bytes come.
    fn next(&mut self) -> Option<Frame> {
        loop {
            let frame = if self.left > 0 {
                self.piece()?
            } else {
                let between = self.buffer[self.start..].iter().take_while(|each| matches!(each, b'\n' | b'\r' | 0));
                let skipped = between.count();
                // What is searched already is in the middle of a line.
                if self.searched == self.start {
                    self.skip(skipped);
                }
                let data = &self.buffer[self.start..];
                if data.is_empty() {
                    return None;
                }
                match count(data) {
                    Count::Unknown if !self.closed => return None,
                    Count::Is(head, size) if data.len() < head + size && !self.closed => {
                        if size <= self.largest {
                            return None;
                        }
                        if line_within(&data[..data.len().min(head + self.largest)]).is_none() {
                            if data.len() <= head + self.largest {
                                return None;
                            }
                            self.begin(head, size, false);
                            continue;
                        }
                        self.line()?
                    }
                    Count::Is(head, size) if data.len() >= head + size && begins(&data[head + size..]) => {
                        self.begin(head, size, true);
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

#[cfg(test)]
mod tests;
