//! Column chunks, encoded while the rows come.
//!
//! A [`Chunk`] takes the values of one column, of some rows at a time: texts, integers, times, booleans, and where each
//! stands among the structs and lists around it. It numbers texts while they are in the processor's cache, fills one page
//! after the other, and keeps what is compressed. The library's own writer, which takes Arrow arrays, copies each text
//! three times and looks it up when it is cold.

mod bits;
mod blocks;
mod bound;
mod codec;
mod dictionary;
mod done;
mod levels;
mod nesting;
mod scope;
mod scratch;
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

use dictionary::Dictionary;
use done::Done;
pub(super) use levels::Around;
use nesting::Nesting;
pub(super) use scope::{Place, Scope};
pub(super) use scratch::Scratch;
use values::{Ints, Texts, Values};

use super::plan::{self, Plan};

/// The chunk of one column in the row group in progress.
pub(super) struct Chunk {
    plan: Plan,
    column: ColumnDescPtr,
    codec: CodecName,
    /// The definition level of a value.
    highest: u32,
    nesting: Nesting,
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
            nesting: Nesting::new(column.max_rep_level() as u32),
            values,
            done: Box::new(Done::new(column)),
        }
    }

    /// Appends cells of rows or structs; about how many bytes they take. A cell of another kind counts as null, but times
    /// and integers are one kind.
    #[inline]
    pub(super) fn push_all<'c>(
        &mut self,
        cells: impl Iterator<Item = (Place, &'c Cell<'c>)>,
        scope: &Scope,
    ) -> usize {
        // The nulls are read off the scope.
        let Self { nesting, values, highest, .. } = self;
        let mut bytes = 0;
        match values {
            Values::Text(texts) => cells.for_each(|(place, cell)| {
                if let Cell::Text(text) = cell {
                    bytes += texts.push(text);
                    nesting.fill(*highest, place, scope);
                }
            }),
            Values::Int(ints) => cells.for_each(|(place, cell)| {
                if let Cell::Int(value) | Cell::Time(value) = cell {
                    ints.push(*value);
                    nesting.fill(*highest, place, scope);
                }
            }),
            Values::Bool(bits) => cells.for_each(|(place, cell)| {
                if let Cell::Bool(bit) = cell {
                    bits.push(*bit);
                    nesting.fill(*highest, place, scope);
                }
            }),
        }
        bytes
    }

    /// Appends a cell of a row or struct where null has this definition level: structs inside are there.
    #[inline]
    pub(super) fn push_within(
        &mut self,
        cell: &Cell<'_>,
        around: Around,
        place: Place,
        scope: &Scope,
    ) -> usize {
        let bytes = self.push_value(cell);
        self.nesting.fill(if bytes.is_some() { self.highest } else { around.definition }, place, scope);
        bytes.unwrap_or_default()
    }

    /// Appends a cell of a list in a row or struct, or a null there which says that it is empty.
    #[inline]
    pub(super) fn push_element(
        &mut self,
        cell: &Cell<'_>,
        around: Around,
        place: Place,
        scope: &Scope,
    ) -> usize {
        let bytes = self.push_value(cell);
        let definition = if bytes.is_some() { self.highest } else { around.definition };
        self.nesting.element(definition, around, place, scope);
        bytes.unwrap_or_default()
    }

    /// Appends a value without its levels; about how many bytes it takes, none if it is null.
    #[inline]
    fn push_value(&mut self, cell: &Cell<'_>) -> Option<usize> {
        match cell {
            Cell::Text(text) => {
                let Values::Text(texts) = &mut self.values else { return None };
                return Some(texts.push(text));
            }
            Cell::Int(value) | Cell::Time(value) => {
                let Values::Int(ints) = &mut self.values else { return None };
                ints.push(*value);
            }
            Cell::Bool(bit) => {
                let Values::Bool(bits) = &mut self.values else { return None };
                bits.push(*bit);
            }
            _ => return None,
        }
        Some(0)
    }

    /// Appends the levels that are not there yet; the scope begins anew then.
    pub(super) fn settle(&mut self, scope: &Scope) {
        self.nesting.settle(scope);
    }

    /// Ends the page if it is full.
    pub(super) fn check(&mut self, scratch: &mut Scratch) -> Result<(), ParquetError> {
        let is_large = self.values.dictionary().is_some_and(|found| found.page().len() >= plan::PAGE_BYTES);
        if is_large || self.nesting.rows() >= plan::PAGE_ROWS || self.values.page_bytes() >= plan::PAGE_BYTES
        {
            self.end_page(scratch, plan::GROUP_ROWS)?;
        }
        if is_large {
            self.done.dictionary = self.values.take_dictionary();
        }
        Ok(())
    }

    /// About how many bytes of memory it takes.
    pub(super) fn memory(&self) -> usize {
        if self.nesting.rows() == 0 && self.done.rows == 0 {
            return 0;
        }
        let done =
            self.done.pages.bytes_written() + self.done.dictionary.as_ref().map_or(0, Dictionary::memory);
        done + self.values.memory() + self.nesting.memory()
    }

    /// Ends the page. `expected` is how many values the chunk may have in all.
    fn end_page(&mut self, scratch: &mut Scratch, expected: usize) -> Result<(), ParquetError> {
        if self.nesting.rows() == 0 {
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
        self.nesting.encode(self.highest, &mut scratch.levels, page);
        let encoding = self.values.write(page);
        let bounds = match self.plan.statistics {
            EnabledStatistics::None => None,
            _ => self.values.bounds(),
        };
        let (levels, nulls) = self.nesting.count(self.highest);
        let data = Page::DataPage {
            buf: scratch.codec.pack(page)?,
            num_values: levels as u32,
            encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        self.done.add(
            CompressedPage::new(data, page.len()),
            self.nesting.rows(),
            nulls,
            bounds,
            self.column.physical_type(),
        )?;
        self.nesting.clear();
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
