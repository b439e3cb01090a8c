//! Rows of a layout to Arrow record batches.
//!
//! | leaf | Arrow type |
//! |---|---|
//! | [`Text`](LeafKind::Text) | `Utf8` |
//! | [`Int`](LeafKind::Int) | `Int64` |
//! | [`Bool`](LeafKind::Bool) | `Boolean` |
//! | [`Time`](LeafKind::Time) | `Timestamp(Microsecond, "UTC")` |
//! | [`TextList`](LeafKind::TextList) | `List<element: Utf8 not null>` |
//! | [`Verdicts`](LeafKind::Verdicts) | `Struct<spf: Struct<allow: Boolean, info: Utf8>, …, grey_email: Boolean>` |
//! | [`Pairs`](LeafKind::Pairs) | `Map<Utf8, Utf8>` |
//! | [`Struct`](LeafKind::Struct) | `Struct<…>` |
//! | [`Structs`](LeafKind::Structs) | `List<element: Struct<…> not null>` |
//!
//! Every leaf can be null. The dots of a path become structs, which are never null themselves, only their
//! leaves are: nothing has to be kept, written or read for them, and `email.from.address IS NULL` asks the
//! same. Lists and maps tell null from empty.
//!
//! The keys of a map are made unique, for `DuckDB` refuses a file where one comes twice, and Polars drops all
//! but the last: the second `Subject` becomes `Subject#2`, the third `Subject#3`.
//!
//! ```
//! use mimelake_columns::batch::Batches;
//! use mimelake_columns::document::{Cell, Layout, Leaf, LeafKind};
//!
//! let layout = Layout::new(vec![
//!     Leaf::new("email.subject", LeafKind::Text),
//!     Leaf::new("email.direction", LeafKind::Text),
//! ]);
//! let mut batches = Batches::new(&layout);
//! batches.push(&[Cell::Text("Invoice"), Cell::Null]);
//! let batch = batches.finish()?;
//! assert_eq!((batch.num_rows(), batch.num_columns()), (1, 1));
//! # Ok::<(), arrow::error::ArrowError>(())
//! ```

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;

#[cfg(doc)]
use crate::document::LeafKind;
use crate::document::{Cell, Layout};

mod bits;
mod boolean;
mod column;
mod integer;
mod list;
mod pairs;
mod structs;
#[cfg(test)]
mod tests;
mod text;
mod text_list;
mod time;
mod tree;
mod verdicts;

pub use pairs::unique_pairs;
use tree::Tree;

/// The field metadata key under which a column says what it holds.
pub const DOC: &str = "doc";

/// Collects the rows of one layout into record batches.
///
/// End a batch well below 2 GiB of [`bytes`](Self::bytes): no column of Arrow's holds more.
#[derive(Debug)]
pub struct Batches {
    tree: Tree,
    schema: SchemaRef,
    rows: usize,
    bytes: usize,
}

impl Batches {
    /// No rows yet, of this layout.
    pub fn new(layout: &Layout) -> Self {
        let tree = Tree::new(layout.leaves());
        let schema = Arc::new(Schema::new(tree.fields().clone()));
        Self { tree, schema, rows: 0, bytes: 0 }
    }

    /// The schema of every batch.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Appends a row: one cell for each leaf, each of its leaf's kind or null.
    ///
    /// A cell of another kind counts as null, as does one that is missing.
    #[inline]
    pub fn push(&mut self, row: &[Cell<'_>]) {
        self.bytes += self.tree.push(row.iter());
        self.rows += 1;
    }

    /// How many rows have been pushed since the last batch.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// About how many bytes of memory those rows take.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The rows pushed since the last batch. Room for as many more is kept.
    ///
    /// # Errors
    /// Arrow's, if the columns do not fit the schema; they are made to.
    pub fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        let columns = self.tree.finish(self.rows)?;
        (self.rows, self.bytes) = (0, 0);
        RecordBatch::try_new(Arc::clone(&self.schema), columns)
    }
}
