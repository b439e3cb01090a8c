//! What is converted anew, and so takes the place of what earlier runs made of the same bytes.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;

use mimelake_write::store::{CommitId, CommittedInput, CommittedUnit, Store, UnitKey};

use super::cuts::{Place, place, reach};
use super::known::keys;
use crate::exit::Hinted;
use crate::plan::Planned;
use crate::source::{ALL, Outcome};

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
    let held = Held::of(store, &commits, &here, &paths)?;
    for planned in pieces {
        let keys = all_keys(planned);
        planned.elsewhere = held.files(&keys);
        planned.cuts = held.cuts(keys, planned.piece.slice.unwrap_or(ALL));
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
    let what = format!(
        "{} changed while it was converted again, so its rows are as they were",
        planned.piece.unit.name
    );
    Err(Hinted::error(what, "run again with --force when nothing writes to it"))
}

/// What a forced stream replaces.
#[derive(Debug)]
pub struct Replaced {
    /// The commits of earlier runs that hold its rows. Those of this run stay: what they hold was converted beside it.
    pub commits: Vec<CommitId>,
    /// The files that held the same bytes there.
    pub elsewhere: Vec<CommittedInput>,
    /// The cuts of its bytes that were held there.
    pub cuts: Vec<UnitKey>,
}

/// What a forced stream of these keys replaces.
pub fn by_stream(store: &Store, keys: Vec<UnitKey>) -> anyhow::Result<Replaced> {
    let commits: BTreeSet<_> = store.commits_of(&keys).into_iter().filter(|id| !store.made(id)).collect();
    let held = Held::of(store, &commits, &keys.iter().map(place).collect(), &HashSet::new())?;
    let (elsewhere, cuts) = (held.files(&keys), held.cuts(keys, ALL));
    Ok(Replaced { commits: commits.into_iter().collect(), elsewhere, cuts })
}

/// What the commits held that are replaced.
#[derive(Default)]
struct Held {
    /// The files that held these bytes, each with one unit, but for those that are read again, and for those that were
    /// seen otherwise since.
    files: HashMap<Place, Vec<CommittedInput>>,
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
            for mut input in store.inputs_of(id)? {
                let own = input.units.iter().filter(|unit| !unit.alias).cloned();
                let mut contents: BTreeMap<u32, Vec<CommittedUnit>> = BTreeMap::new();
                own.for_each(|unit| contents.entry(unit.index).or_default().push(unit));
                for content in contents.into_values() {
                    if !content.iter().all(|unit| is_within(&unit.key, &content, here)) {
                        let path = input.stamp.path.display();
                        return Err(Hinted::error(
                            format!("{path} was converted together with these inputs, and is not among them"),
                            "name it too with --force, or convert into another directory",
                        ));
                    }
                    held.add_content(content);
                }
                if !paths.contains(&*input.stamp.path) && store.was_seen_last(&input.stamp) {
                    for unit in std::mem::take(&mut input.units) {
                        held.add_file(&CommittedInput { units: vec![unit], ..input.clone() });
                    }
                }
            }
        }
        Ok(held)
    }

    fn add_content(&mut self, content: Vec<CommittedUnit>) {
        // What was held whole is among the keys that it is replaced by.
        if content.len() > 1 {
            for key in content.iter().flat_map(CommittedUnit::keys) {
                self.with.entry(place(key)).or_default().push(self.cut.len());
            }
            self.cut.push(content);
        }
    }

    fn add_file(&mut self, file: &CommittedInput) {
        for key in file.units.iter().flat_map(CommittedUnit::keys) {
            self.files.entry(place(key)).or_default().push(file.clone());
        }
    }

    /// The files that held something of these.
    fn files(&self, keys: &[UnitKey]) -> Vec<CommittedInput> {
        keys.iter().filter_map(|key| self.files.get(&place(key))).flatten().cloned().collect()
    }

    /// These, and the other cuts of the same bytes that were held, as far as they lie between `start` and `end`.
    fn cuts(&self, keys: Vec<UnitKey>, (start, end): (u64, u64)) -> Vec<UnitKey> {
        let here: HashSet<Place> = keys.iter().map(place).collect();
        let contents: BTreeSet<usize> =
            here.iter().filter_map(|key| self.with.get(key)).flatten().copied().collect();
        let mut cuts = keys;
        for content in contents {
            let content = &self.cut[content];
            cuts.extend(content.iter().map(|unit| unit.key).filter(|key| is_within(key, content, &here)));
        }
        let mut seen = HashSet::new();
        cuts.retain(|key| start <= key.start && key.end <= end && seen.insert(place(key)));
        cuts
    }
}

/// Whether a cut of this content lies within those of its cuts that are here.
fn is_within(cut: &UnitKey, content: &[CommittedUnit], here: &HashSet<Place>) -> bool {
    let is_here = |unit: &&CommittedUnit| unit.keys().any(|key| here.contains(&place(key)));
    let ranges = content.iter().filter(is_here).map(|unit| (unit.key.start, unit.key.end));
    reach(ranges.collect(), cut.start) >= cut.end
}

/// What a commit says of files that held the same bytes as a unit with this key, or some of them, now that their rows are
/// there: those that held some of them are known by the cuts, as far as the commit holds them.
pub fn known_by(files: &[CommittedInput], key: UnitKey, cuts: &[UnitKey]) -> Vec<CommittedInput> {
    let mut seen = HashSet::new();
    let known = files.iter().filter_map(|file| {
        let mut file = file.clone();
        let unit = file.units.first_mut()?;
        if unit.key.len == key.len || unit.packed.is_some() {
            unit.key = key;
        } else if !cuts.iter().any(|cut| place(cut) == place(&unit.key)) {
            return None;
        }
        (unit.packed, unit.alias) = (None, true);
        seen.insert((file.stamp.path.clone(), unit.index, place(&unit.key))).then_some(file)
    });
    known.collect()
}

#[cfg(test)]
mod tests {
    use mimelake_landing::{Limits, units_of_bytes};
    use mimelake_write::store::{FileStamp, Listing, Store, Wait};

    use super::*;
    use crate::plan::File;
    use crate::source::Piece;

    #[test]
    fn what_changed_before_it_was_read_replaces_nothing() {
        let out = tempfile::tempdir().unwrap();
        let store = Store::open(out.path(), "ndjson", Wait::Fail).unwrap();
        let commits = vec![store.begin().unwrap().id().clone()];
        let unit = units_of_bytes("a", b"a=b".as_slice().into(), &Limits::default()).unwrap().units.remove(0);
        let file = File {
            number: 0,
            stamp: FileStamp { path: "a".into(), len: 3, modified_ns: 0 },
            listing: Listing::Plain,
            is_stream: false,
            is_passing: false,
            pipe: None,
            damages: Vec::new(),
            beginning: Vec::new(),
            pieces: vec![(0, Piece::whole(unit))],
        };
        let planned = Planned::of(file).next().unwrap();
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
