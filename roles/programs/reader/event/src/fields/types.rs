//! The types of ECS names.

use std::net::{IpAddr, Ipv4Addr};

use super::transport;
use crate::read::pattern::split;
use crate::read::values::Value;
use crate::Span;

/// What a value must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Text,
    Address,
    Port,
    Whole,
    Status,
    Transport,
    Mac,
    Mail,
    Hash,
}

/// A value of its type.
#[derive(Debug, PartialEq, Eq)]
pub enum Typed {
    /// Written in the form of the type.
    Text(String),
    /// This part of the text.
    Part(Span),
    /// As it stands, and no digits of it are a CPR number.
    Same,
    Word(&'static str),
    Number(u64),
}

impl Type {
    /// The type of an ECS name.
    pub fn of(ecs: &str) -> Type {
        match ecs.rsplit('.').next().unwrap_or(ecs) {
            "ip" => Type::Address,
            "port" => Type::Port,
            "bytes" => Type::Whole,
            "status_code" if ecs.starts_with("http.") => Type::Status,
            "transport" if ecs == "network.transport" => Type::Transport,
            "mac" => Type::Mac,
            "address" if ecs.starts_with("email.") => Type::Mail,
            _ if ecs.contains(".hash.") => Type::Hash,
            _ => Type::Text,
        }
    }
}

/// A text as a value of a type; none when it is none.
pub fn read(kind: Type, text: &str) -> Option<Typed> {
    match kind {
        Type::Text => Some(Typed::Part(Span { start: 0, end: text.len() })),
        Type::Address => address(text),
        Type::Port => whole(text).filter(|port| *port <= 65_535).map(Typed::Number),
        Type::Whole => whole(text).map(Typed::Number),
        Type::Status => whole(text).filter(|status| (100..1000).contains(status)).map(Typed::Number),
        Type::Transport => transport::keyword(text).map(Typed::Word),
        Type::Mac => mac(text).map(Typed::Text),
        Type::Mail => mail(text).map(Typed::Part),
        Type::Hash => Some(if text.bytes().all(|each| each.is_ascii_hexdigit()) {
            Typed::Same
        } else {
            Typed::Part(Span { start: 0, end: text.len() })
        }),
    }
}

/// Digits only. As large as JSON readers take without loss.
fn whole(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|each| each.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten().filter(|number| *number < 1 << 53)
}

/// An address without port, brackets and zone; IPv4 within IPv6 as IPv4. One that stands for none is none.
fn address(text: &str) -> Option<Typed> {
    if let Ok(four) = text.parse::<Ipv4Addr>() {
        return (!four.is_unspecified()).then_some(Typed::Same);
    }
    let zone = memchr::memchr(b'%', text.as_bytes()).filter(|_| !text.starts_with('['));
    let text = &text[..zone.unwrap_or(text.len())];
    let found = match text.parse::<IpAddr>() {
        Ok(found) => found,
        Err(_) => {
            let (address, _) = split(text)?;
            text[address.start..address.end].split('%').next()?.parse().ok()?
        }
    };
    let found = match found {
        IpAddr::V6(six) => six.to_ipv4_mapped().map_or(IpAddr::V6(six), IpAddr::V4),
        four => four,
    };
    (!found.is_unspecified()).then(|| Typed::Text(found.to_string()))
}

/// RFC 7042: capital letters, hyphens.
fn mac(text: &str) -> Option<String> {
    let digits: Vec<u8> = text.bytes().filter(|each| !matches!(each, b':' | b'-' | b'.')).collect();
    if digits.len() != 12 || !digits.iter().all(u8::is_ascii_hexdigit) || text.len() > 17 {
        return None;
    }
    let pairs: Vec<String> = digits.chunks(2).map(|pair| pair.iter().map(|each| char::from(each.to_ascii_uppercase())).collect()).collect();
    Some(pairs.join("-"))
}

fn mail(text: &str) -> Option<Span> {
    let start = usize::from(text.starts_with('<'));
    let end = text.len() - usize::from(text.len() > start && text.ends_with('>'));
    (start < end).then_some(Span { start, end })
}

/// A part of a value.
pub fn narrowed(value: Value, part: Span) -> Value {
    let moved = |whole: Span| Span { start: whole.start + part.start, end: whole.start + part.end };
    match value.own {
        Some(own) => Value { span: value.span, own: Some(moved(own)) },
        None => Value { span: moved(value.span), own: None },
    }
}
