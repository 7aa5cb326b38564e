use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn masked(text: &str) -> String {
    masked_in(text, &Context::default())
}

fn masked_in(text: &str, context: &Context) -> String {
    apply(text, &find(text, context), &Mask::Mask).into_owned()
}

fn spans(text: &str, parts: &[&str]) -> Vec<Span> {
    let one = |part: &&str| text.find(part).map(|start| Span { start, end: start + part.len() }).expect("a part of the text");
    parts.iter().map(one).collect()
}

#[test]
fn numbers_are_found_in_the_forms_that_logs_have() {
    for (text, clean) in [
        ("nr 010760-5123.", "nr [CPR]."),
        ("#0120107605123#015", "#012[CPR]#015"),
        ("%22010760%2D5123%22", "%22[CPR]%22"),
        ("0107605123,7107605123", "[CPR],[CPR]"),
        ("０１０７６０－５１２３", "[CPR]"),
        ("c#000p#000r#000 #0000#0001#0000#0007#0006#0000#0005#0001#0002#0003", "c#000p#000r#000 #000[CPR]"),
        ("0\x001\x000\x007\x006\x000\x00-\x005\x001\x002\x003\0", "[CPR]\0"),
        ("\\u00000\\u00001\\u00000\\u00007\\u00006\\u00000\\u00005\\u00001\\u00002\\u00003", "\\u0000[CPR]"),
        ("%30%31%30%37%36%30%35%31%32%33", "[CPR]"),
        ("0 1 0 7 6 0 5 1 2 3 x", "[CPR] x"),
        ("0 1 0 7 6 0 - 5 1 2 3", "[CPR]"),
        ("født 01.07.60-5123, 01 07 60 5123 og 01-07-60.5123", "født [CPR], [CPR] og [CPR]"),
        ("scan_010760_5123.pdf /sager/010760/5123/ 010760.5123 010760\\/5123", "scan_[CPR].pdf /sager/[CPR]/ [CPR] [CPR]"),
    ] {
        assert_eq!(masked(text), clean);
    }
}

#[test]
fn other_digits_are_left() {
    for text in [
        "10.11.12.1345.6",
        "1.3.6.1.4.1.311.21.10.24.1234",
        "1 01 07 60 5123",
        "0 1 0 7 6 0 5 1 2 3 4",
        "2026-11-24 0914",
        "10107605123",
        "010760-51234",
        "01.07-60 5123",
        "310260-5123",
        "1795953600.123",
        "2026-11-27T04:10:00.280462+0000",
    ] {
        assert_eq!(masked(text), text);
    }
}

#[test]
fn what_a_parser_declares_is_left_where_it_fits() {
    let text = "bytes=1112034567 duration=111203 4567 name=ab 1112034567 cd nr=111203-4567 bytes2=1112034567";
    let typed = spans(text, &["1112034567", "111203", "4567 name", "ab 1112034567 cd", "111203-4567"]);
    let typed: Vec<_> = typed.iter().map(|one| Span { end: one.end.min(one.start + 17), ..*one }).collect();
    let clean = masked_in(text, &Context { typed: &typed[..2], ..Context::default() });
    assert_eq!(clean, "bytes=1112034567 duration=[CPR] name=ab [CPR] cd nr=[CPR] bytes2=[CPR]");
    let clean = masked_in(text, &Context { typed: &typed, ..Context::default() });
    assert!(clean.ends_with("name=ab [CPR] cd nr=[CPR] bytes2=[CPR]"), "{clean}");
}

#[test]
fn nine_digits_are_found_under_declared_names_only() {
    let text = "{\"cpr\":102034567,\"tlf\":102034567}";
    assert_eq!(masked(text), text);
    let declared = under(text, &["cpr"]);
    let context = Context { without_leading_zero: &declared, ..Context::default() };
    assert_eq!(masked_in(text, &context), "{\"cpr\":\"[CPR]\",\"tlf\":102034567}");
    assert_eq!(find(text, &context)[0].digits, *b"0102034567");
}

#[test]
fn a_bare_number_of_json_becomes_a_string() {
    for (text, clean) in [
        (r#"x {"a":1711795990}"#, r#"x {"a":"[CPR]"}"#),
        (
            r#"{"a": 0107605123 , "b":[1,1711795990,-1711795990.5],"c":"1711795990"}"#,
            r#"{"a": "[CPR]" , "b":[1,"[CPR]","-[CPR].5"],"c":"[CPR]"}"#,
        ),
        (r#"{"a":"{\"b\":1711795990}"}"#, r#"{"a":"{\"b\":\"[CPR]\"}"}"#),
        (r#"x [1711795990,"a" "b": 1711795990"#, r#"x [[CPR],"a" "b": [CPR]"#),
    ] {
        assert_eq!(masked(text), clean);
    }
}

#[test]
fn a_field_holds_nothing_that_its_message_does_not() {
    let text = "user=010760-5123x pid=4";
    let found = find(text, &Context::default());
    let within = |start, end| apply_within(text, Span { start, end }, &found, &Mask::Mask).into_owned();
    assert_eq!(within(5, 17), "[CPR]x");
    assert_eq!(within(0, 11), "user=[CPR]");
    assert_eq!(within(11, 17), "[CPR]x");
    assert_eq!(within(18, 23), "pid=4");
}

/// Ten digits of somebody, as hyphens, spaces and more are put between.
fn number() -> impl Strategy<Value = String> {
    (1..29_u32, prop::bool::ANY, 1..13_u32, 0..100_u32, 0..10_000_u32)
        .prop_map(|(day, other, month, year, last)| format!("{:02}{month:02}{year:02}{last:04}", day + 60 * u32::from(other)))
}

/// Pieces of what numbers, escapes, separators and JSON are made of, and arbitrary text.
fn text() -> impl Strategy<Value = String> {
    pieces("[0-9a-f]{1,20}")
}

/// The same, and identifiers.
fn text_with_identifiers() -> impl Strategy<Value = String> {
    pieces("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}([0-9a-f]{8})?|S-1-5-21-")
}

fn pieces(more: &'static str) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => number(),
        1 => number().prop_map(|digits| format!("{}-{}", &digits[..6], &digits[6..])),
        2 => "[0-9]{1,12}",
        2 => r##"[-+ %#\\uxADdC2&;n\t0S1"{}:,\[\]._/]{1,6}"##,
        2 => more,
        1 => Just("#000".to_string()),
        1 => ".{0,5}",
        1 => "\\PC{0,3}",
    ];
    prop::collection::vec(piece, 0..9).prop_map(|pieces| pieces.concat())
}

/// JSON of which some numbers read as civil registration numbers.
fn json() -> impl Strategy<Value = Value> {
    let bare = number().prop_filter_map("a number", |digits| digits.parse::<u64>().ok()).prop_map(Value::from);
    let leaf = prop_oneof![3 => bare, 1 => any::<i64>().prop_map(Value::from), 1 => any::<f64>().prop_map(Value::from),
        2 => text().prop_map(Value::from), 1 => Just(Value::Null), 1 => any::<bool>().prop_map(Value::from)];
    let any_value = leaf.prop_recursive(3, 20, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(text(), inner, 0..5).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    prop::collection::btree_map("[a-z\"\\\\:]{0,4}", any_value, 0..5).prop_map(|map| Value::Object(map.into_iter().collect()))
}

proptest! {
    #[test]
    fn whatever_the_text_places_are_in_order_and_nothing_is_left(text in text()) {
        let found = find(&text, &Context::default());
        let mut last = 0;
        for one in &found {
            prop_assert!(one.span.start >= last && one.span.end > one.span.start);
            prop_assert!(text.get(one.span.start..one.span.end).is_some());
            prop_assert!(one.digits.iter().all(u8::is_ascii_digit));
            last = one.span.end;
        }
        for mask in [Mask::Mask, Mask::Hash([7; 32])] {
            let once = apply(&text, &found, &mask);
            // What is masked may leave a word that has the length of a hash by chance.
            if !once.split(|mark: char| !mark.is_ascii_hexdigit() && mark != '-').any(|word| word.len() >= 32) {
                prop_assert_eq!(find(&once, &Context::default()), [], "{}", once);
            }
        }
        prop_assert!(apply(&text, &found, &Mask::Keep) == text);
    }

    #[test]
    fn any_context_is_survived(text in text_with_identifiers(), typed in prop::collection::vec((0..80_usize, 0..80_usize), 0..4)) {
        let mut typed: Vec<_> = typed.iter().map(|(one, two)| Span { start: *one.min(two), end: *one.max(two) }).collect();
        typed.sort();
        typed.retain(|one| one.end <= text.len() && text.is_char_boundary(one.start) && text.is_char_boundary(one.end));
        let context = Context { typed: &typed, without_leading_zero: &typed };
        let found = find(&text, &context);
        for part in &typed {
            apply_within(&text, *part, &found, &Mask::Mask);
        }
        apply(&text, &found, &Mask::Mask);
    }

    #[test]
    fn json_stays_json(value in json(), before in "[a-z<> ]{0,9}") {
        let text = format!("{before}{value}");
        let clean = masked(&text);
        let read = serde_json::from_str::<Value>(&clean[before.len()..]);
        prop_assert!(read.is_ok(), "{} of {}", clean, text);
    }

    #[test]
    fn a_number_is_found_wherever_it_stands(digits in number(), before in "([ x_=(.-]|#012|%22|\\\\u00e6|ø)?", after in "[ x_),Z]?") {
        let written = format!("{before}{}-{}{after}", &digits[..6], &digits[6..]);
        prop_assert_eq!(masked(&written), format!("{before}[CPR]{after}"));
    }
}
