//! One leaf's column, whatever its kind.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;

use super::{
    boolean::BoolColumn, integer::IntColumn, pairs::PairsColumn, structs::StructsColumn, text::TextColumn,
    text_list::TextListColumn, time::TimeColumn, verdicts::VerdictsColumn,
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
            Self::Structs(structs) => structs.data_type(),
        }
    }

    /// Appends a cell; about how many bytes it takes.
    #[inline]
    pub(super) fn push(&mut self, cell: Cell<'_>) -> usize {
        match (self, cell) {
            (Self::Text(column), Cell::Text(text)) => column.push(Some(text)),
            (Self::Text(column), _) => column.push(None),
            (Self::Int(column), Cell::Int(number)) => column.push(Some(number)),
            (Self::Int(column), _) => column.push(None),
            (Self::Bool(column), Cell::Bool(bit)) => column.push(Some(bit)),
            (Self::Bool(column), _) => column.push(None),
            (Self::Time(column), Cell::Time(micros)) => column.push(Some(micros)),
            (Self::Time(column), _) => column.push(None),
            (Self::TextList(column), Cell::List(list)) => column.push(Some(list)),
            (Self::TextList(column), _) => column.push(None),
            (Self::Verdicts(column), Cell::Verdicts(verdicts)) => column.push(Some(verdicts)),
            (Self::Verdicts(column), _) => column.push(None),
            (Self::Pairs(column), Cell::Pairs(pairs)) => column.push(Some(pairs)),
            (Self::Pairs(column), _) => column.push(None),
            (Self::Structs(column), Cell::Structs(rows)) => column.push(Some(rows)),
            (Self::Structs(column), _) => column.push(None),
        }
    }

    /// What was appended, as an array.
    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        Ok(match self {
            Self::Text(column) => column.finish(),
            Self::Int(column) => column.finish(),
            Self::Bool(column) => column.finish(),
            Self::Time(column) => column.finish(),
            Self::TextList(column) => column.finish()?,
            Self::Verdicts(column) => column.finish()?,
            Self::Pairs(column) => column.finish()?,
            Self::Structs(column) => column.finish()?,
        })
    }
}
