//! Text.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::buffer::{Buffer, OffsetBuffer};
use arrow::error::ArrowError;

use super::bits::Bits;
use super::column::MOST_KEPT;

/// Arrow's own builder costs about twice as much for each text as this and the check at the end that it is
/// UTF-8, which it has always been.
#[derive(Debug)]
pub(super) struct TextColumn {
    texts: String,
    /// Where each begins, and where the last ends.
    offsets: Vec<i32>,
    is_some: Bits,
}

impl Default for TextColumn {
    fn default() -> Self {
        Self { texts: String::new(), offsets: vec![0], is_some: Bits::default() }
    }
}

impl TextColumn {
    /// Appends a text; how many bytes it has.
    #[inline]
    pub(super) fn push(&mut self, text: Option<&str>) -> usize {
        self.is_some.push(text.is_some());
        let text = text.unwrap_or_default();
        self.texts.push_str(text);
        self.end();
        text.len()
    }

    /// Appends as many nulls.
    pub(super) fn push_nulls(&mut self, count: usize) {
        self.is_some.push_zeros(count);
        (0..count).for_each(|_| self.end());
    }

    #[inline]
    fn end(&mut self) {
        self.offsets.push(self.texts.len() as i32);
    }

    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let (rows, bytes) = (self.offsets.len(), self.texts.len());
        if i32::try_from(bytes).is_err() {
            return Err(ArrowError::OffsetOverflowError(bytes));
        }
        let texts = std::mem::replace(&mut self.texts, String::with_capacity(bytes.min(MOST_KEPT)));
        let offsets = std::mem::replace(&mut self.offsets, Vec::with_capacity(rows));
        self.offsets.push(0);
        let offsets = OffsetBuffer::new(offsets.into());
        let texts = Buffer::from_vec(texts.into_bytes());
        Ok(Arc::new(StringArray::try_new(offsets, texts, self.is_some.finish_nulls())?))
    }
}
