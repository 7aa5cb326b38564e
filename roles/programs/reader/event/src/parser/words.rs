//! Words of conditions and maps: compared without regard to case, with `*` at either end.

/// A word with what may stand beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    text: String,
    before: bool,
    behind: bool,
}

impl Word {
    pub fn new(text: &str) -> Word {
        let behind = text.ends_with('*');
        let rest = text.strip_suffix('*').unwrap_or(text);
        let before = rest.starts_with('*');
        let rest = rest.strip_prefix('*').unwrap_or(rest);
        Word { text: rest.to_owned(), before, behind }
    }

    /// Whether a value is this word. No value is the empty text; `*` alone stands for any value.
    pub fn is(&self, value: &str) -> bool {
        let (own, found) = (self.text.as_bytes(), value.as_bytes());
        if own.is_empty() && (self.before || self.behind) {
            return !found.is_empty();
        }
        if own.len() > found.len() {
            return false;
        }
        match (self.before, self.behind) {
            (false, false) => own.eq_ignore_ascii_case(found),
            (false, true) => own.eq_ignore_ascii_case(&found[..own.len()]),
            (true, false) => own.eq_ignore_ascii_case(&found[found.len() - own.len()..]),
            (true, true) => found.windows(own.len()).any(|each| own.eq_ignore_ascii_case(each)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Word;

    #[test]
    fn stars_and_case() {
        for (word, value, expected) in [
            ("True", "TRUE", true),
            ("deny", "denied", false),
            ("TCP_DENIED*", "tcp_denied_reply", true),
            ("*fail", "HAREDIRECTFAIL", true),
            ("*fail*", "has failed", true),
            ("*", "x", true),
            ("*", "", false),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(Word::new(word).is(value), expected, "{word} {value}");
        }
    }
}
