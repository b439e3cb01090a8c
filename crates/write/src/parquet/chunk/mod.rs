//! Column chunks, encoded while the rows come.
//!
//! A [`Chunk`] takes the cells of one leaf: text and lists of text, integers, times, booleans. It numbers texts while
//! they are in the processor's cache, fills one page after the other, and keeps what is compressed. The library's own
//! writer, which takes Arrow arrays, copies each text three times and looks it up when it is cold.

mod bits;
mod bound;
mod codec;
mod dictionary;
mod levels;
mod values;

use bytes::Bytes;
use mimelake_columns::document::{Cell, Leaf, LeafKind};
use parquet::basic::{Compression as CodecName, Encoding, PageType, Type};
use parquet::bloom_filter::Sbbf;
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::{
    ColumnChunkMetaData, ColumnIndexBuilder, OffsetIndexBuilder, PageEncodingStats,
};
use parquet::file::properties::EnabledStatistics;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;

use bound::{Bounds, Order};
pub(super) use codec::Codec;
use dictionary::Dictionary;
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

/// The column chunk of one leaf in the row group in progress.
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

/// What is done of a chunk.
struct Done {
    /// The data pages as they are written.
    pages: TrackedWrite<Vec<u8>>,
    /// The dictionary that grew too large for further pages.
    dictionary: Option<Dictionary>,
    encodings: Vec<PageEncodingStats>,
    index: ColumnIndexBuilder,
    offsets: OffsetIndexBuilder,
    filter: Option<Sbbf>,
    bounds: Option<Bounds>,
    order: Order,
    values: usize,
    rows: usize,
    nulls: usize,
    uncompressed: usize,
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

    /// Appends a row's cell; about how many bytes it takes. A cell of another kind counts as null.
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

impl Done {
    fn new(column: &ColumnDescPtr) -> Self {
        Self {
            pages: TrackedWrite::new(Vec::new()),
            dictionary: None,
            encodings: Vec::new(),
            index: ColumnIndexBuilder::new(column.physical_type()),
            offsets: OffsetIndexBuilder::new(),
            filter: None,
            bounds: None,
            order: Order::default(),
            values: 0,
            rows: 0,
            nulls: 0,
            uncompressed: 0,
        }
    }

    /// Adds a data page.
    fn add(
        &mut self,
        page: CompressedPage,
        rows: usize,
        nulls: usize,
        bounds: Option<Bounds>,
        column: Type,
    ) -> Result<(), ParquetError> {
        let encoding = page.encoding();
        let written = SerializedPageWriter::new(&mut self.pages).write_page(page)?;
        match self.encodings.last_mut() {
            Some(last) if last.encoding == encoding => last.count += 1,
            _ => {
                self.encodings.push(PageEncodingStats { page_type: PageType::DATA_PAGE, encoding, count: 1 });
            }
        }
        self.offsets.append_row_count(rows as i64);
        self.offsets.append_offset_and_size(written.offset as i64, written.compressed_size as i32);
        self.uncompressed += written.uncompressed_size;
        self.values += written.num_values as usize;
        self.rows += rows;
        self.nulls += nulls;
        let plain = bounds.as_ref().map(|bounds| bound::plain(bounds, column));
        let (least, greatest) = plain.unwrap_or_default();
        self.index.append(bounds.is_none(), least, greatest, nulls as i64, None);
        if let Some(page) = bounds {
            self.order.add(&page);
            self.bounds = Some(match self.bounds.take() {
                Some(all) => (all.0.min(page.0), all.1.max(page.1)),
                None => page,
            });
        }
        Ok(())
    }

    /// The dictionary page as it is written. Its values go into the filter.
    fn write_dictionary(
        &mut self,
        dictionary: &Dictionary,
        scratch: &mut Scratch,
    ) -> Result<Vec<u8>, ParquetError> {
        if let Some(filter) = &mut self.filter {
            dictionary.values().for_each(|value| filter.insert(value));
        }
        let page = Page::DictionaryPage {
            buf: Bytes::copy_from_slice(scratch.codec.pack(dictionary.page())?),
            num_values: dictionary.len() as u32,
            encoding: Encoding::PLAIN,
            is_sorted: false,
        };
        let stats =
            PageEncodingStats { page_type: PageType::DICTIONARY_PAGE, encoding: Encoding::PLAIN, count: 1 };
        self.encodings.insert(0, stats);
        let mut out = TrackedWrite::new(Vec::new());
        let page = CompressedPage::new(page, dictionary.page().len());
        self.uncompressed += SerializedPageWriter::new(&mut out).write_page(page)?.uncompressed_size;
        out.into_inner()
    }

    /// The chunk's bytes, the dictionary page first, and what the file's end says of it.
    fn close(
        mut self,
        chunk: &Chunk,
        dictionary: Vec<u8>,
    ) -> Result<(Bytes, ColumnCloseResult), ParquetError> {
        let dictionary_len = dictionary.len();
        let mut bytes = dictionary;
        bytes.append(&mut self.pages.into_inner()?);
        let encodings = self.encodings.iter().map(|stats| stats.encoding).chain([Encoding::RLE]).collect();
        let mut metadata = ColumnChunkMetaData::builder(chunk.column.clone())
            .set_compression(chunk.codec)
            .set_encodings(encodings)
            .set_page_encoding_stats(self.encodings)
            .set_total_compressed_size(bytes.len() as i64)
            .set_total_uncompressed_size(self.uncompressed as i64)
            .set_num_values(self.values as i64)
            .set_data_page_offset(0);
        let has_bounds = chunk.plan.statistics != EnabledStatistics::None;
        if has_bounds {
            metadata = metadata.set_statistics(bound::statistics(
                self.bounds.as_ref(),
                self.nulls,
                chunk.column.physical_type(),
            ));
        }
        self.index.set_boundary_order(self.order.name());
        if let Some(filter) = &mut self.filter {
            filter.fold_to_target_fpp(plan::FALSE_POSITIVES);
        }
        let result = ColumnCloseResult {
            bytes_written: bytes.len() as u64,
            rows_written: self.rows as u64,
            metadata: metadata.build()?,
            bloom_filter: self.filter,
            column_index: has_bounds.then(|| self.index.build()).transpose()?,
            offset_index: Some(self.offsets.build()),
        };
        Ok((bytes.into(), result.update_dictionary_location(dictionary_len)?))
    }
}
