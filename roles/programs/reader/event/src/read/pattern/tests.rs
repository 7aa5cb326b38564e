use proptest::prelude::*;

use super::*;
use crate::parser::names::Names;
use crate::read::values::{From, Values};

/// The fields that a pattern takes of a text, `name=value`; none when it does not fit.
fn taken(pattern: &str, text: &str) -> Option<Vec<String>> {
    let mut names = Names::default();
    let pattern = Pattern::new(pattern, &mut names).unwrap();
    let mut values = Values::default();
    values.start(names.len());
    let mut sink = Sink { names: &names, values: &mut values, from: From::Message(0) };
    read(&[pattern], text, &mut sink).then(|| {
        let wanted = ["user", "a", "a.ip", "a.port", "result", "b"];
        let found = wanted.iter().filter_map(|name| Some((name, values.get(names.find(name)?)?)));
        found.map(|(name, value)| format!("{name}={}", values.text(value, text))).collect()
    })
}

#[test]
fn what_an_attacker_writes_stays_in_its_field() {
    let pattern = "Failed {:word} for {?invalid user ?}{user:last} from {a:ip} port {b:port}";
    let text = "Failed password for invalid user test from 10.66.66.66 port 55555 ssh2 from 203.0.113.7 port 58946 ssh2";
    let expected = ["user=test from 10.66.66.66 port 55555 ssh2", "a=203.0.113.7", "b=58946"];
    assert_eq!(taken(pattern, text).unwrap(), expected);
}

#[test]
fn every_kind() {
    for (pattern, text, expected) in [
        ("x {a} y", "x 1 2 y y", Some(vec!["a=1 2"])),
        ("x {a}", "x 1 2", Some(vec!["a=1 2"])),
        ("{a:word},", "tcp, x", Some(vec!["a=tcp"])),
        ("{a:word},", "tcp x,", None),
        ("{a:word}: {b}", "id: x", Some(vec!["a=id", "b=x"])),
        ("{_}{a:number}{_}{b:name}", "  12   ge-0.1/x", Some(vec!["a=12", "b=ge-0.1"])),
        ("{a:ip}: x", "203.0.113.7: x", Some(vec!["a=203.0.113.7"])),
        ("{a:ip}", "2001:db8::5", Some(vec!["a=2001:db8::5"])),
        ("{a:ip}", "300.1.1.1", None),
        ("{a:ip_port} x", "203.0.113.7:443 x", Some(vec!["a.ip=203.0.113.7", "a.port=443"])),
        ("{a:ip_port}->", "[2001:db8::5]:40->", Some(vec!["a.ip=2001:db8::5", "a.port=40"])),
        ("{a:ip_port} ", "2001:db8::5:51234 ", Some(vec!["a.ip=2001:db8::5", "a.port=51234"])),
        ("{a:ip_port},", "203.0.113.7,", Some(vec!["a.ip=203.0.113.7"])),
        ("{a:mac} ", "02:00:5e:10:00:01 ", Some(vec!["a=02:00:5e:10:00:01"])),
        ("{a:quoted} {b:quoted}", "\"a b\" c", Some(vec!["a=a b", "b=c"])),
        ("{a:permitted|denied} ", "denied ", Some(vec!["a=denied"])),
        ("{a:word}{result=failure}", "x", Some(vec!["a=x", "result=failure"])),
        ("{?({user})?}{a:word}", "(bo)x", Some(vec!["user=bo", "a=x"])),
        ("{?({user})?}{a:word}", "(bo", Some(vec!["a=(bo"])),
        ("{a}{end}", "x", Some(vec!["a=x"])),
        ("x{end}", "xy", None),
        ("{{{a:number}}}", "{5}", Some(vec!["a=5"])),
        ("{a:port}", "65536", None),
    ] {
        assert_eq!(taken(pattern, text), expected.map(|each| each.into_iter().map(str::to_owned).collect()), "{pattern}");
    }
}

#[test]
fn what_patterns_share_is_read_once_and_right() {
    let mut names = Names::default();
    let texts = [
        "{a:word} {?({b:word}) ?}x",
        "{a:word} {?({b:word}) ?}y {c:number}",
        "{a:word} {?({b:word}) ?}y {c:word}",
        "{b:word}",
        "{a:word} {b:number}",
    ];
    let mut patterns: Vec<Pattern> = texts.iter().map(|each| Pattern::new(each, &mut names).unwrap()).collect();
    Pattern::share(&mut patterns);
    assert_eq!(patterns.iter().map(|each| each.shared).collect::<Vec<_>>(), [0, 3, 4, 0, 0]);
    for (text, expected) in [("p (q) x", "p q -"), ("p (q) y 5", "p q 5"), ("p (q) y z", "p q z"), ("p y z", "p - z"), ("p (q z", "- p -")]
    {
        let mut values = Values::default();
        values.start(names.len());
        assert!(read(&patterns, text, &mut Sink { names: &names, values: &mut values, from: From::Message(0) }));
        let get = |name: &str| values.get(names.find(name).unwrap()).map_or("-", |value| values.text(value, text));
        assert_eq!([get("a"), get("b"), get("c")].join(" "), expected, "{text}");
    }
}

#[test]
fn what_is_wrong_with_a_pattern_is_said() {
    for (pattern, expected) in [
        ("{a", "not closed"),
        ("a}", "not opened"),
        ("{a:nothing}", "is no kind"),
        ("{a}{b}", "no text behind"),
        ("{a b:word}", "no name of a field"),
        ("{?x", "{? is not closed"),
    ] {
        let error = Pattern::new(pattern, &mut Names::default()).unwrap_err();
        assert!(error.contains(expected), "{pattern}: {error}");
    }
}

proptest! {
    #[test]
    fn any_text_is_held_against_any_kind(text in ".{0,60}") {
        for kind in ["text", "last", "word", "name", "number", "ip", "mac", "port", "ip_port", "quoted", "a|b"] {
            taken(&format!("{{a:{kind}}} {{?{{b:{kind}}}é?}}{{user:{kind}}}{{end}}"), &text);
        }
    }
}
