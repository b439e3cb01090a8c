//! Times in RFC 3339.

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
/// 0000-01-01 and 10000-01-01, in microseconds from 1970.
const FIRST: i64 = -719_528 * DAY;
const END: i64 = 2_932_897 * DAY;

/// Whether the time is in the years 0 to 9999, which RFC 3339 can say.
#[inline]
pub(super) fn is_writable(micros: i64) -> bool {
    (FIRST..END).contains(&micros)
}

/// Appends a time in quotes, such as `"2026-03-02T09:00:00.000Z"`; it has to be writable.
#[inline]
pub(super) fn write(micros: i64, out: &mut Vec<u8>) {
    let (days, in_day) = (micros.div_euclid(DAY), micros.rem_euclid(DAY));
    let (year, month, day) = date(days);
    let (seconds, fraction) = (in_day / SECOND, in_day % SECOND);
    let mut text = *b"\"0000-00-00T00:00:00.000000Z\"";
    digits(&mut text[1..5], year);
    digits(&mut text[6..8], month);
    digits(&mut text[9..11], day);
    digits(&mut text[12..14], seconds / 3600);
    digits(&mut text[15..17], seconds / 60 % 60);
    digits(&mut text[18..20], seconds % 60);
    digits(&mut text[21..27], fraction);
    if fraction % 1000 == 0 {
        text[24] = b'Z';
        text[25] = b'"';
        out.extend_from_slice(&text[..26]);
    } else {
        out.extend_from_slice(&text);
    }
}

#[inline]
fn digits(place: &mut [u8], mut number: i64) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// Year, month and day of a day counted from 1970-01-01.
///
/// Days are counted in cycles of 400 years from 0000-03-01: a year that begins in March has its leap
/// day at the end, and its months' first days lie on a line.
#[inline]
fn date(days_from_1970: i64) -> (i64, i64, i64) {
    const CYCLE: i64 = 146_097;
    let days = days_from_1970 + 719_468;
    let (cycle, in_cycle) = (days.div_euclid(CYCLE), days.rem_euclid(CYCLE));
    let leap_days = in_cycle / 1_460 - in_cycle / 36_524 + in_cycle / 146_096;
    let year = (in_cycle - leap_days) / 365;
    let in_year = in_cycle - (365 * year + year / 4 - year / 100);
    let from_march = (5 * in_year + 2) / 153;
    let day = in_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (cycle * 400 + year + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{END, FIRST, is_writable, write};

    fn written(micros: i64) -> String {
        let mut out = vec![];
        write(micros, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn cases() {
        let cases = [
            (0, "\"1970-01-01T00:00:00.000Z\""),
            (-1, "\"1969-12-31T23:59:59.999999Z\""),
            (1_772_614_954_597_000, "\"2026-03-04T09:02:34.597Z\""),
            (951_782_400_000_001, "\"2000-02-29T00:00:00.000001Z\""),
            (FIRST, "\"0000-01-01T00:00:00.000Z\""),
            (END - 1, "\"9999-12-31T23:59:59.999999Z\""),
        ];
        for (micros, expected) in cases {
            assert!(is_writable(micros));
            assert_eq!(written(micros), expected);
        }
        for micros in [FIRST - 1, END, i64::MIN, i64::MAX] {
            assert!(!is_writable(micros));
        }
    }

    proptest! {
        #[test]
        fn reads_back(micros in FIRST..END) {
            let text = written(micros);
            let read: jiff::Timestamp = text.trim_matches('"').parse().unwrap();
            prop_assert_eq!(read.as_microsecond(), micros);
        }
    }
}
