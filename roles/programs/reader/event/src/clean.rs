//! Bytes to text, as rsyslog and the relay have always done: what is not UTF-8 is read as Latin-1, control characters are written as `#` and three
//! octal digits; but for tabs.

use std::borrow::Cow;

/// The text of a line. No byte is lost.
pub fn text(bytes: &[u8]) -> Cow<'_, str> {
    if !bytes.iter().any(|each| (*each < b' ' && *each != b'\t') || *each == 0x7f) {
        if let Ok(text) = std::str::from_utf8(bytes) {
            return Cow::Borrowed(text);
        }
    }
    let mut found = String::with_capacity(bytes.len() + 32);
    for chunk in bytes.utf8_chunks() {
        for each in chunk.valid().chars() {
            match each {
                '\0'..='\u{8}' | '\n'..='\u{1f}' | '\u{7f}' => {
                    let code = each as u32;
                    found.push('#');
                    found.extend([6, 3, 0].map(|shift| char::from_digit(code >> shift & 7, 8).unwrap_or('0')));
                }
                _ => found.push(each),
            }
        }
        found.extend(chunk.invalid().iter().copied().map(char::from));
    }
    Cow::Owned(found)
}

/// A message without the carriage return of a line's end, as it is or as rsyslog writes it.
pub fn without_end(mut bytes: &[u8]) -> &[u8] {
    while let Some(rest) = bytes.strip_suffix(b"\r").or_else(|| bytes.strip_suffix(b"#015")) {
        bytes = rest;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::{text, without_end};

    #[test]
    fn the_end_of_a_line_is_not_a_part_of_it() {
        assert_eq!(without_end(b"<13>a#015"), b"<13>a");
        assert_eq!(without_end(b"a#015b\r"), b"a#015b");
        assert_eq!(without_end(b"#015"), b"");
    }

    #[test]
    fn no_byte_is_lost() {
        assert_eq!(text(b"bl\xe5 \xc3\xa6 \tx\0\x7f\r"), "bl\u{e5} \u{e6} \tx#000#177#015");
        assert_eq!(text(b"\xff"), "\u{ff}");
        assert_eq!(text(b"plain"), "plain");
    }
}
