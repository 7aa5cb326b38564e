use super::types::{read, Typed};
use super::*;

fn written(ecs: &str, text: &str) -> Option<String> {
    read(Type::of(ecs), text).map(|typed| match typed {
        Typed::Text(text) => text,
        Typed::Part(span) => text[span.start..span.end].to_owned(),
        Typed::Same => text.to_owned(),
        Typed::Word(word) => word.to_owned(),
        Typed::Number(number) => number.to_string(),
    })
}

#[test]
fn a_value_has_the_type_of_its_name_or_is_left_out() {
    for (ecs, text, expected) in [
        ("source.ip", "10.20.0.5", Some("10.20.0.5")),
        ("source.ip", "::ffff:203.0.113.44", Some("203.0.113.44")),
        ("source.ip", "203.0.113.44:63070", Some("203.0.113.44")),
        ("source.ip", "[2001:db8::5]:63070", Some("2001:db8::5")),
        ("source.ip", "[2001:db8::5]", Some("2001:db8::5")),
        ("source.ip", "fe80::1%eth0", Some("fe80::1")),
        ("source.ip", "2001:DB8::5", Some("2001:db8::5")),
        ("source.ip", "0.0.0.0", None),
        ("source.ip", "::", None),
        ("source.ip", "10.20.0.5 x", None),
        ("source.ip", "localhost", None),
        ("source.port", "443", Some("443")),
        ("source.port", "65536", None),
        ("source.port", "+5", None),
        ("source.bytes", "000", Some("0")),
        ("source.bytes", "-", None),
        ("source.bytes", "99999999999999999999", None),
        ("http.response.status_code", "000", None),
        ("http.response.status_code", "NA", None),
        ("http.response.status_code", "200", Some("200")),
        ("network.transport", "58", Some("ipv6-icmp")),
        ("network.transport", "ICMPv6", Some("ipv6-icmp")),
        ("network.transport", "TCP", Some("tcp")),
        ("network.transport", "250", None),
        ("network.transport", "any", None),
        ("client.mac", "02:00:5e:10:00:01", Some("02-00-5E-10-00-01")),
        ("client.mac", "02005e100001", Some("02-00-5E-10-00-01")),
        ("client.mac", "02:00:5e:10:00", None),
        ("email.from.address", "<a@b.example>", Some("a@b.example")),
        ("email.from.address", "<>", None),
        ("user.name", "bo", Some("bo")),
    ] {
        assert_eq!(written(ecs, text).as_deref(), expected, "{ecs} {text}");
    }
}

#[test]
fn labels_of_windows() {
    for (text, expected) in [
        ("(3)www(7)example(0)", Some("www.example")),
        ("(0)", Some(".")),
        ("(3)a(5(2)dk(0)", Some("a(5.dk")),
        ("(3)www", None),
        ("www", None),
        ("(99)x(0)", None),
    ] {
        assert_eq!(dns_labels(text).as_deref(), expected, "{text}");
    }
}
