//! The codecs to choose from.

use std::fmt;
use std::str::FromStr;

use parquet::basic::{Compression as Codec, ZstdLevel};
use parquet::errors::ParquetError;

/// How pages are compressed: read from `zstd`, `zstd:LEVEL`, `snappy` or `none`.
///
/// ```
/// use mimelake_write::parquet::Compression;
///
/// assert_eq!("zstd".parse(), Ok(Compression::Zstd(1)));
/// assert_eq!("zstd:3".parse(), Ok(Compression::Zstd(3)));
/// assert!("zstd:99".parse::<Compression>().is_err());
/// assert_eq!(Compression::default().to_string(), "zstd:1");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Zstandard at this level, 1 to 22.
    Zstd(u8),
    /// Snappy: files about 40 % larger than with zstd at level 1.
    Snappy,
    /// Not compressed.
    None,
}

impl Compression {
    const HIGHEST: u8 = 22;

    /// About how many bytes of memory compressing pages takes beside them, for each column.
    pub(super) fn memory(self) -> usize {
        match self {
            Self::Snappy | Self::None => 0,
            Self::Zstd(0..=2) => 192 << 10,
            Self::Zstd(3..=6) => 640 << 10,
            Self::Zstd(7..=9) => 3 << 19,
            Self::Zstd(_) => 4 << 20,
        }
    }

    /// What the Parquet writer calls it.
    pub(super) fn codec(self) -> Result<Codec, ParquetError> {
        Ok(match self {
            Self::Zstd(level) => Codec::ZSTD(ZstdLevel::try_new(level.into())?),
            Self::Snappy => Codec::SNAPPY,
            Self::None => Codec::UNCOMPRESSED,
        })
    }
}

impl Default for Compression {
    /// Zstandard at level 1: level 3 makes files 2 % smaller for half as much time again, 9 and up cost 4 to 15 times
    /// the time for 3 %.
    fn default() -> Self {
        Self::Zstd(1)
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zstd(level) => write!(f, "zstd:{level}"),
            Self::Snappy => f.write_str("snappy"),
            Self::None => f.write_str("none"),
        }
    }
}

/// A text that names no compression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no compression: write zstd, zstd:LEVEL with a level from 1 to {highest}, snappy or none",
    highest = Compression::HIGHEST)]
pub struct CompressionError {
    text: String,
}

impl FromStr for Compression {
    type Err = CompressionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let level = |level: &str| level.parse().ok().filter(|level| (1..=Self::HIGHEST).contains(level));
        let read = match text.split_once(':') {
            Some(("zstd", number)) => level(number).map(Self::Zstd),
            None if text == "zstd" => Some(Self::default()),
            None if text == "snappy" => Some(Self::Snappy),
            None if text == "none" => Some(Self::None),
            _ => None,
        };
        read.ok_or_else(|| CompressionError { text: text.to_owned() })
    }
}
