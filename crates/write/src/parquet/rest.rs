//! The columns that the library's writer encodes.

use std::io;
use std::sync::Arc;

use mimelake_columns::batch::Batches;
use mimelake_columns::document::{Cell, Layout};
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves,
};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterPropertiesPtr;
use parquet::file::writer::SerializedFileWriter;

/// Rows of a batch. The writer's cost for each batch and column shows below 4,096.
const BATCH_ROWS: usize = 8192;

/// Maps and records inside of messages, by way of Arrow's arrays.
pub(super) struct Rest {
    /// Where they stand in a row.
    places: Vec<usize>,
    batches: Batches,
    factory: ArrowRowGroupWriterFactory,
    /// The column chunks in progress; none before the first batch.
    writers: Vec<ArrowColumnWriter>,
}

impl Rest {
    /// The leaves at these places of the layout.
    pub(super) fn new(
        layout: &Layout,
        places: Vec<usize>,
        properties: &WriterPropertiesPtr,
    ) -> Result<Self, ParquetError> {
        let leaves = places.iter().map(|place| layout.leaves()[*place].clone()).collect();
        let batches = Batches::new(&Layout::new(leaves));
        let schema = ArrowSchemaConverter::new().convert(batches.schema())?;
        // Nothing is written to it: the factory takes the columns and what is chosen for them from a file's writer.
        let file = SerializedFileWriter::new(io::sink(), schema.root_schema_ptr(), Arc::clone(properties))?;
        let factory = ArrowRowGroupWriterFactory::new(&file, Arc::clone(batches.schema()));
        Ok(Self { places, batches, factory, writers: Vec::new() })
    }

    /// Appends the cells of a row.
    #[inline]
    pub(super) fn push(&mut self, row: &[Cell<'_>]) {
        // Arrow has no batches without columns.
        if !self.places.is_empty() {
            self.batches.push_from(row, &self.places);
        }
    }

    /// How many bytes of memory the batch takes.
    pub(super) fn batch_bytes(&self) -> usize {
        self.batches.bytes()
    }

    /// How many bytes of memory the chunks in progress take.
    pub(super) fn memory(&self) -> usize {
        self.writers.iter().map(ArrowColumnWriter::memory_size).sum()
    }

    /// How many chunks are in progress.
    pub(super) fn chunks(&self) -> usize {
        self.writers.len()
    }

    /// Hands the batch to the chunks in progress if it is full.
    pub(super) fn check(&mut self, most_bytes: usize) -> Result<(), ParquetError> {
        let is_full = self.batches.rows() >= BATCH_ROWS || self.batches.bytes() >= most_bytes;
        if is_full { self.encode() } else { Ok(()) }
    }

    fn encode(&mut self) -> Result<(), ParquetError> {
        if self.batches.rows() == 0 {
            return Ok(());
        }
        if self.writers.is_empty() {
            self.writers = self.factory.create_column_writers(0)?;
        }
        let batch = self.batches.finish()?;
        let mut writers = self.writers.iter_mut();
        for (field, column) in self.batches.schema().fields().iter().zip(batch.columns()) {
            for (leaf, writer) in compute_leaves(field, column)?.iter().zip(&mut writers) {
                writer.write(leaf)?;
            }
        }
        Ok(())
    }

    /// Ends the chunks in progress, in the order of their columns.
    pub(super) fn finish(&mut self) -> Result<Vec<ArrowColumnChunk>, ParquetError> {
        self.encode()?;
        std::mem::take(&mut self.writers).into_iter().map(ArrowColumnWriter::close).collect()
    }
}
