//! What is converted anew, and so takes the place of what earlier runs made of the same bytes.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use mimelake_write::store::{CommitId, CommittedInput, CommittedUnit, Store, UnitKey};

use super::cuts::{Place, joined, place};
use super::known::keys;
use crate::exit::Hinted;
use crate::plan::Planned;
use crate::source::{ALL, Outcome};

/// The files of replaced commits that are not read again, and were not seen otherwise since: what replaces such a commit
/// says of them what it said. They are known as far as their cuts are still held.
pub type Elsewhere = BTreeMap<CommitId, Vec<CommittedInput>>;

/// Finds what forced pieces replace, before a job commits: the other slices of a file, which are converted at the same
/// time, must not be taken for it. Makes sure that it was converted together with nothing that is not here.
pub fn find(store: &Store, pieces: &mut [Planned]) -> anyhow::Result<()> {
    let all_keys = |planned: &Planned| -> Vec<UnitKey> {
        keys(planned).chain(planned.twins.iter().chain(&planned.parts).copied()).collect()
    };
    let mut here = HashSet::new();
    let mut commits = BTreeSet::new();
    for planned in &mut *pieces {
        let keys = all_keys(planned);
        here.extend(keys.iter().map(place));
        planned.replaces = store.commits_of(&keys);
        commits.extend(planned.replaces.iter().cloned());
    }
    let paths: HashSet<&Path> = pieces.iter().map(|planned| &*planned.file.stamp.path).collect();
    let mut held = Held::of(store, &commits, &here, &paths)?;
    let elsewhere = Arc::new(std::mem::take(&mut held.elsewhere));
    for planned in pieces {
        planned.cuts = held.cuts(all_keys(planned), planned.piece.slice.unwrap_or(ALL));
        planned.elsewhere = Arc::clone(&elsewhere);
    }
    Ok(())
}

/// Makes sure that a piece was read as it was when it was found what it replaces: else bytes that are nowhere any more
/// would take their rows with them.
///
/// # Errors
/// It was not.
pub fn ensure_unchanged(planned: &Planned, outcome: &Outcome) -> anyhow::Result<()> {
    let is_same = match planned.digest {
        Some((digest, _)) => digest == outcome.digest,
        // It could not be read then either.
        None => outcome.inflated == 0,
    };
    if is_same || planned.replaces.is_empty() {
        return Ok(());
    }
    let name = &planned.piece.unit.name;
    let why = outcome.damage.as_ref().map_or_else(|| format!("{name} has changed"), ToString::to_string);
    Err(Hinted::error(
        format!("{why}: it is not what it was when the run began, so it replaces nothing"),
        "run again with --force when nothing writes to it",
    ))
}

/// What a forced stream replaces.
#[derive(Debug)]
pub struct Replaced {
    /// The commits of earlier runs that hold its rows. Those of this run stay: what they hold was converted beside it.
    pub commits: BTreeSet<CommitId>,
    /// The files that were named there.
    pub elsewhere: Elsewhere,
    /// The cuts of its bytes that were held there.
    pub cuts: Vec<UnitKey>,
}

/// What a forced stream of these keys replaces.
pub fn by_stream(store: &Store, keys: Vec<UnitKey>) -> anyhow::Result<Replaced> {
    let commits: BTreeSet<_> = store.commits_of(&keys).into_iter().filter(|id| !store.made(id)).collect();
    let held = Held::of(store, &commits, &keys.iter().map(place).collect(), &HashSet::new())?;
    let cuts = held.cuts(keys, ALL);
    Ok(Replaced { commits, elsewhere: held.elsewhere, cuts })
}

/// What the commits held that are replaced.
#[derive(Default)]
struct Held {
    elsewhere: Elsewhere,
    /// The contents that were held in several cuts.
    cut: Vec<Vec<CommittedUnit>>,
    /// Those of them that have this cut.
    with: HashMap<Place, Vec<usize>>,
}

impl Held {
    /// What these commits hold.
    ///
    /// # Errors
    /// They hold something that is not here.
    fn of(
        store: &Store,
        commits: &BTreeSet<CommitId>,
        here: &HashSet<Place>,
        paths: &HashSet<&Path>,
    ) -> anyhow::Result<Self> {
        let mut held = Self::default();
        for id in commits {
            for input in store.inputs_of(id)? {
                let mut contents: BTreeMap<u32, Vec<CommittedUnit>> = BTreeMap::new();
                for unit in input.units.iter().filter(|unit| !unit.alias) {
                    contents.entry(unit.index).or_default().push(unit.clone());
                }
                for content in contents.into_values() {
                    held.add_content(content, here).map_err(|NotHere| not_here(&input.stamp.path, paths))?;
                }
                if !paths.contains(&*input.stamp.path) && store.was_seen_last(&input.stamp) {
                    held.elsewhere.entry(id.clone()).or_default().push(alias(input));
                }
            }
        }
        Ok(held)
    }

    fn add_content(&mut self, content: Vec<CommittedUnit>, here: &HashSet<Place>) -> Result<(), NotHere> {
        let ranges = ranges_here(&content, here);
        if !content.iter().all(|unit| is_within(&unit.key, &ranges)) {
            return Err(NotHere);
        }
        // What was held whole is among the keys that it is replaced by.
        if content.len() > 1 {
            for key in content.iter().flat_map(CommittedUnit::keys) {
                self.with.entry(place(key)).or_default().push(self.cut.len());
            }
            self.cut.push(content);
        }
        Ok(())
    }

    /// These, and the other cuts of the same bytes that were held, as far as they lie between `start` and `end`.
    fn cuts(&self, keys: Vec<UnitKey>, (start, end): (u64, u64)) -> Vec<UnitKey> {
        let here: HashSet<Place> = keys.iter().map(place).collect();
        let contents: BTreeSet<usize> =
            here.iter().filter_map(|key| self.with.get(key)).flatten().copied().collect();
        let mut cuts = keys;
        for content in contents {
            let content = &self.cut[content];
            let ranges = ranges_here(content, &here);
            cuts.extend(content.iter().map(|unit| unit.key).filter(|key| is_within(key, &ranges)));
        }
        let mut seen = HashSet::new();
        cuts.retain(|key| start <= key.start && key.end <= end && seen.insert(place(key)));
        cuts
    }
}

/// A commit holds what is not read again.
struct NotHere;

/// The error of a file that held it; those of `paths` are read again.
fn not_here(path: &Path, paths: &HashSet<&Path>) -> anyhow::Error {
    let name = path.display();
    if paths.contains(path) {
        return Hinted::error(
            format!("{name} is no longer what it was when it was converted, and its records would be lost"),
            "convert it into another directory",
        );
    }
    Hinted::error(
        format!("{name} was converted together with these inputs, and is not among them"),
        "name it too with --force, or convert into another directory",
    )
}

/// What of a content lies in those of its cuts that are here.
fn ranges_here(content: &[CommittedUnit], here: &HashSet<Place>) -> Vec<(u64, u64)> {
    let is_here = |unit: &&CommittedUnit| unit.keys().any(|key| here.contains(&place(key)));
    joined(content.iter().filter(is_here).map(|unit| (unit.key.start, unit.key.end)).collect())
}

/// Whether a cut lies within one of these ranges, which are sorted.
fn is_within(cut: &UnitKey, ranges: &[(u64, u64)]) -> bool {
    let at = ranges.partition_point(|(start, _)| *start <= cut.start);
    cut.start == cut.end || at > 0 && cut.end <= ranges[at - 1].1
}

/// A file that holds nothing itself.
fn alias(mut input: CommittedInput) -> CommittedInput {
    for unit in &mut input.units {
        (unit.packed, unit.alias) = (None, true);
    }
    input
}

#[cfg(test)]
mod tests {
    use mimelake_landing::{Limits, units_of_bytes};
    use mimelake_write::store::{Store, Wait};

    use super::*;
    use crate::plan::File;
    use crate::source::Piece;

    #[test]
    fn what_changed_before_it_was_read_replaces_nothing() {
        let out = tempfile::tempdir().unwrap();
        let store = Store::open(out.path(), "ndjson", Wait::Fail).unwrap();
        let commits = vec![store.begin().unwrap().id().clone()];
        let unit = units_of_bytes("a", b"a=b".as_slice().into(), &Limits::default()).unwrap().units.remove(0);
        let planned = Planned::of(File::of(vec![(0, Piece::whole(unit))])).next().unwrap();
        for (digest, inflated, replaces, expected) in [
            (Some(([1; 32], 3)), 3, &commits[..], true),
            (Some(([2; 32], 3)), 3, &commits, false),
            // The end is missing, for the disk did not give it.
            (Some(([2; 32], 3)), 0, &commits, false),
            (Some(([2; 32], 3)), 3, &[], true),
            (None, 0, &commits, true),
            (None, 3, &commits, false),
        ] {
            let planned = Planned { digest, replaces: replaces.to_vec(), ..planned.clone() };
            let outcome = Outcome { digest: [1; 32], inflated, ..Outcome::default() };
            assert_eq!(ensure_unchanged(&planned, &outcome).is_ok(), expected, "{digest:?} {inflated}");
        }
    }
}
