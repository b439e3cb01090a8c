//! Pairs as text: key-value and the two JSON dialects.

use super::fields::{api1, api2};
use super::records::Record;

/// The form of a record's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// API 1.0 key-value: `datetime=…|aCode=…`.
    Kv,
    /// API 1.0 JSON: the same names, numbers and booleans as such.
    Json1,
    /// API 2.0 NDJSON: other names, numbers and booleans as text.
    Json2,
}

impl Record {
    /// Appends the record and a line end to `out`.
    pub fn write(&self, dialect: Dialect, out: &mut Vec<u8>) {
        self.write_bare(dialect, out);
        out.push(b'\n');
    }

    /// Appends the record without a line end.
    pub(super) fn write_bare(&self, dialect: Dialect, out: &mut Vec<u8>) {
        match dialect {
            Dialect::Kv => api1(self, &mut Kv { out, first: true }),
            Dialect::Json1 => {
                let mut json = Json { out, first: true, numbers_as_text: false };
                api1(self, &mut json);
                json.out.push(b'}');
            }
            Dialect::Json2 => {
                let mut json = Json { out, first: true, numbers_as_text: true };
                api2(self, &mut json);
                json.out.push(b'}');
            }
        }
    }
}

/// Where a record's pairs go, one by one, in the order of the log.
pub(super) trait Pairs {
    /// A value that key-value logs write bare.
    fn text(&mut self, key: &str, value: &[u8]);
    /// A value that key-value logs put between backslashes.
    fn quoted(&mut self, key: &str, value: &[u8]);
    fn int(&mut self, key: &str, value: i64);
    fn flag(&mut self, key: &str, value: bool);
    /// A JSON object, embedded.
    fn object(&mut self, key: &str, value: &str);
    fn null(&mut self, key: &str);
}

struct Kv<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
}

impl Kv<'_> {
    fn key(&mut self, key: &str) {
        if !std::mem::take(&mut self.first) {
            self.out.push(b'|');
        }
        self.out.extend_from_slice(key.as_bytes());
        self.out.push(b'=');
    }
}

impl Pairs for Kv<'_> {
    fn text(&mut self, key: &str, value: &[u8]) {
        self.key(key);
        self.out.extend_from_slice(value);
    }

    fn quoted(&mut self, key: &str, value: &[u8]) {
        self.key(key);
        self.out.push(b'\\');
        self.out.extend_from_slice(value);
        self.out.push(b'\\');
    }

    fn int(&mut self, key: &str, value: i64) {
        self.key(key);
        push_int(value, self.out);
    }

    fn flag(&mut self, key: &str, value: bool) {
        self.text(key, flag_text(value).as_bytes());
    }

    fn object(&mut self, key: &str, value: &str) {
        self.text(key, value.as_bytes());
    }

    fn null(&mut self, key: &str) {
        self.key(key);
    }
}

pub(super) struct Json<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
    numbers_as_text: bool,
}

impl Json<'_> {
    fn key(&mut self, key: &str) {
        self.out.push(if std::mem::take(&mut self.first) { b'{' } else { b',' });
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    /// One of the few members that are numbers in API 2.0 too.
    pub(super) fn number(&mut self, key: &str, value: i64) {
        self.key(key);
        push_int(value, self.out);
    }
}

impl Pairs for Json<'_> {
    fn text(&mut self, key: &str, value: &[u8]) {
        self.key(key);
        self.out.push(b'"');
        push_escaped(value, self.out);
        self.out.push(b'"');
    }

    fn quoted(&mut self, key: &str, value: &[u8]) {
        self.text(key, value);
    }

    fn int(&mut self, key: &str, value: i64) {
        self.key(key);
        if self.numbers_as_text {
            self.out.push(b'"');
            push_int(value, self.out);
            self.out.push(b'"');
        } else {
            push_int(value, self.out);
        }
    }

    fn flag(&mut self, key: &str, value: bool) {
        if self.numbers_as_text {
            self.text(key, flag_text(value).as_bytes());
        } else {
            self.key(key);
            self.out.extend_from_slice(flag_text(value).as_bytes());
        }
    }

    fn object(&mut self, key: &str, value: &str) {
        if self.numbers_as_text {
            self.text(key, value.as_bytes());
        } else {
            self.key(key);
            self.out.extend_from_slice(value.as_bytes());
        }
    }

    fn null(&mut self, key: &str) {
        self.key(key);
        self.out.extend_from_slice(b"null");
    }
}

fn flag_text(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

/// Escapes what the generator's texts can hold: they have no control characters.
fn push_escaped(text: &[u8], out: &mut Vec<u8>) {
    for &byte in text {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
}

fn push_int(value: i64, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    let mut digits = [0; 20];
    let mut start = digits.len();
    let mut rest = value.unsigned_abs();
    loop {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}
