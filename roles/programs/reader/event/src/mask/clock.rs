//! Times that read as a number: they could be one, and what stands beside them says so.

use super::digits::run_end;
use crate::Span;

/// Seconds since 1970 from January 2027 to September 2039; those that read as a date begin with 18 to 21 and a month.
const TIMES: std::ops::Range<u64> = 1_800_000_000..2_200_000_000;
const CLOCK: usize = "04:10:00.".len();

/// Whether what reads as a number is seconds since 1970, or the microseconds of a time of day with what follows them.
pub fn is_time(bytes: &[u8], span: Span) -> bool {
    let text = &bytes[span.start..span.end];
    if is_fraction_and_zone(text) {
        return span.start >= CLOCK && is_time_of_day(&bytes[span.start - CLOCK..span.start]);
    }
    let seconds = std::str::from_utf8(text).ok().filter(|text| text.len() == 10).and_then(|text| text.parse().ok());
    seconds.is_some_and(|seconds| TIMES.contains(&seconds)) && (is_named_a_time(&bytes[..span.start]) || is_fraction(&bytes[span.end..]))
}

/// Microseconds before a zone, as Suricata writes 04:10:00.880462+0000, or before the year, as Apache does.
fn is_fraction_and_zone(text: &[u8]) -> bool {
    const MICROSECONDS: usize = 6;
    let Some((fraction, rest)) = text.split_at_checked(MICROSECONDS) else {
        return false;
    };
    let after = match rest.strip_prefix(b" ") {
        Some(year @ ([b'1', b'9', ..] | [b'2', b'0', ..])) => year.len() == 4,
        Some(zone) => is_zone(zone),
        None => is_zone(rest),
    };
    after && fraction.iter().all(u8::is_ascii_digit)
}

/// An offset of whole quarters of an hour.
fn is_zone(text: &[u8]) -> bool {
    let [b'+' | b'-', hours @ .., tens, ones] = text else {
        return false;
    };
    matches!(hours, [b'0', b'0'..=b'9'] | [b'1', b'0'..=b'4']) && matches!([*tens, *ones].as_slice(), b"00" | b"15" | b"30" | b"45")
}

/// `04:10:00.`
fn is_time_of_day(text: &[u8]) -> bool {
    let fits = |sign: &u8, wanted: &u8| {
        if *wanted == b'd' {
            sign.is_ascii_digit()
        } else {
            sign == wanted
        }
    };
    text.iter().zip(b"dd:dd:dd.").all(|(sign, wanted)| fits(sign, wanted))
        && &text[..2] < b"24".as_slice()
        && text[3] < b'6'
        && text[6] < b'6'
}

/// What names a time, just before it. A bare `time:` does not: it is Danish for an appointment.
fn is_named_a_time(before: &[u8]) -> bool {
    if ["time=", "epoch ", "audit("].iter().any(|mark| is_word_at_end(before, mark)) {
        return true;
    }
    let open = without_quotes(before);
    let open = open.strip_suffix(b" ").unwrap_or(open);
    let Some((sign @ (b'=' | b':'), open)) = open.split_last() else {
        return false;
    };
    let name = without_quotes(open.strip_suffix(b" ").unwrap_or(open));
    let named = ["eventtime", "epochtime", "unixtime", "timestamp", "ts", "epoch"];
    let parted = ["event_time", "event-time", "epoch_time", "epoch-time", "unix_time", "unix-time", "time_stamp", "time-stamp"];
    named.iter().chain(&parted).any(|mark| is_word_at_end(name, mark))
        || *sign == b':' && ["\"time", "'time"].iter().any(|mark| is_word_at_end(name, mark))
}

fn is_word_at_end(text: &[u8], word: &str) -> bool {
    let Some(start) = text.len().checked_sub(word.len()) else {
        return false;
    };
    text[start..].eq_ignore_ascii_case(word.as_bytes()) && !(start > 0 && text[start - 1].is_ascii_alphabetic())
}

/// Up to four quotation marks and backslashes less.
fn without_quotes(text: &[u8]) -> &[u8] {
    let quotes = text.iter().rev().take(4).take_while(|byte| b"\\\"'".contains(byte)).count();
    &text[..text.len() - quotes]
}

/// Micro- or nanoseconds; or milliseconds as a proxy writes them, before a duration and an address. Milliseconds alone are no proof: a
/// scanned page may be called 1805405123.001.
fn is_fraction(behind: &[u8]) -> bool {
    if behind.first() != Some(&b'.') {
        return false;
    }
    match run_end(behind, 1) - 1 {
        6 | 9 => true,
        3 => {
            let spaces = behind[4..].iter().take(9).take_while(|byte| **byte == b' ').count();
            let duration = 4 + spaces;
            let end = run_end(behind, duration);
            (1..=8).contains(&spaces) && end > duration && behind.get(end) == Some(&b' ') && is_address(&behind[end + 1..])
        }
        _ => false,
    }
}

/// Whether a text begins with four numbers of one to three digits with dots between.
fn is_address(text: &[u8]) -> bool {
    let mut at = 0;
    for number in 0..4 {
        let end = run_end(text, at);
        if !(1..=3).contains(&(end - at)) || number < 3 && text.get(end) != Some(&b'.') {
            return false;
        }
        at = end + 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(text: &str, number: &str) -> bool {
        let start = text.find(number).expect("the number is in the text");
        is_time(text.as_bytes(), Span { start, end: start + number.len() })
    }

    #[test]
    fn seconds_since_1970_are_times_where_that_is_said() {
        let number = "1805405123";
        for (before, after) in [
            ("eventtime=", ""),
            ("\"epochtime\":\"", "\""),
            ("ts=", ""),
            ("\\\"ts\\\": ", ".25"),
            ("timestamp: ", ""),
            ("epoch ", ""),
            ("time=", ""),
            ("(", ".123456)"),
            ("{\"time\":", "}"),
            ("audit(", ".123:7)"),
            (" ", ".001      0 10.0.0.5 TCP"),
        ] {
            assert!(marked(&format!("{before}{number}{after}"), number), "{before}{number}{after}");
        }
        for (before, after) in [
            ("ny time: ", ""),
            ("tid=", ""),
            ("parts=", ""),
            ("", ".123"),
            ("/ind/", ".001"),
            ("job ", ""),
            ("cpr=", ""),
            ("", ".12"),
            ("", ".1234567890"),
            ("", ".001 12 pages"),
            ("uptime=", ""),
            ("hits=", ""),
            ("time of ", ""),
        ] {
            assert!(!marked(&format!("{before}{number}{after}"), number), "{before}{number}{after}");
        }
        assert!(!marked("ts=0102034567", "0102034567"));
        assert!(!marked("ts=180540-5123", "180540-5123"));
    }

    #[test]
    fn microseconds_are_times_behind_a_time_of_day() {
        for number in ["280462+0000", "280462 +0200", "280462-0930", "280462 2026", "280462 1926"] {
            assert!(marked(&format!("x 04:10:00.{number} y"), number), "{number}");
            for before in ["", ".", "04:10:00,", "4:10:00.", "99:10:00.", "04:60:00."] {
                assert!(!marked(&format!("{before}{number}"), number), "{before}{number}");
            }
        }
        for number in ["280462-1234", "280462+0016", "280462-1500", "280462 1812", "280462-2026", "2804622026"] {
            assert!(!marked(&format!("04:10:00.{number}"), number), "{number}");
        }
    }
}
