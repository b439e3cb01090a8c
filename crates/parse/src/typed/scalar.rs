//! Numbers, booleans and words.

use bumpalo::Bump;

/// The integer that the text says.
#[inline]
pub(crate) fn int(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    // Up to 18 digits cannot overflow.
    if (1..=18).contains(&bytes.len()) {
        let digits = bytes.iter().try_fold(0, |sum, byte| {
            let digit = byte.wrapping_sub(b'0');
            (digit < 10).then_some(sum * 10 + i64::from(digit))
        });
        if digits.is_some() {
            return digits;
        }
    }
    text.trim_ascii().parse().ok()
}

/// The boolean that the text says.
#[inline]
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "Yes" | "1" => return Some(true),
        "false" | "No" | "0" => return Some(false),
        _ => {}
    }
    let text = text.trim_ascii();
    let is = |words: [&str; 3]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(["true", "yes", "1"]) {
        Some(true)
    } else if is(["false", "no", "0"]) {
        Some(false)
    } else {
        None
    }
}

/// The boolean that the text says, `Hit` and `No Hit` included.
pub(crate) fn hit(text: &str) -> Option<bool> {
    if text.trim_ascii().eq_ignore_ascii_case("hit") {
        Some(true)
    } else if text.trim_ascii().eq_ignore_ascii_case("no hit") {
        Some(false)
    } else {
        boolean(text)
    }
}

/// The text in lower case.
#[inline]
pub(crate) fn word<'a>(text: &'a str, bump: &'a Bump) -> &'a str {
    for known in ["inbound", "outbound", "internal"] {
        if text.eq_ignore_ascii_case(known) {
            return known;
        }
    }
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        let lower = bump.alloc_str(text);
        lower.make_ascii_lowercase();
        lower
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers() {
        let cases = [
            ("0", Some(0)),
            ("34848442", Some(34_848_442)),
            ("-5", Some(-5)),
            ("+5", Some(5)),
            (" 7 ", Some(7)),
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", None),
            ("", None),
            ("-", None),
            ("1.0", None),
            ("0x1", None),
            ("true", None),
        ];
        for (text, expected) in cases {
            assert_eq!(int(text), expected, "{text:?}");
        }
    }

    #[test]
    fn booleans() {
        for (text, expected) in [
            ("true", Some(true)),
            ("FALSE", Some(false)),
            ("Yes", Some(true)),
            ("no", Some(false)),
            ("1", Some(true)),
            ("0", Some(false)),
            ("Hit", None),
            ("2", None),
            ("", None),
        ] {
            assert_eq!(boolean(text), expected, "{text:?}");
        }
        assert_eq!((hit("No Hit"), hit("HIT"), hit("false")), (Some(false), Some(true), Some(false)));
    }

    #[test]
    fn words_are_lower_case() {
        let bump = Bump::new();
        for (text, expected) in [("INBOUND", "inbound"), ("Elsewhere", "elsewhere"), ("é", "é"), ("x", "x")]
        {
            assert_eq!(word(text, &bump), expected);
        }
    }
}
