//! What has been converted before, by the bytes: nothing is converted twice.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use mimelake_landing::{Found, FoundKind};
use mimelake_write::store::{CommittedInput, CommittedUnit, Listing, StampState, Store, UnitKey};
use rayon::prelude::*;

use super::{Run, Work};
use crate::exit::Hinted;
use crate::plan::{self, File, Planned};
use crate::source::{Digests, Piece, Source};

/// A slice of a content, and its digest.
type Place = (u64, u64, [u8; 32]);

fn place(key: &UnitKey) -> Place {
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
        check_companions(store, &work.pieces)?;
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
            let is_it = |key: &UnitKey| {
                key.start == start && (key.end == end || (piece.slice.is_none() && key.end == key.len))
            };
            !covered.iter().any(|(other, key)| other == index && is_it(key))
        });
        return Ok(());
    }
    if file.listing == Listing::Plain { leave_out_beginning(run, store, file) } else { Ok(()) }
}

fn leave_out_beginning(run: &Run<'_>, store: &Store, file: &mut File) -> anyhow::Result<()> {
    let Some(prefix) = store.known_prefix(&file.stamp.path) else { return Ok(()) };
    let Some((index, whole)) = file.pieces.first().cloned() else { return Ok(()) };
    if prefix.len == 0 || prefix.len >= file.stamp.len {
        return Ok(());
    }
    // A JSON array or envelope does not grow by lines.
    let format = match plan::beginning(&file.stamp.path) {
        Some((_, b'[')) | None => return Ok(()),
        Some((format, _)) => format,
    };
    let ranges: Vec<_> = prefix.slices.iter().map(|slice| (slice.start, slice.end)).collect();
    let Some(now) = Source::new(run.settings(true)).digests(&whole.unit, &ranges)? else { return Ok(()) };
    if prefix.slices.iter().any(|slice| now.digests.get(&(slice.start, slice.end)) != Some(&slice.digest)) {
        return Ok(());
    }
    let slice = Some((prefix.len, file.stamp.len));
    let inside_line = !ends_line(&file.stamp.path, prefix.len)?;
    // One piece, so that one commit holds it together with the beginning, whatever happens between.
    let rest = Piece { unit: whole.unit, slice, exact: true, inside_line, format: Some(format) };
    file.pieces = vec![(index, rest)];
    let of_this_length = |key| UnitKey { len: file.stamp.len, ..key };
    let unit = |key| CommittedUnit { index, name: String::new(), key: of_this_length(key), alias: true };
    file.beginning = prefix.slices.into_iter().map(unit).collect();
    Ok(())
}

/// Whether the byte before `at` ends a line.
fn ends_line(path: &Path, at: u64) -> anyhow::Result<bool> {
    let mut last = [0];
    let mut read = || {
        let mut file = fs::File::open(path)?;
        file.seek(SeekFrom::Start(at.saturating_sub(1)))?;
        file.read_exact(&mut last)
    };
    read().with_context(|| format!("cannot read {}", path.display()))?;
    Ok(last == *b"\n")
}

/// Computes the digests that may show a piece to be known: of pieces whose length (and CRC) another has too.
fn digest_candidates(run: &Run<'_>, store: &Store, pieces: &mut [Planned]) -> anyhow::Result<()> {
    let mut lengths: HashMap<u64, Vec<(UnitName, Option<u32>)>> = HashMap::new();
    for planned in pieces.iter() {
        if let Some(len) = length(planned) {
            let units = lengths.entry(len).or_default();
            if units.last().is_none_or(|(name, _)| *name != unit_name(planned)) {
                units.push((unit_name(planned), planned.piece.unit.crc32));
            }
        }
    }
    let may_be_known = |planned: &Planned| {
        let crc32 = planned.piece.unit.crc32;
        !planned.file.is_stream
            && length(planned).is_none_or(|len| {
                let same = |other: &Option<u32>| other.is_none() || crc32.is_none() || *other == crc32;
                let here = |units: &Vec<(UnitName, Option<u32>)>| {
                    units.iter().filter(|(_, crc)| same(crc)).count() > 1
                };
                run.args.force
                    || lengths.get(&len).is_some_and(here)
                    || (store.length_known(len) && !store.candidates(len, crc32).is_empty())
            })
    };
    let mut units: Vec<&mut [Planned]> = pieces.chunk_by_mut(|a, b| unit_name(a) == unit_name(b)).collect();
    units.retain(|unit| unit.first().is_some_and(may_be_known));
    units.into_par_iter().try_for_each(|unit| digest(run, store, unit))
}

/// Which unit of which file a piece belongs to.
type UnitName = (PathBuf, u32);

fn unit_name(planned: &Planned) -> UnitName {
    (planned.file.stamp.path.clone(), planned.index)
}

/// The length of the content that identifies a piece's unit, if it is known without reading.
fn length(planned: &Planned) -> Option<u64> {
    match (&planned.file, planned.piece.unit.len) {
        (file, _) if file.is_compressed => Some(file.stamp.len),
        (file, _) if file.is_stream => None,
        (_, len) => len,
    }
}

/// Computes the digests of a unit's pieces, and finds the cuts of the same content that have been converted.
fn digest(run: &Run<'_>, store: &Store, pieces: &mut [Planned]) -> anyhow::Result<()> {
    let Some(first) = pieces.first() else { return Ok(()) };
    if first.file.is_compressed {
        pieces[0].digest = file_digest(&pieces[0].file);
        return Ok(());
    }
    let slice = |planned: &Planned| planned.piece.slice.unwrap_or((0, u64::MAX));
    let candidates = length(first).map_or_else(Vec::new, |len| store.candidates(len, first.piece.unit.crc32));
    let mut ranges: Vec<_> = candidates.iter().map(|key| (key.start, key.end)).collect();
    ranges.extend(pieces.iter().map(slice));
    ranges.sort_unstable();
    ranges.dedup();
    let Some(found) = Source::new(run.settings(true)).digests(&first.piece.unit, &ranges)? else {
        return Ok(());
    };
    let chain = chain(&candidates, &found, length(first).unwrap_or(found.len));
    for planned in pieces {
        planned.digest = found.digests.get(&slice(planned)).map(|digest| (*digest, found.len));
        planned.twins.clone_from(&chain);
    }
    Ok(())
}

/// The converted slices that make up all of this content; empty if they do not.
fn chain(candidates: &[UnitKey], found: &Digests, len: u64) -> Vec<UnitKey> {
    let mut chain: Vec<UnitKey> = Vec::new();
    let mut at = 0;
    while at < len {
        let fits = |key: &&UnitKey| {
            key.start == at && key.end > at && found.digests.get(&(key.start, key.end)) == Some(&key.digest)
        };
        let Some(next) = candidates.iter().filter(fits).max_by_key(|key| key.end) else { return Vec::new() };
        at = next.end;
        chain.push(*next);
    }
    chain
}

/// The digest and the length of a file's own bytes.
pub fn file_digest(file: &File) -> Option<([u8; 32], u64)> {
    let opened = fs::File::open(&file.stamp.path).ok()?;
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(opened).ok()?;
    Some((hasher.finalize().into(), hasher.count()))
}

/// The key of a piece with this digest, whose unit's content has so many bytes.
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
        let Some((digest, bytes)) = planned.digest else {
            kept_files.insert(path.clone());
            return true;
        };
        let key = key(planned, digest, bytes);
        let is_converted = !run.args.force && (store.knows(&key) || !planned.twins.is_empty());
        if seen.insert((key.len, place(&key))) && !is_converted {
            kept_files.insert(path.clone());
            return true;
        }
        let entry = known.units.entry(path.clone());
        let (_, units) = entry.or_insert_with(|| (Arc::clone(&planned.file), Vec::new()));
        let alias = |key| {
            let name = planned.piece.unit.leaf_name().to_owned();
            CommittedUnit { index: planned.index, name, key, alias: true }
        };
        let cut =
            if store.knows(&key) || planned.twins.is_empty() { vec![key] } else { planned.twins.clone() };
        for unit in cut.into_iter().map(alias) {
            if !units.contains(&unit) {
                units.push(unit);
            }
        }
        unchanged.insert(path.clone());
        false
    });
    let all_known = unchanged.difference(&kept_files).count() as u64;
    run.totals(|totals| totals.report.files.unchanged += all_known);
}

/// Makes sure that what is converted again was converted together with nothing that is not here.
fn check_companions(store: &Store, pieces: &[Planned]) -> anyhow::Result<()> {
    let mut here = HashSet::new();
    let mut commits = BTreeMap::new();
    for planned in pieces {
        let Some((digest, bytes)) = planned.digest else { continue };
        let mut keys = planned.twins.clone();
        keys.push(key(planned, digest, bytes));
        here.extend(keys.iter().map(place));
        let ids = store.commits_of(&keys);
        commits.extend(ids.into_iter().map(|id| (id.as_str().to_owned(), id)));
    }
    for id in commits.values() {
        for input in store.inputs_of(id)? {
            if input.units.iter().any(|unit| !unit.alias && !here.contains(&place(&unit.key))) {
                let path = input.stamp.path.display();
                let what = format!("{path} was converted together with these inputs, and is not among them");
                return Err(Hinted::error(
                    what,
                    "name it too with --force, or convert into another directory",
                ));
            }
        }
    }
    Ok(())
}
