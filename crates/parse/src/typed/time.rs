//! Times: text to microseconds since 1970 in UTC, and the date a time lies in.

const MICROS: i64 = 1_000_000;
/// Microseconds of a day.
pub const DAY: i64 = 86_400 * MICROS;
/// The first and the last instant that is taken: years 0001 to 9999.
const RANGE: std::ops::RangeInclusive<i64> = -62_135_596_800 * MICROS..=253_402_300_799 * MICROS + 999_999;

/// A time as read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub micros: i64,
    /// False where the text says no offset; it is read as UTC then.
    pub has_offset: bool,
}

/// The moment that an RFC 3339-like text says; none if it says none.
///
/// The offset is `+0100`, `+01:00`, `+01`, `Z` or missing; the fraction may be missing, digits beyond
/// microseconds are cut; `T` may be a blank; an hour may have one digit; white space inside is tolerated.
///
/// ```
/// use mimelake_parse::time::parse;
/// assert_eq!(parse("1970-01-01T01:00:00.5+0100").unwrap().micros, 500_000);
/// assert!(!parse("1970-01-01 00:00:00").unwrap().has_offset);
/// assert_eq!(parse("yesterday"), None);
/// ```
pub fn parse(text: &str) -> Option<Moment> {
    Times::default().parse(text)
}

/// Reads times, and remembers the date that it read last: the records of a file come in the order of time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Times {
    date: [u8; 10],
    /// How many days after 1970-01-01 that is; none before the first.
    days: Option<i64>,
}

impl Times {
    /// The moment that the text says, as [`parse`] has it.
    #[inline]
    pub(crate) fn parse(&mut self, text: &str) -> Option<Moment> {
        self.fixed(text.as_bytes()).or_else(|| lenient(text.as_bytes()))
    }

    /// The form that nearly all records have: `2017-05-26T16:47:41+0100`.
    #[inline]
    fn fixed(&mut self, text: &[u8]) -> Option<Moment> {
        let text: &[u8; 24] = text.try_into().ok()?;
        let marks = text[10] == b'T' && text[13] == b':' && text[16] == b':';
        let sign = match text[19] {
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        if !marks {
            return None;
        }
        let days = self.days(text.first_chunk()?)?;
        let two = |at: usize| two(text, at);
        moment(days, two(11)?, two(14)?, two(17)?, 0, Some(sign * offset(two(20)?, two(22)?)?))
    }

    #[inline]
    fn days(&mut self, date: &[u8; 10]) -> Option<i64> {
        if self.days.is_none() || self.date != *date {
            let two = |at: usize| two(date, at);
            let (year, month, day) = (two(0)? * 100 + two(2)?, two(5)?, two(8)?);
            if date[4] != b'-' || date[7] != b'-' {
                return None;
            }
            self.days = Some(days(Date { year, month, day })?);
            self.date = *date;
        }
        self.days
    }
}

/// The number that two digits say.
#[inline]
fn two(text: &[u8], at: usize) -> Option<i64> {
    let (tens, ones) = (text[at].wrapping_sub(b'0'), text[at + 1].wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then_some(i64::from(tens) * 10 + i64::from(ones))
}

/// The moment so many milliseconds after 1970-01-01T00:00:00Z; none outside years 0001 to 9999.
pub fn from_millis(millis: i64) -> Option<Moment> {
    let micros = millis.checked_mul(1000).filter(|m| RANGE.contains(m))?;
    Some(Moment { micros, has_offset: true })
}

fn lenient(text: &[u8]) -> Option<Moment> {
    let mut rest = Rest(text);
    let year = rest.digits(4, 4)?;
    rest.mark(b"-")?;
    let month = rest.digits(1, 2)?;
    rest.mark(b"-")?;
    let date = Date { year, month, day: rest.digits(1, 2)? };
    if rest.0.first()?.is_ascii_digit() {
        return None;
    }
    _ = rest.mark(b"Tt");
    let hour = rest.digits(1, 2)?;
    rest.mark(b":")?;
    let minute = rest.digits(2, 2)?;
    let second = if rest.mark(b":").is_some() { rest.digits(2, 2)? } else { 0 };
    let fraction = if rest.mark(b".,").is_some() { rest.fraction()? } else { 0 };
    let offset = rest.offset()?;
    rest.blank();
    if rest.0.is_empty() { moment(days(date)?, hour, minute, second, fraction, offset) } else { None }
}

/// What of the text is still to be read.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn blank(&mut self) {
        self.0 = self.0.trim_ascii_start();
    }

    /// Takes one of `marks`, white space before it aside.
    fn mark(&mut self, marks: &[u8]) -> Option<u8> {
        self.blank();
        let (&first, rest) = self.0.split_first()?;
        marks.contains(&first).then(|| {
            self.0 = rest;
            first
        })
    }

    /// Takes `least` to `most` digits, white space before them aside.
    fn digits(&mut self, least: usize, most: usize) -> Option<i64> {
        self.blank();
        let count = self.0.iter().take(most).take_while(|b| b.is_ascii_digit()).count();
        if count < least {
            return None;
        }
        let (digits, rest) = self.0.split_at(count);
        self.0 = rest;
        Some(digits.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
    }

    /// Takes the digits of a fraction, as microseconds.
    fn fraction(&mut self) -> Option<i64> {
        let count = self.0.iter().take_while(|b| b.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at(count);
        self.0 = rest;
        let micros = |digits: &[u8]| {
            (0..6).fold(0, |sum, i| sum * 10 + digits.get(i).map_or(0, |digit| i64::from(digit - b'0')))
        };
        (count > 0).then(|| micros(digits))
    }

    /// Takes the offset, in seconds; an inner none where there is none.
    fn offset(&mut self) -> Option<Option<i64>> {
        let sign = match self.mark(b"+-Zz") {
            None => return Some(None),
            Some(b'+') => 1,
            Some(b'-') => -1,
            Some(_) => return Some(Some(0)),
        };
        let hours = self.digits(2, 2)?;
        _ = self.mark(b":");
        let minutes = self.digits(2, 2).unwrap_or(0);
        Some(Some(sign * offset(hours, minutes)?))
    }
}

/// An offset in seconds; none from 24 hours on.
fn offset(hours: i64, minutes: i64) -> Option<i64> {
    (hours < 24 && minutes < 60).then_some((hours * 60 + minutes) * 60)
}

/// A day of the Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// The year, 1 to 9999.
    pub year: i64,
    /// The month, 1 to 12.
    pub month: i64,
    /// The day of the month, from 1.
    pub day: i64,
}

#[inline]
fn moment(
    days: i64,
    hour: i64,
    minute: i64,
    second: i64,
    micros: i64,
    offset: Option<i64>,
) -> Option<Moment> {
    // A leap second counts as the next minute's first.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset.unwrap_or(0);
    let micros = seconds * MICROS + micros;
    RANGE.contains(&micros).then_some(Moment { micros, has_offset: offset.is_some() })
}

/// Days since 1970-01-01; none if there is no such day.
fn days(date: Date) -> Option<i64> {
    let Date { year, month, day } = date;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if year == 0 || day == 0 || day > length {
        return None;
    }
    // The year begins in March, so that the leap day is its last; 153 days are five months from there.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    Some(365 * year + year / 4 - year / 100 + year / 400 + day_of_year - 719_468)
}

/// The date that lies so many days after 1970-01-01, for days of the years 0001 to 9999.
///
/// ```
/// let date = mimelake_parse::time::date(17_312);
/// assert_eq!((date.year, date.month, date.day), (2017, 5, 26));
/// ```
pub fn date(days: i64) -> Date {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let year = era * 400 + year_of_era;
    if month < 10 {
        Date { year, month: month + 3, day }
    } else {
        Date { year: year + 1, month: month - 9, day }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_what_occurs() {
        let base = 1_495_813_661_000_000;
        let cases = [
            ("2017-05-26T16:47:41+0100", base, true),
            ("2017-05-26T16:47:41+01:00", base, true),
            ("2017-05-26T15:47:41Z", base, true),
            ("2017-05-26T15:47:41.25Z", base + 250_000, true),
            ("2017-05-26T15:47:41.1234567Z", base + 123_456, true),
            ("2017-05-26 15:47:41", base, false),
            ("2017-05-26T15:47:41", base, false),
            (" 2017-05-26  T 15:47:41 +0000 ", base, true),
            ("2017-05-26T10:47:41-0500", base, true),
            ("2017-05-26T9:47:41-06", base, true),
        ];
        for (text, micros, has_offset) in cases {
            assert_eq!(parse(text), Some(Moment { micros, has_offset }), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_time() {
        for text in [
            "",
            "now",
            "2017-05-26",
            "2017-02-29T00:00:00Z",
            "2017-13-01T00:00:00Z",
            "2017-05-26T24:00:00Z",
            "2017-05-26T15:60:00Z",
            "0000-01-01T00:00:00Z",
            "2017-05-26T15:47:41+2500",
            "2017-05-26T15:47:41 CET",
            "2017-05-26T15:47:41+0100x",
            "20170526T154741Z",
            "2017-05-00T00:00:00Z",
            "9999-12-31T23:59:59-0100",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(from_millis(i64::MAX), None);
    }

    proptest! {
        #[test]
        fn agrees_with_jiff(second in -62_135_596_800_i64..=253_402_207_200, micros in 0..1_000_000_i64, offset in -86_399..86_400_i32) {
            let at = jiff::Timestamp::new(second, micros as i32 * 1000).unwrap();
            let offset = jiff::tz::Offset::from_seconds(offset / 60 * 60).unwrap();
            let zoned = at.to_zoned(offset.to_time_zone());
            prop_assume!((1..=9999).contains(&zoned.year()));
            for format in ["%Y-%m-%dT%H:%M:%S.%6f%z", "%Y-%m-%d %H:%M:%S%.f%:z"] {
                let text = zoned.strftime(format).to_string();
                prop_assert_eq!(parse(&text), Some(Moment { micros: at.as_microsecond(), has_offset: true }), "{}", text);
            }
            let whole = zoned.strftime("%Y-%m-%dT%H:%M:%S%z").to_string();
            prop_assert_eq!(parse(&whole), lenient(whole.as_bytes()));
            let day = date(at.as_microsecond().div_euclid(DAY));
            let utc = at.to_zoned(jiff::tz::TimeZone::UTC);
            prop_assert_eq!(day, Date { year: utc.year().into(), month: utc.month().into(), day: utc.day().into() });
        }

        #[test]
        fn never_fails_on_any_text(text in "[0-9TZ:+. -]{0,32}") {
            let read = parse(&text);
            prop_assert!(read.is_none_or(|m| RANGE.contains(&m.micros)));
        }
    }
}
