//! Which declared source an event is of: by where it came in, the address it came from, and the host and program of its header.
//!
//! Of the declared places that hold the address, the narrowest decides alone. In it a source that names host and program is before one that names the
//! host, that is before one that names the program, and one that names neither takes what is left. The cost depends on how many lengths of
//! prefix are declared, not on how many sources.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::clean;
use crate::header;

/// What is declared of one source.
#[derive(Clone, Debug, Default)]
pub struct Declared {
    pub source: String,
    /// The name of the input that it sends to.
    pub input: String,
    /// Each as `198.51.100.0/24`.
    pub networks: Vec<String>,
    pub host: Option<String>,
    pub program: Option<String>,
}

/// Whose event it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin<'a> {
    Source(&'a str),
    /// The host that its header names, if it names one.
    Undeclared(Option<String>),
}

#[derive(Debug, Default)]
struct Programs {
    any: Option<String>,
    named: HashMap<String, String>,
}

impl Programs {
    fn add(&mut self, program: Option<&str>, source: &str) {
        match program {
            Some(program) => _ = self.named.insert(program.to_owned(), source.to_owned()),
            None => self.any = Some(source.to_owned()),
        }
    }
}

#[derive(Debug, Default)]
struct Place {
    hosts: HashMap<String, Programs>,
    others: Programs,
}

/// By the length of their prefix, the longest first.
type Places = Vec<(u8, HashMap<u128, Place>)>;

/// The declared sources of a relay whose address alone does not say who they are.
#[derive(Debug, Default)]
pub struct Origins(HashMap<String, Places>);

impl Origins {
    /// What is wrong with a network is said.
    pub fn new(all: &[Declared]) -> Result<Origins, String> {
        let mut found = Origins::default();
        for one in all {
            for network in &one.networks {
                let (bits, length) = network_of(network).ok_or_else(|| format!("{network} is no network"))?;
                let places = found.0.entry(one.input.clone()).or_default();
                if !places.iter().any(|(known, _)| *known == length) {
                    places.push((length, HashMap::new()));
                    places.sort_by_key(|(length, _)| std::cmp::Reverse(*length));
                }
                let of_length = places.iter_mut().find(|(known, _)| *known == length);
                if let Some(place) = of_length.map(|(_, places)| places.entry(bits).or_default()) {
                    let programs = match &one.host {
                        Some(host) => place.hosts.entry(host.to_ascii_lowercase()).or_default(),
                        None => &mut place.others,
                    };
                    programs.add(one.program.as_deref(), &one.source);
                }
            }
        }
        Ok(found)
    }

    /// Whose event a message is that came in there, from that address.
    pub fn of(&self, input: &str, sender: &str, whole: &[u8]) -> Origin<'_> {
        let Some(place) = self.place(input, sender) else { return Origin::Undeclared(None) };
        if place.hosts.is_empty() && place.others.named.is_empty() {
            return place.others.any.as_deref().map_or(Origin::Undeclared(None), Origin::Source);
        }
        let message = clean::text(whole);
        let header = header::read(&message);
        let get = |span: Option<crate::Span>| span.map(|span| &message[span.start..span.end]);
        let (host, program) = (get(header.host).filter(|host| header::is_device(host)), get(header.program));
        let of = host.and_then(|host| place.hosts.get(&host.to_ascii_lowercase()));
        let found = of
            .and_then(|programs| program.and_then(|program| programs.named.get(program)))
            .or_else(|| of.and_then(|programs| programs.any.as_ref()))
            .or_else(|| program.and_then(|program| place.others.named.get(program)))
            .or(place.others.any.as_ref());
        found.map_or_else(|| Origin::Undeclared(host.map(str::to_owned)), |source| Origin::Source(source))
    }

    fn place(&self, input: &str, sender: &str) -> Option<&Place> {
        let bits = address(sender.split('%').next()?)?;
        self.0.get(input)?.iter().find_map(|(length, places)| places.get(&prefix(bits, *length)))
    }
}

/// IPv4 is a part of IPv6, so that both are one table; as IPv6 writes it, it is the same address.
fn address(text: &str) -> Option<u128> {
    Some(match text.parse::<IpAddr>().ok()? {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    })
}

fn prefix(bits: u128, length: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(length)).map_or(0, |mask| bits & mask)
}

fn network_of(text: &str) -> Option<(u128, u8)> {
    let (of, length) = text.split_once('/')?;
    let length = length.parse::<u8>().ok()?;
    let length = if of.contains(':') { length } else { length.checked_add(96)? };
    let bits = address(of)?;
    (length <= 128 && prefix(bits, length) == bits).then_some((bits, length))
}

#[cfg(test)]
mod tests;
