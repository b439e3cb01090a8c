//! What compresses the pages of a file.

use std::io;

use parquet::errors::ParquetError;

use crate::parquet::Compression;

/// Compresses pages, one after the other: what it needs for that is made once, not for every column.
pub(in crate::parquet) struct Codec {
    kind: Kind,
    packed: Vec<u8>,
}

enum Kind {
    Zstd(zstd::bulk::Compressor<'static>),
    Snappy(Box<snap::raw::Encoder>),
    None,
}

impl Codec {
    pub(in crate::parquet) fn new(compression: Compression) -> io::Result<Self> {
        let kind = match compression {
            Compression::Zstd(level) => Kind::Zstd(zstd::bulk::Compressor::new(level.into())?),
            Compression::Snappy => Kind::Snappy(Box::new(snap::raw::Encoder::new())),
            Compression::None => Kind::None,
        };
        Ok(Self { kind, packed: Vec::new() })
    }

    /// How many bytes of memory what is compressed takes.
    pub(super) fn memory(&self) -> usize {
        self.packed.capacity()
    }

    /// The bytes, compressed.
    pub(super) fn pack<'a>(&'a mut self, bytes: &'a [u8]) -> Result<&'a [u8], ParquetError> {
        // No error of the disk, which is what an error of input and output would be taken for.
        let failed = |error: &dyn std::error::Error| ParquetError::General(error.to_string());
        let packed = &mut self.packed;
        packed.clear();
        match &mut self.kind {
            Kind::Zstd(zstd) => {
                packed.reserve(zstd::zstd_safe::compress_bound(bytes.len()));
                zstd.compress_to_buffer(bytes, packed).map_err(|error| failed(&error))?;
            }
            Kind::Snappy(snappy) => {
                packed.resize(snap::raw::max_compress_len(bytes.len()), 0);
                let length = snappy.compress(bytes, packed).map_err(|error| failed(&error))?;
                packed.truncate(length);
            }
            Kind::None => return Ok(bytes),
        }
        Ok(packed)
    }
}
