//! The pieces of a layout that are the same in every row.

use mimelake_columns::document::{Cell, Leaf, LeafKind};

use super::{text, value};

/// The leaves of an object, ready to write.
#[derive(Debug)]
pub(super) struct Plan {
    leaves: Vec<PlannedLeaf>,
}

#[derive(Debug)]
struct PlannedLeaf {
    /// How many objects, from the root, are open around this leaf and the one before it.
    shared: usize,
    /// How many objects are open around this leaf, the root aside.
    depth: usize,
    /// For each number of objects that are open already: the comma, the objects still to open, the key;
    /// and the value where it is constant.
    openings: Vec<Vec<u8>>,
    is_constant: bool,
    /// The members of a list of structs.
    members: Option<Plan>,
}

impl Plan {
    /// Prepares leaves that are in tree order.
    pub(super) fn new(leaves: &[Leaf]) -> Self {
        let parents = |leaf: &Leaf| leaf.segments().count() - 1;
        let mut planned = Vec::with_capacity(leaves.len());
        let mut before: Option<&Leaf> = None;
        for leaf in leaves {
            let same = |other: &Leaf| {
                let shared = leaf.segments().zip(other.segments()).take_while(|(a, b)| a == b).count();
                shared.min(parents(leaf)).min(parents(other))
            };
            let members =
                if let LeafKind::Structs(members) = leaf.kind { Some(Self::new(members)) } else { None };
            planned.push(PlannedLeaf {
                shared: before.map_or(0, same),
                depth: parents(leaf),
                openings: (0..=parents(leaf)).map(|open| opening(leaf, open)).collect(),
                is_constant: leaf.constant.is_some(),
                members,
            });
            before = Some(leaf);
        }
        Self { leaves: planned }
    }

    /// Appends the object of a row.
    pub(super) fn write_object(&self, row: &[Cell<'_>], out: &mut Vec<u8>) {
        let start = out.len();
        // Objects that are open below the root, and those of them that the next leaf stands in too.
        let (mut open, mut shared) = (0, 0);
        for (leaf, cell) in self.leaves.iter().zip(row) {
            shared = leaf.shared.min(shared);
            if !value::is_said(cell) {
                continue;
            }
            close(open - shared, out);
            out.extend_from_slice(&leaf.openings[shared]);
            if !leaf.is_constant {
                value::write(cell, leaf.members.as_ref(), out);
            }
            (open, shared) = (leaf.depth, leaf.depth);
        }
        if out.len() == start {
            out.push(b'{');
        } else {
            // The first leaf's comma has nothing before it.
            out[start] = b'{';
        }
        close(open + 1, out);
    }
}

/// The comma before the first thing that is not open yet, the objects to open and the key.
fn opening(leaf: &Leaf, open: usize) -> Vec<u8> {
    let mut piece = vec![b','];
    for (place, name) in leaf.segments().enumerate().skip(open) {
        if place > open {
            piece.push(b'{');
        }
        text::write(name, &mut piece);
        piece.push(b':');
    }
    if let Some(constant) = &leaf.constant {
        text::write(constant, &mut piece);
    }
    piece
}

#[inline]
fn close(mut objects: usize, out: &mut Vec<u8>) {
    while objects > 0 {
        out.push(b'}');
        objects -= 1;
    }
}
