//! The format as a reader can check it, in nom: one record into pairs.
//!
//! It is the oracle of the scanner in the tests and the fuzzer, and written for reading: it looks for
//! each close anew, and so takes quadratic time on hostile records.

use mimelake_schema::Keys;
use nom::{
    IResult, Parser,
    bytes::complete::{tag, take_while_m_n},
    character::complete::{char, one_of, satisfy},
    combinator::{map_opt, peek, recognize},
    sequence::terminated,
};

use super::{JSON_TRIES, MAX_KEY, MAX_NESTING};
use crate::{Form, MAX_PAIRS, Pair, Reason, Span};

/// A key: a letter, then up to 63 letters, digits or `_`, then `=`.
fn key(input: &[u8]) -> IResult<&[u8], &[u8]> {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let name = recognize((satisfy(|c| c.is_ascii_alphabetic()), take_while_m_n(0, MAX_KEY - 1, word)));
    terminated(name, char('=')).parse(input)
}

/// A boundary: `|` with a key and `=` behind it. Only `|` is taken.
fn boundary(input: &[u8]) -> IResult<&[u8], &[u8]> {
    let (rest, bar) = tag(&b"|"[..]).parse(input)?;
    key(rest)?;
    Ok((rest, bar))
}

/// Whether a value may end before `input`.
fn ends(input: &[u8]) -> bool {
    input.is_empty() || boundary(input).is_ok()
}

/// A quoted value: `\`, content, the first `\` that a boundary or the end follows.
fn quoted(input: &[u8]) -> IResult<&[u8], (&[u8], Form)> {
    let (content, _) = char('\\').parse(input)?;
    let close = (0..content.len()).find(|&i| content[i] == b'\\' && ends(&content[i + 1..]));
    match close {
        Some(i) => Ok((&content[i + 1..], (&content[..i], Form::Quoted))),
        None => {
            let (rest, value) = bare(content);
            Ok((rest, (value, Form::Unterminated)))
        }
    }
}

/// A JSON value: `{` or `[` to its balanced end, which must be the value's end.
fn json(input: &[u8]) -> IResult<&[u8], (&[u8], Form)> {
    peek(one_of("{[")).parse(input)?;
    let balanced = |input| Ok((input, balanced(input)));
    let (_, end) = map_opt(balanced, |end| end.filter(|&end| ends(&input[end..]))).parse(input)?;
    Ok((&input[end..], (&input[..end], Form::Json)))
}

/// Where the brackets that `input` opens with are closed.
fn balanced(input: &[u8]) -> Option<usize> {
    let mut open = Vec::new();
    let (mut in_string, mut escaped) = (false, false);
    for (i, &b) in input.iter().enumerate() {
        match b {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' if open.len() == MAX_NESTING as usize => return None,
            b'{' => open.push(b'}'),
            b'[' => open.push(b']'),
            b'}' | b']' => {
                if open.pop() != Some(b) {
                    return None;
                }
                if open.is_empty() {
                    return Some(i + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// A bare value: everything up to the next boundary or the end.
fn bare(input: &[u8]) -> (&[u8], &[u8]) {
    let end = (0..input.len()).find(|&i| boundary(&input[i..]).is_ok()).unwrap_or(input.len());
    (&input[end..], &input[..end])
}

/// Splits one record into its pairs.
///
/// # Errors
/// [`Reason::NoKey`] if it does not begin with a key and `=`, [`Reason::TooManyPairs`] if it has more than
/// [`MAX_PAIRS`].
pub fn record(record: &[u8]) -> Result<Vec<Pair>, Reason> {
    let end = record.iter().rposition(|&b| b != b'|').map_or(0, |last| last + 1);
    let mut input = &record[..end];
    let mut json_tries = JSON_TRIES;
    let mut pairs = Vec::new();
    let place = |part: &[u8]| {
        let start = part.as_ptr() as usize - record.as_ptr() as usize;
        Span::new(start, start + part.len())
    };
    loop {
        let (rest, name) = key(input).map_err(|_| Reason::NoKey)?;
        if pairs.len() == MAX_PAIRS {
            return Err(Reason::TooManyPairs);
        }
        let is_json = if json_tries > 0 { json(rest).ok() } else { None };
        if is_json.is_none() && matches!(rest.first(), Some(b'{' | b'[')) {
            json_tries = json_tries.saturating_sub(1);
        }
        let (rest, (value, form)) = match is_json {
            Some(found) => found,
            None => quoted(rest).unwrap_or_else(|_| {
                let (rest, value) = bare(rest);
                (rest, (value, Form::Bare))
            }),
        };
        let known = Keys::get().find(name);
        pairs.push(Pair { key: place(name), value: place(value), form, key_escaped: false, known });
        match boundary(rest) {
            Ok((next, _)) => input = next,
            Err(_) => return Ok(pairs),
        }
    }
}
