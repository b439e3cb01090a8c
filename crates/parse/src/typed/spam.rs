//! `SpamProcessingDetail` and other columns of JSON text, in all the encodings they come in.

use bumpalo::Bump;
use mimelake_schema::VERDICTS;

use super::scalar;
use crate::memo::Memo;
use crate::{Form, Pair, Span, Verdict, Verdicts, json};

/// A number of more bytes than this is taken for none.
const LONGEST_NUMBER: usize = 64;

/// Reads the JSON of spam scans, and remembers what it read.
#[derive(Debug, Default)]
pub(crate) struct Scans {
    /// What was read from texts that are JSON as they stand.
    known: Memo<Places>,
    /// Members of the object that is being read.
    pairs: Vec<Pair>,
}

impl Scans {
    /// The JSON in a text that may be JSON, a JSON string that holds JSON, or one that holds such a string.
    ///
    /// None if it is no JSON; an inner none if it says null.
    pub(crate) fn decoded<'a>(&self, text: &'a str, bump: &'a Bump) -> Option<Option<&'a str>> {
        if self.known.get(text.as_bytes()).is_some() { Some(Some(text)) } else { decoded(text, bump) }
    }

    /// The known verdicts in the JSON of a spam scan, which [`decoded`](Self::decoded) gave; none if it is no object.
    pub(crate) fn verdicts<'a>(&mut self, json: &'a str, bump: &'a Bump) -> Option<&'a Verdicts<'a>> {
        let found = match self.known.get(json.as_bytes()) {
            Some(known) => known.verdicts(json, bump),
            None => {
                let found = places(json, &mut self.pairs)?;
                let verdicts = found.verdicts(json, bump);
                self.known.put(json.as_bytes(), found);
                verdicts
            }
        };
        Some(bump.alloc(found))
    }
}

/// The known verdicts of a spam scan, as places in its text.
#[derive(Clone, Copy, Debug, Default)]
struct Places {
    each: [Option<VerdictPlace>; VERDICTS.len()],
    grey_email: Option<bool>,
}

#[derive(Clone, Copy, Debug, Default)]
struct VerdictPlace {
    allow: Option<bool>,
    info: Option<(Span, Form)>,
}

impl Places {
    fn verdicts<'a>(&self, json: &'a str, bump: &'a Bump) -> Verdicts<'a> {
        let verdict = |place: VerdictPlace| Verdict {
            allow: place.allow,
            info: place.info.map(|(info, form)| match form {
                Form::Escaped => json::unescape(info.of_text(json), bump).0,
                _ => info.of_text(json),
            }),
        };
        Verdicts { each: self.each.map(|place| place.map(verdict)), grey_email: self.grey_email }
    }
}

/// As [`Scans::decoded`], of any text.
fn decoded<'a>(text: &'a str, bump: &'a Bump) -> Option<Option<&'a str>> {
    let mut text = text.trim_ascii();
    for _ in 0..3 {
        if text.is_empty() || text == "null" {
            return Some(None);
        }
        let Some(inner) = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) else { break };
        text = json::unescape(inner, bump).0.trim_ascii();
    }
    is_json(text).then_some(Some(text))
}

/// Whether the text is one JSON value and nothing else.
fn is_json(text: &str) -> bool {
    let bytes = text.as_bytes();
    match bytes.first() {
        Some(b'{' | b'[' | b'"') => {
            let is_whole = |end| json::skip_blank(bytes, end) == bytes.len();
            json::skip_value(bytes, 0).is_ok_and(is_whole) && has_json_strings(text)
        }
        // The value must be seen to end, which takes a byte behind it.
        Some(b'-' | b'0'..=b'9') => {
            bytes.len() <= LONGEST_NUMBER
                && json::skip_value(format!("{text} ").as_bytes(), 0) == Ok(bytes.len())
        }
        _ => matches!(text, "true" | "false"),
    }
}

/// Whether the escapes are JSON's, and no control character stands where JSON has none.
fn has_json_strings(text: &str) -> bool {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        let hex = || rest.as_bytes().get(at + 2..at + 6).is_some_and(|h| h.iter().all(u8::is_ascii_hexdigit));
        match rest.as_bytes().get(at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {}
            Some(b'u') if hex() => {}
            _ => return false,
        }
        rest = &rest[at + 2..];
    }
    // Counted to the end, which takes a fraction of the instructions that stopping at the first would.
    let is_control = |byte: &u8| *byte < b' ' && !matches!(byte, b'\n' | b'\r' | b'\t');
    text.bytes().filter(is_control).count() == 0
}

/// Where the known verdicts stand in the JSON text of a spam scan; none if it is no object.
fn places(text: &str, pairs: &mut Vec<Pair>) -> Option<Places> {
    let bytes = text.as_bytes();
    let mut found = Places::default();
    json::walk(bytes, |key, at| {
        let key = key.of_text(text);
        if let Some(place) = VERDICTS.iter().position(|(_, name)| key.eq_ignore_ascii_case(name)) {
            found.each[place] = None;
            if bytes.get(at) == Some(&b'{') {
                pairs.clear();
                let end = json::object(bytes, at, false, pairs).ok()?;
                found.each[place] = Some(verdict(text, pairs));
                return Some(end);
            }
        }
        let member = json::value(bytes, at).ok()?;
        if key.eq_ignore_ascii_case("greyEmail") {
            found.grey_email = scalar::boolean(member.value.of_text(text));
        }
        Some(member.end)
    })?;
    Some(found)
}

fn verdict(text: &str, members: &[Pair]) -> VerdictPlace {
    let mut verdict = VerdictPlace::default();
    for member in members {
        match member.key.of_text(text) {
            "allow" => verdict.allow = scalar::boolean(member.value.of_text(text)),
            "info" => {
                verdict.info = Some((member.value, member.form)).filter(|(_, form)| *form != Form::Null);
            }
            _ => {}
        }
    }
    verdict
}

#[cfg(test)]
mod tests {
    use super::*;

    const DETAIL: &str = r#"{"spf":{"info":"SPF_FAIL","allow":true},"dkim":{"info":null,"allow":"false"},"permittedSender":{"info":"none","allow":true},"greyEmail":false,"new":{"x":1}}"#;

    #[test]
    fn decodes_every_encoding() {
        let bump = Bump::new();
        let once = serde_json::to_string(DETAIL).unwrap();
        let twice = serde_json::to_string(&once).unwrap();
        for text in [DETAIL, &once, &twice] {
            assert_eq!(decoded(text, &bump), Some(Some(DETAIL)), "{text}");
        }
        for text in ["-1.5e3", "true", r#"["\u00e9\\"]"#] {
            assert_eq!(decoded(text, &bump), Some(Some(text)), "{text}");
        }
        for text in ["null", "", " ", r#""null""#] {
            assert_eq!(decoded(text, &bump), Some(None), "{text}");
        }
        for text in
            ["{", "none", r#"{"a":}"#, "\"", "nan", "inf", "+1", ".5", "1.", r#"{"a":"\x"}"#, r#"["\u12"]"#]
        {
            assert_eq!(decoded(text, &bump), None, "{text}");
        }
    }

    #[test]
    fn reads_the_known_verdicts() {
        let (bump, mut scans) = (Bump::new(), Scans::default());
        // The first time it is read, the second time remembered.
        for _ in 0..2 {
            let found = scans.verdicts(DETAIL, &bump).unwrap();
            assert_eq!(found.each[0], Some(Verdict { allow: Some(true), info: Some("SPF_FAIL") }));
            assert_eq!(found.each[1], Some(Verdict { allow: Some(false), info: None }));
            assert_eq!(found.each[2], None);
            assert_eq!(found.each[4], Some(Verdict { allow: Some(true), info: Some("none") }));
            assert_eq!(found.grey_email, Some(false));
            let escaped = scans.verdicts(r#"{"rbl":{"info":"a\"b"}}"#, &bump).unwrap();
            assert_eq!(escaped.each[3], Some(Verdict { allow: None, info: Some("a\"b") }));
            for text in ["[1]", "{", r#"{"spf":1,}"#, r#"{"spf":1}{}"#, r#"{"spf":{}"#] {
                assert_eq!(scans.verdicts(text, &bump), None, "{text}");
            }
            assert_eq!(scans.verdicts("{}", &bump), Some(&Verdicts::default()));
            assert_eq!(scans.decoded(DETAIL, &bump), Some(Some(DETAIL)));
        }
    }
}
