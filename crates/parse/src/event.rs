//! One record, read and typed.

use mimelake_schema::{Dialect, EventType, Field};

use crate::Value;

/// One record as a typed event, borrowed from the record and the parser's arena.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// Whose table it belongs to.
    pub event_type: EventType,
    /// What it was written in.
    pub dialect: Dialect,
    /// What reading it raised.
    pub flags: Flags,
    /// One value for each of `event_type.columns()`, in that order.
    pub values: &'a [Value<'a>],
    /// The record as written, but for bytes that were not UTF-8.
    pub text: &'a str,
    /// Where the record begins in its source, in bytes.
    pub offset: u64,
}

impl<'a> Event<'a> {
    /// The value of a column; null where the event's table does not have it.
    pub fn get(&self, field: Field) -> Value<'a> {
        if field == Field::Original {
            return Value::Text(self.text);
        }
        self.event_type.position(field).map_or(Value::Null, |place| self.values[place])
    }

    /// When it happened, in microseconds since 1970 in UTC.
    pub fn timestamp(&self) -> Option<i64> {
        // The timestamp is the first column of every table.
        if let Some(Value::Time(micros)) = self.values.first() { Some(*micros) } else { None }
    }
}

macro_rules! flags {
    ($( #[doc = $doc:literal] $name:ident $text:literal; )+) => {
        /// One thing that reading a record can raise.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Flag { $( #[doc = $doc] $name, )+ }

        impl Flag {
            /// Every flag.
            pub const ALL: &[Self] = &[$( Self::$name, )+];

            /// Its name in the column `flags`.
            pub const fn name(self) -> &'static str {
                match self { $( Self::$name => $text, )+ }
            }
        }
    };
}

flags! {
    /// A key stands in the record more than once; it may be a log injection.
    DuplicateKey "duplicate_key";
    /// A quote was opened and never closed.
    UnterminatedQuote "unterminated_quote";
    /// A value is not of its column's type; it is in `extra`.
    BadValue "bad_value";
    /// The time says no offset and was read as UTC.
    NoOffset "no_offset";
    /// Some bytes were not UTF-8; they are in the quarantine.
    InvalidUtf8 "invalid_utf8";
    /// The keys tell another type than the file's name.
    TypeMismatch "type_mismatch";
}

/// The flags of one record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u8);

impl Flags {
    /// Raises a flag.
    #[inline]
    pub fn raise(&mut self, flag: Flag) {
        self.0 |= 1 << flag as u8;
    }

    /// Whether a flag is raised.
    #[inline]
    pub fn has(self, flag: Flag) -> bool {
        self.0 & (1 << flag as u8) != 0
    }

    /// Whether no flag is raised.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The raised flags, in the order of [`Flag::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Flag> {
        Flag::ALL.iter().copied().filter(move |f| self.has(*f))
    }
}
