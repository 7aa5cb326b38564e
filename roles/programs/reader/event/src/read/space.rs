//! Space between the parts of a line. Control characters are written as `#` and three octal digits before a line is read; tabs perhaps, by who
//! has passed the line on.

/// Bytes of the one space at the beginning of a text, 0 for none.
pub fn one(text: &[u8]) -> usize {
    match text {
        [b' ' | b'\t', ..] => 1,
        [b'#', b'0', b'1', b'1' | b'2' | b'5', ..] => 4,
        _ => 0,
    }
}

/// Bytes of all space at the beginning of a text.
pub fn all(text: &[u8]) -> usize {
    let mut at = 0;
    loop {
        match one(&text[at..]) {
            0 => return at,
            size => at += size,
        }
    }
}

/// Bytes before the first space, or all.
pub fn before(text: &[u8]) -> usize {
    memchr::memchr3_iter(b' ', b'\t', b'#', text).find(|at| one(&text[*at..]) > 0).unwrap_or(text.len())
}

fn tab(text: &[u8]) -> usize {
    match text {
        [b'\t', ..] => 1,
        [b'#', b'0', b'1', b'1', ..] => 4,
        _ => 0,
    }
}

/// What stands between two parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Separator {
    Byte(u8),
    Tab,
    Spaces,
}

impl Separator {
    /// One ASCII character, `tab` or `spaces`.
    pub fn new(text: &str) -> Option<Separator> {
        match text.as_bytes() {
            b"spaces" => Some(Separator::Spaces),
            b"tab" | b"\t" => Some(Separator::Tab),
            [byte] if byte.is_ascii() => Some(Separator::Byte(*byte)),
            _ => None,
        }
    }

    /// Bytes of a separator at the beginning, 0 for none.
    pub fn at(self, text: &[u8]) -> usize {
        match self {
            Separator::Byte(byte) => usize::from(text.first() == Some(&byte)),
            Separator::Tab => tab(text),
            Separator::Spaces => all(text),
        }
    }

    /// Bytes before the first separator, or all.
    pub fn before(self, text: &[u8]) -> usize {
        match self {
            Separator::Byte(byte) => memchr::memchr(byte, text).unwrap_or(text.len()),
            Separator::Tab => memchr::memchr2_iter(b'\t', b'#', text).find(|at| tab(&text[*at..]) > 0).unwrap_or(text.len()),
            Separator::Spaces => before(text),
        }
    }
}
