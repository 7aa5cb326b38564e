//! The first object of JSON in a text, each value under its path with dots.
//!
//! Our own, because a field must be known by where it stands in the message: what is masked there must not come back in it.

use super::space;
use super::values::Sink;

/// Deeper objects are not read.
const DEEPEST: usize = 64;

struct Reader<'a, 'b, 'c> {
    text: &'a str,
    at: usize,
    path: String,
    sink: &'b mut Sink<'c>,
    meaning: String,
}

/// Reads the object. Whether there is one and it is JSON as a whole; what stands beside it does not matter, unless it must be `outside_xml`.
pub fn read(outside_xml: bool, text: &str, sink: &mut Sink) -> bool {
    let Some(at) = memchr::memchr(b'{', text.as_bytes()) else { return false };
    if outside_xml && is_markup(&text.as_bytes()[..at]) {
        return false;
    }
    let mut reader = Reader { text, at, path: String::new(), sink, meaning: String::new() };
    reader.value(0).is_some() && !(outside_xml && is_markup(&text.as_bytes()[reader.at..]))
}

/// Whether there is a mark of XML before or behind an object: it is then the text of an element, which perhaps an attacker wrote.
fn is_markup(beside: &[u8]) -> bool {
    memchr::memchr_iter(b'<', beside).any(|at| matches!(beside.get(at + 1), Some(b'/' | b'!' | b'?' | b'a'..=b'z' | b'A'..=b'Z')))
}

impl Reader<'_, '_, '_> {
    fn peek(&mut self) -> Option<u8> {
        self.at += space::all(&self.text.as_bytes()[self.at..]);
        self.text.as_bytes().get(self.at).copied()
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        match self.peek()? {
            b'{' if depth < DEEPEST => self.object(depth),
            b'[' if depth < DEEPEST => self.list(depth),
            b'"' => {
                let (start, end, escaped) = self.string()?;
                self.put(start, end, escaped)
            }
            _ => self.bare(),
        }
    }

    fn object(&mut self, depth: usize) -> Option<()> {
        self.at += 1;
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(());
        }
        loop {
            let kept = self.path.len();
            self.peek()?;
            let (start, end, escaped) = self.string()?;
            if kept > 0 {
                self.path.push('.');
            }
            if escaped {
                let mut meaning = String::new();
                unescape(&self.text[start..end], &mut meaning)?;
                self.path.push_str(&meaning);
            } else {
                self.path.push_str(&self.text[start..end]);
            }
            self.expect(b':')?;
            self.value(depth + 1)?;
            self.path.truncate(kept);
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => break,
                _ => return None,
            }
        }
        self.at += 1;
        Some(())
    }

    fn list(&mut self, depth: usize) -> Option<()> {
        self.at += 1;
        if self.peek()? == b']' {
            self.at += 1;
            return Some(());
        }
        for place in 0usize.. {
            let kept = self.path.len();
            self.path.push('.');
            push_number(&mut self.path, place);
            self.value(depth + 1)?;
            self.path.truncate(kept);
            match self.peek()? {
                b',' => self.at += 1,
                b']' => break,
                _ => return None,
            }
        }
        self.at += 1;
        Some(())
    }

    /// A string at the place of reading: from where to where, and whether something in it is escaped.
    fn string(&mut self) -> Option<(usize, usize, bool)> {
        let bytes = self.text.as_bytes();
        if bytes.get(self.at) != Some(&b'"') {
            return None;
        }
        let start = self.at + 1;
        let (mut at, mut escaped) = (start, false);
        loop {
            at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
            if bytes[at] == b'"' {
                self.at = at + 1;
                return Some((start, at, escaped));
            }
            escaped = true;
            at += 2;
        }
    }

    fn put(&mut self, start: usize, end: usize, escaped: bool) -> Option<()> {
        if escaped {
            self.meaning.clear();
            let mut meaning = std::mem::take(&mut self.meaning);
            unescape(&self.text[start..end], &mut meaning)?;
            self.sink.unescaped(&self.path, &meaning, start, end);
            self.meaning = meaning;
        } else {
            self.sink.found(&self.path, self.text, start, end);
        }
        Some(())
    }

    /// A number, `true`, `false` or `null`. Null is no value.
    fn bare(&mut self) -> Option<()> {
        let rest = &self.text.as_bytes()[self.at..];
        let size = rest.iter().take_while(|each| each.is_ascii_alphanumeric() || matches!(each, b'-' | b'+' | b'.')).count();
        let known = match rest[..size].first()? {
            b't' | b'f' | b'n' => matches!(&rest[..size], b"true" | b"false" | b"null"),
            first => {
                (first.is_ascii_digit() || *first == b'-')
                    && rest[..size].iter().all(|each| !each.is_ascii_alphabetic() || matches!(each, b'e' | b'E'))
            }
        };
        if !known {
            return None;
        }
        let start = self.at;
        self.at += size;
        if rest[0] != b'n' {
            self.sink.found(&self.path, self.text, start, self.at);
        }
        Some(())
    }
}

/// Appends a number.
pub(super) fn push_number(path: &mut String, number: usize) {
    if number >= 10 {
        push_number(path, number / 10);
    }
    path.push(char::from(b'0' + u8::try_from(number % 10).unwrap_or(0)));
}

/// The meaning of a string with escapes, appended; none when an escape is wrong. Half a character of UTF-16 is U+FFFD.
fn unescape(text: &str, meaning: &mut String) -> Option<()> {
    let mut rest = text;
    while let Some(place) = rest.find('\\') {
        meaning.push_str(&rest[..place]);
        let escape = *rest.as_bytes().get(place + 1)?;
        let mut size = 2;
        meaning.push(match escape {
            b'"' | b'\\' | b'/' => char::from(escape),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = hexadecimal(rest, place)?;
                size = 6;
                let second = if (0xd800..0xdc00).contains(&first) {
                    hexadecimal(rest, place + 6).filter(|second| (0xdc00..0xe000).contains(second))
                } else {
                    None
                };
                match second {
                    Some(second) => {
                        size = 12;
                        char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))?
                    }
                    None => char::from_u32(first).unwrap_or('\u{fffd}'),
                }
            }
            _ => return None,
        });
        rest = rest.get(place + size..)?;
    }
    meaning.push_str(rest);
    Some(())
}

/// The number of `\u0041` at a place.
fn hexadecimal(text: &str, place: usize) -> Option<u32> {
    let digits = text.get(place..place + 6)?.strip_prefix("\\u")?;
    digits.bytes().all(|each| each.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok()).flatten()
}
