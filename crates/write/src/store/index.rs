//! What the live commits hold, in memory.

use std::collections::BTreeSet;
use std::path::Path;

use hashbrown::HashMap;

use super::key::UnitKey;
use super::layout::CommitId;
use super::log::Location;
use super::record::{Commit, CommittedInput, FileStamp, Listing};
use super::units::{CommitNumber, UnitId, Units};

/// What is known of a file by its stamp.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StampState {
    /// All that the file holds has been converted.
    Unchanged {
        /// Why the file could not be read to its end, if so.
        damage: Option<String>,
    },
    /// Some of it has been converted.
    Partly {
        /// The converted units or slices: number in the file's listing, and key.
        covered: Vec<(u32, UnitKey)>,
    },
    /// Nothing is known, or nothing of it has been converted.
    Unknown,
}

/// A path as 128 bits of its BLAKE3: enough to tell it from others without keeping it.
type PathPrint = [u8; 16];

#[derive(Debug)]
struct CommitRow {
    id: CommitId,
    location: Location,
}

/// One unit in a file's listing, as one commit stated it.
#[derive(Debug)]
struct Listed {
    index: u32,
    unit: UnitId,
    commit: CommitNumber,
}

/// What is known of a path.
#[derive(Debug, Default)]
struct PathRow {
    /// The length and time of change last committed.
    last: Look,
    /// Nearly always one; sorted by their looks, for a file that grows may have thousands.
    stamps: Vec<StampRow>,
}

/// How a file looks: length and time of change.
type Look = (u64, i64);

fn look(stamp: &FileStamp) -> Look {
    (stamp.len, stamp.modified_ns)
}

impl PathRow {
    fn place(&self, look: Look) -> Result<usize, usize> {
        self.stamps.binary_search_by_key(&look, |row| row.look)
    }

    fn find(&self, look: Look) -> Option<&StampRow> {
        self.place(look).ok().map(|at| &self.stamps[at])
    }

    fn entry(&mut self, look: Look) -> &mut StampRow {
        let at = self.place(look).unwrap_or_else(|at| {
            if self.stamps.is_empty() {
                self.stamps.reserve_exact(1);
            }
            self.stamps.insert(at, StampRow { look, ..StampRow::default() });
            at
        });
        &mut self.stamps[at]
    }
}

#[derive(Debug, Default)]
struct StampRow {
    look: Look,
    plain: bool,
    units: u32,
    listed: Vec<Listed>,
    damage: Vec<(CommitNumber, Box<str>)>,
    /// How many live commits name the stamp.
    commits: u32,
}

/// The index of the live commits of one kind of output.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// The kind of output that counts; commits of other kinds are only remembered by name.
    settings: String,
    others: BTreeSet<String>,
    commits: Vec<CommitRow>,
    live: HashMap<CommitId, CommitNumber>,
    units: Units,
    paths: HashMap<PathPrint, PathRow>,
}

impl Index {
    pub(super) fn new(settings: &str) -> Self {
        Self { settings: settings.to_owned(), ..Self::default() }
    }

    /// Adds a commit; its units are held by it from now on.
    pub(super) fn add(&mut self, commit: &Commit, location: Location) {
        let number = self.commits.len() as CommitNumber;
        self.commits.push(CommitRow { id: commit.id.clone(), location });
        self.live.insert(commit.id.clone(), number);
        if commit.settings != self.settings {
            self.others.insert(commit.settings.clone());
            return;
        }
        for input in &commit.inputs {
            self.add_input(input, number);
        }
    }

    fn add_input(&mut self, input: &CommittedInput, commit: CommitNumber) {
        let path = self.paths.entry(path_print(&input.stamp.path)).or_default();
        path.last = look(&input.stamp);
        let row = path.entry(path.last);
        row.plain = input.listing == Listing::Plain;
        row.units = row.units.max(input.listing.units());
        row.commits += 1;
        row.damage.extend(input.damage.as_deref().map(|damage| (commit, damage.into())));
        row.listed.reserve_exact(input.units.len());
        for unit in &input.units {
            let id = self.units.intern(&unit.key);
            if !unit.alias {
                self.units.hold(id, commit);
                if let Some(packed) = &unit.packed {
                    let packed = self.units.intern(packed);
                    self.units.hold(packed, commit);
                }
            }
            row.listed.push(Listed { index: unit.index, unit: id, commit });
        }
    }

    /// Makes a commit void: what it held is unknown again, unless another commit holds it.
    pub(super) fn void(&mut self, commit: &Commit) {
        let Some(number) = self.live.remove(&commit.id) else { return };
        if commit.settings != self.settings {
            return;
        }
        for input in &commit.inputs {
            for unit in input.units.iter().filter(|unit| !unit.alias) {
                unit.keys().for_each(|key| self.units.release(key, number));
            }
            let Some(path) = self.paths.get_mut(&path_print(&input.stamp.path)) else { continue };
            let Ok(at) = path.place(look(&input.stamp)) else { continue };
            let row = &mut path.stamps[at];
            row.listed.retain(|listed| listed.commit != number);
            row.damage.retain(|(commit, _)| *commit != number);
            row.commits -= 1;
            if row.commits == 0 {
                path.stamps.remove(at);
            }
        }
    }

    /// Where the record of a live commit is.
    pub(super) fn location(&self, id: &CommitId) -> Option<&Location> {
        self.live.get(id).map(|&number| &self.commits[number as usize].location)
    }

    /// The other kinds of output that the directory holds.
    pub(super) fn other_settings(&self) -> Vec<String> {
        self.others.iter().cloned().collect()
    }

    pub(super) fn stamp_state(&self, stamp: &FileStamp) -> StampState {
        let path = self.paths.get(&path_print(&stamp.path));
        let Some(row) = path.and_then(|path| path.find(look(stamp))) else { return StampState::Unknown };
        let covered = self.covered(row);
        let least = if row.plain { stamp.len } else { 0 };
        if (0..row.units).all(|index| is_covered(&covered, index, least)) {
            let damage: Vec<&str> = row.damage.iter().map(|(_, text)| &**text).collect();
            return StampState::Unchanged { damage: (!damage.is_empty()).then(|| damage.join("; ")) };
        }
        if covered.is_empty() { StampState::Unknown } else { StampState::Partly { covered } }
    }

    /// The held units of a stamp, by number and start.
    fn covered(&self, row: &StampRow) -> Vec<(u32, UnitKey)> {
        let mut covered: Vec<(u32, UnitKey)> = row
            .listed
            .iter()
            .map(|listed| (listed.index, *self.units.key(listed.unit)))
            .filter(|(_, key)| self.units.holder(key).is_some())
            .collect();
        covered.sort_unstable_by_key(|(index, key)| (*index, key.start, key.end));
        covered.dedup();
        covered
    }

    pub(super) fn knows(&self, key: &UnitKey) -> bool {
        self.units.holder(key).is_some()
    }

    pub(super) fn length_known(&self, len: u64, crc32: Option<u32>) -> bool {
        self.units.is_begun(len) || self.fitting(len, crc32).next().is_some()
    }

    pub(super) fn is_cut(&self, len: u64) -> bool {
        self.units.is_cut(len)
    }

    pub(super) fn candidates(&self, len: u64, crc32: Option<u32>) -> Vec<UnitKey> {
        self.fitting(len, crc32).copied().collect()
    }

    fn fitting(&self, len: u64, crc32: Option<u32>) -> impl Iterator<Item = &UnitKey> {
        let fits = move |key: &&UnitKey| crc32.is_none() || key.crc32.is_none() || key.crc32 == crc32;
        self.units.of_len(len).filter(fits)
    }

    pub(super) fn slices(&self, path: &Path) -> Vec<UnitKey> {
        let stamp = self.paths.get(&path_print(path)).and_then(|path| path.find(path.last));
        let covered = stamp.filter(|row| row.plain).map(|row| self.covered(row)).unwrap_or_default();
        covered.into_iter().map(|(_, key)| key).filter(|key| key.end > key.start).collect()
    }

    pub(super) fn cut_short(&self, path: &Path) -> Vec<(u32, UnitKey)> {
        let rows = self.paths.get(&path_print(path)).into_iter().flat_map(|path| &path.stamps);
        let damaged = rows.filter(|row| !row.plain && !row.damage.is_empty());
        let covered = damaged.flat_map(|row| self.covered(row));
        covered.filter(|(_, key)| key.start == 0 && key.end > 0).collect()
    }

    pub(super) fn was_damaged(&self, path: &Path) -> bool {
        let stamp = self.paths.get(&path_print(path)).and_then(|path| path.find(path.last));
        stamp.is_some_and(|row| !row.damage.is_empty())
    }

    pub(super) fn was_seen_last(&self, stamp: &FileStamp) -> bool {
        self.paths.get(&path_print(&stamp.path)).is_some_and(|path| path.last == look(stamp))
    }

    pub(super) fn all_slices(&self) -> Vec<UnitKey> {
        self.units.slices()
    }

    pub(super) fn commits_of(&self, units: &[UnitKey]) -> Vec<CommitId> {
        let numbers: BTreeSet<_> = units.iter().filter_map(|key| self.units.holder(key)).collect();
        numbers.into_iter().map(|number| self.commits[number as usize].id.clone()).collect()
    }
}

/// Whether the slices of one unit, sorted by start, cover all of it, which is at least `least` bytes.
fn is_covered(covered: &[(u32, UnitKey)], index: u32, least: u64) -> bool {
    let from = covered.partition_point(|(other, _)| *other < index);
    let slices = || covered[from..].iter().take_while(|(other, _)| *other == index).map(|(_, key)| key);
    let len = slices().map(|key| key.len).fold(least, u64::max);
    let reach = slices().fold(0, |reach, key| if key.start <= reach { key.end.max(reach) } else { reach });
    slices().next().is_some() && reach >= len
}

fn path_print(path: &Path) -> PathPrint {
    let digest = blake3::hash(path.as_os_str().as_encoded_bytes());
    digest.as_bytes().first_chunk().copied().unwrap_or_default()
}
