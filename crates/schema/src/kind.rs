//! The kinds of value a column can hold, and the dialects a record can be written in.

use crate::Field;

/// How a column's value is read from text, and what type the column has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Text as it is.
    Text,
    /// A word of few values, stored in lower case.
    Word,
    /// A signed 64 bit integer.
    Int,
    /// true/false, Yes/No, 1/0 in any case.
    Bool,
    /// A boolean that is also written `Hit` and `No Hit`.
    Hit,
    /// A point in time, in microseconds since 1970 in UTC.
    Time,
    /// Email addresses: one, several joined by `,` or `;`, or a JSON array.
    Addresses,
    /// Attachment names: quoted and joined by `,`, free text, or a JSON array.
    FileNames,
    /// JSON text, kept as text.
    Json,
    /// The known verdicts of a spam scan, as a struct (see [`VERDICTS`]).
    Verdicts,
    /// The flags that reading the record raised.
    Flags,
    /// The pairs that no column took, in their order.
    Pairs,
    /// Words from a list of our own, such as the stages seen of a message.
    Words,
    /// A record of these fields, inside a message.
    Struct(&'static [Field]),
    /// A list of records of these fields, inside a message.
    Structs(&'static [Field]),
}

impl Kind {
    /// The type's name in `mimelake schema`.
    pub const fn type_name(self) -> &'static str {
        match self {
            Self::Text | Self::Word => "string",
            Self::Int => "int64",
            Self::Bool | Self::Hit => "bool",
            Self::Time => "timestamp",
            Self::Addresses | Self::FileNames | Self::Flags | Self::Words => "list<string>",
            Self::Json => "json",
            Self::Verdicts | Self::Struct(_) | Self::Structs(_) => "struct",
            Self::Pairs => "map",
        }
    }

    /// The fields of the records that it holds; none for kinds that hold no records.
    pub const fn members(self) -> &'static [Field] {
        match self {
            Self::Struct(members) | Self::Structs(members) => members,
            _ => &[],
        }
    }
}

/// The members of a spam-detail struct that are themselves `{allow: bool, info: string}`, with the
/// names they have in Mimecast's JSON. A last member, `grey_email` (`greyEmail`), is a boolean.
///
/// Source: `SpamProcessingDetail` of Mimecast's receipt log.
pub const VERDICTS: [(&str, &str); 6] = [
    ("spf", "spf"),
    ("dkim", "dkim"),
    ("dmarc", "dmarc"),
    ("rbl", "rbl"),
    ("permitted_sender", "permittedSender"),
    ("managed_sender", "managedSender"),
];

/// What a record is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// API 1.0 key-value lines.
    Kv,
    /// API 1.0 JSON, with the names of the key-value lines.
    Json1,
    /// API 2.0 NDJSON, with names of its own and numbers as text.
    Json2,
}

impl Dialect {
    /// The name in the column `dialect`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kv => "kv",
            Self::Json1 => "json1",
            Self::Json2 => "json2",
        }
    }
}
