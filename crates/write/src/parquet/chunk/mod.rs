//! Column chunks, encoded while the rows come.
//!
//! A [`Chunk`] takes the cells of one column: texts and lists of them, integers, times, booleans. It numbers texts
//! while they are in the processor's cache, fills one page after the other, and keeps what is compressed. The library's own
//! writer, which takes Arrow arrays, copies each text three times and looks it up when it is cold.

mod bits;
mod bound;
mod codec;
mod dictionary;
mod done;
mod levels;
mod values;

use bytes::Bytes;
use mimelake_columns::document::{Cell, Leaf, LeafKind};
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
use levels::Levels;
use values::{Ints, Texts, Values};

use super::plan::{self, Plan};

/// The definition level of an empty list; that of an element is the highest.
const EMPTY: u32 = 1;

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
    is_list: bool,
    /// The definition level of a value.
    highest: u32,
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
    /// The chunks of a leaf, one for each of its columns.
    ///
    /// None for leaves that the library's writer encodes: maps, and records inside of messages.
    pub(super) fn of_leaf(leaf: &Leaf, columns: &[ColumnDescPtr], codec: CodecName) -> Option<Vec<Self>> {
        if matches!(leaf.kind, LeafKind::Pairs | LeafKind::Struct(_) | LeafKind::Structs(_)) {
            return None;
        }
        let is_list = leaf.kind == LeafKind::TextList;
        let plans = plan::columns(leaf).into_iter().map(|(_, plan)| plan);
        let chunk = |(plan, column)| Self::new(plan, column, codec, is_list);
        Some(plans.zip(columns).map(chunk).collect())
    }

    fn new(plan: Plan, column: &ColumnDescPtr, codec: CodecName, is_list: bool) -> Self {
        let values = match column.physical_type() {
            Type::BOOLEAN => Values::Bool(Vec::new()),
            Type::INT64 => Values::Int(Ints::new(plan.dictionary)),
            _ => Values::Text(Texts::new(plan.dictionary)),
        };
        Self {
            plan,
            column: column.clone(),
            codec,
            is_list,
            highest: column.max_def_level() as u32,
            rows: 0,
            owed: 0,
            definitions: Levels::default(),
            repetitions: Levels::default(),
            values,
            done: Box::new(Done::new(column)),
        }
    }

    /// Appends a row's cell; about how many bytes it takes. A cell of another kind counts as null, but times and
    /// integers are one kind.
    #[inline]
    pub(super) fn push(&mut self, cell: &Cell<'_>) -> usize {
        self.push_in(cell, 0)
    }

    /// As [`push`](Self::push), where null has this definition level: so many of the structs around it are there.
    #[inline]
    pub(super) fn push_in(&mut self, cell: &Cell<'_>, depth: u32) -> usize {
        self.rows += 1;
        if depth == 0 && matches!(cell, Cell::Null) {
            self.owed += 1;
            return 0;
        }
        if self.owed > 0 {
            self.settle();
        }
        match (&mut self.values, cell) {
            (Values::Text(texts), Cell::Text(text)) if !self.is_list => {
                self.definitions.push(self.highest, 1);
                return texts.push(text);
            }
            (Values::Int(ints), Cell::Int(value) | Cell::Time(value)) => {
                self.definitions.push(self.highest, 1);
                ints.push(*value);
            }
            (Values::Bool(bits), Cell::Bool(bit)) => {
                self.definitions.push(self.highest, 1);
                bits.push(*bit);
            }
            (Values::Text(_), Cell::List(list)) if self.is_list => return self.push_list(list),
            _ if depth == 0 => self.owed += 1,
            _ => self.definitions.push(depth, 1),
        }
        0
    }

    /// Appends the levels of nulls that are not there yet.
    #[inline(never)]
    fn settle(&mut self) {
        let owed = std::mem::take(&mut self.owed);
        self.definitions.push(0, owed);
        if self.is_list {
            self.repetitions.push(0, owed);
        }
    }

    fn push_list(&mut self, list: &[&str]) -> usize {
        let Values::Text(texts) = &mut self.values else { return 0 };
        if list.is_empty() {
            self.definitions.push(EMPTY, 1);
            self.repetitions.push(0, 1);
        }
        let element = |(place, text): (usize, &&str)| {
            self.definitions.push(self.highest, 1);
            self.repetitions.push(u32::from(place > 0), 1);
            texts.push(text)
        };
        list.iter().enumerate().map(element).sum()
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
        if self.is_list {
            self.repetitions.write(1, &mut scratch.levels, page);
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
        let next = Self::new(self.plan, &self.column, self.codec, self.is_list);
        let mut ended = std::mem::replace(self, next);
        let dictionary = ended.done.dictionary.take().or_else(|| ended.values.take_dictionary());
        let first =
            dictionary.map(|dictionary| ended.done.write_dictionary(&dictionary, scratch)).transpose()?;
        ended.done.close(self, first.unwrap_or_default())
    }
}
