//! A Parquet file while it is written.

use std::io::{self, Write};
use std::sync::Arc;

use mimelake_columns::batch::Batches;
use mimelake_columns::document::{Cell, Layout};
use parquet::arrow::{ArrowSchemaConverter, add_encoded_arrow_schema_to_metadata};
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedFileWriter;

use super::chunk::{Around, Chunk, Scope, Scratch};
use super::encoder::{Encoder, Placed};
use super::{Compression, ParquetPartError, plan};

/// After so many rows, pages are ended that are full.
const CHECKED_ROWS: usize = 1024;
/// After so many bytes, too. With one record of the longest length allowed, 1 GiB, a page stays below the 2 GiB that
/// it can have.
const CHECKED_BYTES: usize = 1 << 20;

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

/// The room that a finished file leaves for another: buffers that have grown as large as a file of the kind needs.
pub struct Room {
    layout: Layout,
    compression: Compression,
    /// What encodes each leaf.
    encoders: Vec<Encoder>,
    /// The columns.
    chunks: Vec<Chunk>,
}

/// A Parquet file that takes rows.
///
/// It holds the row group in progress, which is counted by [`memory`](Self::memory). It must be ended
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
pub struct ParquetPart<W: Write + Send> {
    writer: SerializedFileWriter<Out<W>>,
    room: Room,
    /// The rows whose nulls are not in the columns yet.
    scope: Scope,
    table: String,
    rows: u64,
    /// Rows of the row group in progress.
    group_rows: usize,
    /// Rows and bytes since pages were last ended that are full.
    unchecked: (usize, usize),
    /// Memory of the row group in progress as of then: to ask visits every column.
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
        Self::in_room(out, layout, labels, compression, None)
    }

    /// The same, in the room of another file, which is used if that was of the same layout and compressed alike.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn in_room(
        out: W,
        layout: &Layout,
        labels: PartLabels<'_>,
        compression: Compression,
        room: Option<Room>,
    ) -> Result<Self, ParquetPartError> {
        let room = room.filter(|room| room.layout == *layout && room.compression == compression);
        Self::try_new(out, layout, labels, compression, room)
            .map_err(|error| ParquetPartError::new(labels.table, error))
    }

    fn try_new(
        out: W,
        layout: &Layout,
        labels: PartLabels<'_>,
        compression: Compression,
        room: Option<Room>,
    ) -> Result<Self, ParquetError> {
        let codec = compression.codec()?;
        let mut properties = plan::properties(layout, labels, codec);
        let schema = Arc::clone(Batches::new(layout).schema());
        add_encoded_arrow_schema_to_metadata(&schema, &mut properties);
        let properties = Arc::new(properties);
        let schema = ArrowSchemaConverter::new().convert(&schema)?;
        let room = match room {
            Some(room) => room,
            None => {
                let planned = plan::columns_of(layout).zip(schema.columns());
                let chunks = planned.map(|((_, plan), column)| Chunk::new(plan, column, codec)).collect();
                let (layout, encoders) = (layout.clone(), Encoder::all(layout.leaves(), 0));
                Room { layout, compression, encoders, chunks }
            }
        };
        Ok(Self {
            writer: SerializedFileWriter::new(Out(Some(out)), schema.root_schema_ptr(), properties)?,
            room,
            scope: Scope::default(),
            table: labels.table.to_owned(),
            rows: 0,
            group_rows: 0,
            unchecked: (0, 0),
            group_memory: 0,
        })
    }

    /// Appends a row: one cell for each leaf of the layout. Some rows at a time take less, see
    /// [`push_all`](Self::push_all).
    ///
    /// # Errors
    /// [`ParquetPartError::Write`] if the file does not take what is ready to be written.
    pub fn push(&mut self, row: &[Cell<'_>]) -> Result<(), ParquetPartError> {
        self.push_all(&[row])
    }

    /// Appends rows, each of one cell for each leaf of the layout, column by column: a few dozen, whose cells the
    /// processor's caches hold. They come into one page, which cannot have 2 GiB.
    ///
    /// # Errors
    /// [`ParquetPartError::Write`] if the file does not take what is ready to be written.
    pub fn push_all(&mut self, mut rows: &[&[Cell<'_>]]) -> Result<(), ParquetPartError> {
        while !rows.is_empty() {
            // Row groups and pages end where they are full.
            let (some, others) = rows.split_at(rows.len().min(CHECKED_ROWS - self.unchecked.0));
            self.push_some(some)?;
            rows = others;
        }
        Ok(())
    }

    fn push_some(&mut self, rows: &[&[Cell<'_>]]) -> Result<(), ParquetPartError> {
        let Room { encoders, chunks, .. } = &mut self.room;
        let mut bytes = encoders.len() * rows.len();
        let scope = &mut self.scope;
        let placed = rows.iter().map(|cells| Placed { cells, place: scope.begin(Around::default()) });
        let placed: Vec<_> = placed.collect();
        for (at, encoder) in encoders.iter_mut().enumerate() {
            bytes += encoder.push_all(chunks, &placed, at, &self.scope);
        }
        self.rows += rows.len() as u64;
        self.group_rows += rows.len();
        self.unchecked = (self.unchecked.0 + rows.len(), self.unchecked.1 + bytes);
        if self.unchecked.0 >= CHECKED_ROWS || self.unchecked.1 >= CHECKED_BYTES {
            self.check().map_err(|error| self.failed(error))?;
        }
        Ok(())
    }

    /// How many rows have been pushed.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// About how many bytes of memory the part holds now: the row group in progress. Cheap enough to be asked after
    /// every row.
    pub fn memory(&self) -> usize {
        self.group_memory + self.unchecked.1
    }

    /// Ends the row group in progress, so that the part holds next to nothing. Small row groups make a larger
    /// file: it is meant for a run that is short of memory.
    ///
    /// # Errors
    /// [`ParquetPartError::Write`] if the file does not take it.
    pub fn flush_group(&mut self) -> Result<(), ParquetPartError> {
        let ended = self.end_group().and_then(|()| self.shrink());
        ended.map_err(|error| self.failed(error))
    }

    /// Writes the rest and the footer.
    ///
    /// # Errors
    /// [`ParquetPartError::Write`] if the file does not take it.
    pub fn finish(self) -> Result<WrittenPart<W>, ParquetPartError> {
        self.finish_with_room().map(|(written, _)| written)
    }

    /// The same; the room is for another file of the same layout.
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    pub fn finish_with_room(mut self) -> Result<(WrittenPart<W>, Room), ParquetPartError> {
        let finished = self.end_group().and_then(|()| self.writer.finish());
        finished.map_err(|error| self.failed(error))?;
        let bytes = self.writer.bytes_written() as u64;
        let out = self.writer.inner_mut().0.take().ok_or_else(|| ParquetPartError::Write(closed()))?;
        Ok((WrittenPart { out, rows: self.rows, bytes }, self.room))
    }

    /// Ends pages that are full, and the row group if it is.
    fn check(&mut self) -> Result<(), ParquetError> {
        self.settle();
        Scratch::with(self.room.compression, |scratch| {
            self.room.chunks.iter_mut().try_for_each(|chunk| chunk.check(scratch))
        })?;
        self.unchecked = (0, 0);
        self.group_memory = self.measure();
        let is_full = self.group_rows >= plan::GROUP_ROWS || self.group_memory >= plan::GROUP_BYTES;
        if is_full {
            self.end_group()?;
            self.shrink()?;
        }
        Ok(())
    }

    /// Writes the row group in progress.
    fn end_group(&mut self) -> Result<(), ParquetError> {
        if self.group_rows == 0 {
            return Ok(());
        }
        self.settle();
        let mut group = self.writer.next_row_group()?;
        Scratch::with(self.room.compression, |scratch| {
            self.room.chunks.iter_mut().try_for_each(|chunk| {
                let (bytes, close) = chunk.finish(scratch)?;
                group.append_column(&bytes, close)
            })
        })?;
        group.close()?;
        (self.group_rows, self.unchecked, self.group_memory) = (0, (0, 0), 0);
        Ok(())
    }

    /// Gives back the room for rows to come, here and where they are written to: hundreds of parts may be open that are
    /// hardly written to.
    fn shrink(&mut self) -> Result<(), ParquetError> {
        self.room.chunks.iter_mut().for_each(Chunk::shrink);
        Ok(self.writer.flush()?)
    }

    /// Appends to the columns what is read off the rows that have nothing of them.
    fn settle(&mut self) {
        let Room { encoders, chunks, .. } = &mut self.room;
        for encoder in encoders {
            encoder.settle(chunks, &self.scope);
        }
        self.scope.clear();
    }

    /// Memory of the row group in progress, and of what compresses its pages once there are any. Parts of one thread
    /// share that, and each counts it: rather too much than too little.
    fn measure(&self) -> usize {
        let codec = if self.group_rows < plan::PAGE_ROWS { 0 } else { self.room.compression.memory() };
        self.room.chunks.iter().map(Chunk::memory).sum::<usize>() + codec
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
