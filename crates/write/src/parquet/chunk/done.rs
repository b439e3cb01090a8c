//! What is done of a chunk.

use bytes::Bytes;
use parquet::basic::{Encoding, PageType, Type};
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

use super::bound::{self, Bounds, Order};
use super::dictionary::Dictionary;
use super::{Chunk, Scratch};
use crate::parquet::plan;

/// The pages that are done of a chunk, and what is to be said of them.
pub(super) struct Done {
    /// The data pages as they are written.
    pub(super) pages: TrackedWrite<Vec<u8>>,
    /// The dictionary that grew too large for further pages.
    pub(super) dictionary: Option<Dictionary>,
    encodings: Vec<PageEncodingStats>,
    index: ColumnIndexBuilder,
    offsets: OffsetIndexBuilder,
    pub(super) filter: Option<Sbbf>,
    bounds: Option<Bounds>,
    order: Order,
    values: usize,
    pub(super) rows: usize,
    nulls: usize,
    uncompressed: usize,
}

impl Done {
    pub(super) fn new(column: &ColumnDescPtr) -> Self {
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
    pub(super) fn add(
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
    pub(super) fn write_dictionary(
        &mut self,
        dictionary: &Dictionary,
        scratch: &mut Scratch,
    ) -> Result<Vec<u8>, ParquetError> {
        if let Some(filter) = &mut self.filter {
            dictionary.values().for_each(|value| filter.insert(value));
        }
        let page = Page::DictionaryPage {
            buf: scratch.codec.pack(dictionary.page())?,
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
    pub(super) fn close(
        mut self,
        chunk: &Chunk,
        dictionary: Vec<u8>,
    ) -> Result<(Bytes, ColumnCloseResult), ParquetError> {
        let dictionary_len = dictionary.len();
        let mut bytes = dictionary;
        let mut pages = self.pages.into_inner()?;
        if bytes.is_empty() {
            bytes = pages;
        } else {
            bytes.append(&mut pages);
        }
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
