//! Rows as newline-delimited JSON.
//!
//! A [`RowWriter`] is prepared once for a layout: keys, commas and braces are ready pieces, and what is
//! the same in every row is written with them. Nulls are left out, and so is an object in which nothing
//! stands, unless it is an element of a list. Times are RFC 3339 in UTC with three digits of a second, or six where the microseconds are
//! not zero; a time outside of the years 0 to 9999 cannot be written like that and is left out. Of pairs
//! with the same key, the values become an array.
//!
//! ```
//! use mimelake_columns::document::{Cell, Layout, Leaf, LeafKind};
//! use mimelake_write::ndjson::RowWriter;
//!
//! let leaves = ["event.kind", "event.reason", "message"].map(|path| Leaf::new(path, LeafKind::Text));
//! let writer = RowWriter::new(&Layout::new(leaves.into()));
//! let mut out = Vec::new();
//! writer.write_row(&[Cell::Text("alert"), Cell::Null, Cell::Text("a \"b\"")], &mut out);
//! writer.write_row(&[Cell::Null, Cell::Null, Cell::Null], &mut out);
//! assert_eq!(out, b"{\"event\":{\"kind\":\"alert\"},\"message\":\"a \\\"b\\\"\"}\n{}\n");
//! ```

mod line;
mod pairs;
mod piece;
mod plan;
mod text;
mod time;
mod value;

#[cfg(test)]
mod tests;

use mimelake_columns::document::{Cell, Layout};

use line::Line;
use plan::Plan;

/// Writes the rows of one layout.
#[derive(Debug)]
pub struct RowWriter {
    plan: Plan,
}

impl RowWriter {
    /// A writer for this layout.
    pub fn new(layout: &Layout) -> Self {
        Self { plan: Plan::new(layout.leaves()) }
    }

    /// Appends one row as one line of JSON.
    ///
    /// The row has one cell for each leaf of the layout; cells beyond that are not written, and neither
    /// are leaves beyond the row's end. The line is JSON whatever the cells hold.
    #[inline]
    pub fn write_row(&self, row: &[Cell<'_>], out: &mut Vec<u8>) {
        let mut line = Line::behind(out);
        self.plan.write_object(row, &mut line);
        line.byte(b'\n');
        line.finish();
    }
}
