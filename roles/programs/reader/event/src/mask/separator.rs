//! What stands between the date and the last four digits: a hyphen, a space, a dot, in any of the ways in which logs write them.

/// Bytes of a hyphen with or without spaces, of a space, or of nothing.
pub fn usual(bytes: &[u8], at: usize) -> usize {
    let space = |at| one(bytes, at).filter(|(mark, _)| is_space(*mark)).map_or(0, |(_, length)| length);
    let before = space(at);
    match one(bytes, at + before) {
        Some((mark, dash)) if is_dash(mark) => before + dash + space(at + before + dash),
        _ => before,
    }
}

/// Bytes of a dot, a slash or an underscore, and which it is.
pub fn other(bytes: &[u8], at: usize) -> Option<(u8, usize)> {
    if bytes[at.min(bytes.len())..].starts_with(b"\\/") {
        return Some((b'/', 2));
    }
    let (mark, length) = one(bytes, at)?;
    matches!(mark, '.' | '/' | '_').then_some((mark as u8, length))
}

/// Whether an escaped character ends just before a place, so that its digits are no part of the run that goes on there.
/// rsyslog itself writes `#` and octal.
pub fn escape_ends(bytes: &[u8], at: usize) -> bool {
    let ends = |sign: &[u8], length: usize, fits: fn(&u8) -> bool| {
        let Some(start) = at.checked_sub(sign.len() + length) else {
            return false;
        };
        bytes[start..].starts_with(sign) && bytes[start + sign.len()..at].iter().all(fits)
    };
    ends(b"#", 3, |byte| (b'0'..=b'7').contains(byte))
        || ends(b"%", 2, u8::is_ascii_hexdigit)
        || ends(b"%25", 2, u8::is_ascii_hexdigit)
        || ends(b"\\u", 4, u8::is_ascii_hexdigit)
        || ends(b"\\x", 2, u8::is_ascii_hexdigit)
}

fn is_dash(mark: char) -> bool {
    matches!(mark, '-' | '\u{ad}' | '\u{96}' | '\u{97}' | '\u{2010}'..='\u{2015}' | '\u{2043}' | '\u{2212}')
        || matches!(mark, '\u{fe58}' | '\u{fe63}' | '\u{ff0d}')
}

fn is_space(mark: char) -> bool {
    matches!(mark, ' ' | '+' | '\u{a0}' | '\u{2000}'..='\u{200b}' | '\u{202f}' | '\u{205f}' | '\u{2060}' | '\u{3000}') || mark == '\u{feff}'
}

/// One character as it stands or as it is escaped, and the bytes it takes.
pub fn one(bytes: &[u8], at: usize) -> Option<(char, usize)> {
    let escaped = match bytes.get(at)? {
        b'%' => percent(bytes, at),
        b'\\' => backslash(bytes, at),
        b'&' => entity(bytes, at),
        _ => None,
    };
    escaped.or_else(|| raw(bytes, at))
}

fn raw(bytes: &[u8], at: usize) -> Option<(char, usize)> {
    let length = match bytes[at] {
        0..=0x7f => return Some((char::from(bytes[at]), 1)),
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf7 => 4,
        _ => return None,
    };
    let text = std::str::from_utf8(bytes.get(at..at + length)?).ok()?;
    text.chars().next().map(|mark| (mark, length))
}

fn hexadecimal(bytes: &[u8], at: usize, length: usize) -> Option<u32> {
    let digits = bytes.get(at..at + length)?;
    digits.iter().try_fold(0, |value, digit| Some(value << 4 | char::from(*digit).to_digit(16)?))
}

/// `%2D`, `%252D`, `%E2%80%91`: the bytes of UTF-8, each encoded once or twice.
fn percent(bytes: &[u8], at: usize) -> Option<(char, usize)> {
    let (mut found, mut count, mut end) = ([0; 4], 0, at);
    while count < found.len() && bytes.get(end) == Some(&b'%') {
        let start = end + 1 + 2 * usize::from(bytes[end + 1..].starts_with(b"25"));
        let Some(value) = hexadecimal(bytes, start, 2) else {
            break;
        };
        found[count] = u8::try_from(value).ok()?;
        (count, end) = (count + 1, start + 2);
        if let Ok(text) = std::str::from_utf8(&found[..count]) {
            return text.chars().next().map(|mark| (mark, end - at));
        }
    }
    None
}

/// `\u2011`, with up to four backslashes.
fn backslash(bytes: &[u8], at: usize) -> Option<(char, usize)> {
    let count = bytes[at..].iter().take(5).take_while(|byte| **byte == b'\\').count();
    if count > 4 || bytes.get(at + count) != Some(&b'u') {
        return None;
    }
    char::from_u32(hexadecimal(bytes, at + count + 1, 4)?).map(|mark| (mark, count + 5))
}

/// `&#45;`, `&#x2D;`, `&ndash;`.
fn entity(bytes: &[u8], at: usize) -> Option<(char, usize)> {
    const LONGEST: usize = 8;
    let rest = &bytes[at + 1..];
    let end = rest.iter().take(LONGEST).position(|byte| *byte == b';')?;
    let name = std::str::from_utf8(&rest[..end]).ok()?;
    let mark = match name {
        "shy" => '\u{ad}',
        "ndash" => '\u{2013}',
        "mdash" => '\u{2014}',
        "minus" => '\u{2212}',
        "nbsp" => '\u{a0}',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)?
        }
    };
    Some((mark, end + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hyphens_and_spaces_are_found_in_every_form() {
        let forms = [
            "-",
            " ",
            " - ",
            "- ",
            "\u{a0}",
            "\u{2011}",
            "\u{ad}",
            "\u{200b}-",
            "\u{96}",
            "\u{ff0d}",
            "+",
            "%20",
            "%2D",
            "%2d",
            "%252D",
            "%C2%A0",
            "%E2%80%93",
            "%25E2%2580%2593",
            "\\u2011",
            "\\\\u00a0",
            "&nbsp;",
            "&#45;",
            "&ndash;",
            "&#8209;",
            "&#xA0;",
            "%20%2D%20",
        ];
        for form in forms {
            assert_eq!(usual(format!("{form}4567").as_bytes(), 0), form.len(), "{form}");
        }
        for form in ["", ",", "--", "%", "%2", "%E2%80", "\\u20", "\\\\\\\\\\u2011", "&shy", "&#99999999;", "\t", "#"] {
            assert_eq!(usual(form.as_bytes(), 0), usize::from(form == "--"), "{form}");
        }
        for form in [".", "/", "_", "%2F", "\\/"] {
            assert_eq!(other(form.as_bytes(), 0).map(|found| found.1), Some(form.len()), "{form}");
        }
    }

    #[test]
    fn escapes_end_where_they_end() {
        for text in ["#012", "%20", "%2520", "\\u00e6", "\\x20"] {
            assert!(escape_ends(text.as_bytes(), text.len()), "{text}");
        }
        for text in ["#08", "#089", "%2", "x20", "u00e6", ""] {
            assert!(!escape_ends(text.as_bytes(), text.len()), "{text}");
        }
    }
}
