//! What a file says beside its rows.

use std::io::{self, Write};

use bytes::Bytes;
use mimelake_columns::document::{Cell, Document, Layout, Leaf, LeafKind};
use mimelake_schema::{EventType, Field};
use parquet::basic::{Encoding, Type};
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use parquet::file::properties::ReaderProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::serialized_reader::ReadOptionsBuilder;

use super::read::rows;
use super::{LABELS, part};
use crate::parquet::{Compression, ParquetPart, ParquetPartError};

fn reader(file: &[u8]) -> SerializedFileReader<Bytes> {
    let properties = ReaderProperties::builder().set_read_bloom_filter(true).build();
    let options = ReadOptionsBuilder::new().with_reader_properties(properties).with_page_index().build();
    SerializedFileReader::new_with_options(Bytes::copy_from_slice(file), options).unwrap()
}

fn metadata(file: &[u8]) -> ParquetMetaData {
    reader(file).metadata().clone()
}

/// A receipt file with these message ids, and a row group's end behind each `group` rows.
fn receipts(ids: &[String], group: usize) -> Vec<u8> {
    let document = Document::native(EventType::Receipt, false);
    let place = |path| document.layout().position(path).unwrap();
    let mut part = part(document.layout());
    for (at, id) in ids.iter().enumerate() {
        let mut row = vec![Cell::Null; document.layout().leaves().len()];
        row[place("timestamp")] = Cell::Time(at as i64);
        row[place("message_id")] = Cell::Text(id);
        row[place("acode")] = Cell::Text(id);
        row[place("source_file")] = Cell::Text("receipt_20260302.siem");
        row[place("direction")] = Cell::Text("inbound");
        row[place("recipients")] = Cell::List(&["a@example.com"]);
        part.push(&row).unwrap();
        if (at + 1) % group == 0 {
            part.flush_group().unwrap();
        }
    }
    part.finish().unwrap().out
}

fn ids(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("<{}@example.com>", n * 7919)).collect()
}

fn column(file: &[u8], path: &str) -> usize {
    let metadata = metadata(file);
    let columns = metadata.file_metadata().schema_descr().columns();
    columns.iter().position(|column| column.path().string() == path).unwrap()
}

#[test]
fn a_part_without_rows_is_a_file() {
    for table in EventType::ALL {
        for document in [Document::native(*table, true), Document::ecs(*table, true)] {
            let written = part(document.layout()).finish().unwrap();
            assert_eq!((written.rows, rows(&written.out, document.layout())), (0, vec![]));
        }
    }
}

#[test]
fn files_name_their_table_and_version() {
    let file = receipts(&ids(1), 10);
    let file = metadata(&file);
    let file = file.file_metadata();
    let pairs = file.key_value_metadata().unwrap();
    let found = |key: &str| pairs.iter().find(|pair| pair.key == key).and_then(|pair| pair.value.clone());
    assert_eq!(found("mimelake.table").as_deref(), Some("receipt"));
    assert_eq!(found("mimelake.schema").as_deref(), Some("native"));
    assert_eq!(found("mimelake.version").as_deref(), Some(env!("CARGO_PKG_VERSION")));
    assert_eq!(file.created_by(), Some(concat!("mimelake version ", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn row_groups_end_where_asked() {
    let all = ids(10);
    let file = receipts(&all, 4);
    let groups: Vec<_> = metadata(&file).row_groups().iter().map(RowGroupMetaData::num_rows).collect();
    assert_eq!(groups, [4, 4, 2]);
    let layout = Document::native(EventType::Receipt, false).layout().clone();
    assert_eq!(rows(&file, &layout).len(), 10);
}

#[test]
fn batches_end_by_rows_and_by_bytes() {
    let layout = Layout::new(vec![Leaf::new("text", LeafKind::Text)]);
    let mut part = part(&layout);
    let long = "x".repeat(3 << 20);
    for at in 0..10_000 {
        part.push(&[Cell::Text(if at % 2_000 == 0 { &long } else { "y" })]).unwrap();
        assert!(part.memory() < 24 << 20, "{}", part.memory());
    }
    let written = part.finish().unwrap();
    assert_eq!((written.rows, rows(&written.out, &layout).len()), (10_000, 10_000));
}

#[test]
fn memory_grows_with_rows_and_is_given_back() {
    let layout = Layout::new(vec![Leaf::new("id", LeafKind::Text)]);
    let mut part = part(&layout);
    assert_eq!(part.memory(), 0);
    let ids = ids(10_000);
    let mut before = 0;
    for id in &ids {
        part.push(&[Cell::Text(id)]).unwrap();
        assert!(part.memory() > 0);
        before = before.max(part.memory());
    }
    assert!(before > 100_000, "{before}");
    part.flush_group().unwrap();
    assert_eq!(part.memory(), 0);
    part.push(&[Cell::Text("last")]).unwrap();
    assert!((1..1_000).contains(&part.memory()));
    assert_eq!(part.finish().unwrap().rows, 10_001);
}

#[test]
fn memory_counts_what_compresses() {
    let layout = Layout::new(vec![Leaf::new("id", LeafKind::Text)]);
    let held = |compression: &str| {
        let mut part = ParquetPart::new(io::sink(), &layout, LABELS, compression.parse().unwrap()).unwrap();
        for id in ids(50_000) {
            part.push(&[Cell::Text(&id)]).unwrap();
        }
        part.memory()
    };
    assert!(held("zstd:19") > held("zstd:1") + (3 << 20));
}

#[test]
fn bloom_filters_know_what_is_there() {
    let ids = ids(2_000);
    let file = receipts(&ids, 1_000);
    let reader = reader(&file);
    for path in ["acode", "message_id"] {
        let at = column(&file, path);
        let filter =
            |group| reader.get_row_group(group).unwrap().get_column_bloom_filter(at).unwrap().clone();
        let (first, second) = (filter(0), filter(1));
        assert!(ids[..1_000].iter().all(|id| first.check(id.as_str())));
        assert!(ids[1_000..].iter().all(|id| second.check(id.as_str())));
        let wrong = ids[1_000..].iter().filter(|id| first.check(id.as_str())).count();
        assert!(wrong < 50, "{wrong} of 1000 that are not there");
    }
}

#[test]
fn bloom_filters_are_as_small_as_their_part() {
    let file = receipts(&ids(100), 1_000);
    let metadata = metadata(&file);
    let lengths =
        metadata.row_group(0).columns().iter().map(|column| column.bloom_filter_length().unwrap_or(0));
    let total: i32 = lengths.sum();
    assert!((1..1_000).contains(&total), "{total} bytes of bloom filters");
}

#[test]
fn columns_of_single_emails_and_files_are_those_with_bloom_filters() {
    for table in EventType::ALL {
        let document = Document::native(*table, false);
        let mut part = part(document.layout());
        part.push(&vec![Cell::Null; document.layout().leaves().len()]).unwrap();
        let file = part.finish().unwrap().out;
        let metadata = metadata(&file);
        let columns = metadata.row_group(0).columns().iter();
        let found: Vec<_> = columns
            .filter(|column| column.bloom_filter_offset().is_some())
            .map(|column| column.column_path().string())
            .collect();
        let is_looked_up = |field: &&Field| matches!(field, Field::Acode | Field::MessageId | Field::Sha256);
        let wanted: Vec<_> = table.columns().iter().filter(is_looked_up).map(|f| f.column()).collect();
        assert_eq!(found, wanted, "{}", table.table());
    }
}

#[test]
fn every_choice_names_a_column_that_is_there() {
    let codec = Compression::None.codec().unwrap();
    for table in EventType::ALL {
        for document in [Document::native(*table, true), Document::ecs(*table, true)] {
            let mut part = part(document.layout());
            part.push(&vec![Cell::Null; document.layout().leaves().len()]).unwrap();
            let metadata = metadata(&part.finish().unwrap().out);
            let schema = metadata.file_metadata().schema_descr();
            assert_eq!(crate::parquet::plan::columns_of(document.layout()).count(), schema.num_columns());
            let properties = crate::parquet::plan::properties(document.layout(), LABELS, codec);
            for column in schema.columns() {
                let chosen = properties.encoding(column.path());
                let wanted = match column.physical_type() {
                    Type::BYTE_ARRAY => Encoding::DELTA_LENGTH_BYTE_ARRAY,
                    Type::INT64 => Encoding::DELTA_BINARY_PACKED,
                    _ => Encoding::PLAIN,
                };
                assert_eq!(chosen, Some(wanted), "{} {}", table.table(), column.path());
            }
        }
    }
}

#[test]
fn pages_are_indexed() {
    let file = receipts(&ids(100), 1_000);
    let metadata = metadata(&file);
    let chunk = |path| metadata.row_group(0).column(column(&file, path)).clone();
    assert!(metadata.row_group(0).columns().iter().all(|chunk| chunk.offset_index_offset().is_some()));
    assert!(chunk("timestamp").column_index_offset().is_some());
    assert!(chunk("message_id").column_index_offset().is_none());
    let bounds = |path| chunk(path).statistics().is_some();
    assert!(bounds("timestamp") && bounds("source_file"));
    assert!(!bounds("message_id") && !bounds("direction"));
}

#[test]
fn each_compression_is_read_back() {
    let layout = Layout::new(vec![Leaf::new("text", LeafKind::Text)]);
    for (name, codec) in
        [("zstd", "ZSTD"), ("zstd:19", "ZSTD"), ("snappy", "SNAPPY"), ("none", "UNCOMPRESSED")]
    {
        let compression: Compression = name.parse().unwrap();
        let mut part = ParquetPart::new(Vec::new(), &layout, LABELS, compression).unwrap();
        part.push(&[Cell::Text("here")]).unwrap();
        let file = part.finish().unwrap().out;
        let found = metadata(&file).row_group(0).column(0).compression();
        assert!(format!("{found:?}").starts_with(codec), "{name} {found:?}");
        assert_eq!(rows(&file, &layout).len(), 1);
    }
}

#[test]
fn compressions_are_read_and_written() {
    for text in ["zstd:1", "zstd:22", "snappy", "none"] {
        assert_eq!(text.parse::<Compression>().unwrap().to_string(), text);
    }
    for text in ["", "zstd:", "zstd:0", "zstd:23", "zstd:-1", "gzip", "none:1", "ZSTD", "zstd:300"] {
        let error = text.parse::<Compression>().unwrap_err().to_string();
        assert!(error.contains("zstd:LEVEL"), "{text}: {error}");
    }
}

/// Takes so many bytes, then no more.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.checked_sub(bytes.len()) {
            Some(room) => self.0 = room,
            None => return Err(io::Error::new(io::ErrorKind::StorageFull, "cannot write part: no space")),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_keeps_its_kind_and_words() {
    let layout = Layout::new(vec![Leaf::new("id", LeafKind::Text)]);
    let write = |room| {
        let mut part = ParquetPart::new(Full(room), &layout, LABELS, Compression::None)?;
        for id in ids(3_000) {
            part.push(&[Cell::Text(&id)])?;
        }
        part.flush_group()?;
        part.finish()
    };
    let size = write(usize::MAX).unwrap().bytes as usize;
    for room in [0, 3, 1_000, size / 2, size - 1] {
        let Err(ParquetPartError::Write(error)) = write(room) else { panic!("{room} of {size} bytes") };
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert_eq!(error.to_string(), "cannot write part: no space");
    }
    assert!(write(size).is_ok());
}
