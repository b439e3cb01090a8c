//! What has been converted before, by the bytes: nothing is converted twice.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use mimelake_write::store::{CommittedInput, CommittedUnit, Listing, StampState, Store, UnitKey};
use rayon::prelude::*;

use super::cuts::{Place, covers, known_cuts, place};
use super::{Run, Work, damaged, replaced};
use crate::plan::{self, File, Planned};
use crate::source::{ALL, Piece, Source};

/// Sorts out what of these files is new.
pub fn sort_out(
    run: &Run<'_>,
    store: &Store,
    files: impl Iterator<Item = (File, StampState)>,
) -> anyhow::Result<Work> {
    let mut work = Work::default();
    let mut known = Known::default();
    for (number, (mut file, state)) in files.enumerate() {
        file.number = number;
        if !run.args.force {
            leave_out_covered(run, store, &mut file, &state)?;
        }
        if file.pieces.is_empty() {
            known.empty.push(file);
        } else {
            work.pieces.extend(Planned::of(file));
        }
    }
    digest_candidates(run, store, &mut work.pieces)?;
    if run.args.force {
        join_slices(&mut work.pieces);
    }
    leave_out_known(run, store, &mut work.pieces, &mut known);
    if run.args.force {
        replaced::find(store, &mut work.pieces)?;
    }
    work.aliases = known.into_inputs();
    Ok(work)
}

/// What turned out to be known.
#[derive(Default)]
struct Known {
    /// Units that are known, by their file's path.
    units: BTreeMap<PathBuf, CommittedInput>,
    /// Files with nothing left to read.
    empty: Vec<File>,
}

impl Known {
    fn into_inputs(self) -> Vec<CommittedInput> {
        let empty = self.empty.into_iter().map(|file| super::job::input(&file, Vec::new(), None));
        empty.chain(self.units.into_values()).collect()
    }
}

/// Leaves out what a commit covers: pieces done before a run was stopped, and the beginning of a plain file
/// that has grown since, or what was converted of it.
fn leave_out_covered(
    run: &Run<'_>,
    store: &Store,
    file: &mut File,
    state: &StampState,
) -> anyhow::Result<()> {
    if let StampState::Partly { covered } = state {
        let pieces = std::mem::take(&mut file.pieces).into_iter();
        file.pieces = pieces.flat_map(|(index, piece)| uncovered(index, piece, covered)).collect();
        return begin_exactly(file, covered.iter().map(|(_, key)| key.end));
    }
    if file.listing == Listing::Plain { leave_out_beginning(run, store, file) } else { Ok(()) }
}

/// What is left of a piece of this unit beside what is covered, which is sorted. Another version may have cut the file at
/// other places.
fn uncovered(index: u32, piece: Piece, covered: &[(u32, UnitKey)]) -> Vec<(u32, Piece)> {
    let mut covered = covered.iter().filter(|(other, _)| *other == index).map(|(_, key)| key);
    let Some((mut start, end)) = piece.slice else {
        let is_covered = covered.any(|key| key.start == 0 && key.end == key.len);
        return if is_covered { Vec::new() } else { vec![(index, piece)] };
    };
    let mut left = Vec::new();
    for key in covered {
        left.push((start, key.start.min(end)));
        start = start.max(key.end);
    }
    left.push((start, end));
    let left = left.into_iter().filter(|(start, end)| start < end);
    left.map(|slice| (index, Piece { slice: Some(slice), ..piece.clone() })).collect()
}

fn leave_out_beginning(run: &Run<'_>, store: &Store, file: &mut File) -> anyhow::Result<()> {
    let slices = store.known_slices(&file.stamp.path);
    let (Some(first), Some((index, whole))) = (slices.first(), file.pieces.first().cloned()) else {
        return Ok(());
    };
    let (before, now) = (first.len, file.stamp.len);
    if before >= now {
        return Ok(());
    }
    // A JSON array or envelope does not grow by lines.
    let format = match plan::beginning(&file.stamp.path) {
        Some((_, b'[')) | None => return Ok(()),
        Some((format, _)) => format,
    };
    let ranges: Vec<_> = slices.iter().map(|slice| (slice.start, slice.end)).collect();
    let Some(found) = Source::new(run.settings(true)).digests(&whole.unit, &ranges)? else { return Ok(()) };
    if slices.iter().any(|slice| found.of.get(&(slice.start, slice.end)) != Some(&slice.digest)) {
        return Ok(());
    }
    // The CRC was that of the whole as it was.
    let now_cut = |key| (index, UnitKey { len: now, crc32: None, ..key });
    let known: Vec<_> = slices.into_iter().map(now_cut).collect();
    let whole = Piece { slice: Some((0, now)), format: Some(format), digest: None, ..whole };
    // Nearly always one piece, so that one commit holds it together with the beginning, whatever happens between.
    file.pieces = uncovered(index, whole, &known);
    begin_exactly(file, known.iter().map(|(_, key)| key.end))?;
    file.beginning = known.into_iter().map(|(_, key)| known_unit(index, "", key)).collect();
    Ok(())
}

/// Has the slices that begin where a cut ends begin just there. The file ended there once, in the middle of a line maybe,
/// and what follows need not be the sure start of a record.
fn begin_exactly(file: &mut File, ends: impl Iterator<Item = u64>) -> anyhow::Result<()> {
    let ends: HashSet<u64> = ends.collect();
    for (_, piece) in &mut file.pieces {
        if let Some((start, _)) = piece.slice.filter(|(start, _)| ends.contains(start)) {
            (piece.exact, piece.inside_line) = (true, !begins_line(&file.stamp.path, start)?);
        }
    }
    Ok(())
}

/// Whether a line begins at this byte.
fn begins_line(path: &Path, at: u64) -> anyhow::Result<bool> {
    let Some(before) = at.checked_sub(1) else { return Ok(true) };
    let mut around = Vec::new();
    let mut read = || {
        let mut file = fs::File::open(path)?;
        file.seek(SeekFrom::Start(before))?;
        file.take(16).read_to_end(&mut around)
    };
    read().with_context(|| format!("cannot read {}", path.display()))?;
    Ok(around.first() == Some(&b'\n') || mimelake_parse::kv::sure_start(&around, 1) == Some(1))
}

/// A unit whose rows are in another commit.
fn known_unit(index: u32, name: &str, key: UnitKey) -> CommittedUnit {
    CommittedUnit { index, name: name.to_owned(), key, packed: None, alias: true }
}

/// Computes the digests that may show a piece to be known: of pieces whose length (and CRC) another has too.
fn digest_candidates(run: &Run<'_>, store: &Store, pieces: &mut [Planned]) -> anyhow::Result<()> {
    if pieces.iter().all(|planned| is_digested(store, planned)) {
        return Ok(());
    }
    let mut lengths = Lengths::default();
    for planned in pieces.iter() {
        lengths.add(planned);
    }
    let may_be_known = |planned: &Planned, measure: Option<Measure>| {
        measure.is_some_and(|measure| {
            let (len, crc32) = measure;
            run.args.force || lengths.has_other(planned, measure) || store.length_known(len, crc32)
        })
    };
    let cut_short = damaged::cut_short(store, pieces);
    let units: Vec<&mut [Planned]> = pieces.chunk_by_mut(is_same_unit).collect();
    units.into_par_iter().try_for_each(|unit| {
        let is_asked = |first: &Planned| !first.file.is_stream && !is_digested(store, first);
        let Some(first) = unit.first_mut().filter(|first| is_asked(first)) else { return Ok(()) };
        if may_be_known(first, packed(first)) {
            first.packed = Source::new(run.settings(true)).packed(&first.piece.unit)?;
            if !run.args.force && first.packed.is_some_and(|key| store.knows(&key)) {
                return Ok(());
            }
        }
        let before = cut_short.get(&unit_name(first)).map_or(&[][..], Vec::as_slice);
        // Where the length is not even hinted at, only the digest tells. A compressed file always has its own.
        let tells_nothing = content(first).is_none() && packed(first).is_none();
        if tells_nothing || run.args.force || !before.is_empty() || may_be_known(first, content(first)) {
            // With --force it may turn out that it is read at once.
            let has_other =
                run.args.force || content(first).is_some_and(|measure| lengths.has_other(first, measure));
            digest(run, store, unit, has_other, before)?;
        }
        Ok(())
    })
}

/// Whether the digest of all of a unit is known, and is all there is to know it by.
fn is_digested(store: &Store, planned: &Planned) -> bool {
    planned.digest.is_some_and(|(_, len)| !store.is_cut(len))
}

/// A length in bytes, and the CRC-32 of the same bytes where it is stated.
pub(super) type Measure = (u64, Option<u32>);

/// The measure of a unit's content, as far as it is known without reading; a hint for compressed files.
pub(super) fn content(planned: &Planned) -> Option<Measure> {
    let unit = &planned.piece.unit;
    Some((unit.len?, unit.crc32.filter(|_| unit.packed_len.is_none())))
}

/// The measure of the gzip or zstd file that holds a unit's content.
fn packed(planned: &Planned) -> Option<Measure> {
    let unit = &planned.piece.unit;
    Some((unit.packed_len?, unit.crc32))
}

/// The units of these files by their lengths.
#[derive(Default)]
struct Lengths(HashMap<u64, Vec<(UnitName, Option<u32>)>>);

impl Lengths {
    fn add(&mut self, planned: &Planned) {
        if planned.file.is_stream {
            return;
        }
        for (len, crc32) in content(planned).into_iter().chain(packed(planned)) {
            let units = self.0.entry(len).or_default();
            if units.last().is_none_or(|(name, _)| *name != unit_name(planned)) {
                units.push((unit_name(planned), crc32));
            }
        }
    }

    /// Whether another unit may be the same bytes.
    fn has_other(&self, planned: &Planned, (len, crc32): Measure) -> bool {
        let own = unit_name(planned);
        let same = |other: Option<u32>| other.is_none() || crc32.is_none() || other == crc32;
        let others = self.0.get(&len).into_iter().flatten();
        others.into_iter().any(|(name, crc32)| same(*crc32) && *name != own)
    }
}

/// Which unit of which file a piece belongs to.
pub(super) type UnitName = (usize, u32);

fn is_same_unit(a: &Planned, b: &Planned) -> bool {
    unit_name(a) == unit_name(b)
}

fn unit_name(planned: &Planned) -> UnitName {
    (planned.file.number, planned.index)
}

/// Computes the digests of a unit's pieces, and finds the cuts of the same content that have been converted. With
/// `has_other`, another unit of the run may be the same, which is cut otherwise or not at all. It may begin with what was
/// converted of it `before`.
fn digest(
    run: &Run<'_>,
    store: &Store,
    pieces: &mut [Planned],
    has_other: bool,
    before: &[UnitKey],
) -> anyhow::Result<()> {
    let Some(first) = pieces.first() else { return Ok(()) };
    let slice = |planned: &Planned| planned.piece.slice.unwrap_or((0, u64::MAX));
    // Of 100,000 small files many have the same length, and none was cut.
    let is_whole = first.piece.slice.is_none();
    let stated = content(first).filter(|(len, _)| !is_whole || store.is_cut(*len));
    // What is converted anew was shorter when it was converted, maybe.
    let has_grown = run.args.force && first.file.listing == Listing::Plain;
    let grown = if has_grown { store.known_slices(&first.file.stamp.path) } else { Vec::new() };
    let mut source = Source::new(run.settings(true));
    let mut digests = |measure: Option<Measure>| {
        let candidates = measure.map_or_else(Vec::new, |(len, crc32)| store.candidates(len, crc32));
        let known = candidates.iter().chain(&grown).chain(before);
        let mut ranges: Vec<_> = known.map(|key| (key.start, key.end)).collect();
        ranges.extend(pieces.iter().map(slice));
        ranges.extend(has_other.then_some(ALL));
        ranges.sort_unstable();
        ranges.dedup();
        source.digests(&first.piece.unit, &ranges)
    };
    let Some(mut found) = digests(stated)? else { return Ok(()) };
    if is_whole && store.is_cut(found.len) && stated.is_none_or(|(len, _)| len != found.len) {
        // Only now it shows how long it is.
        let Some(again) = digests(Some((found.len, None)))? else { return Ok(()) };
        found = again;
    }
    let len = len_of(first, found.len);
    let known = known_cuts(store, &found, len);
    let twins = covers(&known, len);
    let range = |key: &UnitKey| (key.start, key.end);
    let is_twin = |key: &UnitKey| twins.binary_search_by_key(&range(key), range).is_ok();
    let mut parts: Vec<_> = known.into_iter().filter(|key| !is_twin(key)).collect();
    if let (None, [whole]) = (&found.damage, &*pieces) {
        parts.extend(damaged::mended(run, store, whole, &found, before));
    }
    let damage = found.damage.map(Arc::new);
    for planned in pieces {
        planned.whole = found.of.get(&ALL).copied().filter(|_| !is_whole);
        planned.digest = found.of.get(&slice(planned)).map(|digest| (*digest, found.len));
        if planned.piece.unit.is_kept() {
            planned.piece.digest = planned.digest.map(|(digest, _)| digest);
        }
        planned.twins.clone_from(&twins);
        planned.parts.clone_from(&parts);
        planned.damage.clone_from(&damage);
    }
    Ok(())
}

/// The length of a unit's content, where it is stated and no mere hint.
fn stated_len(planned: &Planned) -> Option<u64> {
    let unit = &planned.piece.unit;
    unit.len.filter(|_| unit.packed_len.is_none() && !planned.file.is_stream)
}

/// The length of a unit's content of which so many bytes were read. Of a zip member that damage cuts short it is these, if
/// there are any; a plain file is as long as its stamp says.
fn len_of(planned: &Planned, bytes: u64) -> u64 {
    let is_stated = planned.file.listing == Listing::Plain || bytes == 0;
    stated_len(planned).filter(|_| is_stated).unwrap_or(bytes)
}

/// The key of a piece with this digest, so many bytes of whose unit's content were read.
pub fn key(planned: &Planned, digest: [u8; 32], bytes: u64) -> UnitKey {
    let len = len_of(planned, bytes);
    let (start, end) = planned.piece.slice.unwrap_or((0, len));
    let crc32 = content(planned).filter(|(stated, _)| *stated == len).and_then(|(_, crc32)| crc32);
    UnitKey { len, start, end, digest, crc32 }
}

/// The key of a zip member by the length and CRC that its archive states: where damage cut it short, these show that a copy
/// of it may be known.
pub fn stated_key(planned: &Planned, digest: [u8; 32]) -> Option<UnitKey> {
    let len = stated_len(planned).filter(|_| planned.file.listing != Listing::Plain)?;
    let (_, crc32) = content(planned)?;
    Some(UnitKey { crc32, ..UnitKey::whole(len, digest) })
}

/// The key of the whole that a slice belongs to, if it had to be known.
fn whole(planned: &Planned) -> Option<UnitKey> {
    Some(UnitKey::whole(stated_len(planned)?, planned.whole?))
}

/// The keys of a piece, as far as they had to be known beforehand.
pub fn keys(planned: &Planned) -> impl Iterator<Item = UnitKey> {
    let content = planned.digest.map(|(digest, bytes)| key(planned, digest, bytes));
    content.into_iter().chain(planned.packed)
}

/// The keys met so far, and those that hold their rows, if they do not themselves.
type Seen = HashMap<UnitKey, Option<Vec<UnitKey>>>;

/// The keys that hold the rows of this one, if it was met.
fn holders(seen: &Seen, key: UnitKey) -> Option<Vec<UnitKey>> {
    seen.get(&key).map(|other| other.clone().unwrap_or_else(|| vec![key]))
}

/// Has what is cut into slices be read at once where a slice would end inside a cut that it replaces: what holds all of a
/// cut goes on to hold it, so that all that is known by it stays known.
fn join_slices(pieces: &mut Vec<Planned>) {
    let mut crossed = HashSet::new();
    for unit in pieces.chunk_by(is_same_unit).filter(|unit| unit.len() > 1) {
        let ends: HashSet<u64> = unit.iter().filter_map(|planned| Some(planned.piece.slice?.1)).collect();
        let is_crossed = |cut: &UnitKey| ends.iter().any(|end| cut.start < *end && *end < cut.end);
        if unit[0].twins.iter().chain(&unit[0].parts).any(is_crossed) {
            crossed.insert(unit_name(&unit[0]));
        }
    }
    pieces.retain_mut(|planned| {
        if !crossed.contains(&unit_name(planned)) {
            return true;
        }
        let is_first = planned.piece.slice.take().is_some_and(|(start, _)| start == 0);
        let len = planned.digest.map(|(_, len)| len);
        planned.digest = planned.whole.take().zip(len);
        is_first
    });
}

/// The cuts of earlier runs that these pieces will hold, and the length of the longest content of each.
fn cuts_of_longer(pieces: &[Planned]) -> HashMap<Place, u64> {
    let mut longer = HashMap::new();
    for planned in pieces {
        let (start, end) = planned.piece.slice.unwrap_or(ALL);
        let cuts = planned.twins.iter().chain(&planned.parts);
        for cut in cuts.filter(|cut| start <= cut.start && cut.end <= end) {
            let len = longer.entry(place(cut)).or_default();
            *len = cut.len.max(*len);
        }
    }
    longer
}

/// Leaves out the pieces whose bytes have been converted, or stand earlier in this run.
fn leave_out_known(run: &Run<'_>, store: &Store, pieces: &mut Vec<Planned>, known: &mut Known) {
    let mut seen = Seen::with_capacity(pieces.len());
    // Of one content, a file whose beginning is known goes before others, and one that is read in slices before those that
    // are whole.
    pieces.sort_by_key(|planned| (planned.file.beginning.is_empty(), planned.whole.is_none()));
    let mut wholes: HashMap<UnitName, Vec<UnitKey>> = HashMap::new();
    for planned in pieces.iter().filter(|planned| planned.whole.is_some()) {
        let slices = wholes.entry(unit_name(planned)).or_default();
        let beginning = planned.file.beginning.iter().map(|unit| unit.key);
        let parts = planned.parts.iter().copied().filter(|_| !run.args.force);
        slices.extend(keys(planned).chain(parts).chain(beginning));
    }
    // Of units that are read in slices, what holds the rows of the same content.
    let mut same: HashMap<UnitName, Option<Vec<UnitKey>>> = HashMap::new();
    let mut unchanged = HashSet::new();
    // What those that are left out would have replaced besides, by what stands for them.
    let mut left: HashMap<Place, Vec<UnitKey>> = HashMap::new();
    let longer = if run.args.force { cuts_of_longer(pieces) } else { HashMap::new() };
    pieces.retain(|planned| {
        let path = &planned.file.stamp.path;
        let keys = || keys(planned);
        let converted = || keys().find(|key| store.knows(key)).map(|key| vec![key]);
        let twins = || Some(planned.twins.clone()).filter(|twins| !twins.is_empty());
        if let Some(whole) = whole(planned) {
            let name = unit_name(planned);
            same.entry(name).or_insert_with(|| holders(&seen, whole));
            seen.entry(whole).or_insert_with(|| wholes.remove(&name));
        }
        let earlier = || {
            let whole = same.get(&unit_name(planned)).cloned().flatten();
            whole.or_else(|| keys().find_map(|key| holders(&seen, key)))
        };
        let in_longer = |key: &UnitKey| longer.get(&place(key)).is_some_and(|len| *len > key.len);
        let beginning = || keys().find(in_longer).map(|key| vec![key]);
        let other = if run.args.force {
            earlier().or_else(beginning)
        } else {
            converted().or_else(twins).or_else(earlier)
        };
        for key in keys() {
            seen.entry(key).or_insert_with(|| other.clone());
        }
        let Some(cut) = other else { return true };
        if run.args.force && !planned.parts.is_empty() {
            for key in &cut {
                left.entry(place(key)).or_default().extend(&planned.parts);
            }
        }
        let entry = known.units.entry(path.clone());
        let input = entry.or_insert_with(|| super::job::input(&planned.file, Vec::new(), None));
        for unit in cut.into_iter().map(|key| known_unit(planned.index, planned.piece.unit.leaf_name(), key))
        {
            if !input.units.contains(&unit) {
                input.units.push(unit);
            }
        }
        if let Some(damage) = &planned.damage {
            input.damage.get_or_insert_with(|| damage.to_string());
            run.damaged(path, damage);
        }
        unchanged.insert(planned.file.number);
        false
    });
    pieces.sort_by_key(|planned| planned.file.number);
    for planned in pieces {
        if !left.is_empty() {
            let own: Vec<_> = keys(planned).chain(planned.parts.iter().copied()).collect();
            planned.parts.extend(own.iter().filter_map(|key| left.get(&place(key))).flatten());
        }
        unchanged.remove(&planned.file.number);
    }
    run.totals(|totals| totals.report.files.unchanged += unchanged.len() as u64);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_a_former_end_begins_just_there() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.log");
        let (line, other) = ("datetime=1|Act=Acc", "Act=Acc|Rcpt=a\n");
        let limits = mimelake_landing::Limits::default();
        let unit =
            mimelake_landing::units_of_bytes("a", b"a=b".as_slice().into(), &limits).unwrap().units.remove(0);
        let piece = |slice| (0, Piece { slice: Some(slice), ..Piece::whole(unit.clone()) });
        for (beginning, rest, inside_line) in [
            (format!("{line}\n"), other, false),
            (format!("{line}\r\n"), other, false),
            // A lone CR ends a record only before `datetime=`.
            (format!("{line}\r"), line, false),
            (format!("{line}\r"), other, true),
            (line.to_owned(), line, true),
        ] {
            fs::write(&path, format!("{beginning}{rest}")).unwrap();
            let (end, now) = (beginning.len() as u64, (beginning.len() + rest.len()) as u64);
            let mut file = File::of(vec![piece((0, end)), piece((end, now - 1)), piece((now - 1, now))]);
            file.stamp.path.clone_from(&path);
            begin_exactly(&mut file, [end].into_iter()).unwrap();
            let found: Vec<_> =
                file.pieces.iter().map(|(_, piece)| (piece.exact, piece.inside_line)).collect();
            assert_eq!(found, [(false, false), (true, inside_line), (false, false)], "{beginning:?}{rest:?}");
        }
    }

    #[test]
    fn a_piece_is_read_but_for_what_is_covered_wherever_it_was_cut() {
        let listing = mimelake_landing::units_of_bytes(
            "a",
            b"a=b".as_slice().into(),
            &mimelake_landing::Limits::default(),
        );
        let unit = listing.unwrap().units.remove(0);
        let left = |slice, covered: &[(u64, u64)]| -> Vec<_> {
            let key = |(start, end)| UnitKey { len: 100, start, end, digest: [0; 32], crc32: None };
            let mut covered: Vec<_> = covered.iter().map(|range| (1, key(*range))).collect();
            covered.push((2, key((0, 100))));
            let piece = Piece { slice, ..Piece::whole(unit.clone()) };
            uncovered(1, piece, &covered).into_iter().map(|(_, piece)| piece.slice).collect()
        };
        let (all, cut) = (Some((0, 100)), Some((40, 60)));
        for (slice, covered, expected) in [
            (None, &[][..], &[None][..]),
            (None, &[(0, 50)], &[None]),
            (None, &[(0, 100)], &[]),
            (all, &[], &[all]),
            (all, &[(0, 100)], &[]),
            (all, &[(0, 30), (20, 40), (60, 100)], &[cut]),
            (all, &[(40, 60)], &[Some((0, 40)), Some((60, 100))]),
            (cut, &[(40, 60)], &[]),
            (cut, &[(0, 40), (60, 70), (80, 100)], &[cut]),
            (cut, &[(0, 50)], &[Some((50, 60))]),
            (cut, &[(50, 70)], &[Some((40, 50))]),
        ] {
            assert_eq!(left(slice, covered), expected, "{slice:?} {covered:?}");
        }
    }
}
