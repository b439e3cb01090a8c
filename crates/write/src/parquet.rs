//! Rows to a Parquet file.
//!
//! A [`ParquetPart`] takes the rows of one layout, and writes them to anything that can be written to, a part
//! file of the [store](crate::store) for one. How each column is encoded is decided in one place, the module
//! `plan`. They are encoded here, value by value while the row is at hand (the module `chunk`); the `parquet` crate writes
//! schema, indexes and footer.
//!
//! Files are for readers of this decade: data pages of version 1, `DELTA_LENGTH_BYTE_ARRAY` and
//! `DELTA_BINARY_PACKED` beside dictionaries, column and offset index, bloom filters on the columns that one
//! email or one file is looked up by.

mod chunk;
mod compression;
mod encoder;
mod error;
mod part;
mod plan;
mod read;
#[cfg(test)]
mod tests;

pub use compression::{Compression, CompressionError};
pub use error::{ParquetPartError, ReadError};
pub use part::{ParquetPart, PartLabels, Room, WrittenPart};
pub use read::{Lookup, ReadPart};
