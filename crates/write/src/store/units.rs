//! Every known unit once, found by digest or by length.
//!
//! A million units must be held, so the rows are in one vector and units that share a digest or a length are
//! linked through it.

use hashbrown::{HashMap, HashSet};

use super::key::UnitKey;

const NONE: u32 = u32::MAX;

/// The number of a unit in [`Units`].
pub(super) type UnitId = u32;

/// The number of a commit in the index.
pub(super) type CommitNumber = u32;

#[derive(Debug)]
struct Row {
    key: UnitKey,
    /// The live commit with the unit's rows, or `NONE`.
    holder: CommitNumber,
    next_by_digest: UnitId,
    next_by_len: UnitId,
}

/// The table of units.
#[derive(Debug, Default)]
pub(super) struct Units {
    rows: Vec<Row>,
    /// First unit by the first eight bytes of its digest.
    by_digest: HashMap<u64, UnitId>,
    /// First unit by length of the whole content.
    by_len: HashMap<u64, UnitId>,
    /// The lengths of contents that are known by slices; they are few.
    cut: HashSet<u64>,
    /// Where slices end that contents begin with: these were contents themselves, maybe.
    begun: HashSet<u64>,
}

impl Units {
    /// The unit's number; it is added if it is new.
    pub(super) fn intern(&mut self, key: &UnitKey) -> UnitId {
        if let Some(id) = self.find(key) {
            let row = &mut self.rows[id as usize];
            row.key.crc32 = row.key.crc32.or(key.crc32);
            return id;
        }
        if (key.start, key.end) != (0, key.len) {
            self.cut.insert(key.len);
            if key.start == 0 {
                self.begun.insert(key.end);
            }
        }
        let id = self.rows.len() as UnitId;
        let next_by_digest = self.by_digest.insert(key.prefix(), id).unwrap_or(NONE);
        let next_by_len = self.by_len.insert(key.len, id).unwrap_or(NONE);
        self.rows.push(Row { key: *key, holder: NONE, next_by_digest, next_by_len });
        id
    }

    pub(super) fn key(&self, id: UnitId) -> &UnitKey {
        &self.rows[id as usize].key
    }

    /// Says that the unit's rows are in this commit.
    pub(super) fn hold(&mut self, id: UnitId, commit: CommitNumber) {
        self.rows[id as usize].holder = commit;
    }

    /// Says that the unit's rows are no longer in this commit.
    pub(super) fn release(&mut self, key: &UnitKey, commit: CommitNumber) {
        if let Some(id) = self.find(key) {
            let holder = &mut self.rows[id as usize].holder;
            if *holder == commit {
                *holder = NONE;
            }
        }
    }

    /// The commit that has the rows of these bytes, even if the whole was shorter or longer then.
    pub(super) fn holder(&self, key: &UnitKey) -> Option<CommitNumber> {
        self.with_digest(key)
            .map(|id| &self.rows[id as usize])
            .find(|row| row.holder != NONE && row.key.same_bytes(key))
            .map(|row| row.holder)
    }

    /// Whether a content of this length may be known by slices.
    pub(super) fn is_cut(&self, len: u64) -> bool {
        self.cut.contains(&len)
    }

    /// Whether a content of this length may be known as the beginning of a longer one.
    pub(super) fn is_begun(&self, len: u64) -> bool {
        self.begun.contains(&len)
    }

    /// The held slices of contents that are known by slices, each once.
    pub(super) fn slices(&self) -> Vec<UnitKey> {
        // A file that has grown names what it began with again and again, and held it whole at first.
        let place = |key: &UnitKey| (key.prefix(), key.start, key.end);
        let keys = self.rows.iter().map(|row| &row.key);
        let cut: HashSet<_> = keys.filter(|key| (key.start, key.end) != (0, key.len)).map(place).collect();
        let held = self.rows.iter().filter(|row| row.holder != NONE && cut.contains(&place(&row.key)));
        held.map(|row| row.key).collect()
    }

    /// The held units of contents of this length.
    pub(super) fn of_len(&self, len: u64) -> impl Iterator<Item = &UnitKey> {
        chain(self.by_len.get(&len), |id| self.rows[id as usize].next_by_len)
            .map(|id| &self.rows[id as usize])
            // Most are held as they are; the others may be part of a content that has grown or was cut elsewhere.
            .filter(|row| row.holder != NONE || self.holder(&row.key).is_some())
            .map(|row| &row.key)
    }

    fn find(&self, key: &UnitKey) -> Option<UnitId> {
        self.with_digest(key).find(|&id| self.key(id) == key)
    }

    fn with_digest(&self, key: &UnitKey) -> impl Iterator<Item = UnitId> {
        chain(self.by_digest.get(&key.prefix()), |id| self.rows[id as usize].next_by_digest)
    }
}

fn chain(first: Option<&UnitId>, next: impl Fn(UnitId) -> UnitId) -> impl Iterator<Item = UnitId> {
    std::iter::successors(first.copied(), move |&id| Some(next(id)).filter(|&id| id != NONE))
}
