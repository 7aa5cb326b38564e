//! Writes JSON: always valid, whatever the text.
//!
//! A string holds no byte below 32 and no control character, so a line stays one line and no terminal obeys it; half a character cannot
//! arise, as a text has none. A number is written from a number, never from a text: `000`, `NA` and `+5` cannot stand without quotation marks.

/// A string with its quotation marks, appended to `line`.
pub fn string(line: &mut Vec<u8>, text: &str) {
    line.push(b'"');
    let bytes = text.as_bytes();
    let (mut kept, mut at) = (0, 0);
    while at < bytes.len() {
        let (code, length) = match bytes[at] {
            b' ' | b'!' | b'#'..=b'[' | b']'..=b'~' => {
                at += 1;
                continue;
            }
            // U+0080 to U+009F, which terminals obey too.
            0xc2 if bytes[at + 1] < 0xa0 => (bytes[at + 1], 2),
            0x80.. => {
                at += 1;
                continue;
            }
            byte => (byte, 1),
        };
        line.extend_from_slice(&bytes[kept..at]);
        escape(line, code);
        at += length;
        kept = at;
    }
    line.extend_from_slice(&bytes[kept..]);
    line.push(b'"');
}

fn escape(line: &mut Vec<u8>, code: u8) {
    const HEXADECIMAL: &[u8; 16] = b"0123456789abcdef";
    match code {
        b'"' => line.extend_from_slice(b"\\\""),
        b'\\' => line.extend_from_slice(b"\\\\"),
        b'\n' => line.extend_from_slice(b"\\n"),
        b'\r' => line.extend_from_slice(b"\\r"),
        b'\t' => line.extend_from_slice(b"\\t"),
        _ => {
            line.extend_from_slice(b"\\u00");
            line.extend([code >> 4, code & 15].map(|half| HEXADECIMAL[usize::from(half)]));
        }
    }
}

/// What stands before a string, and the string.
pub fn member(line: &mut Vec<u8>, before: &[u8], text: &str) {
    line.extend_from_slice(before);
    string(line, text);
}

/// A whole number.
pub fn number(line: &mut Vec<u8>, number: u64) {
    let mut digits = [0; 20];
    let (mut at, mut rest) = (digits.len(), number);
    loop {
        at -= 1;
        digits[at] = b"0123456789"[(rest % 10) as usize];
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    line.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(text: &str) -> Vec<u8> {
        let mut line = Vec::new();
        string(&mut line, text);
        line
    }

    #[test]
    fn what_has_a_meaning_is_escaped() {
        assert_eq!(
            written("a\"\\/\n\t\0\x1b\x7f\u{9b}å\u{2028}😀"),
            "\"a\\\"\\\\/\\n\\t\\u0000\\u001b\\u007f\\u009bå\u{2028}😀\"".as_bytes()
        );
    }

    proptest! {
        #[test]
        fn every_text_is_read_back(text in "(?s).{0,60}") {
            let line = written(&text);
            prop_assert_eq!(serde_json::from_slice::<String>(&line).ok(), Some(text));
            prop_assert!(std::str::from_utf8(&line).is_ok_and(|line| !line.contains(char::is_control)));
        }

        #[test]
        fn every_number_is_read_back(value in any::<u64>()) {
            let mut line = Vec::new();
            number(&mut line, value);
            prop_assert_eq!(serde_json::from_slice::<u64>(&line).ok(), Some(value));
        }
    }
}
