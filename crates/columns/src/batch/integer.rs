//! Integers.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use arrow::error::ArrowError;

use super::bits::Bits;

#[derive(Debug, Default)]
pub(super) struct IntColumn {
    numbers: Vec<i64>,
    is_some: Bits,
}

impl IntColumn {
    #[inline]
    pub(super) fn push(&mut self, number: Option<i64>) {
        self.is_some.push(number.is_some());
        self.numbers.push(number.unwrap_or(0));
    }

    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let room = Vec::with_capacity(self.numbers.len());
        let numbers = std::mem::replace(&mut self.numbers, room);
        Ok(Arc::new(Int64Array::try_new(numbers.into(), self.is_some.finish_nulls())?))
    }
}
