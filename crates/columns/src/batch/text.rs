//! Text.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, StringBuilder};
use arrow::compute::nullif;
use arrow::error::ArrowError;

use super::bits::Bits;
use super::column::MOST_KEPT;

#[derive(Debug, Default)]
pub(super) struct TextColumn {
    /// Empty where there is none: a builder without nulls is faster, and they are cheap to put in at the end.
    texts: StringBuilder,
    is_some: Bits,
}

impl TextColumn {
    /// Appends a text; how many bytes it has.
    #[inline]
    pub(super) fn push(&mut self, text: Option<&str>) -> usize {
        self.is_some.push(text.is_some());
        self.texts.append_value(text.unwrap_or_default());
        text.map_or(0, str::len)
    }

    /// Appends as many nulls.
    pub(super) fn push_nulls(&mut self, count: usize) {
        self.is_some.push_zeros(count);
        self.texts.append_value_n("", count);
    }

    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let room =
            StringBuilder::with_capacity(self.is_some.len(), self.texts.values_slice().len().min(MOST_KEPT));
        let texts = std::mem::replace(&mut self.texts, room).finish();
        let is_some = self.is_some.finish();
        if is_some.count_set_bits() == is_some.len() {
            return Ok(Arc::new(texts));
        }
        nullif(&texts, &BooleanArray::new(!&is_some, None))
    }
}
