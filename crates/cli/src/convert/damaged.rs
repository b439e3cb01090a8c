//! What was converted of files that were damaged then, and may come again whole.

use std::collections::HashMap;

use mimelake_write::store::{Listing, Store, UnitKey};

use super::Run;
use super::known::{UnitName, content};
use crate::plan::Planned;
use crate::source::Digests;

/// What was converted of compressed units when their files were damaged.
pub fn cut_short(store: &Store, pieces: &[Planned]) -> HashMap<UnitName, Vec<UnitKey>> {
    let mut cut_short: HashMap<_, Vec<_>> = HashMap::new();
    for pieces in pieces.chunk_by(|a, b| a.file.number == b.file.number) {
        let file = &pieces[0].file;
        if matches!(file.listing, Listing::Members(_)) && !file.is_stream {
            for (index, key) in store.cut_short(&file.stamp.path) {
                cut_short.entry((file.number, index)).or_default().push(key);
            }
        }
    }
    cut_short
}

/// What was converted `before` of a unit that is whole now and is not its beginning: of a zip member whose archive stated
/// the length and CRC then that its content has now. If nothing shows that the two are one, a warning says so.
pub fn mended(
    run: &Run<'_>,
    store: &Store,
    planned: &Planned,
    found: &Digests,
    before: &[UnitKey],
) -> Vec<UnitKey> {
    // Nearly always.
    if before.is_empty() {
        return Vec::new();
    }
    let len = found.len;
    let stated = content(planned).filter(|(stated, crc32)| *stated == len && crc32.is_some());
    let candidates = stated.map_or_else(Vec::new, |(len, crc32)| store.candidates(len, crc32));
    let is_stated =
        |key: &&UnitKey| candidates.iter().any(|other| other.crc32.is_some() && other.digest == key.digest);
    let is_changed = |key: &&UnitKey| !found.of.values().any(|digest| *digest == key.digest);
    let changed: Vec<_> = before.iter().filter(is_changed).collect();
    let mended = changed.iter().copied().filter(is_stated);
    let mended: Vec<_> = mended.map(|key| UnitKey { len, crc32: None, ..*key }).collect();
    let is_none = mended.is_empty() && changed.len() == before.len();
    if is_none && store.was_damaged(&planned.file.stamp.path) {
        run.progress.say(&format!(
            "warning: {}: what was converted of it when it was damaged stays, and may be there twice now; convert it \
             into another directory if it is the same file",
            planned.piece.unit.name
        ));
    }
    mended
}
