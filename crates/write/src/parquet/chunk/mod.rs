//! Column chunks, encoded while the rows come.
//!
//! A [`Chunk`] takes the values of one column: texts, integers, times, booleans, and where each stands among the structs
//! and lists around it. It numbers texts while they are in the processor's cache, fills one page after the other, and
//! keeps what is compressed. The library's own writer, which takes Arrow arrays, copies each text three times and looks
//! it up when it is cold.

mod bits;
mod bound;
mod codec;
mod dictionary;
mod done;
mod levels;
mod values;

use bytes::Bytes;
use mimelake_columns::document::Cell;
use parquet::basic::{Compression as CodecName, Encoding, Type};
use parquet::bloom_filter::Sbbf;
use parquet::column::page::{CompressedPage, Page};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::properties::EnabledStatistics;
use parquet::schema::types::ColumnDescPtr;

pub(super) use codec::Codec;
use dictionary::Dictionary;
use done::Done;
pub(super) use levels::Around;
use levels::Levels;
use values::{Ints, Texts, Values};

use super::plan::{self, Plan};

/// What encoding a page takes, shared by the columns of a file.
pub(super) struct Scratch {
    codec: Codec,
    page: Vec<u8>,
    levels: Vec<u32>,
}

impl Scratch {
    pub(super) fn new(codec: Codec) -> Self {
        Self { codec, page: Vec::new(), levels: Vec::new() }
    }

    /// How many bytes of memory it takes beside what compresses.
    pub(super) fn memory(&self) -> usize {
        self.page.capacity() + self.codec.memory() + self.levels.capacity() * size_of::<u32>()
    }
}

/// The chunk of one column in the row group in progress.
pub(super) struct Chunk {
    plan: Plan,
    column: ColumnDescPtr,
    codec: CodecName,
    /// The definition level of a value.
    highest: u32,
    /// How many lists are around a value.
    lists: u32,
    /// Rows of the page in progress.
    rows: usize,
    /// The last so many of them are nulls whose levels are not there yet: many columns have nothing else.
    owed: usize,
    definitions: Levels,
    repetitions: Levels,
    values: Values,
    done: Box<Done>,
}

impl Chunk {
    /// The chunk of a column, without rows.
    pub(super) fn new(plan: Plan, column: &ColumnDescPtr, codec: CodecName) -> Self {
        let values = match column.physical_type() {
            Type::BOOLEAN => Values::Bool(Vec::new()),
            Type::INT64 => Values::Int(Ints::new(plan.dictionary)),
            _ => Values::Text(Texts::new(plan.dictionary)),
        };
        Self {
            plan,
            column: column.clone(),
            codec,
            highest: column.max_def_level() as u32,
            lists: column.max_rep_level() as u32,
            rows: 0,
            owed: 0,
            definitions: Levels::default(),
            repetitions: Levels::default(),
            values,
            done: Box::new(Done::new(column)),
        }
    }

    /// Appends a cell that stands there; about how many bytes it takes. A cell of another kind counts as null, but times
    /// and integers are one kind.
    #[inline]
    pub(super) fn push(&mut self, cell: &Cell<'_>, around: Around) -> usize {
        match (&mut self.values, cell) {
            (Values::Text(_), Cell::Text(text)) => return self.push_text(text, around),
            (Values::Int(ints), Cell::Int(value) | Cell::Time(value)) => ints.push(*value),
            (Values::Bool(bits), Cell::Bool(bit)) => bits.push(*bit),
            _ => {
                self.push_null(around);
                return 0;
            }
        }
        self.push_levels(self.highest, around);
        0
    }

    /// Appends a text, as [`push`](Self::push) does.
    #[inline]
    pub(super) fn push_text(&mut self, text: &str, around: Around) -> usize {
        let Values::Text(texts) = &mut self.values else {
            self.push_null(around);
            return 0;
        };
        let bytes = texts.push(text);
        self.push_levels(self.highest, around);
        bytes
    }

    /// Appends a null.
    #[inline]
    pub(super) fn push_null(&mut self, around: Around) {
        if around.definition == 0 {
            // There is no list around it, or the row has nothing of it.
            self.rows += 1;
            self.owed += 1;
        } else {
            self.push_levels(around.definition, around);
        }
    }

    #[inline]
    fn push_levels(&mut self, definition: u32, around: Around) {
        if self.owed > 0 {
            self.settle();
        }
        self.rows += usize::from(around.repetition == 0);
        self.definitions.push(definition, 1);
        if self.lists > 0 {
            self.repetitions.push(around.repetition, 1);
        }
    }

    /// Appends the levels of nulls that are not there yet.
    #[inline(never)]
    fn settle(&mut self) {
        let owed = std::mem::take(&mut self.owed);
        self.definitions.push(0, owed);
        if self.lists > 0 {
            self.repetitions.push(0, owed);
        }
    }

    /// Ends the page if it is full.
    pub(super) fn check(&mut self, scratch: &mut Scratch) -> Result<(), ParquetError> {
        let is_large = self.values.dictionary().is_some_and(|found| found.page().len() >= plan::PAGE_BYTES);
        if is_large || self.rows >= plan::PAGE_ROWS || self.values.page_bytes() >= plan::PAGE_BYTES {
            self.end_page(scratch, plan::GROUP_ROWS)?;
        }
        if is_large {
            self.done.dictionary = self.values.take_dictionary();
        }
        Ok(())
    }

    /// About how many bytes of memory it takes.
    pub(super) fn memory(&self) -> usize {
        if self.rows == 0 && self.done.rows == 0 {
            return 0;
        }
        let done =
            self.done.pages.bytes_written() + self.done.dictionary.as_ref().map_or(0, Dictionary::memory);
        done + self.values.memory() + self.definitions.memory() + self.repetitions.memory()
    }

    /// Ends the page. `expected` is how many values the chunk may have in all.
    fn end_page(&mut self, scratch: &mut Scratch, expected: usize) -> Result<(), ParquetError> {
        if self.rows == 0 {
            return Ok(());
        }
        self.settle();
        if self.plan.bloom {
            let expected = expected.max(1) as u64;
            let filter = match &mut self.done.filter {
                Some(filter) => filter,
                none => none.insert(Sbbf::new_with_ndv_fpp(expected, plan::FALSE_POSITIVES)?),
            };
            self.values.insert_into(filter);
        }
        let page = &mut scratch.page;
        page.clear();
        if self.lists > 0 {
            self.repetitions.write(self.lists, &mut scratch.levels, page);
        }
        self.definitions.write(self.highest, &mut scratch.levels, page);
        let encoding = self.values.write(page);
        let bounds = match self.plan.statistics {
            EnabledStatistics::None => None,
            _ => self.values.bounds(),
        };
        let buf = Bytes::copy_from_slice(scratch.codec.pack(page)?);
        let data = Page::DataPage {
            buf,
            num_values: self.definitions.len() as u32,
            encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        let nulls = self.definitions.len() - self.definitions.count(self.highest);
        self.done.add(
            CompressedPage::new(data, page.len()),
            self.rows,
            nulls,
            bounds,
            self.column.physical_type(),
        )?;
        self.rows = 0;
        self.definitions.clear();
        self.repetitions.clear();
        self.values.clear();
        Ok(())
    }

    /// Ends the chunk and begins the next one; its bytes and what the file's end says of it.
    pub(super) fn finish(
        &mut self,
        scratch: &mut Scratch,
    ) -> Result<(Bytes, ColumnCloseResult), ParquetError> {
        let expected = self.values.dictionary().map_or(self.values.len(), Dictionary::len);
        self.end_page(scratch, expected)?;
        let next = Self::new(self.plan, &self.column, self.codec);
        let mut ended = std::mem::replace(self, next);
        let dictionary = ended.done.dictionary.take().or_else(|| ended.values.take_dictionary());
        let first =
            dictionary.map(|dictionary| ended.done.write_dictionary(&dictionary, scratch)).transpose()?;
        ended.done.close(self, first.unwrap_or_default())
    }
}
