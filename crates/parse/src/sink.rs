//! Where events and rejects go.

use bumpalo::Bump;

use crate::Event;

macro_rules! reasons {
    ($( #[doc = $doc:literal] $name:ident $text:literal; )+) => {
        /// Why a line went to the quarantine.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Reason { $( #[doc = $doc] $name, )+ }

        impl Reason {
            /// Every reason.
            pub const ALL: &[Self] = &[$( Self::$name, )+];

            /// Its name in the quarantine and the report.
            pub const fn name(self) -> &'static str {
                match self { $( Self::$name => $text, )+ }
            }
        }
    };
}

reasons! {
    /// The line does not begin with a key and `=`.
    NoKey "no_key";
    /// The record is longer than `--max-record`.
    TooLong "too_long";
    /// The record has more than [`MAX_PAIRS`](crate::MAX_PAIRS) pairs or members.
    TooManyPairs "too_many_pairs";
    /// The bytes are no JSON.
    BadJson "bad_json";
    /// The JSON is no object.
    NotAnObject "not_an_object";
    /// The file ends inside the JSON object.
    CutJson "cut_json";
    /// The file is damaged inside the key-value line.
    CutRecord "cut_record";
    /// Some bytes were not UTF-8; the record itself was kept.
    InvalidUtf8 "invalid_utf8";
}

/// A line that was no record, or the original bytes of a record that was mended.
#[derive(Clone, Copy, Debug)]
pub struct Reject<'a> {
    /// Where it begins in its source, in bytes.
    pub offset: u64,
    /// How long it is, in bytes.
    pub length: u64,
    /// Why it is here.
    pub reason: Reason,
    /// Whether the record was kept all the same.
    pub recovered: bool,
    /// Its bytes; of one that is too long, its first few thousand.
    pub bytes: &'a [u8],
}

/// Takes the events and rejects of a [`Reader`](crate::Reader) in the order of the input.
pub trait Sink {
    /// What stops the reading.
    type Error;

    /// Takes one event; `bump` is the arena it borrows from.
    ///
    /// # Errors
    /// Whatever stops the reading.
    fn event(&mut self, event: &Event<'_>, bump: &Bump) -> Result<(), Self::Error>;

    /// Takes the next events, one or more, which is what the reader asks for: one after the other, unless the sink has
    /// something better to do.
    ///
    /// # Errors
    /// Whatever stops the reading.
    fn events(&mut self, events: &[Event<'_>], bump: &Bump) -> Result<(), Self::Error> {
        events.iter().try_for_each(|event| self.event(event, bump))
    }

    /// Takes one reject.
    ///
    /// # Errors
    /// Whatever stops the reading.
    fn reject(&mut self, reject: &Reject<'_>) -> Result<(), Self::Error>;
}
