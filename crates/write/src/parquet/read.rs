//! Parquet parts read back.

use std::collections::HashSet;
use std::fs::File;
use std::path::Path;

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::error::ArrowError;
use mimelake_schema::{EventType, Field};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowPredicateFn, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowFilter,
};
use parquet::errors::ParquetError;

use super::ReadError;

/// Rows of a batch that is read.
const BATCH_ROWS: usize = 4096;
/// The same of messages: one holds any number of records, and no column of a batch more than 2 GiB.
const BATCH_MESSAGES: usize = 32;

type Builder = ParquetRecordBatchReaderBuilder<File>;

/// A column of text and the texts that are looked for in it.
pub type Lookup = (Field, Vec<String>);

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
        let builder = open(path, &name)?;
        let mask = wanted.map_or_else(ProjectionMask::all, |wanted| {
            ProjectionMask::columns(builder.parquet_schema(), wanted.iter().map(|field| field.column()))
        });
        Self::build(name, builder.with_projection(mask))
    }

    /// The rows of the part at `path` where one of these columns holds one of its texts, whole and exactly so; none if
    /// the part's bloom filters show that there is no such row.
    ///
    /// Of a part without such a row, little more than footer and filters is read; of others, the other columns where
    /// there is a hit.
    ///
    /// # Errors
    /// [`ReadError`] if it cannot be opened, is no Parquet file, or has no such column.
    pub fn lookup(path: &Path, any_of: &[Lookup]) -> Result<Option<Self>, ReadError> {
        let name = path.display().to_string();
        let failed = |error: ParquetError| ReadError::new(&name, &error);
        let builder = open(path, &name)?;
        let columns = any_of.iter().map(|lookup| place(&builder, lookup)).collect::<Result<Vec<_>, _>>();
        let columns = columns.map_err(failed)?;
        let mut groups = Vec::new();
        for group in 0..builder.metadata().num_row_groups() {
            if may_hold(&builder, group, &columns).map_err(failed)? {
                groups.push(group);
            }
        }
        if groups.is_empty() {
            return Ok(None);
        }
        let names: Vec<_> = any_of.iter().map(|(field, _)| field.column()).collect();
        let mask = ProjectionMask::columns(builder.parquet_schema(), names);
        let sets: Vec<_> =
            any_of.iter().map(|(field, texts)| (*field, texts.iter().cloned().collect())).collect();
        let filter = ArrowPredicateFn::new(mask, move |batch| hits(&batch, &sets));
        let filter = RowFilter::new(vec![Box::new(filter)]);
        Self::build(name, builder.with_row_groups(groups).with_row_filter(filter)).map(Some)
    }

    /// What the file says of itself under `mimelake.<name>`: its `table`, its `schema`, the `version` that wrote it.
    pub fn label(&self, name: &str) -> Option<&str> {
        let is_it = |key: &str| key.strip_prefix("mimelake.") == Some(name);
        self.labels.iter().find(|(key, _)| is_it(key)).map(|(_, value)| value.as_str())
    }

    fn build(path: String, builder: Builder) -> Result<Self, ReadError> {
        let file = builder.metadata().file_metadata();
        let rows = u64::try_from(file.num_rows()).unwrap_or_default();
        let pairs = file.key_value_metadata().into_iter().flatten();
        let labels: Vec<(String, String)> =
            pairs.filter_map(|pair| Some((pair.key.clone(), pair.value.clone()?))).collect();
        let are_messages = labels.iter().any(|(_, value)| value == EventType::Message.table());
        let rows_of_batch = if are_messages { BATCH_MESSAGES } else { BATCH_ROWS };
        let reader = builder.with_batch_size(rows_of_batch).build();
        let reader = reader.map_err(|error| ReadError::new(&path, &error))?;
        Ok(Self { path, rows, labels, reader })
    }

    /// How many rows the whole part has.
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

fn open(path: &Path, name: &str) -> Result<Builder, ReadError> {
    let file = File::open(path).map_err(|error| ReadError::new(name, &error))?;
    Builder::try_new(file).map_err(|error| ReadError::new(name, &error))
}

/// The place of a looked-up column among the file's, and its texts.
fn place<'a>(builder: &Builder, (field, texts): &'a Lookup) -> Result<(usize, &'a [String]), ParquetError> {
    let columns = builder.parquet_schema().columns();
    let found = columns.iter().position(|column| column.path().parts() == [field.column()]);
    let missing = || ParquetError::General(format!("it has no column {}", field.column()));
    Ok((found.ok_or_else(missing)?, texts))
}

/// Whether a row group may hold one of the texts: where a column has no bloom filter, it may.
fn may_hold(builder: &Builder, group: usize, columns: &[(usize, &[String])]) -> Result<bool, ParquetError> {
    for (column, texts) in columns {
        let filter = builder.get_row_group_column_bloom_filter(group, *column)?;
        if filter.is_none_or(|filter| texts.iter().any(|text| filter.check(text.as_str()))) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The rows of a batch where a column holds one of its texts.
fn hits(batch: &RecordBatch, any_of: &[(Field, HashSet<String>)]) -> Result<BooleanArray, ArrowError> {
    let mut columns = Vec::with_capacity(any_of.len());
    for (field, texts) in any_of {
        let column = batch.column_by_name(field.column()).and_then(|column| column.as_string_opt::<i32>());
        let no_text = || ArrowError::SchemaError(format!("column {} holds no text", field.column()));
        columns.push((column.ok_or_else(no_text)?, texts));
    }
    let hit = |row| {
        let mut columns = columns.iter();
        columns.any(|(column, texts)| column.is_valid(row) && texts.contains(column.value(row)))
    };
    Ok((0..batch.num_rows()).map(|row| Some(hit(row))).collect())
}
