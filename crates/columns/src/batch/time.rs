//! Points in time.

use std::sync::Arc;

use arrow::array::{ArrayRef, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, TimeUnit};
use arrow::error::ArrowError;

use super::bits::Bits;

const ZONE: &str = "UTC";

#[derive(Debug, Default)]
pub(super) struct TimeColumn {
    micros: Vec<i64>,
    is_some: Bits,
}

impl TimeColumn {
    pub(super) fn data_type() -> DataType {
        DataType::Timestamp(TimeUnit::Microsecond, Some(ZONE.into()))
    }

    #[inline]
    pub(super) fn push(&mut self, micros: Option<i64>) {
        self.is_some.push(micros.is_some());
        self.micros.push(micros.unwrap_or(0));
    }

    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let room = Vec::with_capacity(self.micros.len());
        let micros = std::mem::replace(&mut self.micros, room);
        let array = TimestampMicrosecondArray::try_new(micros.into(), self.is_some.finish_nulls())?;
        Ok(Arc::new(array.with_timezone(ZONE)))
    }
}
