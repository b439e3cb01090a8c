//! Where the lists of a column begin and end, and which are null.

use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray, OffsetBufferBuilder};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, FieldRef};
use arrow::error::ArrowError;

use super::bits::Bits;

/// The name that Parquet gives to what is in a list.
const ELEMENT: &str = "element";
/// What the place of a text or a list takes, in bytes.
pub(super) const OFFSET: usize = size_of::<i32>();

/// The field of a list's elements, which are never null.
pub(super) fn element(data_type: DataType) -> FieldRef {
    Arc::new(Field::new(ELEMENT, data_type, false))
}

#[derive(Debug)]
pub(super) struct Lists {
    offsets: OffsetBufferBuilder<i32>,
    is_some: Bits,
}

impl Default for Lists {
    fn default() -> Self {
        Self { offsets: OffsetBufferBuilder::new(0), is_some: Bits::default() }
    }
}

impl Lists {
    /// Appends a list of so many elements, or a null.
    #[inline]
    pub(super) fn push(&mut self, elements: Option<usize>) {
        self.offsets.push_length(elements.unwrap_or(0));
        self.is_some.push(elements.is_some());
    }

    pub(super) fn finish(&mut self) -> (OffsetBuffer<i32>, Option<NullBuffer>) {
        let room = OffsetBufferBuilder::new(self.is_some.len());
        (std::mem::replace(&mut self.offsets, room).finish(), self.is_some.finish_nulls())
    }

    /// The lists as an array over their elements.
    pub(super) fn finish_over(&mut self, elements: ArrayRef) -> Result<ArrayRef, ArrowError> {
        let (offsets, nulls) = self.finish();
        let field = element(elements.data_type().clone());
        Ok(Arc::new(ListArray::try_new(field, offsets, elements, nulls)?))
    }
}
