//! Typed values, borrowed from the record they were read from.

use mimelake_schema::VERDICTS;

/// One column's value in one event.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(u64)]
pub enum Value<'a> {
    /// Nothing was said.
    Null,
    /// Text, words, JSON text.
    Text(&'a str),
    /// A signed 64 bit integer.
    Int(i64),
    /// A boolean.
    Bool(bool),
    /// Microseconds since 1970-01-01T00:00:00Z.
    Time(i64),
    /// Recipients, attachment names, flags.
    List(&'a [&'a str]),
    /// The verdicts of a spam scan.
    Verdicts(&'a Verdicts<'a>),
    /// Pairs that no column took.
    Pairs(&'a [ExtraPair<'a>]),
    /// A record inside a message: one value for each of its kind's members.
    Struct(&'a [Value<'a>]),
    /// Records inside a message.
    Structs(&'a [&'a [Value<'a>]]),
}

impl<'a> Value<'a> {
    /// The text, if the value is text.
    pub fn text(self) -> Option<&'a str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The list, if the value is one; else an empty one.
    pub fn list(self) -> &'a [&'a str] {
        if let Self::List(list) = self { list } else { &[] }
    }

    /// Whether nothing was said.
    pub fn is_null(self) -> bool {
        matches!(self, Self::Null)
    }
}

/// A pair that no column took; the value is none where the record says null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtraPair<'a> {
    /// The key as written.
    pub key: &'a str,
    /// The value, without its quotes.
    pub value: Option<&'a str>,
}

/// One verdict of a spam scan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdict<'a> {
    /// Whether the email may pass.
    pub allow: Option<bool>,
    /// The result in a word, for example `SPF_FAIL`.
    pub info: Option<&'a str>,
}

/// The known verdicts of a spam scan, in the order of [`VERDICTS`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdicts<'a> {
    /// One for each of [`VERDICTS`], none where the scan does not name it.
    pub each: [Option<Verdict<'a>>; VERDICTS.len()],
    /// Whether it is grey email.
    pub grey_email: Option<bool>,
}
