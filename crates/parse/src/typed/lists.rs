//! Recipients and attachment names into lists.

use bumpalo::{Bump, collections::Vec};

use crate::{Form, MAX_PAIRS, json};

/// Whether the text holds more than [`MAX_PAIRS`] separators: no list is as long, and it would take far more memory
/// than its text.
pub(crate) fn is_too_long(text: &str) -> bool {
    text.len() > MAX_PAIRS && memchr::memchr2_iter(b',', b';', text.as_bytes()).nth(MAX_PAIRS).is_some()
}

/// The strings of a JSON array, if the text is one; other elements come as they are written.
fn json_array<'a>(text: &'a str, bump: &'a Bump) -> Option<&'a [&'a str]> {
    if !text.trim_ascii_start().starts_with('[') {
        return None;
    }
    let mut list = Vec::new_in(bump);
    let whole = json::array(text.as_bytes(), |span, form| {
        let raw = span.of_text(text);
        match form {
            Form::Null => {}
            Form::Escaped => list.push(json::unescape(raw, bump).0),
            _ if raw.is_empty() => {}
            _ => list.push(raw),
        }
    });
    whole.then(|| list.into_bump_slice())
}

/// The addresses that the text names: one, several joined by `,` or `;`, or a JSON array.
///
/// A separator inside `"…"` or `<…>` is part of an address.
pub(crate) fn addresses<'a>(text: &'a str, bump: &'a Bump) -> &'a [&'a str] {
    let bytes = text.as_bytes();
    if memchr::memchr3(b',', b';', b'[', bytes).is_none() {
        return if text.trim_ascii().is_empty() { &[] } else { bump.alloc_slice_copy(&[text.trim_ascii()]) };
    }
    if let Some(list) = json_array(text, bump) {
        return list;
    }
    let mut list = Vec::new_in(bump);
    let (mut start, mut quoted, mut angled) = (0, false, false);
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'<' if !quoted => angled = true,
            b'>' if !quoted => angled = false,
            b',' | b';' if !quoted && !angled => {
                list.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if quoted || angled {
        // A quote or bracket that nothing closes is no quote: every separator separates.
        list.clear();
        list.extend(text.split([',', ';']));
    } else {
        list.push(&text[start..]);
    }
    list.iter_mut().for_each(|address| *address = address.trim_ascii());
    list.retain(|address| !address.is_empty());
    list.into_bump_slice()
}

/// The attachment names that the text says: a JSON array, names in `"…"` joined by `,`, or one name.
///
/// A `"` inside a name is part of it unless a comma or the end follows; a comma at the end is nothing.
pub(crate) fn file_names<'a>(text: &'a str, bump: &'a Bump) -> &'a [&'a str] {
    let text = text.trim_ascii();
    if let Some(list) = json_array(text, bump) {
        return list;
    }
    if !text.starts_with('"') {
        let name = text.trim_end_matches(',').trim_ascii_end();
        return if name.is_empty() { &[] } else { bump.alloc_slice_copy(&[name]) };
    }
    let mut list = Vec::new_in(bump);
    let (mut rest, mut quotes_close) = (text, true);
    while !rest.is_empty() {
        // A close that was not found is not searched for again: that keeps time linear.
        let quoted = if quotes_close { quoted_name(rest) } else { None };
        quotes_close = quoted.is_some() || !rest.starts_with('"');
        let (name, after) = quoted.unwrap_or_else(|| free_name(rest));
        if !name.is_empty() {
            list.push(name);
        }
        rest = after;
    }
    list.into_bump_slice()
}

/// The name in the quotes that the text begins with, and what follows its comma.
fn quoted_name(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('"')?;
    for (at, _) in inner.match_indices('"') {
        let after = inner[at + 1..].trim_ascii_start();
        if after.is_empty() {
            return Some((&inner[..at], ""));
        }
        if let Some(next) = after.strip_prefix(',') {
            return Some((&inner[..at], next.trim_ascii_start()));
        }
    }
    None
}

/// The name up to a comma before a quote, and what follows the comma.
fn free_name(text: &str) -> (&str, &str) {
    for (at, _) in text.match_indices(',') {
        let after = text[at + 1..].trim_ascii_start();
        if after.is_empty() || after.starts_with('"') {
            return (text[..at].trim_ascii_end(), after);
        }
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn recipients_as_they_occur() {
        let cases: [(&str, &[&str]); 11] = [
            ("a@x.org", &["a@x.org"]),
            ("a@x.org,b@x.org", &["a@x.org", "b@x.org"]),
            ("a@x.org; b@x.org ;", &["a@x.org", "b@x.org"]),
            (r#"["a@x.org","b@x.org",null]"#, &["a@x.org", "b@x.org"]),
            (r#""Doe, J" <j@x.org>, b@x.org"#, &[r#""Doe, J" <j@x.org>"#, "b@x.org"]),
            (r#"a"b@x.org, c@x.org"#, &[r#"a"b@x.org"#, "c@x.org"]),
            ("<a,b", &["<a", "b"]),
            ("", &[]),
            (" ", &[]),
            (",;", &[]),
            ("[x", &["[x"]),
        ];
        for (text, expected) in cases {
            assert_eq!(addresses(text, &Bump::new()), expected, "{text}");
        }
    }

    #[test]
    fn attachment_names_as_they_occur() {
        let cases: [(&str, &[&str]); 14] = [
            (r#""a.docx", "b.xlsx""#, &["a.docx", "b.xlsx"]),
            (r#""a.docx", "b.xlsx","#, &["a.docx", "b.xlsx"]),
            (r#""a.docx","b.xlsx""#, &["a.docx", "b.xlsx"]),
            (r#""""#, &[]),
            ("", &[]),
            (r#"Report "Q3" final.pdf"#, &[r#"Report "Q3" final.pdf"#]),
            (r#""Report "Q3", final.pdf", "b""#, &[r#"Report "Q3"#, r#"final.pdf""#, "b"]),
            (r#""the "big" one.pdf", "b""#, &[r#"the "big" one.pdf"#, "b"]),
            (r#"["a.docx","b \"c\".xlsx"]"#, &["a.docx", r#"b "c".xlsx"#]),
            ("[draft].docx", &["[draft].docx"]),
            ("a, b.docx", &["a, b.docx"]),
            (r#"scan "1".pdf,"#, &[r#"scan "1".pdf"#]),
            (r#""open, end.docx"#, &[r#""open, end.docx"#]),
            (r#"","a""#, &[r#","a"#]),
        ];
        for (text, expected) in cases {
            assert_eq!(file_names(text, &Bump::new()), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn quoted_names_come_back(names in prop::collection::vec("[a-z .;()-]{1,12}", 0..6)) {
            let text = names.iter().map(|n| format!("\"{n}\"")).collect::<std::vec::Vec<_>>().join(", ");
            let bump = Bump::new();
            prop_assert_eq!(file_names(&text, &bump), names.iter().map(String::as_str).collect::<std::vec::Vec<_>>());
        }

        #[test]
        fn no_text_makes_them_fail(text in r#"[a\[\]",;<> ]{0,40}"#) {
            let bump = Bump::new();
            prop_assert!(addresses(&text, &bump).iter().all(|a| !a.is_empty()));
            file_names(&text, &bump);
        }
    }
}
