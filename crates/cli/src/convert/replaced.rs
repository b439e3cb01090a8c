//! What is converted anew, and so takes the place of what earlier runs made of the same bytes.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

use mimelake_write::store::{CommitId, CommittedInput, CommittedUnit, Store, UnitKey};

use super::known::keys;
use crate::exit::Hinted;
use crate::plan::Planned;

/// A slice of a content, and its digest.
type Place = (u64, u64, [u8; 32]);

fn place(key: &UnitKey) -> Place {
    (key.start, key.end, key.digest)
}

fn places<'k>(keys: impl IntoIterator<Item = &'k UnitKey>) -> HashSet<Place> {
    keys.into_iter().map(place).collect()
}

/// Finds what forced pieces replace, before a job commits: the other slices of a file, which are converted at the same
/// time, must not be taken for it. Makes sure that it was converted together with nothing that is not here.
pub fn find(store: &Store, pieces: &mut [Planned]) -> anyhow::Result<()> {
    let all_keys =
        |planned: &Planned| -> Vec<UnitKey> { keys(planned).chain(planned.twins.clone()).collect() };
    let mut here = HashSet::new();
    let mut commits = BTreeSet::new();
    for planned in &mut *pieces {
        let keys = all_keys(planned);
        here.extend(keys.iter().map(place));
        planned.replaces = store.commits_of(&keys);
        commits.extend(planned.replaces.iter().cloned());
    }
    let paths: HashSet<&Path> = pieces.iter().map(|planned| &*planned.file.stamp.path).collect();
    let elsewhere = elsewhere(store, &commits, &here, &paths)?;
    for planned in pieces.iter_mut().filter(|_| !elsewhere.is_empty()) {
        planned.elsewhere = held_by(&elsewhere, &all_keys(planned));
    }
    Ok(())
}

/// What a forced stream replaces.
#[derive(Debug)]
pub struct Replaced {
    /// The commits of earlier runs that hold its rows. Those of this run stay: what they hold was converted beside it.
    pub commits: Vec<CommitId>,
    /// The files that held the same bytes there.
    pub elsewhere: Vec<CommittedInput>,
}

/// What a forced stream of these keys replaces.
pub fn by_stream(store: &Store, keys: &[UnitKey]) -> anyhow::Result<Replaced> {
    let commits: BTreeSet<_> = store.commits_of(keys).into_iter().filter(|id| !store.made(id)).collect();
    let elsewhere = elsewhere(store, &commits, &places(keys), &HashSet::new())?;
    let elsewhere = held_by(&elsewhere, keys);
    Ok(Replaced { commits: commits.into_iter().collect(), elsewhere })
}

/// Of the files that held these bytes, each unit once.
fn held_by(elsewhere: &HashMap<Place, Vec<CommittedInput>>, keys: &[UnitKey]) -> Vec<CommittedInput> {
    let mut seen = HashSet::new();
    let held = keys.iter().filter_map(|key| elsewhere.get(&place(key))).flatten();
    let is_new = |input: &&CommittedInput| {
        seen.insert((input.stamp.path.clone(), input.units.first().map(|unit| unit.index)))
    };
    held.filter(is_new).cloned().collect()
}

/// The files that held these bytes in the commits, but for those of `paths`, and for those that were seen otherwise since:
/// each with one unit, by its bytes. They are known by what replaces them.
///
/// # Errors
/// The commits hold something else.
fn elsewhere(
    store: &Store,
    commits: &BTreeSet<CommitId>,
    here: &HashSet<Place>,
    paths: &HashSet<&Path>,
) -> anyhow::Result<HashMap<Place, Vec<CommittedInput>>> {
    let mut elsewhere: HashMap<Place, Vec<CommittedInput>> = HashMap::new();
    for id in commits {
        for mut input in store.inputs_of(id)? {
            if holds_other(&input, here) {
                let path = input.stamp.path.display();
                let what = format!("{path} was converted together with these inputs, and is not among them");
                return Err(Hinted::error(
                    what,
                    "name it too with --force, or convert into another directory",
                ));
            }
            if paths.contains(&*input.stamp.path) || !store.was_seen_last(&input.stamp) {
                continue;
            }
            for unit in std::mem::take(&mut input.units) {
                for key in [Some(unit.key), unit.packed].into_iter().flatten() {
                    let held = CommittedInput { units: vec![unit.clone()], ..input.clone() };
                    elsewhere.entry(place(&key)).or_default().push(held);
                }
            }
        }
    }
    Ok(elsewhere)
}

/// Whether the rows of other bytes of the file are in the same commit.
fn holds_other(input: &CommittedInput, here: &HashSet<Place>) -> bool {
    let is_here = |unit: &CommittedUnit| unit.keys().any(|key| here.contains(&place(key)));
    input.units.iter().any(|unit| !unit.alias && !is_here(unit))
}

/// Files that hold the same bytes as a unit with this key, whose rows are elsewhere.
pub fn known_by(elsewhere: &[CommittedInput], key: UnitKey) -> impl Iterator<Item = CommittedInput> {
    elsewhere.iter().map(move |input| {
        let mut input = input.clone();
        for unit in &mut input.units {
            (unit.key, unit.packed, unit.alias) = (key, None, true);
        }
        input
    })
}
