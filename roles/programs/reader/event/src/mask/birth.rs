//! Dates of birth: whether seven digits begin a civil registration number.
//!
//! The check digit is not looked at: numbers without it have been issued since 2007. In a replacement number, for somebody who has
//! none, the day is 60 higher. Source: https://www.cpr.dk/spoergsmaal-og-svar/personnummer.

const DAYS: [u8; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const REPLACEMENT: u8 = 60;

/// Whether ten ASCII digits begin with a date. Of the years that a number can name, 1900 alone skips its leap day.
pub fn is_birth(digits: &[u8; 10]) -> bool {
    let two = |at: usize| (digits[at] - b'0') * 10 + digits[at + 1] - b'0';
    let (mut day, month, year, seventh) = (two(0), two(2), two(4), digits[6] - b'0');
    if day > REPLACEMENT {
        day -= REPLACEMENT;
    }
    if !(1..=12).contains(&month) || day < 1 || day > DAYS[usize::from(month) - 1] {
        return false;
    }
    (month, day) != (2, 29) || (year % 4 == 0 && (year != 0 || seventh > 3))
}

#[cfg(test)]
mod tests {
    use super::is_birth;

    #[test]
    fn dates_are_dates_of_their_century() {
        let cases = [
            ("2902005", true),
            ("2902003", false),
            ("2902044", true),
            ("2902014", false),
            ("3104701", false),
            ("0013701", false),
            ("0101001", true),
            ("9112701", true),
            ("9212701", false),
            ("6013701", false),
        ];
        for (first, is_one) in cases {
            let digits = format!("{first}123");
            assert_eq!(is_birth(digits.as_bytes().try_into().unwrap()), is_one, "{first}");
        }
    }
}
