//! What is put in place of a number.

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use super::{Found, Mask};
use crate::Span;

/// 64 bits: among all numbers of a country of six million, two share a token with a chance of one in a million.
const TOKEN_BYTES: usize = 8;
const NAME_BYTES: usize = 2;

/// What stands for a number; None when it is kept.
pub fn of(digits: &[u8; 10], mask: &Mask) -> Option<String> {
    match mask {
        Mask::Keep => None,
        Mask::Mask => Some("[CPR]".to_string()),
        Mask::Hash(key) => Some(format!("[CPR:{}.{}]", key_name(key), token(key, digits))),
    }
}

/// Four letters that tell keys apart and give nothing of them away.
fn key_name(key: &[u8; 32]) -> String {
    let digest = Sha256::new().chain_update(b"vaern cpr key\0").chain_update(key).finalize();
    letters(&digest[..NAME_BYTES])
}

fn token(key: &[u8; 32], digits: &[u8; 10]) -> String {
    // HMAC takes a key of any length.
    let code = Hmac::<Sha256>::new_from_slice(key).map(|code| code.chain_update(digits).finalize().into_bytes());
    code.map(|code| letters(&code[..TOKEN_BYTES])).unwrap_or_default()
}

/// Half bytes as letters from a to p: a token has no digits, so nothing in it can be taken for a number.
fn letters(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|half| char::from(b'a' + half)).collect()
}

/// One number and what is written in its place: where a bare number of JSON stood, the whole of it in quotation marks.
pub struct Piece {
    pub span: Span,
    pub text: String,
}

pub fn piece(bytes: &[u8], found: &Found, arrays: &[Span], text: String) -> Piece {
    let whole = number_around(bytes, found.span);
    let quotes = if arrays.iter().any(|array| array.start == whole.start) { Some(0) } else { bare_value(bytes, whole) };
    let Some(backslashes) = quotes else {
        return Piece { span: found.span, text };
    };
    let quote = format!("{}\"", "\\".repeat(backslashes));
    // What belongs to the number is ASCII.
    let part = |start: usize, end: usize| String::from_utf8_lossy(&bytes[start..end]).into_owned();
    let (before, behind) = (part(whole.start, found.span.start), part(found.span.end, whole.end));
    Piece { span: whole, text: format!("{quote}{before}{text}{behind}{quote}") }
}

/// The span with the signs, digits and letters of a JSON number around it.
fn number_around(bytes: &[u8], span: Span) -> Span {
    let belongs = |byte: &&u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
    Span {
        start: span.start - bytes[..span.start].iter().rev().take_while(belongs).count(),
        end: span.end + bytes[span.end..].iter().take_while(belongs).count(),
    }
}

/// Backslashes of the quotation marks of a value that should have some, as its key has; None when it is no bare value of an object.
fn bare_value(bytes: &[u8], whole: Span) -> Option<usize> {
    let key = bytes[..whole.start].trim_ascii_end().strip_suffix(b":")?.trim_ascii_end().strip_suffix(b"\"")?;
    let follows = bytes[whole.end..].trim_ascii_start().first()?;
    let all = key.iter().rev().take_while(|byte| **byte == b'\\').count();
    // In JSON within a string, n deep, a quotation mark has 2^n - 1, and a backslash that ends the key adds a multiple of 2^(n+1).
    b",}]".contains(follows).then(|| (1 << all.trailing_ones().min(8)) - 1)
}

/// Bare numbers in the lists of a JSON object in the text.
pub fn array_numbers(bytes: &[u8]) -> Vec<Span> {
    let (mut found, mut open, mut at) = (Vec::new(), Vec::new(), 0);
    while at < bytes.len() {
        match bytes[at] {
            b'{' if !open.is_empty() || begins_object(&bytes[at + 1..]) => open.push(b'{'),
            _ if open.is_empty() => {}
            b'[' => open.push(b'['),
            b'}' | b']' => drop(open.pop()),
            b'"' => at = string_end(bytes, at),
            b'0'..=b'9' | b'-' if open.last() == Some(&b'[') => {
                let span = number_around(bytes, Span { start: at, end: at + 1 });
                found.push(span);
                at = span.end - 1;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

fn begins_object(rest: &[u8]) -> bool {
    matches!(rest.trim_ascii_start().first(), Some(b'"'))
}

/// The place of the quotation mark that ends a string which begins at `at`, or the end of the text.
fn string_end(bytes: &[u8], at: usize) -> usize {
    let mut place = at + 1;
    while let Some(offset) = bytes.get(place..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        if bytes[place + offset] == b'"' {
            return place + offset;
        }
        place += offset + 2;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_hmac_sha_256_cut_to_64_bits() {
        // Computed apart: openssl dgst -sha256 -mac HMAC -macopt hexkey:000102...1f of 0107605123.
        let key: [u8; 32] = std::array::from_fn(|place| u8::try_from(place).unwrap());
        let token = of(b"0107605123", &Mask::Hash(key));
        assert_eq!(token.as_deref(), Some("[CPR:kolc.nlnjmcongonbhnia]"));
    }
}
