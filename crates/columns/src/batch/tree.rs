//! Leaves with dotted paths as columns and nested structs.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, StructArray};
use arrow::datatypes::{DataType, Field, Fields};
use arrow::error::ArrowError;

use super::DOC;
use super::column::Column;
use crate::document::{Cell, Leaf};

/// The columns of some leaves and the structs they stand in.
#[derive(Debug)]
pub(super) struct Tree {
    columns: Vec<Column>,
    /// Cut from the leaves in their order, so that a walk over it meets the columns in theirs.
    nodes: Vec<Node>,
    fields: Fields,
    /// What a row takes at least, in bytes.
    row_bytes: usize,
}

#[derive(Debug)]
enum Node {
    Column,
    Struct(Fields, Vec<Self>),
}

impl Tree {
    pub(super) fn new(leaves: &[Leaf]) -> Self {
        let columns: Vec<_> = leaves.iter().map(|leaf| Column::new(leaf.kind)).collect();
        let placed: Vec<_> =
            leaves.iter().zip(&columns).map(|(leaf, column)| Placed::new(leaf, column)).collect();
        let (nodes, fields) = nodes(&placed, 0);
        let row_bytes = columns.iter().map(Column::row_bytes).sum();
        Self { columns, nodes, fields, row_bytes }
    }

    /// The fields at the root.
    pub(super) fn fields(&self) -> &Fields {
        &self.fields
    }

    /// Appends a row, nulls where there is none; about how many bytes it takes.
    #[inline]
    pub(super) fn push<'c, 'a: 'c>(&mut self, row: impl ExactSizeIterator<Item = &'c Cell<'a>>) -> usize {
        debug_assert!(row.len() == 0 || row.len() == self.columns.len(), "the row is of another layout");
        let (mut bytes, given) = (self.row_bytes, row.len());
        for (column, cell) in self.columns.iter_mut().zip(row) {
            bytes += column.push(cell);
        }
        for column in self.columns.iter_mut().skip(given) {
            column.push(&Cell::Null);
        }
        bytes
    }

    /// The `rows` rows appended, as arrays of the root's fields.
    pub(super) fn finish(&mut self, rows: usize) -> Result<Vec<ArrayRef>, ArrowError> {
        finish(&self.nodes, &mut self.columns.iter_mut(), rows)
    }
}

/// A leaf on its way into the tree.
struct Placed<'a> {
    path: Vec<&'a str>,
    field: Field,
}

impl<'a> Placed<'a> {
    fn new(leaf: &'a Leaf, column: &Column) -> Self {
        let path: Vec<_> = leaf.segments().collect();
        let name = path.last().copied().unwrap_or_default();
        let doc = leaf.column.map(|field| (DOC.to_owned(), field.row().doc.to_owned()));
        let metadata: HashMap<_, _> = doc.into_iter().collect();
        let field = Field::new(name, column.data_type(), true).with_metadata(metadata);
        Self { path, field }
    }
}

/// The nodes of leaves that share their first `depth` names.
fn nodes(leaves: &[Placed<'_>], depth: usize) -> (Vec<Node>, Fields) {
    let siblings = leaves.chunk_by(|a, b| a.path.get(depth) == b.path.get(depth));
    let (nodes, fields): (Vec<_>, Vec<_>) = siblings
        .filter_map(|shared| {
            let first = shared.first()?;
            let Some(name) = first.path.get(depth).filter(|_| first.path.len() > depth + 1) else {
                return Some((Node::Column, first.field.clone()));
            };
            let (inner, members) = nodes(shared, depth + 1);
            let field = Field::new(*name, DataType::Struct(members.clone()), false);
            Some((Node::Struct(members, inner), field))
        })
        .unzip();
    (nodes, fields.into())
}

fn finish<'a>(
    nodes: &[Node],
    columns: &mut impl Iterator<Item = &'a mut Column>,
    rows: usize,
) -> Result<Vec<ArrayRef>, ArrowError> {
    let array = |node: &Node| match node {
        Node::Column => columns.next().ok_or_else(too_few)?.finish(),
        Node::Struct(fields, inner) => {
            let members = finish(inner, columns, rows)?;
            Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), members, None, rows)?) as ArrayRef)
        }
    };
    nodes.iter().map(array).collect()
}

fn too_few() -> ArrowError {
    ArrowError::SchemaError("the layout has two leaves at one path".to_owned())
}
