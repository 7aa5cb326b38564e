use proptest::prelude::*;
use serde_json::Value as Json;

use super::*;

pub fn source(parser: &str, mask: Mask) -> Source {
    let text = |text: &str| text.to_owned();
    Source {
        parser: Arc::new(Parser::new("x", parser).unwrap()),
        zone: Zone::named("Europe/Copenhagen").unwrap(),
        mask,
        municipality: text("0710"),
        relay: text("gw1"),
        boot: "0".repeat(32),
        site: text("raadhus"),
        name: text("fw \"1\""),
        kind: text("firewall"),
        sector: text("administration"),
    }
}

pub fn event_of(source: &Source, bytes: &[u8]) -> Json {
    let received = Received { bytes, at: "2026-11-29T14:49:20Z".parse().unwrap(), sender: "192.0.2.1", head: Head::OfLine };
    let mut line = Vec::new();
    write(source, &received, 7, &mut Scratch::default(), &mut line);
    serde_json::from_slice(&line).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&line)))
}

fn ecs(parser: &str, line: &str) -> Json {
    event_of(&source(parser, Mask::Mask), line.as_bytes())["ecs"].clone()
}

#[test]
fn an_event_has_every_key() {
    let found =
        event_of(&source("read: key_value\nfields: {source.port: p}", Mask::Mask), b"<13>Nov 29 13:00:00 h a: p=5 t=\"010203-4567\"");
    let message = "<13>Nov 29 13:00:00 h a: p=5 t=\"[CPR]\"";
    let expected = serde_json::json!({
        "time": "2026-11-29T12:00:00Z", "received": "2026-11-29T14:49:20Z", "municipality": "0710", "relay": "gw1", "boot": "0".repeat(32),
        "sequence": 7, "site": "raadhus", "source": "fw \"1\"", "kind": "firewall", "sector": "administration", "host": "h", "message": message,
        "parser": "x", "parsed": true, "ecs": {"@timestamp": "2026-11-29T12:00:00Z", "source.port": 5},
    });
    assert_eq!(found, expected);
}

#[test]
fn what_no_form_reads_has_the_time_of_its_header() {
    let found = event_of(&source("read: json", Mask::Mask), b"<13>Nov 29 13:00:00 h a: no json");
    assert_eq!((&found["parsed"], &found["ecs"]), (&false.into(), &serde_json::json!({"@timestamp": "2026-11-29T12:00:00Z"})));
    let found = event_of(&source("read: json", Mask::Mask), b"<13>just text");
    assert_eq!((&found["time"], &found["host"]), (&"2026-11-29T14:49:20Z".into(), &"192.0.2.1".into()));
}

#[test]
fn an_object_beside_marks_of_xml_is_left_alone_only_where_a_source_sends_xml() {
    for line in [
        "<13>[{\"a\":1},{\"Subject\":\"<b>hi\"}]",
        "<13>{\"a\":1} {\"Subject\":\"<b>\"}",
        "<13>x: <a@b.example> {\"a\":1}",
        "<13>{\"a\":1}</Data>",
    ] {
        assert_eq!(ecs("read: json\nfields: {rule.id: a}", line)["rule.id"], "1", "{line}");
        assert_eq!(ecs("read: {json: {outside_xml: false}}\nfields: {rule.id: a}", line)["rule.id"], "1", "{line}");
        let left = event_of(&source("read: {json: {outside_xml: true}}\nfields: {rule.id: a}", Mask::Mask), line.as_bytes());
        assert_eq!(left["parsed"], false, "{line}");
    }
    let within = ecs("read: {json: {outside_xml: true}}\nfields: {rule.id: a}", "<13>{\"a\":\"<b>hi</b>\"}");
    assert_eq!(within["rule.id"], "<b>hi</b>");
}

#[test]
fn forms_that_read_alike_are_told_apart_by_what_is_read() {
    let parser = "read: csv\nforms:\n  - {if: {kind: A}, read: {csv: {columns: [kind, ip]}}, fields: {source.ip: ip}}\n  - {if: {kind: B}, read: {csv: {columns: [kind, _, ip]}}, fields: {source.ip: ip}}\n";
    assert_eq!(ecs(parser, "<13>A,10.0.0.1,10.0.0.2")["source.ip"], "10.0.0.1");
    assert_eq!(ecs(parser, "<13>B,10.0.0.1,10.0.0.2")["source.ip"], "10.0.0.2");
    let parser = "read: json\nforms:\n  - {if: {a: '2'}, fields: {rule.id: =two}}\n  - {if: {b: '*'}, fields: {rule.id: a}}\n  - {fields: {rule.id: =none}}\n";
    assert_eq!(ecs(parser, "<13>{\"a\":2}")["rule.id"], "two");
    assert_eq!(ecs(parser, "<13>{\"a\":1,\"b\":1}")["rule.id"], "1");
    assert_eq!(ecs(parser, "<13>{\"a\":1}")["rule.id"], "none");
}

#[test]
fn nothing_that_is_masked_comes_back_in_a_field() {
    let json =
        "read: json\nfields:\n  user.name: a\n  rule.name: {from: a, as: upper}\n  rule.id: {from: a, pattern: '{value:word} {:rest}'}\n";
    let xml = "read: xml\nfields: {user.name: [y, a], rule.name: {from: [y, a], as: upper}, rule.id: {from: a, pattern: '{value}{end}'}}";
    for (parser, line) in [
        ("read: {pattern: '{a}-{b}'}\nfields: {user.name: a, user.id: b}", "<13>x 010203-4567 y"),
        ("read: key_value\nfields: {user.name: a}", "<13>a=\"x\\\" 0102034567\""),
        (json, "<13>{\"a\":\"010203-4567 \\u0030\\u0031\\u0030\\u0032\\u0030\\u0033\\u0034\\u0035\\u0036\\u0037\"}"),
        (json, "<13>{\"a\":\"010203-4567 x\"}"),
        ("read: {csv: {columns: [a]}}\nfields: {user.name: a}", "<13>\"x \"\"0102034567\"\"\",y"),
        (xml, "<13><x a='b'>&#48;1&#48;2&#48;3<!-- -->4567</x>"),
        (xml, "<13><x a='&#x30;1020&#51;-4567'><y>010203-4567 x</y></x>"),
        ("read: cef\nfields: {user.name: a}", "<13>CEF:0|a|b|c|d|e|f|a=x\\=0102034567"),
    ] {
        let found = event_of(&source(parser, Mask::Mask), line.as_bytes());
        let all = found["ecs"].as_object().unwrap();
        assert!(all.len() > 1, "{line}: {all:?}");
        for (name, value) in all.iter().filter(|(name, _)| *name != "@timestamp") {
            let text = value.as_str().unwrap();
            assert!(!text.contains("0102") && !text.contains("4567"), "{line}: {name} {text}");
        }
    }
}

#[test]
fn what_a_rule_declares_is_no_number() {
    let parser = "read: json\nnot_cpr: [record]\ncpr_without_leading_zero: [cpr]\nfields: {rule.id: record}";
    let found = event_of(
        &source(parser, Mask::Mask),
        b"<13>{\"record\":1612034567,\"in\":{\"record\":1612034567,\"cpr\":102034567},\"x\":\"1612034567\"}",
    );
    assert_eq!(found["ecs"]["rule.id"], "1612034567");
    let message = found["message"].as_str().unwrap();
    assert_eq!((message.matches("1612034567").count(), message.matches("[CPR]").count()), (2, 2), "{message}");
}

#[test]
fn nine_digits_are_masked_in_a_line_that_is_not_read_too() {
    let parser = "read: json\ncpr_without_leading_zero: [user.cpr]\nfields: {user.name: name}";
    let found = event_of(&source(parser, Mask::Mask), b"<13>{\"user\":{\"cpr\":102034567,\"nr\":102034567,\"na");
    assert_eq!(found["parsed"], false);
    assert!(found["message"].as_str().unwrap().ends_with("{\"user\":{\"cpr\":\"[CPR]\",\"nr\":102034567,\"na"), "{found}");
}

#[test]
fn a_line_without_a_header_has_the_host_and_the_time_that_come_with_it() {
    let at = "2026-11-29T14:49:20Z".parse().unwrap();
    for (host, expected) in [("gw1", "gw1"), ("pc-010203-4567", "127.0.0.1"), ("a b", "127.0.0.1"), ("", "127.0.0.1")] {
        let head = Head::Given { time: "2026-11-29T14:49:19.5Z".parse().unwrap(), host };
        let received = Received { bytes: b"Nov 29 13:00:00 h a: x", at, sender: "127.0.0.1", head };
        let mut line = Vec::new();
        write(&source("read: json", Mask::Mask), &received, 1, &mut Scratch::default(), &mut line);
        let found: Json = serde_json::from_slice(&line).unwrap();
        assert_eq!((&found["host"], &found["time"]), (&expected.into(), &"2026-11-29T14:49:19.500000Z".into()));
    }
}

/// A parser of each kind of step, with a field of each type.
const PARSERS: [&str; 7] = [
    "read: key_value\nclock: {from: e, format: epoch}\nnot_cpr: [a]\nfields: {source.ip: a, source.port: b, source.bytes: c, network.transport: d, client.mac: e, email.to.address: a, file.hash.sha1: b, rule.name: {from: c, as: dns_labels}}",
    "read: csv\nforms:\n  - {if: {a: '1'}, read: {csv: {columns: [a, b]}}}\n  - {read: {csv: {columns: [c, b], separator: spaces}}}\nfields: {source.ip: a, user.name: b, rule.name: c}",
    "read: json\ncpr_without_leading_zero: [a]\nfields: {user.name: [a, a.b, a.0.b], rule.name: {from: b, as: lower}}",
    "read: xml\nnot_cpr: [b]\nfields: {user.name: [a, b.a, b.0], rule.name: {from: b, as: lower}}",
    "read: cef\nfields: {user.name: a, rule.name: Name, source.ip: [b, c]}",
    "read: leef\nfields: {user.name: a, rule.name: EventID}",
    "read: [{pattern: '{?({a:ip_port})?}{b:last} {c:quoted}{d=x}'}, {key_value: {of: b, separator: ','}}]\nfields: {user.name: b, source.ip: a.ip, source.port: a.port, rule.name: c, rule.id: {from: c, pattern: '{value:number}'}}",
];

proptest! {
    #[test]
    fn any_bytes_become_an_event(bytes in prop::collection::vec(any::<u8>(), 0..200), which in 0..PARSERS.len()) {
        for mask in [Mask::Keep, Mask::Mask, Mask::Hash([7; 32])] {
            event_of(&source(PARSERS[which], mask), &bytes);
        }
    }

    #[test]
    fn nearly_right_lines_become_events(
        head in "(<[0-9]{1,3}>)?(1 )?(Nov 29 13:00:00 )?(2026-11-29T12:00:00Z )?[a-z. \\-:]{0,12}",
        pieces in prop::collection::vec("(CEF:0|LEEF:2\\.0|a=|b=|c|e=|\\||\\{|\\}|\\[|\\]|\"|\\\\|\\\\u[0-9a-f]{4}|:|,| |#011|010203-4567|0102034567|102034567|æ|\\(3\\)www\\(0\\)|<x>|</x>|<b a='|<Data Name=|<Data>|</Data>|/>|&lt;|&#48;|<!--|-->|<!\\[CDATA\\[|10\\.0\\.0\\.5|::1|\"a\":|1|null|\u{2003})", 0..25),
        which in 0..PARSERS.len(),
    ) {
        let line = head + &pieces.concat();
        let found = event_of(&source(PARSERS[which], Mask::Mask), line.as_bytes());
        for (name, value) in found["ecs"].as_object().unwrap() {
            let number = name.ends_with(".port") || name.ends_with(".bytes");
            prop_assert_eq!(number, value.is_u64());
        }
    }
}

/// Seconds that this thread has had of a processor: what others do on the machine does not count.
fn used() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}

/// The cost is linear: one line takes about as long as sixteen of a sixteenth, not sixteen times that. What is between is for noise.
#[test]
fn long_lines_take_as_long_as_they_are() {
    let pieces = [
        "a=",
        "\"",
        "\\",
        "{\"a\":",
        "[",
        " b=c",
        "(",
        " ",
        "CEF:0|||||||",
        ",\"\"",
        "0102034567",
        "\u{e6}",
        "{\"",
        "<13>",
        "a b c ",
        "[[\"",
        "%",
        "%A-1-B",
        "<x>",
        "<x><b></b>",
        "<x a='",
        "<Data Name='a'><Data>",
        "<x>a&lt;<b/>",
        "<!--",
        "<![CDATA[",
        "<?",
        "&",
        "</x>",
        "<x/>",
    ];
    for parser in PARSERS {
        let source = source(parser, Mask::Mask);
        for piece in pieces {
            let time = |lines: usize| {
                let text = format!("<13>{}", piece.repeat(32_000 / lines / piece.len()));
                let start = used();
                (0..lines).for_each(|_| drop(event_of(&source, text.as_bytes())));
                used() - start
            };
            let best = |lines: usize| (0..2).map(|_| time(lines)).fold(f64::MAX, f64::min);
            let (short, long) = (best(16), best(1));
            assert!(long < 5.0 * short.max(0.02), "{piece:?} with {parser}: {short} s, {long} s");
        }
    }
}
