//! Reads a Parquet file back as rows that own their values.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StructArray};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use bumpalo::Bump;
use mimelake_columns::document::{Cell, Layout, Leaf, LeafKind};
use mimelake_parse::{ExtraPair, Verdict, Verdicts};
use mimelake_schema::VERDICTS;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// A cell that owns its value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Owned {
    Null,
    Text(String),
    Int(i64),
    Bool(bool),
    Time(i64),
    List(Vec<String>),
    Verdicts(Vec<Option<OwnedVerdict>>, Option<bool>),
    Pairs(Vec<(String, Option<String>)>),
    Struct(Vec<Owned>),
    Structs(Vec<Vec<Owned>>),
}

/// `allow` and `info`.
pub(super) type OwnedVerdict = (Option<bool>, Option<String>);

impl Owned {
    pub(super) fn cell<'a>(&'a self, bump: &'a Bump) -> Cell<'a> {
        match self {
            Self::Null => Cell::Null,
            Self::Text(text) => Cell::Text(text),
            Self::Int(number) => Cell::Int(*number),
            Self::Bool(bit) => Cell::Bool(*bit),
            Self::Time(micros) => Cell::Time(*micros),
            Self::List(list) => Cell::List(bump.alloc_slice_fill_iter(list.iter().map(String::as_str))),
            Self::Verdicts(each, grey_email) => {
                let mut verdicts = Verdicts { grey_email: *grey_email, ..Verdicts::default() };
                for (to, from) in verdicts.each.iter_mut().zip(each) {
                    *to = from.as_ref().map(|(allow, info)| Verdict { allow: *allow, info: info.as_deref() });
                }
                Cell::Verdicts(bump.alloc(verdicts))
            }
            Self::Pairs(pairs) => Cell::Pairs(bump.alloc_slice_fill_iter(
                pairs.iter().map(|(key, value)| ExtraPair { key, value: value.as_deref() }),
            )),
            Self::Struct(row) => Cell::Struct(cells(row, bump)),
            Self::Structs(rows) => {
                let row = |row: &'a Vec<Self>| cells(row, bump);
                Cell::Structs(bump.alloc_slice_fill_iter(rows.iter().map(row)))
            }
        }
    }
}

pub(super) fn cells<'a>(row: &'a [Owned], bump: &'a Bump) -> &'a [Cell<'a>] {
    bump.alloc_slice_fill_iter(row.iter().map(|owned| owned.cell(bump)))
}

/// Every row of a Parquet file.
pub(super) fn rows(file: &[u8], layout: &Layout) -> Vec<Vec<Owned>> {
    batches(file).into_iter().flat_map(|batch| rows_in(batch, layout)).collect()
}

/// Every row of a batch.
pub(super) fn rows_in(batch: RecordBatch, layout: &Layout) -> Vec<Vec<Owned>> {
    rows_of(&batch.into(), layout.leaves())
}

pub(super) fn batches(file: &[u8]) -> Vec<RecordBatch> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::copy_from_slice(file)).unwrap();
    reader.build().unwrap().map(Result::unwrap).collect()
}

fn rows_of(array: &StructArray, leaves: &[Leaf]) -> Vec<Vec<Owned>> {
    let columns: Vec<_> = leaves.iter().map(|leaf| (leaf, at_path(array, leaf))).collect();
    (0..array.len())
        .map(|row| columns.iter().map(|(leaf, column)| value(leaf, column, row)).collect())
        .collect()
}

fn at_path(array: &StructArray, leaf: &Leaf) -> ArrayRef {
    let mut column: ArrayRef = std::sync::Arc::new(array.clone());
    for name in leaf.segments() {
        column = column.as_struct().column_by_name(name).unwrap().clone();
    }
    column
}

fn text(column: &ArrayRef, row: usize) -> Option<String> {
    let texts = column.as_string::<i32>();
    texts.is_valid(row).then(|| texts.value(row).to_owned())
}

fn bit(column: &ArrayRef, row: usize) -> Option<bool> {
    column.is_valid(row).then(|| column.as_boolean().value(row))
}

fn value(leaf: &Leaf, column: &ArrayRef, row: usize) -> Owned {
    if column.is_null(row) {
        return Owned::Null;
    }
    match leaf.kind {
        LeafKind::Text => Owned::Text(column.as_string::<i32>().value(row).to_owned()),
        LeafKind::Int => Owned::Int(column.as_primitive::<Int64Type>().value(row)),
        LeafKind::Bool => Owned::Bool(column.as_boolean().value(row)),
        LeafKind::Time => Owned::Time(column.as_primitive::<TimestampMicrosecondType>().value(row)),
        LeafKind::TextList => {
            let list = column.as_list::<i32>().value(row);
            Owned::List(list.as_string::<i32>().iter().map(|text| text.unwrap().to_owned()).collect())
        }
        LeafKind::Verdicts => {
            let whole = column.as_struct();
            let each = VERDICTS.iter().map(|(name, _)| {
                let one = whole.column_by_name(name).unwrap().as_struct();
                one.is_valid(row).then(|| (bit(one.column(0), row), text(one.column(1), row)))
            });
            Owned::Verdicts(each.collect(), bit(whole.column_by_name("grey_email").unwrap(), row))
        }
        LeafKind::Pairs => {
            let entries = column.as_map().value(row);
            let pair = |at| (text(entries.column(0), at).unwrap(), text(entries.column(1), at));
            Owned::Pairs((0..entries.len()).map(pair).collect())
        }
        LeafKind::Struct(members) => {
            let one = column.slice(row, 1);
            Owned::Struct(rows_of(one.as_struct(), members).remove(0))
        }
        LeafKind::Structs(members) => {
            Owned::Structs(rows_of(column.as_list::<i32>().value(row).as_struct(), members))
        }
    }
}
