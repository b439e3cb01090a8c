//! `email.attachments`: one element for each attachment that a record names.

use bumpalo::Bump;
use mimelake_schema::{Dialect, EventType, Field};

use super::record::Record;
use crate::document::{Cell, Leaf, LeafKind};

/// The members of an element.
pub(super) const MEMBERS: &[Leaf] = &[
    Leaf::new("file.name", LeafKind::Text),
    Leaf::new("file.extension", LeafKind::Text),
    Leaf::new("file.mime_type", LeafKind::Text),
    Leaf::new("file.size", LeafKind::Int),
    Leaf::new("file.hash.md5", LeafKind::Text),
    Leaf::new("file.hash.sha1", LeafKind::Text),
    Leaf::new("file.hash.sha256", LeafKind::Text),
];

/// The attachments that a record names; none where it names none.
pub(super) fn attachments<'a>(record: &Record<'_, 'a>, bump: &'a Bump) -> &'a [&'a [Cell<'a>]] {
    let names = record.list(Field::AttachmentNames);
    if !names.is_empty() {
        return bump.alloc_slice_fill_iter(names.iter().map(|name| {
            let mut members = [Cell::Null; MEMBERS.len()];
            members[0] = Cell::Text(name);
            &*bump.alloc_slice_copy(&members)
        }));
    }
    if !names_a_file(record) {
        return &[];
    }
    let text = |field| record.text(field).map_or(Cell::Null, Cell::Text);
    let members = [
        text(Field::FileName),
        text(Field::FileExtension),
        text(Field::FileMime),
        file_size(record).map_or(Cell::Null, Cell::Int),
        text(Field::Md5),
        text(Field::Sha1),
        text(Field::Sha256),
    ];
    bump.alloc_slice_copy(&[&*bump.alloc_slice_copy(&members)])
}

/// Whether the record has a file's name or hash.
pub(super) fn names_a_file(record: &Record<'_, '_>) -> bool {
    let fields = [Field::FileName, Field::Sha256, Field::Md5, Field::Sha1];
    fields.into_iter().any(|field| record.text(field).is_some())
}

/// The size that the record gives.
fn size(record: &Record<'_, '_>) -> Option<i64> {
    record.int(Field::Size).or_else(|| record.int(Field::ScannedSize))
}

/// The size of the file; a virus record of API 2.0 gives the size of the email instead.
fn file_size(record: &Record<'_, '_>) -> Option<i64> {
    let of_email = record.event.event_type == EventType::Av && record.event.dialect == Dialect::Json2;
    size(record).filter(|_| !of_email)
}

/// The size that is not an attachment's.
pub(super) fn other_size(record: &Record<'_, '_>) -> Option<i64> {
    let taken = names_a_file(record) && file_size(record).is_some();
    size(record).filter(|_| !taken)
}
