use super::*;
use proptest::prelude::*;

fn frames(pieces: &[&[u8]]) -> Vec<String> {
    let mut framer = Framer::new(65536);
    let mut found = Vec::new();
    for piece in pieces {
        framer.push(piece);
        found.extend(framer.by_ref());
    }
    framer.close();
    found.extend(framer.by_ref());
    found.iter().map(|each| String::from_utf8_lossy(&each.bytes).into_owned()).collect()
}

fn counted(text: &str) -> String {
    format!("{} {text}", text.len())
}

#[test]
fn a_line_that_begins_with_digits_is_a_line() {
    let good = "<134>1 2026-11-29T13:00:00Z h a - - - good001\n".repeat(50);
    for first in [
        "20261129 13:00:00 a line of a stack trace",
        "2026-11-29 13:00:00 hello",
        "500 Internal server error",
        "500 <html>",
        "0 <13>x",
        "1 <13>x",
        "300 <13>x",
        "7",
    ] {
        let found = frames(&[format!("{first}\n{good}").as_bytes()]);
        assert_eq!((found.len(), found[0].as_str()), (51, first));
    }
}

#[test]
fn counted_frames_hold_line_feeds_and_lines_may_follow() {
    let text = format!("{}{}<13>c\r\n{}\n<13>e", counted("<13>a\nb"), counted("<13>b"), counted("<13>d\n"));
    assert_eq!(frames(&[text.as_bytes()]), ["<13>a\nb", "<13>b", "<13>c", "<13>d", "<13>e"]);
}

#[test]
fn nul_ends_a_frame_but_not_a_letter_of_utf_16() {
    assert_eq!(frames(&[b"<13>a\0<14>b\0"]), ["<13>a", "<14>b"]);
    assert_eq!(frames(&[b"<13>c\0p\0r\0 \x001\0\n<13>b\n"]), ["<13>c\0p\0r\0 \x001\0", "<13>b"]);
}

#[test]
fn a_read_that_ends_in_utf_16_cuts_no_number() {
    let text = |order: fn(u16) -> [u8; 2]| {
        let letters: Vec<u8> = "nr 010203-1234 < 5 <".encode_utf16().flat_map(order).collect();
        [b"<13>", &letters[..], b"\n<13>b\n"].concat()
    };
    for sent in [text(u16::to_le_bytes), text(u16::to_be_bytes)] {
        let whole = frames(&[&sent]);
        // Behind the first letter it could be the end of a message of one letter.
        for cut in 8..sent.len() {
            assert_eq!(frames(&[&sent[..cut], &sent[cut..]]), whole, "{cut}");
        }
    }
}

#[test]
fn a_long_frame_is_given_in_pieces() {
    for text in [format!("<13>{}\n<13>b\n", "x".repeat(25)), format!("29 <13>{}<13>b\n", "x".repeat(25))] {
        let mut framer = Framer::new(10);
        framer.push(text.as_bytes());
        let found: Vec<_> = framer.map(|each| (each.bytes.len(), each.cut)).collect();
        assert_eq!(found, [(10, true), (10, true), (9, false), (5, false)]);
    }
}

/// Frames of at most `largest` bytes, however the bytes come.
fn pieces(largest: usize, sent: &str, size: usize) -> Vec<String> {
    let mut framer = Framer::new(largest);
    let mut found = Vec::new();
    for piece in sent.as_bytes().chunks(size) {
        framer.push(piece);
        found.extend(framer.by_ref());
    }
    framer.close();
    found.extend(framer);
    found.iter().map(|each| String::from_utf8_lossy(&each.bytes).into_owned()).collect()
}

#[test]
fn frames_behind_one_that_is_too_long_are_read_by_their_counts() {
    let behind: Vec<String> = (0..20).map(|number| format!("<13>after {number}")).collect();
    let counts: String = behind.iter().map(|text| counted(text)).collect();
    let text = format!("<13>{}", "x".repeat(346));
    for size in [1, 7, 64, 5000] {
        let found = pieces(100, &(counted(&text) + &counts), size);
        assert_eq!(found[4..], behind, "{size}");
        assert_eq!(found[..4].concat(), text, "{size}");
    }
}

#[test]
fn frames_behind_a_count_too_large_to_be_one_are_found() {
    let behind: Vec<String> = (0..20).map(|number| format!("<13>after {number}")).collect();
    let counts: String = behind.iter().map(|text| counted(text)).collect();
    let text = format!("12345678 <13>{}", "x".repeat(337));
    for ending in ["", "7"] {
        let found = pieces(100, &(text.clone() + ending + &counts), 5000);
        assert_eq!(found[4..], behind);
        assert_eq!(found[..4].concat(), text.clone() + ending);
    }
}

#[test]
fn a_line_with_a_number_swallows_no_line_behind_it() {
    let behind: Vec<String> = (0..20).map(|number| format!("<13>good {number}")).collect();
    let lines = behind.join("\n") + "\n";
    let long = format!("9999 <13>{}", "x".repeat(241));
    for size in [1, 7, 64, 5000] {
        // The length of the longest is not 9999, nor 311, which is within the lines.
        for first in ["9999 <13>a", "311 <13>a", "9999 <13>a\nb"] {
            let expected: Vec<String> = first.split('\n').map(str::to_owned).chain(behind.clone()).collect();
            assert_eq!(pieces(100, &format!("{first}\n{lines}"), size), expected, "{size} {first}");
        }
        let found = pieces(100, &format!("{long}\n{lines}"), size);
        assert_eq!(found[3..], behind, "{size}");
        assert_eq!(found[..3].concat(), long[5..], "{size}");
    }
}

#[test]
fn a_long_line_that_looks_like_a_frame_goes_on_behind_its_count() {
    let text = format!("150 <13>{}\n<13>b\n", "x".repeat(246));
    for size in [1, 7, 64] {
        let found = pieces(100, &text, size);
        assert_eq!((found.concat(), found.last()), (text[4..].replace('\n', ""), Some(&"<13>b".to_owned())), "{size}");
    }
}

#[test]
fn a_count_that_is_never_filled_loses_nothing() {
    assert_eq!(frames(&[b"900 <13>a\n<13>b\n", b"<13>c"]), ["900 <13>a", "<13>b", "<13>c"]);
}

proptest! {
    #[test]
    fn any_bytes_in_any_pieces_are_all_given_out(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..8)) {
        let mut framer = Framer::new(16);
        let mut given = 0;
        for piece in &pieces {
            framer.push(piece);
            given += framer.by_ref().map(|each| each.bytes.len()).sum::<usize>();
        }
        framer.close();
        given += framer.by_ref().map(|each| each.bytes.len()).sum::<usize>();
        let kept = |bytes: &Vec<u8>| bytes.iter().filter(|each| !matches!(each, b'\n' | b'\r' | 0 | b' ' | b'0'..=b'9')).count();
        prop_assert!(given >= pieces.iter().map(kept).sum::<usize>());
        prop_assert_eq!(framer.waiting(), 0);
    }

    #[test]
    fn lines_and_counts_mix(texts in prop::collection::vec(("[ -~]{0,30}", any::<bool>()), 1..20), size in 1usize..50) {
        let sent: String = texts.iter().map(|(text, count)| if *count { counted(&format!("<13>{text}")) } else { format!("<13>{text}\n") }).collect();
        let pieces: Vec<&[u8]> = sent.as_bytes().chunks(size).collect();
        let expected: Vec<String> = texts.iter().map(|(text, _)| format!("<13>{text}")).collect();
        prop_assert_eq!(frames(&pieces), expected);
    }
}
