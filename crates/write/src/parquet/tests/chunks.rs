//! Chunks of several pages.

use bumpalo::Bump;
use bytes::Bytes;
use mimelake_columns::document::{Cell, Layout, Leaf, LeafKind};
use mimelake_schema::{Field, Kind, VERDICTS};
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection};
use parquet::basic::{BoundaryOrder, Encoding};
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData};
use parquet::file::statistics::Statistics;

use super::part;
use super::read::{Owned, cells, rows, rows_in};
use crate::parquet::plan::{GROUP_ROWS, PAGE_ROWS};

const ROWS: usize = 70_000;

fn layout() -> Layout {
    Layout::new(vec![
        Leaf::new("at", LeafKind::Time),
        Leaf::new("word", LeafKind::Text),
        Leaf::new("new", LeafKind::Text),
        Leaf::of(Field::MessageId),
        Leaf::of(Field::SpamScore),
        Leaf::new("number", LeafKind::Int),
        Leaf::new("bit", LeafKind::Bool),
        Leaf::new("nothing", LeafKind::Int),
        Leaf::new("list", LeafKind::TextList),
        Leaf::of(Field::Receipts),
        Leaf::of(Field::EarlierProcesses),
    ])
}

/// Records of a message, each of this many members: most of them null, a few of each kind.
fn records(leaf: Field, mixed: u64) -> Owned {
    let members = leaf.row().kind.members();
    let word = |n: u64| Owned::Text(format!("word{}", n % 40));
    let member = |(n, field): (u64, &Field)| match field.row().kind {
        _ if (mixed >> n).is_multiple_of(3) => Owned::Null,
        Kind::Text | Kind::Word => word(mixed >> n),
        Kind::Time | Kind::Int if *field != Field::Timestamp => Owned::Int((mixed >> n) as i64 % 1000),
        Kind::Time => Owned::Time((mixed >> n) as i64),
        Kind::Bool => Owned::Bool(mixed >> n & 4 == 0),
        Kind::FileNames => Owned::List((0..mixed % 3).map(|n| format!("{n}.pdf")).collect()),
        Kind::Verdicts => Owned::Verdicts(
            VERDICTS.iter().map(|_| Some((Some(mixed % 5 == 1), Some("why".to_owned())))).collect(),
            None,
        ),
        _ => Owned::Null,
    };
    let record = || (0..).zip(members).map(member).collect();
    Owned::Structs((0..mixed % 4).map(|_| record()).collect())
}

/// A row: words and scores of few, texts that outgrow their dictionary, runs and turns of nulls.
fn row(at: usize) -> Vec<Owned> {
    let mixed = (at as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
    let unless = |null: bool, value: Owned| if null { Owned::Null } else { value };
    let list = (0..mixed % 4).map(|n| format!("person{}@example.com", (mixed + n) % 500)).collect();
    vec![
        Owned::Time(1_772_000_000_000_000 + at as i64 * 1_000),
        unless(mixed.is_multiple_of(5), Owned::Text(format!("word{}", mixed % 30))),
        unless(at % 9_000 < 40, Owned::Text(format!("text {mixed} of the row {at}"))),
        Owned::Text(format!("<{mixed}@example.com>")),
        unless(at > 50_000, Owned::Int((mixed % 7) as i64 - 1)),
        unless(at.is_multiple_of(2), Owned::Int(mixed as i64 * if at.is_multiple_of(3) { -1 } else { 1 })),
        unless(mixed.is_multiple_of(3), Owned::Bool(at > 40_000)),
        Owned::Null,
        unless(mixed.is_multiple_of(11), Owned::List(list)),
        unless(mixed.is_multiple_of(7), records(Field::Receipts, mixed)),
        unless(!mixed.is_multiple_of(7), records(Field::EarlierProcesses, mixed)),
    ]
}

fn file() -> Vec<u8> {
    let mut part = part(&layout());
    let mut at = 0;
    while at < ROWS {
        let pushed: Vec<_> = (at..ROWS.min(at + 1 + at % 70)).map(row).collect();
        let bump = Bump::new();
        part.push_all(&pushed.iter().map(|row| cells(row, &bump)).collect::<Vec<_>>()).unwrap();
        at += pushed.len();
    }
    part.finish().unwrap().out
}

fn metadata(file: &[u8]) -> ParquetMetaData {
    let mut reader = ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Required);
    reader.try_parse(&Bytes::copy_from_slice(file)).unwrap();
    reader.finish().unwrap()
}

#[test]
fn every_page_is_read_as_it_was_pushed() {
    let found = rows(&file(), &layout());
    assert_eq!(found.len(), ROWS);
    for (at, found) in found.iter().enumerate() {
        assert_eq!(*found, row(at), "row {at}");
    }
}

#[test]
fn rows_are_found_by_the_pages_that_begin_with_them() {
    let file = Bytes::from(file());
    let picked = [3, PAGE_ROWS - 1, PAGE_ROWS, PAGE_ROWS + 1, 50_000, ROWS - 1];
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Required);
    let reader = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options).unwrap();
    let ranges = picked.iter().map(|row| *row..row + 1);
    let reader = reader.with_row_selection(RowSelection::from_consecutive_ranges(ranges, ROWS));
    let found: Vec<_> =
        reader.build().unwrap().flat_map(|batch| rows_in(batch.unwrap(), &layout())).collect();
    assert_eq!(found, picked.map(row));
}

#[test]
fn a_dictionary_that_grew_too_large_is_left() {
    let metadata = metadata(&file());
    let encodings = |place: usize| metadata.row_group(0).column(place).encodings().collect::<Vec<_>>();
    let (numbered, lengths) = (Encoding::RLE_DICTIONARY, Encoding::DELTA_LENGTH_BYTE_ARRAY);
    let has = |place: usize| (encodings(place).contains(&numbered), encodings(place).contains(&lengths));
    assert_eq!([1, 2, 3].map(has), [(true, false), (true, true), (false, true)]);
    assert_eq!(has(4), (true, false));
}

#[test]
fn pages_say_what_they_hold() {
    let metadata = metadata(&file());
    let group = metadata.row_group(0);
    let index = metadata.page_index_for_row_group(0);
    for (place, leaf) in
        layout().leaves().iter().enumerate().filter(|(_, leaf)| leaf.path != "earlier_processes")
    {
        let pages = index.offset_index(place).unwrap().page_locations();
        assert!(pages.len() >= 3, "{}", leaf.path);
        let ends = pages[1..].iter().map(|page| page.first_row_index as usize).chain([ROWS]);
        let Some(bounds) = index.column_index(place) else { continue };
        let (mut nulls, mut greatest) = (0, None);
        for (number, (page, end)) in pages.iter().zip(ends).enumerate() {
            let start = page.first_row_index as usize;
            let cells: Vec<_> = (start..end).map(|at| row(at).swap_remove(place)).collect();
            let counted = cells.iter().filter(|cell| **cell == Owned::Null).count();
            assert_eq!(bounds.null_count(number), Some(counted as i64), "{} {start}", leaf.path);
            assert_eq!(bounds.is_null_page(number), counted == cells.len(), "{} {start}", leaf.path);
            nulls += counted as u64;
            greatest = cells.iter().filter_map(of_number).chain(greatest).max();
        }
        let statistics = group.column(place).statistics().unwrap();
        assert_eq!(statistics.null_count_opt(), Some(nulls), "{}", leaf.path);
        let found = match statistics {
            Statistics::Int64(found) => found.max_opt().copied(),
            Statistics::Boolean(found) => found.max_opt().map(|bit| i64::from(*bit)),
            other => panic!("{other:?}"),
        };
        assert_eq!(found, greatest, "{}", leaf.path);
    }
    let order = |place| index.column_index(place).unwrap().get_boundary_order();
    assert_eq!(order(0), Some(BoundaryOrder::ASCENDING));
    assert_eq!(order(5), Some(BoundaryOrder::UNORDERED));
}

fn of_number(cell: &Owned) -> Option<i64> {
    match cell {
        Owned::Int(number) | Owned::Time(number) => Some(*number),
        Owned::Bool(bit) => Some((*bit).into()),
        _ => None,
    }
}

#[test]
fn a_row_group_ends_where_it_is_full() {
    let layout = Layout::new(vec![Leaf::new("number", LeafKind::Int)]);
    let mut part = part(&layout);
    let row: &[Cell<'_>] = &[Cell::Int(1)];
    for _ in 0..3_000 {
        part.push_all(&[row; 47]).unwrap();
    }
    let rows: Vec<_> =
        metadata(&part.finish().unwrap().out).row_groups().iter().map(RowGroupMetaData::num_rows).collect();
    assert_eq!(rows, [GROUP_ROWS as i64, 3_000 * 47 - GROUP_ROWS as i64]);
}
