//! The pieces of a layout that are the same in every row.

use mimelake_columns::document::{Cell, Leaf, LeafKind};

use super::{line::Line, piece::Piece, text, value};

/// The leaves of an object, ready to write.
#[derive(Debug)]
pub(super) struct Plan {
    leaves: Vec<PlannedLeaf>,
    /// What stands before the values; each leaf has a stretch of them.
    openings: Vec<Piece>,
}

#[derive(Debug)]
struct PlannedLeaf {
    /// How many objects, from the root, are open around this leaf and the one before it.
    shared: usize,
    /// How many objects are open around this leaf, the root aside.
    depth: usize,
    /// Where its openings begin. There is one for each number of objects that are open already: the
    /// comma, the objects still to open, the key; and the value where it is constant.
    openings: usize,
    is_constant: bool,
    /// The members of a struct or a list of structs.
    members: Option<Plan>,
}

impl Plan {
    /// Prepares leaves that are in tree order.
    pub(super) fn new(leaves: &[Leaf]) -> Self {
        let parents = |leaf: &Leaf| leaf.segments().count() - 1;
        let mut planned = Vec::with_capacity(leaves.len());
        let mut openings = vec![];
        let mut before: Option<&Leaf> = None;
        for leaf in leaves {
            let same = |other: &Leaf| {
                let shared = leaf.segments().zip(other.segments()).take_while(|(a, b)| a == b).count();
                shared.min(parents(leaf)).min(parents(other))
            };
            let members = match leaf.kind {
                LeafKind::Struct(members) | LeafKind::Structs(members) => Some(Self::new(members)),
                _ => None,
            };
            planned.push(PlannedLeaf {
                shared: before.map_or(0, same),
                depth: parents(leaf),
                openings: openings.len(),
                is_constant: leaf.constant.is_some(),
                members,
            });
            openings.extend((0..=parents(leaf)).map(|open| opening(leaf, open)));
            before = Some(leaf);
        }
        Self { leaves: planned, openings }
    }

    /// Appends the object of a row.
    pub(super) fn write_object(&self, row: &[Cell<'_>], out: &mut Line<'_>) {
        let start = out.end();
        // Objects that are open below the root, and those of them that the next leaf stands in too.
        let (mut open, mut shared) = (0, 0);
        for (leaf, cell) in self.leaves.iter().zip(row) {
            shared = leaf.shared.min(shared);
            if !value::is_said(cell) {
                continue;
            }
            close(open - shared, out);
            self.openings[leaf.openings + shared].write(out);
            if !leaf.is_constant {
                value::write(cell, leaf.members.as_ref(), out);
            }
            (open, shared) = (leaf.depth, leaf.depth);
        }
        close(open, out);
        value::end_object(start, out);
    }
}

/// The comma before the first thing that is not open yet, the objects to open and the key.
fn opening(leaf: &Leaf, open: usize) -> Piece {
    let mut bytes = vec![];
    let mut piece = Line::behind(&mut bytes);
    piece.byte(b',');
    for (place, name) in leaf.segments().enumerate().skip(open) {
        if place > open {
            piece.byte(b'{');
        }
        text::write(name, &mut piece);
        piece.byte(b':');
    }
    if let Some(constant) = &leaf.constant {
        text::write(constant, &mut piece);
    }
    piece.finish();
    Piece::new(&bytes)
}

#[inline]
fn close(mut objects: usize, out: &mut Line<'_>) {
    while objects > 0 {
        out.byte(b'}');
        objects -= 1;
    }
}
