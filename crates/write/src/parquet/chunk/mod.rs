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
mod scope;
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
use scope::Cursor;
pub(super) use scope::Scope;
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
    /// The rows or structs whose levels are there.
    read: Cursor,
    /// The last of them that it has something of.
    last: Filled,
    definitions: Levels,
    repetitions: Levels,
    values: Values,
    done: Box<Done>,
}

/// Rows or structs one after the other that have something of one definition level.
#[derive(Clone, Copy, Debug, Default)]
struct Filled {
    /// How many places there are before them, and with them.
    from: usize,
    end: usize,
    definition: u32,
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
            read: Cursor::default(),
            last: Filled::default(),
            definitions: Levels::default(),
            repetitions: Levels::default(),
            values,
            done: Box::new(Done::new(column)),
        }
    }

    /// Appends a cell of the row or struct that was begun last; about how many bytes it takes. A cell of another kind
    /// counts as null, but times and integers are one kind.
    #[inline]
    pub(super) fn push(&mut self, cell: &Cell<'_>, scope: &Scope) -> usize {
        // The nulls are read off the scope.
        self.push_value(cell).map_or(0, |bytes| {
            self.fill(self.highest, scope);
            bytes
        })
    }

    /// The same, where null has this definition level: structs inside are there.
    #[inline]
    pub(super) fn push_within(&mut self, cell: &Cell<'_>, around: Around, scope: &Scope) -> usize {
        let bytes = self.push_value(cell);
        self.fill(if bytes.is_some() { self.highest } else { around.definition }, scope);
        bytes.unwrap_or_default()
    }

    /// Appends a cell of a list inside, or a null there which says that it is empty.
    #[inline]
    pub(super) fn push_element(&mut self, cell: &Cell<'_>, around: Around, scope: &Scope) -> usize {
        let place = scope.len();
        if self.read.places < place {
            self.write_levels(place - 1, None, scope);
            self.rows += usize::from(around.repetition == 0);
            self.read.places = place;
        }
        let bytes = self.push_value(cell);
        self.definitions.push(if bytes.is_some() { self.highest } else { around.definition }, 1);
        self.repetitions.push(around.repetition, 1);
        bytes.unwrap_or_default()
    }

    /// Appends a value without its levels; about how many bytes it takes, none if it is null.
    #[inline]
    fn push_value(&mut self, cell: &Cell<'_>) -> Option<usize> {
        match (&mut self.values, cell) {
            (Values::Text(texts), Cell::Text(text)) => return Some(texts.push(text)),
            (Values::Int(ints), Cell::Int(value) | Cell::Time(value)) => ints.push(*value),
            (Values::Bool(bits), Cell::Bool(bit)) => bits.push(*bit),
            _ => return None,
        }
        Some(0)
    }

    /// Notes the level of the row or struct that was begun last.
    #[inline]
    fn fill(&mut self, definition: u32, scope: &Scope) {
        let place = scope.len();
        if self.last.definition == definition && self.last.end + 1 == place {
            self.last.end = place;
        } else {
            self.write_last(scope);
            self.last = Filled { from: place - 1, end: place, definition };
        }
    }

    /// Appends the levels of the last rows or structs that it has something of, and of those before them.
    #[inline(never)]
    fn write_last(&mut self, scope: &Scope) {
        let Filled { from, end, definition } = std::mem::take(&mut self.last);
        self.write_levels(from, None, scope);
        self.write_levels(end, Some(definition), scope);
    }

    /// Appends the levels of rows or structs up to this one: of nulls, or of what has this definition level.
    fn write_levels(&mut self, end: usize, definition: Option<u32>, scope: &Scope) {
        for (around, times) in scope.read(&mut self.read, end) {
            self.rows += if around.repetition == 0 { times } else { 0 };
            self.definitions.push(definition.unwrap_or(around.definition), times);
            if self.lists > 0 {
                self.repetitions.push(around.repetition, times);
            }
        }
    }

    /// Appends the levels that are not there yet; the scope begins anew then.
    pub(super) fn settle(&mut self, scope: &Scope) {
        self.write_last(scope);
        self.write_levels(scope.len(), None, scope);
        self.read = Cursor::default();
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

    /// Ends the chunk and begins the next one, which has the room of this one; its bytes and what the file's end says of
    /// it.
    pub(super) fn finish(
        &mut self,
        scratch: &mut Scratch,
    ) -> Result<(Bytes, ColumnCloseResult), ParquetError> {
        let expected = self.values.dictionary().map_or(self.values.len(), Dictionary::len);
        self.end_page(scratch, expected)?;
        let mut done = std::mem::replace(&mut self.done, Box::new(Done::new(&self.column)));
        let dictionary = done.dictionary.take().or_else(|| self.values.take_dictionary());
        let first = dictionary.as_ref().map(|dictionary| done.write_dictionary(dictionary, scratch));
        let first = first.transpose()?.unwrap_or_default();
        self.values.begin(dictionary);
        done.close(self, first)
    }

    /// Gives back the room that it has for rows to come; there are none now.
    pub(super) fn shrink(&mut self) {
        *self = Self::new(self.plan, &self.column, self.codec);
    }
}
