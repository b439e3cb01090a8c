//! Booleans.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanBuilder};

#[derive(Debug, Default)]
pub(super) struct BoolColumn(BooleanBuilder);

impl BoolColumn {
    #[inline]
    pub(super) fn push(&mut self, bit: Option<bool>) -> usize {
        self.0.append_option(bit);
        1
    }

    /// Appends as many nulls.
    pub(super) fn push_nulls(&mut self, count: usize) {
        self.0.append_nulls(count);
    }

    pub(super) fn finish(&mut self) -> ArrayRef {
        let array = self.0.finish();
        self.0 = BooleanBuilder::with_capacity(array.len());
        Arc::new(array)
    }
}
