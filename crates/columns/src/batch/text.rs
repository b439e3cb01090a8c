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
    /// Nulls that are not appended yet: many columns have nothing else for thousands of rows.
    owed: usize,
}

impl Default for TextColumn {
    fn default() -> Self {
        Self { texts: String::new(), offsets: vec![0], is_some: Bits::default(), owed: 0 }
    }
}

impl TextColumn {
    /// Appends a text; how many bytes it has.
    #[inline]
    pub(super) fn push(&mut self, text: Option<&str>) -> usize {
        let Some(text) = text else {
            self.owed += 1;
            return 0;
        };
        if self.owed > 0 {
            self.settle();
        }
        self.is_some.push(true);
        self.texts.push_str(text);
        self.offsets.push(self.texts.len() as i32);
        text.len()
    }

    /// Appends as many nulls.
    pub(super) fn push_nulls(&mut self, count: usize) {
        self.owed += count;
    }

    /// Appends the nulls that are not yet.
    fn settle(&mut self) {
        let owed = std::mem::take(&mut self.owed);
        self.is_some.push_zeros(owed);
        self.offsets.resize(self.offsets.len() + owed, self.texts.len() as i32);
    }

    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        self.settle();
        let (rows, bytes) = (self.offsets.len(), self.texts.len());
        if i32::try_from(bytes).is_err() {
            return Err(ArrowError::OffsetOverflowError(bytes));
        }
        // A little more than this time, lest all of it be moved for the last few bytes.
        let room = String::with_capacity((bytes + bytes / 8).min(MOST_KEPT));
        let texts = std::mem::replace(&mut self.texts, room);
        let offsets = std::mem::replace(&mut self.offsets, Vec::with_capacity(rows));
        self.offsets.push(0);
        let offsets = OffsetBuffer::new(offsets.into());
        let texts = Buffer::from_vec(texts.into_bytes());
        Ok(Arc::new(StringArray::try_new(offsets, texts, self.is_some.finish_nulls())?))
    }
}
