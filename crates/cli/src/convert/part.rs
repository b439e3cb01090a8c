//! One part file while it is written, in either format.

use std::io::{self, Write};

use mimelake_columns::document::{Cell, Document};
use mimelake_write::ndjson::RowWriter;
use mimelake_write::parquet::{ParquetPart, PartLabels, Room};
use mimelake_write::store::{Job, PartFile};

use super::Run;
use crate::args::{ConvertArgs, SchemaKind, To};

/// One part file, and when it was last turned away from.
pub struct Part {
    sink: Format,
    used: u64,
}

/// The two formats.
enum Format {
    Parquet(Box<ParquetPart<PartFile>>),
    Ndjson(Box<NdjsonPart>),
}

/// NDJSON while it is written.
struct NdjsonPart {
    file: PartFile,
    writer: RowWriter,
    rows: u64,
}

impl NdjsonPart {
    fn write(&mut self, row: &[Cell<'_>]) -> io::Result<()> {
        self.rows += 1;
        self.file.append(|buffer| self.writer.write_row(row, buffer))
    }
}

impl Part {
    /// A new part of a table and date, in the room of one that is finished.
    pub fn create(
        run: &Run<'_>,
        job: &Job<'_>,
        document: &Document,
        date: &str,
        room: Option<Room>,
    ) -> anyhow::Result<Self> {
        let table = document.event_type().table();
        Self::on(run.args, job.create(table, date, run.args.extension())?, document, room)
    }

    /// A part that is written to this file, in the room of one that is finished.
    pub fn on(
        args: &ConvertArgs,
        file: PartFile,
        document: &Document,
        room: Option<Room>,
    ) -> anyhow::Result<Self> {
        match args.to() {
            To::Parquet => Self::parquet(args, file, document, args.schema(), room),
            To::Ndjson => {
                let writer = RowWriter::new(document.layout());
                let part = NdjsonPart { file, writer, rows: 0 };
                Ok(Self { sink: Format::Ndjson(Box::new(part)), used: 0 })
            }
        }
    }

    /// A Parquet part of native columns that is written to this file, whatever the format of the run.
    pub fn native(
        args: &ConvertArgs,
        file: PartFile,
        document: &Document,
        room: Option<Room>,
    ) -> anyhow::Result<Self> {
        Self::parquet(args, file, document, SchemaKind::Native, room)
    }

    fn parquet(
        args: &ConvertArgs,
        file: PartFile,
        document: &Document,
        schema: SchemaKind,
        room: Option<Room>,
    ) -> anyhow::Result<Self> {
        let labels = PartLabels { table: document.event_type().table(), schema: schema.name() };
        let part = ParquetPart::in_room(file, document.layout(), labels, args.write.compression, room)?;
        Ok(Self { sink: Format::Parquet(Box::new(part)), used: 0 })
    }

    /// Writes some rows.
    pub fn write(&mut self, rows: &[&[Cell<'_>]]) -> anyhow::Result<()> {
        match &mut self.sink {
            Format::Parquet(part) => part.push_all(rows)?,
            Format::Ndjson(part) => rows.iter().try_for_each(|row| part.write(row))?,
        }
        Ok(())
    }

    /// About how many bytes it holds.
    pub fn memory(&self) -> u64 {
        match &self.sink {
            Format::Parquet(part) => part.memory() as u64,
            Format::Ndjson(part) => part.file.memory() as u64,
        }
    }

    /// Writes out what it holds.
    pub fn flush(&mut self) -> anyhow::Result<()> {
        match &mut self.sink {
            Format::Parquet(part) => part.flush_group()?,
            Format::Ndjson(part) => part.file.flush()?,
        }
        Ok(())
    }

    /// When it was last turned away from.
    pub fn used(&self) -> u64 {
        self.used
    }

    /// Says when it was turned away from.
    pub fn set_used(&mut self, clock: u64) {
        self.used = clock;
    }

    /// Ends the file; how many bytes it has.
    pub fn finish(self) -> anyhow::Result<u64> {
        self.finish_with_room().map(|(bytes, _)| bytes)
    }

    /// The same; and the room of a Parquet file, for another of its kind.
    pub fn finish_with_room(self) -> anyhow::Result<(u64, Option<Room>)> {
        let (file, rows, room) = match self.sink {
            Format::Parquet(part) => {
                let (written, room) = part.finish_with_room()?;
                (written.out, written.rows, Some(room))
            }
            Format::Ndjson(part) => {
                let NdjsonPart { file, rows, .. } = *part;
                (file, rows, None)
            }
        };
        let bytes = file.bytes();
        file.finish(rows)?;
        Ok((bytes, room))
    }
}
