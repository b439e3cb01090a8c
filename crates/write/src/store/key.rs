//! The identity of a piece of input: its bytes.

use std::fmt;
use std::hash::{Hash, Hasher};

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Which bytes a unit of input is, whatever the name it came under.
///
/// A unit is a plain file, a zip member inflated, a gzip or zstd file inflated, or a slice of a plain file. A gzip or
/// zstd file has a second key, of its own bytes: [`CommittedUnit::packed`](super::CommittedUnit::packed). Two keys
/// are equal if they mean the same bytes of the same whole; the CRC only saves the computing of digests.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(into = "Wire", from = "Wire")]
pub struct UnitKey {
    /// Length of the whole content in bytes.
    pub len: u64,
    /// First byte of this slice.
    pub start: u64,
    /// End of this slice; `0..len` is the whole.
    pub end: u64,
    /// BLAKE3 of the bytes `start..end`.
    pub digest: [u8; 32],
    /// CRC-32 of the whole content, where an archive states it.
    pub crc32: Option<u32>,
}

impl UnitKey {
    /// The key of a whole content.
    pub const fn whole(len: u64, digest: [u8; 32]) -> Self {
        Self { len, start: 0, end: len, digest, crc32: None }
    }

    /// The first eight bytes of the digest, which nearly always tell it from others.
    pub(super) fn prefix(&self) -> u64 {
        self.digest.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }

    /// Whether both are the same bytes at the same place, even if one whole has grown since.
    pub(super) fn same_bytes(&self, other: &Self) -> bool {
        self.digest == other.digest && self.start == other.start && self.end == other.end
    }
}

impl PartialEq for UnitKey {
    fn eq(&self, other: &Self) -> bool {
        self.same_bytes(other) && self.len == other.len
    }
}

impl Eq for UnitKey {}

impl Hash for UnitKey {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.prefix().hash(hasher);
    }
}

/// The key in a commit record: a whole leaves out its bounds.
#[derive(Serialize, Deserialize)]
struct Wire {
    l: u64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    s: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    e: Option<u64>,
    d: Hex,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    c: Option<u32>,
}

impl From<UnitKey> for Wire {
    fn from(key: UnitKey) -> Self {
        let s = (key.start != 0).then_some(key.start);
        let e = (key.end != key.len).then_some(key.end);
        Self { l: key.len, s, e, d: Hex(key.digest), c: key.crc32 }
    }
}

impl From<Wire> for UnitKey {
    fn from(wire: Wire) -> Self {
        Self {
            len: wire.l,
            start: wire.s.unwrap_or(0),
            end: wire.e.unwrap_or(wire.l),
            digest: wire.d.0,
            crc32: wire.c,
        }
    }
}

struct Hex([u8; 32]);

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(HexVisitor)
    }
}

struct HexVisitor;

impl Visitor<'_> for HexVisitor {
    type Value = Hex;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("64 hexadecimal digits")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Hex, E> {
        blake3::Hash::from_hex(text).map(|hash| Hex(hash.into())).map_err(E::custom)
    }
}
