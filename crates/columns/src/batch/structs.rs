//! Structs and lists of structs.

use std::sync::Arc;

use arrow::array::{ArrayRef, StructArray};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;

use super::bits::Bits;
use super::list::{Lists, element};
use super::tree::Tree;
use crate::document::{Cell, Leaf};

#[derive(Debug)]
pub(super) struct StructsColumn {
    lists: Lists,
    elements: Tree,
    /// How many elements.
    len: usize,
}

impl StructsColumn {
    pub(super) fn new(members: &[Leaf]) -> Self {
        Self { lists: Lists::default(), elements: Tree::new(members), len: 0 }
    }

    pub(super) fn data_type(&self) -> DataType {
        DataType::List(element(DataType::Struct(self.elements.fields().clone())))
    }

    // Apart, so that the loop over a row stays small.
    #[inline(never)]
    pub(super) fn push(&mut self, rows: Option<&[&[Cell<'_>]]>) -> usize {
        let elements = rows.unwrap_or_default();
        self.len += elements.len();
        self.lists.push(rows.map(<[_]>::len));
        elements.iter().map(|row| self.elements.push(row.iter())).sum()
    }

    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let len = std::mem::take(&mut self.len);
        let members = self.elements.finish(len)?;
        let fields = self.elements.fields().clone();
        let elements = StructArray::try_new_with_length(fields, members, None, len)?;
        self.lists.finish_over(Arc::new(elements))
    }
}

#[derive(Debug)]
pub(super) struct StructColumn {
    members: Tree,
    is_some: Bits,
}

impl StructColumn {
    pub(super) fn new(members: &[Leaf]) -> Self {
        Self { members: Tree::new(members), is_some: Bits::default() }
    }

    pub(super) fn data_type(&self) -> DataType {
        DataType::Struct(self.members.fields().clone())
    }

    // Apart, so that the loop over a row stays small.
    #[inline(never)]
    pub(super) fn push(&mut self, row: Option<&[Cell<'_>]>) -> usize {
        self.is_some.push(row.is_some());
        self.members.push(row.unwrap_or_default().iter())
    }

    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let len = self.is_some.len();
        let members = self.members.finish(len)?;
        let (fields, nulls) = (self.members.fields().clone(), self.is_some.finish_nulls());
        Ok(Arc::new(StructArray::try_new_with_length(fields, members, nulls, len)?))
    }
}
