//! Points in time.

use std::sync::Arc;

use arrow::array::{ArrayRef, TimestampMicrosecondBuilder};
use arrow::datatypes::{DataType, TimeUnit};

#[derive(Debug)]
pub(super) struct TimeColumn(TimestampMicrosecondBuilder);

impl Default for TimeColumn {
    fn default() -> Self {
        Self::with_capacity(0)
    }
}

impl TimeColumn {
    fn with_capacity(rows: usize) -> Self {
        Self(TimestampMicrosecondBuilder::with_capacity(rows).with_data_type(Self::data_type()))
    }

    pub(super) fn data_type() -> DataType {
        DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
    }

    #[inline]
    pub(super) fn push(&mut self, micros: Option<i64>) -> usize {
        self.0.append_option(micros);
        size_of::<i64>()
    }

    pub(super) fn finish(&mut self) -> ArrayRef {
        let array = self.0.finish();
        *self = Self::with_capacity(array.len());
        Arc::new(array)
    }
}
