//! One JSON object into its members, strictly, without recursion and without copies.

use memchr::memchr3;

use super::skip_blank;
use crate::kv::MAX_NESTING;
use crate::{Form, MAX_PAIRS, Pair, Span};

/// Why an object was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The bytes end before the object does.
    More,
    /// The bytes are no JSON.
    Bad,
    /// The object wraps records: its member `data` or `value` is an array, whose content begins here.
    Envelope(usize),
}

/// The members that an envelope of either API has beside its records.
pub(crate) const ENVELOPE: [&[u8]; 6] = [b"type", b"meta", b"fail", b"@nextPage", b"isCaughtUp", b"status"];

/// What of a member is where.
pub(crate) struct Member {
    pub(crate) value: Span,
    form: Form,
    pub(crate) end: usize,
}

/// Reads the object that opens at `start` into `pairs`; the byte after it comes back.
///
/// Members beyond the first [`MAX_PAIRS`] are read too, but no more than one of them is put into `pairs`: it says
/// that there are too many.
///
/// An object with an array `data` or `value` stops there, if `may_wrap` says that it may wrap records.
pub(crate) fn object(
    bytes: &[u8],
    start: usize,
    may_wrap: bool,
    pairs: &mut Vec<Pair>,
) -> Result<usize, Stop> {
    let mut at = skip_blank(bytes, start + 1);
    if *bytes.get(at).ok_or(Stop::More)? == b'}' {
        return Ok(at + 1);
    }
    loop {
        let (key, key_form, after) = key(bytes, at)?;
        if may_wrap && bytes.get(after) == Some(&b'[') && matches!(key.of(bytes), b"data" | b"value") {
            let first = bytes.get(skip_blank(bytes, after + 1)).ok_or(Stop::More)?;
            let wraps = pairs.iter().all(|pair| ENVELOPE.contains(&pair.key.of(bytes)));
            if wraps && matches!(first, b'{' | b']') {
                return Err(Stop::Envelope(after + 1));
            }
        }
        let member = value(bytes, after)?;
        if pairs.len() <= MAX_PAIRS {
            let key_escaped = key_form == Form::Escaped;
            pairs.push(Pair { key, value: member.value, form: member.form, key_escaped, known: None });
        }
        at = skip_blank(bytes, member.end);
        match bytes.get(at).ok_or(Stop::More)? {
            b',' => at = skip_blank(bytes, at + 1),
            b'}' => return Ok(at + 1),
            _ => return Err(Stop::Bad),
        }
    }
}

/// The first key of the object that opens here, if one does.
pub(crate) fn first_key(bytes: &[u8], start: usize) -> Option<&[u8]> {
    let opens = bytes.get(start) == Some(&b'{');
    let key = if opens { key(bytes, skip_blank(bytes, start + 1)).ok()?.0 } else { return None };
    Some(key.of(bytes))
}

/// Goes through the members of a whole object: `member` is told each key and where its value begins, and says where
/// that ends. None if it says none, or if `text` is not one object and nothing else.
pub(crate) fn walk(text: &[u8], mut member: impl FnMut(Span, usize) -> Option<usize>) -> Option<()> {
    let start = skip_blank(text, 0);
    let mut at = if text.get(start)? == &b'{' { skip_blank(text, start + 1) } else { return None };
    let mut is_over = text.get(at)? == &b'}';
    while !is_over {
        let (key, _, value) = key(text, at).ok()?;
        at = skip_blank(text, member(key, value)?);
        match text.get(at)? {
            b',' => at = skip_blank(text, at + 1),
            b'}' => is_over = true,
            _ => return None,
        }
    }
    (skip_blank(text, at + 1) == text.len()).then_some(())
}

/// The elements of a whole array, each handed to `element`; false if `text` is not one array and nothing else.
pub(crate) fn array(text: &[u8], mut element: impl FnMut(Span, Form)) -> bool {
    let mut at = skip_blank(text, 0);
    if text.get(at) != Some(&b'[') {
        return false;
    }
    at = skip_blank(text, at + 1);
    if text.get(at) == Some(&b']') {
        return skip_blank(text, at + 1) == text.len();
    }
    loop {
        let Ok(member) = value(text, at) else { return false };
        element(member.value, member.form);
        at = skip_blank(text, member.end);
        match text.get(at) {
            Some(b',') => at = skip_blank(text, at + 1),
            Some(b']') => return skip_blank(text, at + 1) == text.len(),
            _ => return false,
        }
    }
}

/// What is open of an object that is too long to be held, its bytes coming piece by piece.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Brackets {
    depth: u64,
    in_string: bool,
    is_escaped: bool,
}

impl Brackets {
    /// Where the object ends, or its line, if that comes first; none if these bytes end before. They begin with
    /// the object's `{`, then follow each other.
    pub(crate) fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                b'\n' => return Some(at),
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' => self.is_escaped = self.in_string,
                b'"' => self.in_string = !self.in_string,
                _ if self.in_string => {}
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' if self.depth == 1 => return Some(at + 1),
                b'}' | b']' => self.depth -= 1,
                _ => {}
            }
        }
        None
    }
}

/// Where the value that begins at `at` ends.
pub(crate) fn skip_value(bytes: &[u8], at: usize) -> Result<usize, Stop> {
    value(bytes, at).map(|member| member.end)
}

/// A key and its colon: the key, how it is written, and where its value begins.
#[inline]
fn key(bytes: &[u8], at: usize) -> Result<(Span, Form, usize), Stop> {
    if *bytes.get(at).ok_or(Stop::More)? != b'"' {
        return Err(Stop::Bad);
    }
    let (key, form) = string(bytes, at)?;
    let colon = skip_blank(bytes, key.end() + 1);
    if *bytes.get(colon).ok_or(Stop::More)? != b':' {
        return Err(Stop::Bad);
    }
    Ok((key, form, skip_blank(bytes, colon + 1)))
}

/// The value that begins at `at`.
#[inline]
pub(crate) fn value(bytes: &[u8], at: usize) -> Result<Member, Stop> {
    match bytes.get(at).ok_or(Stop::More)? {
        b'{' | b'[' => {
            let end = nested(bytes, at)?;
            Ok(Member { value: Span::new(at, end), form: Form::Nested, end })
        }
        _ => scalar(bytes, at),
    }
}

fn scalar(bytes: &[u8], at: usize) -> Result<Member, Stop> {
    let literal = |word: &[u8], form| {
        let here = &bytes[at..bytes.len().min(at + word.len())];
        if here == word {
            Ok(Member { value: Span::new(at, at + word.len()), form, end: at + word.len() })
        } else if word.starts_with(here) {
            Err(Stop::More)
        } else {
            Err(Stop::Bad)
        }
    };
    match bytes.get(at).ok_or(Stop::More)? {
        b'"' => {
            let (value, form) = string(bytes, at)?;
            Ok(Member { value, form, end: value.end() + 1 })
        }
        b't' => literal(b"true", Form::Literal),
        b'f' => literal(b"false", Form::Literal),
        b'n' => literal(b"null", Form::Null),
        b'-' | b'0'..=b'9' => {
            let end = number_end(bytes, at)?;
            Ok(Member { value: Span::new(at, end), form: Form::Literal, end })
        }
        _ => Err(Stop::Bad),
    }
}

/// The content of the string whose `"` stands at `open`.
///
/// A line feed ends a broken string: JSON has none inside strings, and so one cut line costs itself only.
#[inline]
fn string(bytes: &[u8], open: usize) -> Result<(Span, Form), Stop> {
    let (mut from, mut form) = (open + 1, Form::Text);
    loop {
        let at =
            from + memchr3(b'"', b'\\', b'\n', bytes.get(from..).ok_or(Stop::More)?).ok_or(Stop::More)?;
        match bytes[at] {
            b'"' => return Ok((Span::new(open + 1, at), form)),
            b'\\' => (from, form) = (at + 2, Form::Escaped),
            _ => return Err(Stop::Bad),
        }
    }
}

fn number_end(bytes: &[u8], start: usize) -> Result<usize, Stop> {
    let digits = |at: usize| -> Result<usize, Stop> {
        let count = bytes[at..].iter().take_while(|b| b.is_ascii_digit()).count();
        match bytes.get(at + count) {
            None => Err(Stop::More),
            Some(_) if count == 0 => Err(Stop::Bad),
            Some(_) => Ok(at + count),
        }
    };
    let whole = start + usize::from(bytes[start] == b'-');
    let mut at = digits(whole)?;
    if bytes[whole] == b'0' && at > whole + 1 {
        return Err(Stop::Bad);
    }
    if bytes[at] == b'.' {
        at = digits(at + 1)?;
    }
    if matches!(bytes[at], b'e' | b'E') {
        let sign = usize::from(matches!(bytes.get(at + 1).ok_or(Stop::More)?, b'+' | b'-'));
        at = digits(at + 1 + sign)?;
    }
    Ok(at)
}

/// Where the object or array that opens at `start` ends, everything in it checked.
fn nested(bytes: &[u8], start: usize) -> Result<usize, Stop> {
    // One bit for each open bracket: 1 for `{`.
    let (mut objects, mut depth) = (0_u64, 0_u32);
    let mut at = start;
    loop {
        let mut closed;
        match bytes.get(at).ok_or(Stop::More)? {
            open @ (b'{' | b'[') => {
                if depth == MAX_NESTING {
                    return Err(Stop::Bad);
                }
                let is_object = *open == b'{';
                (objects, depth) = (objects << 1 | u64::from(is_object), depth + 1);
                at = skip_blank(bytes, at + 1);
                closed = *bytes.get(at).ok_or(Stop::More)? == open + 2;
                if !closed && is_object {
                    at = key(bytes, at)?.2;
                }
            }
            _ => {
                at = scalar(bytes, at)?.end;
                closed = matches!(bytes.get(skip_blank(bytes, at)), Some(b'}' | b']') | None);
                at = skip_blank(bytes, at);
                if !closed {
                    at = next_member(bytes, at, objects)?;
                }
            }
        }
        while closed {
            let is_object = *bytes.get(at).ok_or(Stop::More)? == b'}';
            if (objects & 1 == 1) != is_object {
                return Err(Stop::Bad);
            }
            (objects, depth, at) = (objects >> 1, depth - 1, at + 1);
            if depth == 0 {
                return Ok(at);
            }
            at = skip_blank(bytes, at);
            closed = matches!(bytes.get(at).ok_or(Stop::More)?, b'}' | b']');
            if !closed {
                at = next_member(bytes, at, objects)?;
            }
        }
    }
}

/// Past a comma to the next value; in an object past its key too.
#[inline]
fn next_member(bytes: &[u8], comma: usize, objects: u64) -> Result<usize, Stop> {
    if *bytes.get(comma).ok_or(Stop::More)? != b',' {
        return Err(Stop::Bad);
    }
    let at = skip_blank(bytes, comma + 1);
    if objects & 1 == 1 { Ok(key(bytes, at)?.2) } else { Ok(at) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<usize, Stop> {
        object(text.as_bytes(), 0, false, &mut Vec::new())
    }

    #[test]
    fn agrees_with_serde_json_on_what_is_an_object() {
        let good = [
            "{}",
            r#"{"a":1}"#,
            r#"{ "a" : [ ] , "b":{"c":[1,-2.5e+3,"x\"y"]} }"#,
            r#"{"a":{},"b":[[],{}]}"#,
        ];
        let bad = [
            r#"{"a":01}"#,
            r#"{"a":1,}"#,
            r#"{"a" 1}"#,
            r"{a:1}",
            r#"{"a":tru }"#,
            r#"{"a":[1}"#,
            r#"{"a":[1,]}"#,
            r#"{"a":-}"#,
            r#"{"a":1.}"#,
            r#"{"a":{"b"}}"#,
            "{\"a\":\"x\ny\"}",
            r#"{"a":1 "b":2}"#,
        ];
        for text in good {
            assert_eq!(read(text), Ok(text.len()), "{text}");
            serde_json::from_str::<serde_json::Value>(text).unwrap();
        }
        for text in bad {
            assert_eq!(read(text), Err(Stop::Bad), "{text}");
            serde_json::from_str::<serde_json::Value>(text).unwrap_err();
        }
    }

    #[test]
    fn every_beginning_of_an_object_wants_more() {
        let text = r#"{"a":[1,-2.5e3,{"b":null,"c":"d\\\"e"}],"f":true,"g":{}}"#;
        for end in 1..text.len() {
            assert_eq!(read(&text[..end]), Err(Stop::More), "{}", &text[..end]);
        }
    }

    #[test]
    fn nests_to_64_and_no_deeper() {
        let deep = |n: usize| format!("{{\"a\":{}1{}}}", "[".repeat(n), "]".repeat(n));
        assert!(read(&deep(64)).is_ok());
        assert_eq!(read(&deep(65)), Err(Stop::Bad));
    }

    #[test]
    fn an_envelope_stops_at_its_records() {
        let text = br#"{"type":"MTA","data": [{"a":1}]}"#;
        assert_eq!(object(text, 0, true, &mut Vec::new()), Err(Stop::Envelope(23)));
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            "\\PC*".prop_map(Into::into),
        ];
        leaf.prop_recursive(6, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                prop::collection::btree_map("\\PC{0,8}", inner, 0..6)
                    .prop_map(|m| serde_json::Value::Object(m.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn reads_whatever_serde_json_writes(members in prop::collection::btree_map("\\PC{0,8}", json(), 0..6)) {
            let text = serde_json::to_string(&members).unwrap();
            let mut pairs = Vec::new();
            prop_assert_eq!(object(text.as_bytes(), 0, false, &mut pairs), Ok(text.len()));
            prop_assert_eq!(pairs.len(), members.len());
        }

        #[test]
        fn never_takes_what_serde_json_refuses(text in r#"\{("[ab]":|[\[\]{},"\\ 0-9e.+-]|true|null){0,24}"#) {
            if let Ok(end) = read(&text) {
                let parsed = serde_json::from_str::<serde_json::Value>(&text[..end]);
                // An escape that JSON does not know is kept as it is written; a number too large is a number.
                let tolerated = text.contains('\\') || text.contains('e');
                prop_assert!(parsed.is_ok() || tolerated, "{}", text);
            }
        }
    }
}
