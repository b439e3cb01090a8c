//! Text.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringBuilder};

use super::column::MOST_KEPT;

#[derive(Debug, Default)]
pub(super) struct TextColumn(StringBuilder);

impl TextColumn {
    #[inline]
    pub(super) fn push(&mut self, text: Option<&str>) -> usize {
        self.0.append_option(text);
        size_of::<i32>() + text.map_or(0, str::len)
    }

    /// Appends as many nulls.
    pub(super) fn push_nulls(&mut self, count: usize) {
        self.0.append_nulls(count);
    }

    pub(super) fn finish(&mut self) -> ArrayRef {
        let (rows, bytes) = (self.0.offsets_slice().len(), self.0.values_slice().len());
        let array = self.0.finish();
        debug_assert_eq!(array.len() + 1, rows);
        self.0 = StringBuilder::with_capacity(rows, bytes.min(MOST_KEPT));
        Arc::new(array)
    }
}
