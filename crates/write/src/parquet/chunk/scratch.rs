//! What encoding a page takes, whatever the file and the column.

use std::cell::Cell;

use parquet::errors::ParquetError;

use super::codec::Codec;
use crate::parquet::Compression;

/// A thread that has used more than this gives it back: a page of one record can be very long.
const KEPT_BYTES: usize = 8 << 20;

thread_local! {
    /// Files come and go, and many are open at a time: for each of them anew it would be as much memory to be touched
    /// as the rows take.
    static KEPT: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
}

/// The room that a page is encoded in, and what compresses it.
pub(in crate::parquet) struct Scratch {
    compression: Compression,
    pub(super) codec: Codec,
    pub(super) page: Vec<u8>,
    pub(super) levels: Vec<u32>,
}

impl Scratch {
    /// What `work` gives, which has the scratch of this thread to work with.
    pub(in crate::parquet) fn with<T>(
        compression: Compression,
        work: impl FnOnce(&mut Self) -> Result<T, ParquetError>,
    ) -> Result<T, ParquetError> {
        let mut scratch = match KEPT.take().filter(|kept| kept.compression == compression) {
            Some(kept) => kept,
            None => {
                let codec = Codec::new(compression)?;
                Box::new(Self { compression, codec, page: Vec::new(), levels: Vec::new() })
            }
        };
        let done = work(&mut scratch);
        if scratch.memory() <= KEPT_BYTES {
            KEPT.set(Some(scratch));
        }
        done
    }

    /// How many bytes of memory it takes beside what compresses.
    fn memory(&self) -> usize {
        self.page.capacity() + self.codec.memory() + self.levels.capacity() * size_of::<u32>()
    }
}
