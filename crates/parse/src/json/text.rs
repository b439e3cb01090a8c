//! Undoing the escapes of a JSON string.

use bumpalo::{Bump, collections::String};

/// The string with its escapes undone; true beside it where half a surrogate pair was replaced.
///
/// What is no escape of JSON is kept as it is written.
pub(crate) fn unescape<'a>(raw: &str, bump: &'a Bump) -> (&'a str, bool) {
    let mut out = String::with_capacity_in(raw.len(), bump);
    let (mut rest, mut replaced) = (raw, false);
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let mut chars = rest.chars();
        let escaped = match chars.next() {
            Some('n') => '\n',
            Some('t') => '\t',
            Some('r') => '\r',
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some(plain @ ('"' | '\\' | '/')) => plain,
            Some('u') => {
                if let Some((found, after)) = unicode(rest) {
                    replaced |= found.is_none();
                    out.push(found.unwrap_or(char::REPLACEMENT_CHARACTER));
                    rest = after;
                } else {
                    out.push('\\');
                }
                continue;
            }
            _ => {
                out.push('\\');
                continue;
            }
        };
        out.push(escaped);
        rest = chars.as_str();
    }
    out.push_str(rest);
    (out.into_bump_str(), replaced)
}

/// The character of `uXXXX`, or of a surrogate pair `uXXXX\uXXXX`, and what stands behind it.
///
/// The character is none for half a pair; nothing comes back where no four hex digits follow.
fn unicode(text: &str) -> Option<(Option<char>, &str)> {
    let (high, rest) = hex4(text)?;
    let low = rest.strip_prefix('\\').and_then(hex4);
    if let (0xD800..0xDC00, Some((low @ 0xDC00..0xE000, after))) = (high, low) {
        let code = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00);
        return Some((char::from_u32(code), after));
    }
    Some((char::from_u32(high), rest))
}

fn hex4(text: &str) -> Option<(u32, &str)> {
    let digits = text.strip_prefix('u')?.get(..4)?;
    if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    Some((u32::from_str_radix(digits, 16).ok()?, &text[5..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn undoes_escapes_and_keeps_what_is_none() {
        let cases = [
            (r#"a\"b\\c\/d"#, "a\"b\\c/d", false),
            (r"\u00e9\n\t\r\b\f", "é\n\t\r\u{8}\u{c}", false),
            (r"\ud83d\ude00!", "😀!", false),
            (r"\ud83d!", "\u{FFFD}!", true),
            (r"\ude00\ud83d", "\u{FFFD}\u{FFFD}", true),
            (r"\x\u12", r"\x\u12", false),
            (r"\", "\\", false),
            (r"\u+123", r"\u+123", false),
            ("", "", false),
        ];
        for (raw, expected, replaced) in cases {
            assert_eq!(unescape(raw, &Bump::new()), (expected, replaced), "{raw}");
        }
    }

    proptest! {
        #[test]
        fn undoes_what_serde_json_escapes(text in any::<std::string::String>()) {
            let written = serde_json::to_string(&text).unwrap();
            let bump = Bump::new();
            prop_assert_eq!(unescape(&written[1..written.len() - 1], &bump), (text.as_str(), false));
        }
    }
}
