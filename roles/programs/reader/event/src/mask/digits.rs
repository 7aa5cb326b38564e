//! Where in a text digits stand so that a number may begin there: found 64 bytes at a time, as nearly no line holds one.

/// Bytes looked at together, and how many of them may begin something: what begins must be seen whole.
const WINDOW: usize = 64;
const STEP: usize = WINDOW - "01.02.03-456".len();

pub fn is_digit(bytes: &[u8], at: usize) -> bool {
    bytes.get(at).is_some_and(u8::is_ascii_digit)
}

/// The place behind the digits that begin at `at`.
pub fn run_end(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// What may begin at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Six digits or more, with no digit before them.
    Run,
    /// 2, 2, 2 and 4 digits with one byte between.
    Apart,
    /// Single digits with one byte between.
    Spaced,
}

/// Places at which a number may begin, in order.
pub struct Places<'a> {
    bytes: &'a [u8],
    base: usize,
    runs: u64,
    apart: u64,
    spaced: u64,
}

impl<'a> Places<'a> {
    pub fn of(bytes: &'a [u8]) -> Self {
        let mut places = Places { bytes, base: 0, runs: 0, apart: 0, spaced: 0 };
        places.look();
        places
    }

    /// Find what begins in the window at `base`.
    fn look(&mut self) {
        let digits = digits_of(self.bytes, self.base);
        let before = u64::from(self.base > 0 && self.bytes[self.base - 1].is_ascii_digit());
        let first = !(digits << 1 | before);
        let two = digits & digits >> 1;
        let four = two & two >> 2;
        let begins = (1 << STEP) - 1;
        self.runs = four & two >> 4 & first & begins;
        self.apart = two & !(digits >> 2) & two >> 3 & !(digits >> 5) & two >> 6 & !(digits >> 8) & four >> 9 & begins;
        let one = digits & !(digits >> 1);
        let three = one & one >> 2 & one >> 4;
        self.spaced = three & one >> 6 & one >> 8 & digits >> 10 & begins;
    }
}

impl Iterator for Places<'_> {
    type Item = (usize, Kind);

    fn next(&mut self) -> Option<(usize, Kind)> {
        loop {
            let all = self.runs | self.apart | self.spaced;
            if all != 0 {
                let bit = all & all.wrapping_neg();
                let at = self.base + all.trailing_zeros() as usize;
                // Of two at one place, the run counts: its digits are not apart.
                let kind = match bit {
                    _ if self.runs & bit != 0 => Kind::Run,
                    _ if self.apart & bit != 0 => Kind::Apart,
                    _ => Kind::Spaced,
                };
                (self.runs, self.apart, self.spaced) = (self.runs & !bit, self.apart & !bit, self.spaced & !bit);
                return Some((at, kind));
            }
            self.base += STEP;
            if self.base >= self.bytes.len() {
                return None;
            }
            self.look();
        }
    }
}

/// Bit `i` says whether the byte at `base + i` is a digit; behind the end there is none.
fn digits_of(bytes: &[u8], base: usize) -> u64 {
    let mut tail = [0; WINDOW];
    let rest = &bytes[base.min(bytes.len())..];
    let window = rest.first_chunk().unwrap_or_else(|| {
        tail[..rest.len()].copy_from_slice(rest);
        &tail
    });
    // One byte of 0 or 1 for each; the compiler makes a few instructions of all 64.
    let mut each = [0; WINDOW];
    for (is_digit, byte) in each.iter_mut().zip(window) {
        *is_digit = u8::from(byte.is_ascii_digit());
    }
    let mut found = 0;
    for (number, eight) in each.chunks_exact(8).enumerate() {
        let mut word = [0; 8];
        word.copy_from_slice(eight);
        found |= eight_bits(u64::from_le_bytes(word)) << (8 * number);
    }
    found
}

/// Bit `i` is the lowest bit of the byte `i` of a word, of which all other bits are 0.
fn eight_bits(word: u64) -> u64 {
    word.wrapping_mul(0x0102_0408_1020_4080) >> 56
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn slowly(bytes: &[u8], at: usize) -> Option<Kind> {
        let digit = |offset: usize| is_digit(bytes, at + offset);
        let shape = |text: &[u8]| text.iter().enumerate().all(|(offset, wanted)| digit(offset) == (*wanted == b'd'));
        if (at == 0 || !is_digit(bytes, at - 1)) && shape(b"dddddd") {
            Some(Kind::Run)
        } else if shape(b"dd.dd.dd.dddd") {
            Some(Kind::Apart)
        } else if shape(b"d.d.d.d.d.d") {
            Some(Kind::Spaced)
        } else {
            None
        }
    }

    proptest! {
        #[test]
        fn every_place_is_found_and_no_other(bytes in proptest::collection::vec(prop_oneof![6 => b'0'..=b'9', 2 => Just(b' '), 1 => any::<u8>()], 0..300)) {
            let wanted: Vec<_> = (0..bytes.len()).filter_map(|at| slowly(&bytes, at).map(|kind| (at, kind))).collect();
            prop_assert_eq!(Places::of(&bytes).collect::<Vec<_>>(), wanted);
        }
    }
}
