//! Booleans.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};

use super::bits::Bits;

#[derive(Debug, Default)]
pub(super) struct BoolColumn {
    bits: Bits,
    is_some: Bits,
}

impl BoolColumn {
    #[inline]
    pub(super) fn push(&mut self, bit: Option<bool>) {
        self.is_some.push(bit.is_some());
        self.bits.push(bit.unwrap_or(false));
    }

    /// Appends as many nulls.
    pub(super) fn push_nulls(&mut self, count: usize) {
        self.is_some.push_zeros(count);
        self.bits.push_zeros(count);
    }

    pub(super) fn finish(&mut self) -> ArrayRef {
        Arc::new(BooleanArray::new(self.bits.finish(), self.is_some.finish_nulls()))
    }
}
