//! Parquet parts read back.

use std::fs::File;
use std::path::Path;

use arrow::array::RecordBatch;
use mimelake_schema::Field;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use super::ReadError;

/// Rows of a batch that is read.
const BATCH_ROWS: usize = 4096;

/// The record batches of a part.
#[derive(Debug)]
pub struct ReadPart {
    path: String,
    rows: u64,
    labels: Vec<(String, String)>,
    reader: ParquetRecordBatchReader,
}

impl ReadPart {
    /// The part at `path`; of its columns those wanted, or all.
    ///
    /// # Errors
    /// [`ReadError`] if it cannot be opened or is no Parquet file.
    pub fn open(path: &Path, wanted: Option<&[Field]>) -> Result<Self, ReadError> {
        let name = path.display().to_string();
        let file = File::open(path).map_err(|error| ReadError::new(&name, &error))?;
        let builder =
            ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| ReadError::new(&name, &error))?;
        let rows = u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or_default();
        let pairs = builder.metadata().file_metadata().key_value_metadata().into_iter().flatten();
        let labels = pairs.filter_map(|pair| Some((pair.key.clone(), pair.value.clone()?))).collect();
        let mask = wanted.map_or_else(ProjectionMask::all, |wanted| {
            ProjectionMask::columns(builder.parquet_schema(), wanted.iter().map(|field| field.column()))
        });
        let reader = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build();
        let reader = reader.map_err(|error| ReadError::new(&name, &error))?;
        Ok(Self { path: name, rows, labels, reader })
    }

    /// What the file says of itself under `mimelake.<name>`: its `table`, its `schema`, the `version` that wrote it.
    pub fn label(&self, name: &str) -> Option<&str> {
        let is_it = |key: &str| key.strip_prefix("mimelake.") == Some(name);
        self.labels.iter().find(|(key, _)| is_it(key)).map(|(_, value)| value.as_str())
    }

    /// How many rows it has.
    pub fn rows(&self) -> u64 {
        self.rows
    }
}

impl Iterator for ReadPart {
    type Item = Result<RecordBatch, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.reader.next()?;
        Some(batch.map_err(|error| ReadError::new(&self.path, &error)))
    }
}
