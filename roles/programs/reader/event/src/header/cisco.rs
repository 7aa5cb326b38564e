//! Headers of Cisco's systems: numbers, names, stars and zones in front of `%FACILITY-SEVERITY-MNEMONIC: `.

use super::{is_host, Header, Reader};
use crate::clock::{stamp, zone};
use crate::Span;

/// Bytes before the `%` that are looked at.
const LONGEST_HEAD: usize = 300;

/// Reads such a header; none when there is no `%FACILITY-SEVERITY-MNEMONIC:` behind what can be one.
pub(super) fn read(reader: Reader, mut found: Header) -> Option<Header> {
    let (percent, mnemonic) = marker(reader.rest())?;
    let head = &reader.text[reader.at..reader.at + percent];
    let firewall = ["%ASA-", "%FTD-", "%PIX-", "%FWSM-"].iter().any(|each| reader.rest()[percent..].starts_with(each));
    let mut at = 0;
    while at < head.len() {
        let rest = &head[at..];
        if let Some((size, stamp)) = stamp::read(rest) {
            found.time = Some(stamp);
            found.time_at = Some(Span { start: reader.at + at, end: reader.at + at + size });
            at += size;
            at += zone_behind(&head[at..], &mut found, firewall);
            continue;
        }
        let size = word_end(rest);
        let word = rest[..size].trim_end_matches([':', '*']);
        let start = reader.at + at;
        let numbers = word.bytes().all(|each| each.is_ascii_digit());
        if found.host.is_none() && is_host(word) && !numbers && word != "0.0.0.0" && !is_uptime(word) {
            found.host = Some(Span { start, end: start + word.len() });
        } else if word.ends_with(']') {
            let name = word.bytes().take_while(|each| *each != b'[').count();
            found.program = Some(Span { start, end: start + name });
        }
        at += size + rest[size..].bytes().take_while(|each| *each == b' ').count();
    }
    found.message_id = Some(Span { start: reader.at + percent + 1, end: reader.at + percent + mnemonic });
    found.body = Span { start: reader.at + percent, end: reader.text.len() };
    Some(found)
}

/// The next space, or the time that stands without one behind a star, a dot or a colon.
fn word_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let end = memchr::memchr(b' ', bytes).unwrap_or(bytes.len());
    (1..end).find(|at| matches!(bytes[at - 1], b'*' | b'.' | b':') && stamp::read(&text[*at..]).is_some()).unwrap_or(end)
}

/// Where `%FACILITY-SEVERITY-MNEMONIC:` begins, and the bytes to its colon.
fn marker(text: &str) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let head = &bytes[..bytes.len().min(LONGEST_HEAD)];
    memchr::memchr_iter(b'%', head).find_map(|at| {
        let before = at == 0 || matches!(bytes[at - 1], b' ' | b':');
        let rest = &bytes[at + 1..];
        let size = rest.iter().take(80).take_while(|each| each.is_ascii_alphanumeric() || matches!(each, b'_' | b'-')).count();
        let name = &rest[..size];
        let dashes = name.iter().filter(|each| **each == b'-').count();
        let severity = name.windows(3).any(|three| three[0] == b'-' && three[1].is_ascii_digit() && three[2] == b'-');
        // IOS XR has a space before the colon.
        let whole = matches!(&rest[size..], [b':', ..] | [b' ', b':', ..]) && name.first().is_some_and(u8::is_ascii_uppercase);
        (before && whole && dashes >= 2 && severity && plain(&bytes[..at])).then_some((at, size + 1))
    })
}

/// What stands before is a header, not a text that quotes such a message.
fn plain(head: &[u8]) -> bool {
    head.iter().all(|each| each.is_ascii_alphanumeric() || b" .:*_-/[]+".contains(each))
        && head.iter().filter(|each| **each == b' ').count() <= 16
}

/// `1w2d` or `3d04h`, how long the device has been up.
fn is_uptime(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    digits > 0
        && word.bytes().next().is_some_and(|each| each.is_ascii_digit())
        && word.bytes().all(|each| each.is_ascii_digit() || b"ywdhms:.".contains(&each))
        && !word.contains("..")
        && word.parse::<std::net::IpAddr>().is_err()
}

/// Bytes of a zone behind the time. A name that is not known leaves the declared zone.
fn zone_behind(text: &str, found: &mut Header, firewall: bool) -> usize {
    let Some(rest) = text.strip_prefix(' ') else { return 0 };
    if let (Some((size, offset)), Some(time)) = (zone::read(rest), found.time.as_mut()) {
        if matches!(rest.as_bytes().get(size), Some(b' ' | b':') | None) {
            time.offset = Some(offset);
            return 1 + size;
        }
    }
    // An ASA may write its name there; other systems write the name of a zone, which may be any.
    let name = rest.bytes().take_while(|each| each.is_ascii_alphabetic() || matches!(each, b'-' | b'/')).count();
    if !firewall && name > 0 && rest.as_bytes().get(name) == Some(&b':') {
        return 1 + name;
    }
    0
}
