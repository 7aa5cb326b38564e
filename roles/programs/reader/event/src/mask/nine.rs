//! Numbers that have lost their leading zero, because somebody kept them as a number: nine digits, under declared names only.

use super::digits::{is_digit, run_end};
use super::separator::usual;
use crate::Span;

const DATE: usize = 5;
const ALL: usize = 9;

/// The place and the ten digits of a number of which a text's span holds the last nine, and nothing else but quotation marks and spaces.
pub fn in_span(bytes: &[u8], span: Span) -> Option<(Span, [u8; 10])> {
    let text = bytes.get(span.start..span.end)?;
    let start = span.start + text.iter().take_while(|byte| b" \t\"'\\".contains(byte)).count();
    let (place, digits) = at(bytes, start)?;
    let rest = bytes.get(place.end..span.end)?;
    rest.iter().all(|byte| b" \t\"'\\".contains(byte)).then_some((place, digits))
}

/// Nine digits that begin at a place, perhaps with a separator before the last four.
fn at(bytes: &[u8], start: usize) -> Option<(Span, [u8; 10])> {
    let first = run_end(bytes, start) - start;
    let end = match first {
        ALL => start + ALL,
        DATE => {
            let last = start + DATE + usual(bytes, start + DATE);
            (run_end(bytes, last) == last + 4).then_some(last + 4)?
        }
        _ => return None,
    };
    let mut digits = [b'0'; 10];
    digits[1..=DATE].copy_from_slice(&bytes[start..start + DATE]);
    digits[1 + DATE..].copy_from_slice(&bytes[end - 4..end]);
    (start == 0 || !is_digit(bytes, start - 1)).then_some((Span { start, end }, digits))
}

/// Spans of nine digits that stand behind one of these names, in JSON, pairs or XML, wherever that is: for a line that no form reads.
///
/// `"cpr": 102034567`, `cpr=102034567`, `<cpr>102034567`. Names are compared from their last dot on, without regard to case.
pub fn under(text: &str, names: &[&str]) -> Vec<Span> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut place = 0;
    while place < bytes.len() {
        let end = run_end(bytes, place);
        if matches!(end - place, DATE | ALL) {
            if let Some((span, _)) = at(bytes, place).filter(|_| is_named(bytes, place, names)) {
                found.push(span);
            }
        }
        place = end + 1;
    }
    found
}

fn is_named(bytes: &[u8], start: usize, names: &[&str]) -> bool {
    const MOST: usize = 4;
    let passed = |end: usize, marks: &[u8]| end - bytes[..end].iter().rev().take(MOST).take_while(|byte| marks.contains(byte)).count();
    let sign = passed(passed(start, b"\"'\\"), b" ");
    let Some(before) = sign.checked_sub(1).filter(|at| b"=:>".contains(&bytes[*at])) else {
        return false;
    };
    let end = passed(passed(before, b" "), b"\"'\\");
    names.iter().filter_map(|name| name.rsplit('.').next()).any(|name| {
        let Some(begin) = end.checked_sub(name.len()) else {
            return false;
        };
        bytes[begin..end].eq_ignore_ascii_case(name.as_bytes())
            && !(begin > 0 && (bytes[begin - 1].is_ascii_alphanumeric() || bytes[begin - 1] >= 0x80))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nine_digits_behind_a_declared_name() {
        let names = ["cpr", "personnummer"];
        let found = |text: &str| under(text, &names).iter().map(|span| text[span.start..span.end].to_string()).collect::<Vec<_>>();
        for text in [
            "{\"cpr\":102034567}",
            "{\"CPR\": 102034567,",
            "cpr=102034567;",
            "<cpr>102034567</cpr>",
            "{\\\"cpr\\\":\\\"102034567\\\"}",
            "user.cpr=102034567",
            "Personnummer: '102034567'",
        ] {
            assert_eq!(found(text), ["102034567"], "{text}");
        }
        assert_eq!(found("cpr=10203-4567"), ["10203-4567"]);
        for text in ["tlf=102034567", "xcpr=102034567", "cpr 102034567", "cpr=1020345678", "cpr=10203-45678", "cpr=1102034567x1"] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }
}
