//! Milliseconds since 1970 as the texts that logs hold.

use std::fmt::Write;

use jiff::Timestamp;
use jiff::tz::Offset;

/// 2026-03-02T00:00:00Z, when the invented logs begin.
pub(super) const START_MS: i64 = 1_772_409_600_000;

const DAY_MS: i64 = 86_400_000;

/// Pushes `2026-03-02T09:05:01+0000`.
pub(super) fn push_datetime(ms: i64, out: &mut Vec<u8>) {
    let date = Offset::UTC.to_datetime(Timestamp::from_millisecond(ms).unwrap_or_default()).date();
    push_digits(u64::from(date.year().unsigned_abs()), 4, out);
    out.push(b'-');
    push_digits(u64::from(date.month().unsigned_abs()), 2, out);
    out.push(b'-');
    push_digits(u64::from(date.day().unsigned_abs()), 2, out);
    let second = (ms.rem_euclid(DAY_MS) / 1000).unsigned_abs();
    for (mark, part) in [(b'T', second / 3600), (b':', second / 60 % 60), (b':', second % 60)] {
        out.push(mark);
        push_digits(part, 2, out);
    }
    out.extend_from_slice(b"+0000");
}

/// Returns the 17 digits `yyyymmddHHMMSSmmm` of Mimecast's file names.
pub(super) fn file_stamp(ms: i64) -> String {
    let mut text = Vec::with_capacity(32);
    push_datetime(ms, &mut text);
    let digits = text[..19].iter().filter(|b| b.is_ascii_digit());
    let mut stamp: String = digits.map(|b| char::from(*b)).collect();
    let _ = write!(stamp, "{:03}", ms.rem_euclid(1000));
    stamp
}

fn push_digits(value: u64, width: u32, out: &mut Vec<u8>) {
    for place in (0..width).rev() {
        out.push(b'0' + (value / 10_u64.pow(place) % 10) as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_dates_as_mimecast_does() {
        for (ms, text, stamp) in [
            (START_MS, "2026-03-02T00:00:00+0000", "20260302000000000"),
            (START_MS + 7 * DAY_MS - 1, "2026-03-08T23:59:59+0000", "20260308235959999"),
            (0, "1970-01-01T00:00:00+0000", "19700101000000000"),
        ] {
            let mut out = Vec::new();
            push_datetime(ms, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), text);
            assert_eq!(file_stamp(ms), stamp);
        }
    }
}
