//! A Parquet file while it is written.

use std::io::{self, Write};

use mimelake_columns::batch::Batches;
use mimelake_columns::document::{Cell, Layout};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::errors::ParquetError;

use super::{Compression, ParquetPartError, plan};

/// Rows of a batch. The writer's cost for each batch and column shows below 4,096.
const BATCH_ROWS: usize = 8192;
/// Bytes from which a batch is ended before it has all its rows. With one record of the longest length allowed,
/// 1 GiB, a batch stays below the 2 GiB that a column can hold.
const BATCH_BYTES: usize = 8 << 20;

/// What a column of a row group in progress holds beside what the writer counts. Measured, as resident memory of
/// many parts.
const COLUMN_BYTES: usize = 160 << 10;

/// The key under which a file says which schema its columns are of.
pub(super) const SCHEMA_LABEL: &str = "mimelake.schema";

/// What a file says of itself, as key-value metadata `mimelake.table` and `mimelake.schema`, beside
/// `mimelake.version`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartLabels<'a> {
    /// The table's name.
    pub table: &'a str,
    /// `native` or `ecs`.
    pub schema: &'a str,
}

/// What has been written by a [`ParquetPart`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrittenPart<W> {
    /// What it was written to; everything has been handed to it.
    pub out: W,
    /// How many rows.
    pub rows: u64,
    /// How many bytes.
    pub bytes: u64,
}

/// A Parquet file that takes rows.
///
/// It holds one batch and the row group in progress, both counted by [`memory`](Self::memory). It must be ended
/// by [`finish`](Self::finish): without its footer the file cannot be read.
///
/// ```
/// use mimelake_columns::document::{Cell, Layout, Leaf, LeafKind};
/// use mimelake_write::parquet::{Compression, ParquetPart, PartLabels};
///
/// let layout = Layout::new(vec![Leaf::new("subject", LeafKind::Text)]);
/// let labels = PartLabels { table: "receipt", schema: "native" };
/// let mut part = ParquetPart::new(Vec::new(), &layout, labels, Compression::default())?;
/// part.push(&[Cell::Text("Invoice")])?;
/// let written = part.finish()?;
/// assert_eq!((written.rows, written.bytes), (1, written.out.len() as u64));
/// # Ok::<(), mimelake_write::parquet::ParquetPartError>(())
/// ```
#[derive(Debug)]
pub struct ParquetPart<W: Write + Send> {
    writer: ArrowWriter<Out<W>>,
    batches: Batches,
    table: String,
    rows: u64,
    compression: Compression,
    /// How many Parquet columns.
    columns: usize,
    /// Memory of the row group in progress as of the last batch: asking the writer visits every column.
    group_memory: usize,
}

impl<W: Write + Send> ParquetPart<W> {
    /// A file of rows of this layout, written to `out`.
    ///
    /// # Errors
    /// [`ParquetPartError::Write`] if `out` does not take the first bytes.
    pub fn new(
        out: W,
        layout: &Layout,
        labels: PartLabels<'_>,
        compression: Compression,
    ) -> Result<Self, ParquetPartError> {
        let failed = |error| ParquetPartError::new(labels.table, error);
        let batches = Batches::new(layout);
        let codec = compression.codec().map_err(failed)?;
        let properties = plan::properties(layout, labels, codec);
        let options = ArrowWriterOptions::new().with_properties(properties);
        let out = Out(Some(out));
        let writer =
            ArrowWriter::try_new_with_options(out, batches.schema().clone(), options).map_err(failed)?;
        let columns = plan::columns_of(layout).count();
        let table = labels.table.to_owned();
        Ok(Self { writer, batches, table, rows: 0, compression, columns, group_memory: 0 })
    }

    /// Appends a row: one cell for each leaf of the layout.
    ///
    /// # Errors
    /// [`ParquetPartError::Write`] if the file does not take what is ready to be written.
    #[inline]
    pub fn push(&mut self, row: &[Cell<'_>]) -> Result<(), ParquetPartError> {
        self.batches.push(row);
        if self.batches.rows() >= BATCH_ROWS || self.batches.bytes() >= BATCH_BYTES {
            self.encode()?;
        }
        Ok(())
    }

    /// How many rows have been pushed.
    pub fn rows(&self) -> u64 {
        self.rows + self.batches.rows() as u64
    }

    /// About how many bytes of memory the part holds now: the batch and the row group in progress. Cheap enough
    /// to be asked after every row.
    pub fn memory(&self) -> usize {
        self.batches.bytes() + self.group_memory
    }

    /// Ends the row group in progress, so that the part holds next to nothing. Small row groups make a larger
    /// file: it is meant for a run that is short of memory.
    ///
    /// # Errors
    /// [`ParquetPartError::Write`] if the file does not take it.
    pub fn flush_group(&mut self) -> Result<(), ParquetPartError> {
        self.encode()?;
        self.writer.flush().map_err(|error| self.failed(error))?;
        self.group_memory = 0;
        Ok(())
    }

    /// Writes the rest and the footer.
    ///
    /// # Errors
    /// [`ParquetPartError::Write`] if the file does not take it.
    pub fn finish(mut self) -> Result<WrittenPart<W>, ParquetPartError> {
        self.encode()?;
        self.writer.finish().map_err(|error| self.failed(error))?;
        let bytes = self.writer.bytes_written() as u64;
        let out = self.writer.inner_mut().0.take().ok_or_else(|| ParquetPartError::Write(closed()))?;
        Ok(WrittenPart { out, rows: self.rows, bytes })
    }

    /// Hands the batch to the row group in progress.
    fn encode(&mut self) -> Result<(), ParquetPartError> {
        if self.batches.rows() == 0 {
            return Ok(());
        }
        let batch = self.batches.finish().map_err(|error| ParquetPartError::arrow(&self.table, error))?;
        self.writer.write(&batch).map_err(|error| self.failed(error))?;
        self.rows += batch.num_rows() as u64;
        self.group_memory = self.measure();
        Ok(())
    }

    /// Memory of the row group in progress, and of what compresses its pages once there are any.
    fn measure(&self) -> usize {
        let each = match self.writer.in_progress_rows() {
            0 => 0,
            rows if rows < plan::PAGE_ROWS => COLUMN_BYTES,
            _ => COLUMN_BYTES + self.compression.memory(),
        };
        self.writer.memory_size() + self.columns * each
    }

    fn failed(&self, error: ParquetError) -> ParquetPartError {
        ParquetPartError::new(&self.table, error)
    }
}

/// What the file is written to, until it is handed back.
#[derive(Debug)]
struct Out<W>(Option<W>);

impl<W: Write> Write for Out<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.as_mut().ok_or_else(closed)?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.as_mut().map_or(Ok(()), Write::flush)
    }
}

fn closed() -> io::Error {
    io::Error::other("the Parquet file is finished")
}
