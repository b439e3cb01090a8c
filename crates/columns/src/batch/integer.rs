//! Integers.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Builder};

#[derive(Debug, Default)]
pub(super) struct IntColumn(Int64Builder);

impl IntColumn {
    #[inline]
    pub(super) fn push(&mut self, number: Option<i64>) -> usize {
        self.0.append_option(number);
        size_of::<i64>()
    }

    pub(super) fn finish(&mut self) -> ArrayRef {
        let array = self.0.finish();
        self.0 = Int64Builder::with_capacity(array.len());
        Arc::new(array)
    }
}
