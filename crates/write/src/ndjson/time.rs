//! Times in RFC 3339.

use super::line::Line;

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
pub(super) fn write(micros: i64, out: &mut Line<'_>) {
    let (days, in_day) = (micros.div_euclid(DAY), micros.rem_euclid(DAY));
    let (year, month, day) = date(days);
    let (seconds, fraction) = ((in_day / SECOND) as u32, (in_day % SECOND) as u32);
    let (millis, micros) = (fraction / 1000, fraction % 1000);
    let mut text = *b"\"0000-00-00T00:00:00.000000Z\"   ";
    digits::<2>(&mut text[1..], year / 100);
    digits::<2>(&mut text[3..], year % 100);
    digits::<2>(&mut text[6..], month);
    digits::<2>(&mut text[9..], day);
    digits::<2>(&mut text[12..], seconds / 3600);
    digits::<2>(&mut text[15..], seconds / 60 % 60);
    digits::<2>(&mut text[18..], seconds % 60);
    digits::<3>(&mut text[21..], millis);
    if micros == 0 {
        text[24] = b'Z';
        text[25] = b'"';
        out.short(&text, 26);
    } else {
        digits::<3>(&mut text[24..], micros);
        out.short(&text, 29);
    }
}

#[inline]
fn digits<const N: usize>(place: &mut [u8], mut number: u32) {
    for digit in place[..N].iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// Year, month and day of a day counted from 1970-01-01.
///
/// Days are counted in cycles of 400 years from 0000-03-01: a year that begins in March has its leap
/// day at the end, and its months' first days lie on a line.
#[inline]
fn date(days_from_1970: i64) -> (u32, u32, u32) {
    const CYCLE: u32 = 146_097;
    // One cycle more, so that nothing is below zero.
    let days = (days_from_1970 + 719_468 + i64::from(CYCLE)) as u32;
    let (cycle, in_cycle) = (days / CYCLE, days % CYCLE);
    let leap_days = in_cycle / 1_460 - in_cycle / 36_524 + in_cycle / 146_096;
    let year = (in_cycle - leap_days) / 365;
    let in_year = in_cycle - (365 * year + year / 4 - year / 100);
    let from_march = (5 * in_year + 2) / 153;
    let day = in_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    ((cycle * 400 + year + u32::from(month <= 2)) - 400, month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{END, FIRST, Line, is_writable, write};

    fn written(micros: i64) -> String {
        let mut out = vec![];
        let mut line = Line::behind(&mut out);
        write(micros, &mut line);
        line.finish();
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
