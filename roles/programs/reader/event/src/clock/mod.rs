//! A time as it is written, a declared zone and the time of reception: to an instant, with its fraction as it was written.

pub mod format;
pub mod stamp;
pub mod zone;

use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{civil, Timestamp};

/// A zone that a source declares. The zone database is built in.
#[derive(Clone, Debug)]
pub struct Zone(TimeZone);

impl Zone {
    /// A zone by its IANA name, such as `Europe/Copenhagen` or `UTC`; none when the database does not have it.
    pub fn named(name: &str) -> Option<Zone> {
        TimeZone::get(name).ok().map(Zone)
    }

    pub fn utc() -> Zone {
        Zone(TimeZone::UTC)
    }
}

/// A time as it stands in a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    pub year: Option<i16>,
    pub month: i8,
    pub day: i8,
    pub hour: i8,
    pub minute: i8,
    pub second: i8,
    pub fraction: Fraction,
    /// Seconds east of Greenwich, when the text names its zone.
    pub offset: Option<i32>,
}

/// Up to nine digits behind the point, as many as were written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fraction {
    pub value: u32,
    pub digits: u8,
}

impl Fraction {
    /// The digits at the beginning of a text; those after the ninth are dropped.
    pub fn read(digits: &[u8]) -> Fraction {
        let mut found = Fraction::default();
        for each in digits.iter().take(9).take_while(|each| each.is_ascii_digit()) {
            found.value = found.value * 10 + u32::from(each - b'0');
            found.digits += 1;
        }
        found
    }
}

/// Seconds since 1970 with the fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instant {
    pub seconds: i64,
    pub fraction: Fraction,
}

/// How far ahead a time without a year may be before it is one of the year before.
const AHEAD: i64 = 30 * 86_400;
/// Of the hour that comes twice the first is meant, unless that is so long before reception.
const FIRST_OF_TWO: i64 = 3_600;

impl Instant {
    pub fn received(at: Timestamp) -> Instant {
        let micros = u32::try_from(at.subsec_nanosecond().max(0) / 1000).unwrap_or(0);
        Instant { seconds: at.as_second(), fraction: Fraction { value: micros, digits: if micros == 0 { 0 } else { 6 } } }
    }

    /// RFC 3339 in UTC, appended to `text`. A time that no calendar has is not written.
    pub fn write(&self, text: &mut String) {
        let Ok(at) = Timestamp::from_second(self.seconds) else {
            return;
        };
        let civil = jiff::tz::Offset::UTC.to_datetime(at);
        let year = civil.year().unsigned_abs();
        two(text, year / 100);
        two(text, year % 100);
        for (before, value) in [('-', civil.month()), ('-', civil.day()), ('T', civil.hour()), (':', civil.minute()), (':', civil.second())]
        {
            text.push(before);
            two(text, u16::from(value.unsigned_abs()));
        }
        let mut place = 10u32.pow(u32::from(self.fraction.digits.min(9)));
        if place > 1 {
            text.push('.');
        }
        while place > 1 {
            place /= 10;
            digit(text, self.fraction.value / place);
        }
        text.push('Z');
    }
}

fn two(text: &mut String, value: u16) {
    digit(text, u32::from(value / 10));
    digit(text, u32::from(value));
}

/// The last digit of a number.
fn digit(text: &mut String, value: u32) {
    text.push(char::from(b"0123456789"[(value % 10) as usize]));
}

impl Stamp {
    /// The instant meant, or none when there is no such date, or it is before 1970 or after 9999.
    pub fn instant(&self, zone: &Zone, received: Timestamp) -> Option<Instant> {
        let seconds = match self.year {
            Some(year) => self.seconds_in(year, zone, received)?,
            None => {
                let this = jiff::tz::Offset::UTC.to_datetime(received).year();
                let latest = received.as_second() + AHEAD;
                // Nine years, for 29 February.
                let years = (0..10).map(|back| this + 1 - back).filter(|year| !self.too_late(*year, latest));
                years.filter_map(|year| self.seconds_in(year, zone, received)).find(|seconds| *seconds <= latest)?
            }
        };
        (seconds >= 0).then_some(Instant { seconds, fraction: self.fraction })
    }

    /// Whether the time of that year is after `latest` in whatever zone, which is known without looking up the zone.
    fn too_late(&self, year: i16, latest: i64) -> bool {
        let civil = civil::Date::new(year, self.month, self.day).ok();
        let midnight = civil.and_then(|date| jiff::tz::Offset::UTC.to_timestamp(date.into()).ok());
        midnight.is_some_and(|at| at.as_second() > latest + 2 * 86_400)
    }

    fn seconds_in(&self, year: i16, zone: &Zone, received: Timestamp) -> Option<i64> {
        // A leap second is counted with the one before it.
        let second = self.second.min(59);
        let civil = civil::DateTime::new(year, self.month, self.day, self.hour, self.minute, second, 0).ok()?;
        if year < 1970 {
            return None;
        }
        let local = jiff::tz::Offset::UTC.to_timestamp(civil).ok()?.as_second();
        let offset = match self.offset {
            Some(offset) => offset,
            None => match zone.0.to_ambiguous_timestamp(civil).offset() {
                AmbiguousOffset::Unambiguous { offset } => offset.seconds(),
                AmbiguousOffset::Gap { before, .. } => before.seconds(),
                AmbiguousOffset::Fold { before, after } => {
                    let first = local - i64::from(before.seconds());
                    if received.as_second() - first >= FIRST_OF_TWO {
                        after.seconds()
                    } else {
                        before.seconds()
                    }
                }
            },
        };
        Some(local - i64::from(offset))
    }
}

#[cfg(test)]
mod tests {
    use super::format::Format;
    use super::*;

    fn read(format: &str, text: &str, zone: &str, received: &str) -> String {
        let format = Format::new(format).unwrap();
        let received = received.parse().unwrap();
        let zone = Zone::named(zone).unwrap();
        let mut found = String::new();
        if let Some(instant) = format.read(text).and_then(|time| time.instant(&zone, received)) {
            instant.write(&mut found);
        }
        found
    }

    #[test]
    fn declared_zone_and_the_hours_that_come_twice_or_never() {
        let ios = "%b %d %Y %H:%M:%S %Z";
        for (text, expected) in [
            ("Mar 29 2026 01:59:59", "2026-03-29T00:59:59Z"),
            ("Mar 29 2026 03:00:00", "2026-03-29T01:00:00Z"),
            ("Oct 25 2020 01:59:59", "2020-10-24T23:59:59Z"),
            ("Oct 25 2020 02:30:00", "2020-10-25T01:30:00Z"),
            ("Oct 25 2020 03:00:00", "2020-10-25T02:00:00Z"),
            ("Oct 25 2020 02:30:00 CEST", "2020-10-25T00:30:00Z"),
            ("Nov 24 2026 03:00:00 CET", "2026-11-24T02:00:00Z"),
            ("Jul  1 2026 12:00:00.5 MEST", "2026-07-01T10:00:00.5Z"),
            ("Jul  7 2026 11:26:31.667 MET-DST", "2026-07-07T09:26:31.667Z"),
            ("Nov 24 2026 03:00:00 EET", "2026-11-24T01:00:00Z"),
            ("Nov 24 2026 03:00:00 EST", "2026-11-24T08:00:00Z"),
            ("Nov 24 2026 03:00:00 -08:00", "2026-11-24T11:00:00Z"),
            ("Nov 24 2026 03:00:00 UTC+1", "2026-11-24T02:00:00Z"),
            ("Nov 24 2026 03:00:00 GMT-03:30", "2026-11-24T06:30:00Z"),
            ("Nov 24 2026 03:00:00 UTC", "2026-11-24T03:00:00Z"),
            ("Nov 31 2026 03:00:00", ""),
            ("Nov 24 1969 03:00:00", ""),
        ] {
            assert_eq!(read(ios, text, "Europe/Copenhagen", "2026-11-29T12:00:00Z"), expected, "{text}");
        }
        assert_eq!(read(ios, "Oct 25 2026 02:30:00", "Europe/Copenhagen", "2026-10-25T00:30:05Z"), "2026-10-25T00:30:00Z");
    }

    #[test]
    fn a_time_without_a_year_is_the_last_that_is_not_far_ahead() {
        for (text, zone, received, expected) in [
            ("Jan  1 00:29:59", "Europe/Copenhagen", "2026-12-31T23:30:03Z", "2026-12-31T23:29:59Z"),
            ("Jan  1 00:00:01", "UTC", "2026-12-31T23:59:53Z", "2027-01-01T00:00:01Z"),
            ("Dec 31 23:59:59", "UTC", "2027-01-01T00:00:03Z", "2026-12-31T23:59:59Z"),
            ("Jan 15 03:00:00", "UTC", "2026-11-29T12:00:00Z", "2026-01-15T03:00:00Z"),
            ("Feb 29 03:00:00", "UTC", "2026-11-29T12:00:00Z", "2024-02-29T03:00:00Z"),
        ] {
            assert_eq!(read("%b %d %H:%M:%S", text, zone, received), expected, "{text}");
        }
    }

    #[test]
    fn other_ways_to_write_a_time() {
        for (format, text, expected) in [
            ("epoch", "1795953600", "2026-11-29T12:00:00Z"),
            ("epoch", "1795953600123", "2026-11-29T12:00:00.123Z"),
            ("epoch", "1795953600123456789", "2026-11-29T12:00:00.123456789Z"),
            ("epoch", "1795953600.070", "2026-11-29T12:00:00.070Z"),
            ("epoch", "-5", ""),
            ("epoch", "99999999999999999999", ""),
            ("rfc3339", "2026-11-29T12:00:00.1234567Z", "2026-11-29T12:00:00.1234567Z"),
            ("rfc3339", "2026-11-29 13:00:00+0100", "2026-11-29T12:00:00Z"),
            ("rfc3339", "2026-11-29T12:00:00", "2026-11-29T12:00:00Z"),
            ("%m/%d/%Y %I:%M:%S %p", "7/1/2026 12:05:09 PM", "2026-07-01T12:05:09Z"),
            ("%m/%d/%Y %I:%M:%S %p", "7/1/2026 12:05:09 AM", "2026-07-01T00:05:09Z"),
            ("%m/%d/%y %H:%M:%S", "11/29/26 13:00:00", "2026-11-29T13:00:00Z"),
            ("%a %b %d %H:%M:%S %Y", "Tue Nov 24 02:00:00 2026", "2026-11-24T02:00:00Z"),
            ("%d-%b-%Y %H:%M:%S", "24-Nov-2026 02:00:00", "2026-11-24T02:00:00Z"),
            ("%d-%m-%Y %H:%M:%S", "2026-11-29 13:00:00", ""),
        ] {
            assert_eq!(read(format, text, "UTC", "2026-11-29T12:00:00Z"), expected, "{text}");
        }
    }
}
