//! When to call again, as the headers say it.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::HeaderMap;

/// The least that is waited.
const LEAST: Duration = Duration::from_secs(1);
/// The most that is waited, whatever a header says.
pub(crate) const MOST: Duration = Duration::from_mins(15);

/// Returns how long to wait by `Retry-After` or `X-RateLimit-Reset`, from 1 s to 15 min; `None` where neither says.
///
/// `Retry-After` is in seconds, or a date; `X-RateLimit-Reset` in milliseconds, or a time since 1970 in seconds or
/// milliseconds: the magnitude tells.
pub(crate) fn wait(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let retry = text("retry-after").and_then(|text| {
        number(text)
            .map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or(MOST))
            .or_else(|| until(text, now))
    });
    let reset = || text("x-ratelimit-reset").and_then(number).map(|number| reset(number, now));
    retry.or_else(reset).map(|wait| wait.clamp(LEAST, MOST))
}

/// A number of nothing but digits and a point; negative ones are in the past.
fn number(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|number| number.is_finite()).map(|number| number.max(0.0))
}

/// How long it is until a date as HTTP writes it.
fn until(text: &str, now: Timestamp) -> Option<Duration> {
    let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Some(Duration::try_from(date.duration_since(now)).unwrap_or(LEAST))
}

/// Seconds since 1970 have ten digits in our time, milliseconds thirteen; a wait in milliseconds has fewer.
fn reset(number: f64, now: Timestamp) -> Duration {
    const SECONDS: f64 = 1e9;
    const MILLISECONDS: f64 = 1e12;
    let now = now.as_millisecond() as f64;
    let milliseconds = if number >= MILLISECONDS {
        number - now
    } else if number >= SECONDS {
        number * 1000.0 - now
    } else {
        number
    };
    Duration::try_from_secs_f64(milliseconds / 1000.0).unwrap_or(LEAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_of_the_headers() {
        let now: Timestamp = "2026-03-02T10:00:00Z".parse().unwrap();
        let (seconds, milliseconds) = (now.as_second() + 30, now.as_millisecond() + 42_000);
        let cases = [
            ("Retry-After", "7".to_owned(), Some(7)),
            ("Retry-After", "Mon, 02 Mar 2026 10:00:20 GMT".to_owned(), Some(20)),
            ("Retry-After", "Mon, 02 Mar 2026 09:00:00 GMT".to_owned(), Some(1)),
            ("Retry-After", "0".to_owned(), Some(1)),
            ("Retry-After", "-5".to_owned(), Some(1)),
            ("Retry-After", "1e300".to_owned(), Some(900)),
            ("Retry-After", "86400".to_owned(), Some(900)),
            ("retry-after", "soon".to_owned(), None),
            ("X-RateLimit-Reset", "5000".to_owned(), Some(5)),
            ("x-ratelimit-reset", "12".to_owned(), Some(1)),
            ("X-RateLimit-Reset", "999999999".to_owned(), Some(900)),
            ("X-RateLimit-Reset", seconds.to_string(), Some(30)),
            ("X-RateLimit-Reset", milliseconds.to_string(), Some(42)),
            ("X-RateLimit-Reset", "1000000001".to_owned(), Some(1)),
            ("X-RateLimit-Reset", "NaN".to_owned(), None),
            ("X-RateLimit-Reset", String::new(), None),
            ("X-Other", "5".to_owned(), None),
        ];
        for (name, value, expected) in cases {
            let mut headers = HeaderMap::new();
            let name: reqwest::header::HeaderName = name.parse().unwrap();
            headers.insert(name.clone(), value.parse().unwrap());
            assert_eq!(wait(&headers, now), expected.map(Duration::from_secs), "{name}: {value}");
        }
    }

    #[test]
    fn the_first_that_can_be_read_counts() {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", "soon".parse().unwrap());
        headers.insert("x-ratelimit-reset", "9000".parse().unwrap());
        assert_eq!(wait(&headers, Timestamp::UNIX_EPOCH), Some(Duration::from_secs(9)));
    }
}
