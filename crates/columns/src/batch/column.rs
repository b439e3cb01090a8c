//! One leaf's column, whatever its kind.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use mimelake_schema::VERDICTS;

use super::{
    boolean::BoolColumn,
    integer::IntColumn,
    list::OFFSET,
    pairs::PairsColumn,
    structs::{StructColumn, StructsColumn},
    text::TextColumn,
    text_list::TextListColumn,
    time::TimeColumn,
    verdicts::VerdictsColumn,
};
use crate::document::{Cell, LeafKind};

/// The most that is reserved for the next batch, in bytes of text: one huge record is no reason to hold as
/// much for ever.
pub(super) const MOST_KEPT: usize = 8 << 20;

/// The column of one leaf.
#[derive(Debug)]
pub(super) enum Column {
    Text(TextColumn),
    Int(IntColumn),
    Bool(BoolColumn),
    Time(TimeColumn),
    TextList(TextListColumn),
    Verdicts(Box<VerdictsColumn>),
    Pairs(Box<PairsColumn>),
    Struct(Box<StructColumn>),
    Structs(Box<StructsColumn>),
}

impl Column {
    pub(super) fn new(kind: LeafKind) -> Self {
        match kind {
            LeafKind::Text => Self::Text(TextColumn::default()),
            LeafKind::Int => Self::Int(IntColumn::default()),
            LeafKind::Bool => Self::Bool(BoolColumn::default()),
            LeafKind::Time => Self::Time(TimeColumn::default()),
            LeafKind::TextList => Self::TextList(TextListColumn::default()),
            LeafKind::Verdicts => Self::Verdicts(Box::default()),
            LeafKind::Pairs => Self::Pairs(Box::default()),
            LeafKind::Struct(members) => Self::Struct(Box::new(StructColumn::new(members))),
            LeafKind::Structs(members) => Self::Structs(Box::new(StructsColumn::new(members))),
        }
    }

    /// The Arrow type of its arrays.
    pub(super) fn data_type(&self) -> DataType {
        match self {
            Self::Text(_) => DataType::Utf8,
            Self::Int(_) => DataType::Int64,
            Self::Bool(_) => DataType::Boolean,
            Self::Time(_) => TimeColumn::data_type(),
            Self::TextList(_) => TextListColumn::data_type(),
            Self::Verdicts(_) => VerdictsColumn::data_type(),
            Self::Pairs(_) => PairsColumn::data_type(),
            Self::Struct(one) => one.data_type(),
            Self::Structs(structs) => structs.data_type(),
        }
    }

    /// What a row takes at least, in bytes.
    pub(super) fn row_bytes(&self) -> usize {
        match self {
            Self::Text(_) | Self::TextList(_) | Self::Pairs(_) | Self::Structs(_) => OFFSET,
            Self::Int(_) | Self::Time(_) => size_of::<i64>(),
            Self::Bool(_) | Self::Struct(_) => 1,
            Self::Verdicts(_) => VERDICTS.len() * (OFFSET + 1),
        }
    }

    /// Appends a cell; about how many bytes it takes beyond those of every row.
    #[expect(
        clippy::inline_always,
        reason = "a call for each cell of each row costs a third more instructions"
    )]
    #[inline(always)]
    pub(super) fn push(&mut self, cell: &Cell<'_>) -> usize {
        match self {
            Self::Text(column) => column.push(if let Cell::Text(text) = cell { Some(text) } else { None }),
            Self::Int(column) => {
                column.push(if let Cell::Int(number) = cell { Some(*number) } else { None });
                0
            }
            Self::Bool(column) => {
                column.push(if let Cell::Bool(bit) = cell { Some(*bit) } else { None });
                0
            }
            Self::Time(column) => {
                column.push(if let Cell::Time(micros) = cell { Some(*micros) } else { None });
                0
            }
            Self::TextList(column) => {
                column.push(if let Cell::List(list) = cell { Some(list) } else { None })
            }
            Self::Verdicts(column) => {
                column.push(if let Cell::Verdicts(all) = cell { Some(all) } else { None })
            }
            Self::Pairs(column) => {
                column.push(if let Cell::Pairs(pairs) = cell { Some(pairs) } else { None })
            }
            Self::Struct(column) => column.push(if let Cell::Struct(row) = cell { Some(row) } else { None }),
            Self::Structs(column) => {
                column.push(if let Cell::Structs(rows) = cell { Some(rows) } else { None })
            }
        }
    }

    /// What was appended, as an array.
    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        match self {
            Self::Text(column) => column.finish(),
            Self::Int(column) => column.finish(),
            Self::Bool(column) => Ok(column.finish()),
            Self::Time(column) => column.finish(),
            Self::TextList(column) => column.finish(),
            Self::Verdicts(column) => column.finish(),
            Self::Pairs(column) => column.finish(),
            Self::Struct(column) => column.finish(),
            Self::Structs(column) => column.finish(),
        }
    }
}
