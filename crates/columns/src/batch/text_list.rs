//! Lists of text.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;

use super::list::{Lists, OFFSET, element};
use super::text::TextColumn;

#[derive(Debug, Default)]
pub(super) struct TextListColumn {
    lists: Lists,
    elements: TextColumn,
}

impl TextListColumn {
    pub(super) fn data_type() -> DataType {
        DataType::List(element(DataType::Utf8))
    }

    // Apart, so that the loop over a row stays small.
    #[inline(never)]
    pub(super) fn push(&mut self, list: Option<&[&str]>) -> usize {
        self.lists.push(list.map(<[_]>::len));
        list.unwrap_or_default().iter().map(|text| OFFSET + self.elements.push(Some(text))).sum()
    }

    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let elements = self.elements.finish()?;
        self.lists.finish_over(elements)
    }
}
