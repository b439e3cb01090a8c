//! What compresses the pages of a file.

use std::io;

use bytes::Bytes;
use parquet::errors::ParquetError;

use crate::parquet::Compression;

/// Compresses pages, one after the other: what it needs for that is made once, not for every column.
pub(super) struct Codec {
    kind: Kind,
    packed: Bytes,
    /// Bytes of memory that what is packed takes.
    room: usize,
}

enum Kind {
    Zstd(zstd::bulk::Compressor<'static>),
    Snappy(Box<snap::raw::Encoder>),
    None,
}

impl Codec {
    pub(super) fn new(compression: Compression) -> io::Result<Self> {
        let kind = match compression {
            Compression::Zstd(level) => Kind::Zstd(zstd::bulk::Compressor::new(level.into())?),
            Compression::Snappy => Kind::Snappy(Box::new(snap::raw::Encoder::new())),
            Compression::None => Kind::None,
        };
        Ok(Self { kind, packed: Bytes::new(), room: 0 })
    }

    /// How many bytes of memory what is compressed takes.
    pub(super) fn memory(&self) -> usize {
        self.room
    }

    /// The bytes, compressed. They stand where they were written, and what is packed next stands there again once they
    /// are dropped.
    pub(super) fn pack(&mut self, bytes: &[u8]) -> Result<Bytes, ParquetError> {
        // No error of the disk, which is what an error of input and output would be taken for.
        let failed = |error: &dyn std::error::Error| ParquetError::General(error.to_string());
        self.packed.clear();
        let mut packed = Vec::from(std::mem::take(&mut self.packed));
        match &mut self.kind {
            Kind::Zstd(zstd) => {
                packed.reserve(zstd::zstd_safe::compress_bound(bytes.len()));
                zstd.compress_to_buffer(bytes, &mut packed).map_err(|error| failed(&error))?;
            }
            Kind::Snappy(snappy) => {
                packed.resize(snap::raw::max_compress_len(bytes.len()), 0);
                let length = snappy.compress(bytes, &mut packed).map_err(|error| failed(&error))?;
                packed.truncate(length);
            }
            Kind::None => packed.extend_from_slice(bytes),
        }
        self.room = packed.capacity();
        self.packed = packed.into();
        Ok(self.packed.clone())
    }
}
