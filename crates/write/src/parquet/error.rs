//! What can go wrong with a Parquet file.

use std::io;

use parquet::errors::ParquetError;

/// Why a Parquet file could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParquetPartError {
    /// What it is written to said no; a part file's errors name the path.
    #[error(transparent)]
    Write(io::Error),
    /// The rows could not be encoded, which is a defect of mimelake.
    #[error("cannot encode rows of table {table} as Parquet: {source}; please report this")]
    Encode {
        /// The table.
        table: String,
        /// The writer's answer.
        source: ParquetError,
    },
}

impl ParquetPartError {
    /// Names the table, and tells what the disk says from what the encoder says.
    pub(super) fn new(table: &str, error: ParquetError) -> Self {
        let encode = |source| Self::Encode { table: table.to_owned(), source };
        match error {
            ParquetError::External(cause) => match cause.downcast::<io::Error>() {
                Ok(error) => Self::Write(*error),
                Err(cause) => encode(ParquetError::External(cause)),
            },
            other => encode(other),
        }
    }
}

/// Why a Parquet part could not be read back.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot read {path} as Parquet: {reason}; if the file is damaged, remove it and write it anew from the logs"
)]
pub struct ReadError {
    path: String,
    reason: String,
}

impl ReadError {
    pub(super) fn new(path: &str, error: &dyn std::error::Error) -> Self {
        Self { path: path.to_owned(), reason: error.to_string() }
    }
}
