//! What has been converted before, by the bytes: nothing is converted twice.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use mimelake_landing::{Found, FoundKind};
use mimelake_write::store::{CommitId, CommittedInput, CommittedUnit, Listing, StampState, Store, UnitKey};
use rayon::prelude::*;

use super::{Run, Work};
use crate::exit::Hinted;
use crate::plan::{self, File, Planned};
use crate::source::{Piece, Source};

/// The commits that are converted again, by the places of their units.
pub type Replaced = HashMap<UnitPlace, Vec<CommitId>>;

/// Where a unit lies: length, slice and digest.
type UnitPlace = (u64, u64, [u8; 32]);

/// The place of a key.
pub fn place(key: &UnitKey) -> UnitPlace {
    (key.start, key.end, key.digest)
}

/// Whether all that the file holds has been converted, by its path, length and time of change.
pub fn is_unchanged(store: &Store, found: &Found) -> bool {
    found.kind == FoundKind::File
        && matches!(store.stamp_state(&plan::stamp(found)), StampState::Unchanged { .. })
}

/// Sorts out what of these files is new.
pub fn sort_out(run: &Run<'_>, store: &Store, files: Vec<File>) -> anyhow::Result<Work> {
    let mut work = Work::default();
    let mut known = Known::default();
    for mut file in files {
        if !run.args.force {
            leave_out_covered(run, store, &mut file)?;
        }
        if file.pieces.is_empty() {
            known.empty.push(file);
        } else {
            work.pieces.extend(Planned::of(file));
        }
    }
    digest_candidates(run, store, &mut work.pieces)?;
    leave_out_known(run, store, &mut work.pieces, &mut known);
    if run.args.force {
        work.replaced = replaced(store, &work.pieces)?;
    }
    work.aliases = known.into_inputs();
    Ok(work)
}

/// What turned out to be known.
#[derive(Default)]
struct Known {
    /// Units that are known, by their file's path.
    units: BTreeMap<PathBuf, (Arc<File>, Vec<CommittedUnit>)>,
    /// Files with nothing left to read.
    empty: Vec<File>,
}

impl Known {
    fn into_inputs(self) -> Vec<CommittedInput> {
        let empty = self.empty.into_iter().map(|file| super::job::input(&file, Vec::new(), None));
        let units = self.units.into_values().map(|(file, units)| super::job::input(&file, units, None));
        empty.chain(units).collect()
    }
}

/// Leaves out what a commit covers: pieces done before a run was stopped, and the beginning of a plain file
/// that has grown since.
fn leave_out_covered(run: &Run<'_>, store: &Store, file: &mut File) -> anyhow::Result<()> {
    if let StampState::Partly { covered } = store.stamp_state(&file.stamp) {
        file.pieces.retain(|(index, piece)| {
            let (start, end) = piece.slice.unwrap_or((0, u64::MAX));
            let is_it = |key: &UnitKey| key.start == start && (key.end == end || piece.slice.is_none());
            !covered.iter().any(|(other, key)| other == index && is_it(key))
        });
        return Ok(());
    }
    if file.listing != Listing::Plain {
        return Ok(());
    }
    let Some(prefix) = store.known_prefix(&file.stamp.path) else { return Ok(()) };
    let Some((index, whole)) = file.pieces.first().cloned() else { return Ok(()) };
    if prefix.len == 0 || prefix.len >= file.stamp.len || !ends_line(file, prefix.len)? {
        return Ok(());
    }
    let mut source = Source::new(run.settings(true));
    for slice in &prefix.slices {
        let piece = Piece { unit: whole.unit.clone(), slice: Some((slice.start, slice.end)), exact: true };
        if source.digest(&piece)?.is_none_or(|(digest, _)| digest != slice.digest) {
            return Ok(());
        }
    }
    // One piece, so that one commit holds it together with the beginning, whatever happens between.
    let new = Piece { unit: whole.unit, slice: Some((prefix.len, file.stamp.len)), exact: true };
    file.pieces = vec![(index, new)];
    let of_this_length = |key| UnitKey { len: file.stamp.len, ..key };
    let unit = |key| CommittedUnit { index, name: String::new(), key: of_this_length(key), alias: true };
    file.beginning = prefix.slices.into_iter().map(unit).collect();
    Ok(())
}

/// Whether the byte before `at` ends a line.
fn ends_line(file: &File, at: u64) -> anyhow::Result<bool> {
    use std::io::{Read, Seek, SeekFrom};
    let mut last = [0];
    let path = &file.stamp.path;
    let mut read = || -> std::io::Result<bool> {
        let mut file = fs::File::open(path)?;
        file.seek(SeekFrom::Start(at - 1))?;
        file.read_exact(&mut last)?;
        Ok(last == *b"\n")
    };
    read().with_context(|| format!("cannot read {}", path.display()))
}

/// Computes the digests that may show a piece to be known: of pieces whose length (and CRC) another has too.
fn digest_candidates(run: &Run<'_>, store: &Store, pieces: &mut [Planned]) -> anyhow::Result<()> {
    let mut lengths: HashMap<u64, Vec<Option<u32>>> = HashMap::new();
    for planned in pieces.iter() {
        if let Some(len) = length(planned) {
            lengths.entry(len).or_default().push(planned.piece.unit.crc32);
        }
    }
    let may_be_known = |planned: &Planned| {
        let crc32 = planned.piece.unit.crc32;
        length(planned).is_none_or(|len| {
            let same = |other: &Option<u32>| other.is_none() || crc32.is_none() || *other == crc32;
            let here = lengths.get(&len).is_some_and(|crcs| crcs.iter().filter(|crc| same(crc)).count() > 1);
            run.args.force || here || (store.length_known(len) && !store.candidates(len, crc32).is_empty())
        })
    };
    let wanted: Vec<&mut Planned> = pieces.iter_mut().filter(|planned| may_be_known(planned)).collect();
    wanted.into_par_iter().try_for_each(|planned| {
        planned.digest = digest(run, planned)?;
        Ok(())
    })
}

/// The length of the content that identifies a piece's unit, if it is known without reading.
fn length(planned: &Planned) -> Option<u64> {
    if planned.file.is_compressed { Some(planned.file.stamp.len) } else { planned.piece.unit.len }
}

/// The digest of a piece, and the length of the content it identifies; none if it cannot be read once more.
fn digest(run: &Run<'_>, planned: &Planned) -> anyhow::Result<Option<([u8; 32], u64)>> {
    if planned.file.is_compressed {
        return Ok(file_digest(&planned.file));
    }
    if planned.file.stamp.path.as_os_str() == "-" {
        return Ok(None);
    }
    Source::new(run.settings(true)).digest(&planned.piece)
}

/// The digest and the length of a file's own bytes.
pub fn file_digest(file: &File) -> Option<([u8; 32], u64)> {
    let opened = fs::File::open(&file.stamp.path).ok()?;
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(opened).ok()?;
    Some((hasher.finalize().into(), hasher.count()))
}

/// The key of a piece with this digest of so many bytes.
pub fn key(planned: &Planned, digest: [u8; 32], bytes: u64) -> UnitKey {
    let len = length(planned).unwrap_or(bytes);
    let (start, end) = planned.piece.slice.unwrap_or((0, len));
    UnitKey { len, start, end, digest, crc32: planned.piece.unit.crc32 }
}

/// Leaves out the pieces whose bytes have been converted, or stand earlier in this run.
fn leave_out_known(run: &Run<'_>, store: &Store, pieces: &mut Vec<Planned>, known: &mut Known) {
    let mut seen = HashSet::new();
    let mut kept_files = HashSet::new();
    let mut unchanged = HashSet::new();
    pieces.retain(|planned| {
        let path = &planned.file.stamp.path;
        let new = planned.digest.is_none_or(|(digest, bytes)| {
            let key = key(planned, digest, bytes);
            let new = seen.insert((key.len, place(&key))) && (run.args.force || !store.knows(&key));
            if !new {
                let name = planned.piece.unit.leaf_name().to_owned();
                let entry = known.units.entry(path.clone());
                let (_, units) = entry.or_insert_with(|| (Arc::clone(&planned.file), Vec::new()));
                units.push(CommittedUnit { index: planned.index, name, key, alias: true });
                unchanged.insert(path.clone());
            }
            new
        });
        if new {
            kept_files.insert(path.clone());
        }
        new
    });
    let all_known = unchanged.difference(&kept_files).count() as u64;
    run.totals(|totals| totals.report.files.unchanged += all_known);
}

/// The commits that hold rows of these pieces, all of whose inputs must be here.
fn replaced(store: &Store, pieces: &[Planned]) -> anyhow::Result<Replaced> {
    let mut replaced = Replaced::new();
    let mut here = HashSet::new();
    let mut commits: BTreeMap<String, CommitId> = BTreeMap::new();
    for planned in pieces {
        let Some((digest, bytes)) = planned.digest else { continue };
        let key = key(planned, digest, bytes);
        here.insert(place(&key));
        let ids = store.commits_of(&[key]);
        commits.extend(ids.iter().map(|id| (id.as_str().to_owned(), id.clone())));
        replaced.insert(place(&key), ids);
    }
    for id in commits.values() {
        for input in store.inputs_of(id)? {
            if input.units.iter().any(|unit| !unit.alias && !here.contains(&place(&unit.key))) {
                let what = format!(
                    "{} was converted together with these inputs, and is not among them",
                    input.stamp.path.display()
                );
                return Err(Hinted::error(
                    what,
                    "name it too with --force, or convert into another directory",
                ));
            }
        }
    }
    Ok(replaced)
}
