//! Where the lists of a column begin and end, and which are null.

use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, FieldRef};
use arrow::error::ArrowError;
use arrow::{array::NullBufferBuilder, array::OffsetBufferBuilder};

/// The name that Parquet gives to what is in a list.
const ELEMENT: &str = "element";

/// The field of a list's elements, which are never null.
pub(super) fn element(data_type: DataType) -> FieldRef {
    Arc::new(Field::new(ELEMENT, data_type, false))
}

#[derive(Debug)]
pub(super) struct Lists {
    offsets: OffsetBufferBuilder<i32>,
    nulls: NullBufferBuilder,
}

impl Default for Lists {
    fn default() -> Self {
        Self::with_capacity(0)
    }
}

impl Lists {
    fn with_capacity(rows: usize) -> Self {
        Self { offsets: OffsetBufferBuilder::new(rows), nulls: NullBufferBuilder::new(rows) }
    }

    /// Appends a list of so many elements, or a null; about how many bytes that takes.
    #[inline]
    pub(super) fn push(&mut self, elements: Option<usize>) -> usize {
        self.offsets.push_length(elements.unwrap_or(0));
        self.nulls.append(elements.is_some());
        size_of::<i32>()
    }

    pub(super) fn finish(&mut self) -> (OffsetBuffer<i32>, Option<NullBuffer>) {
        let fresh = Self::with_capacity(self.nulls.len());
        let mut done = std::mem::replace(self, fresh);
        (done.offsets.finish(), done.nulls.finish())
    }

    /// The lists as an array over their elements.
    pub(super) fn finish_over(&mut self, elements: ArrayRef) -> Result<ArrayRef, ArrowError> {
        let (offsets, nulls) = self.finish();
        let field = element(elements.data_type().clone());
        Ok(Arc::new(ListArray::try_new(field, offsets, elements, nulls)?))
    }
}
