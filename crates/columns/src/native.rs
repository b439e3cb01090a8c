//! Rows of the columns as they are.

use bumpalo::Bump;
use mimelake_parse::Event;
use mimelake_schema::{EventType, Field};

use crate::document::{Cell, Layout, Leaf};

/// The columns of a table, with their own names, and `original` behind them on request.
pub(crate) fn layout(event_type: EventType, original: bool) -> Layout {
    let columns = event_type.columns().iter().copied();
    Layout::new(columns.chain(original.then_some(Field::Original)).map(Leaf::of).collect())
}

/// One cell for each column.
pub(crate) fn row<'a>(event: &Event<'a>, original: bool, bump: &'a Bump) -> &'a [Cell<'a>] {
    if !original {
        return event.values;
    }
    let text = Cell::Text(event.text);
    let columns = event.values.len();
    bump.alloc_slice_fill_with(columns + 1, |place| event.values.get(place).copied().unwrap_or(text))
}
