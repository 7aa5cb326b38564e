//! References to characters: `&lt;`, `&#13;`, `&#x0D;`.

use std::borrow::Cow;

/// Bytes between `&` and `;`, at the most.
const LONGEST: usize = 12;
const LAST: u32 = 0x10_ffff;

/// What a text means, itself where it has no references; none when one of them is none of XML's own.
pub fn meaning(text: &str) -> Option<Cow<'_, str>> {
    if memchr::memchr(b'&', text.as_bytes()).is_none() {
        return Some(Cow::Borrowed(text));
    }
    let mut meaning = String::with_capacity(text.len());
    read(text, &mut meaning)?;
    Some(Cow::Owned(meaning))
}

/// What a text with references means, appended; none when one of them is none of XML's own. Half a character of UTF-16 is U+FFFD.
pub fn read(text: &str, meaning: &mut String) -> Option<()> {
    let mut rest = text;
    while let Some(place) = memchr::memchr(b'&', rest.as_bytes()) {
        meaning.push_str(&rest[..place]);
        let size = rest.as_bytes()[place + 1..].iter().take(LONGEST + 1).position(|each| *each == b';')?;
        meaning.push(character(&rest[place + 1..place + 1 + size])?);
        rest = &rest[place + size + 2..];
    }
    meaning.push_str(rest);
    Some(())
}

fn character(name: &str) -> Option<char> {
    Some(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let digits = name.strip_prefix('#')?;
            let (digits, base) = digits.strip_prefix('x').map_or((digits, 10), |digits| (digits, 16));
            let known = !digits.is_empty() && digits.chars().all(|each| each.is_digit(base));
            let code = known.then(|| u32::from_str_radix(digits, base).ok()).flatten().filter(|code| *code <= LAST)?;
            char::from_u32(code).unwrap_or('\u{fffd}')
        }
    })
}
