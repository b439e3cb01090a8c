//! How far a stream came, kept from run to run.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use jiff::{SignedDuration, Timestamp};
use mimelake_landing::put::Folder;
use serde::{Deserialize, Serialize};

use crate::error::{ConfigError, FetchError};

/// A place in a stream of files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    /// What the next call sends, as the server gave it; none before the first.
    pub(crate) next: Option<String>,
    /// When it was last moved.
    pub(crate) moved: Option<Timestamp>,
    /// When everything up to then had been fetched.
    pub(crate) caught_up: Option<Timestamp>,
    /// When the stream was first asked for.
    #[serde(default)]
    pub(crate) began: Option<Timestamp>,
    /// Files behind this place that did not come; behind a blank, the piece that was all that came.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) failed: BTreeMap<String, Failures>,
}

/// The rounds in which a file did not come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Saved")]
pub(crate) struct Failures {
    /// How many of them count.
    rounds: u32,
    /// When the first of these was.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
}

/// Earlier versions saved the number alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum Saved {
    Rounds(u32),
    Failures {
        rounds: u32,
        #[serde(default)]
        since: Option<Timestamp>,
    },
}

impl From<Saved> for Failures {
    fn from(saved: Saved) -> Self {
        match saved {
            Saved::Rounds(rounds) => Self { rounds, since: None },
            Saved::Failures { rounds, since } => Self { rounds, since },
        }
    }
}

impl Failures {
    /// Adds a round, if it counts.
    fn add(&mut self, counts: bool, now: Timestamp) {
        self.rounds = self.rounds.saturating_add(u32::from(counts));
        if self.rounds > 0 {
            // A clock that was set back begins anew, and so does a number without a time.
            self.since = Some(self.since.map_or(now, |since| since.min(now)));
        }
    }

    /// Whether they are enough to give the file up: a server may well be in trouble for three short rounds.
    fn are_enough(&self, now: Timestamp, least: SignedDuration) -> bool {
        let lasted = || self.since.map_or(SignedDuration::ZERO, |since| now.duration_since(since));
        self.rounds >= STUCK && lasted() >= least
    }
}

/// A file that did not come in so many rounds is given up, lest it block all that follow.
pub(crate) const STUCK: u32 = 3;
/// The least time from the first of them to the last.
pub(crate) const LASTING: SignedDuration = SignedDuration::from_hours(24);
/// The same for a file that is about to be lost, where the server may be in trouble with all of them.
pub(crate) const LASTING_TROUBLE: SignedDuration = SignedDuration::from_hours(6);
/// What lies so near its end is given up on less.
const LAST: SignedDuration = SignedDuration::from_hours(24);

impl Cursor {
    /// Returns what the last run saved, or the beginning, which is now.
    pub(crate) fn load(folder: &Folder, name: &str, now: Timestamp) -> Result<Self, FetchError> {
        if let Some(mut cursor) = Self::saved(folder, name)? {
            // A clock that was ahead once must not keep it from ever being late.
            for time in [&mut cursor.moved, &mut cursor.caught_up, &mut cursor.began] {
                *time = time.map(|time| time.min(now));
            }
            return Ok(cursor);
        }
        let cursor = Self { began: Some(now), ..Self::default() };
        cursor.save(folder, name)?;
        Ok(cursor)
    }

    /// Returns what the last run saved, if there was one.
    pub(crate) fn saved(folder: &Folder, name: &str) -> Result<Option<Self>, FetchError> {
        let Some(bytes) = folder.saved(name)? else { return Ok(None) };
        serde_json::from_slice(&bytes).map(Some).map_err(|error| {
            let path = folder.state_path(name);
            let what = format!("{}: {error}", path.display());
            let hint = "remove it to begin with the oldest log there is: what was landed is known and not landed twice";
            ConfigError::new(what, hint).into()
        })
    }

    /// Saves it, for good.
    pub(crate) fn save(&self, folder: &Folder, name: &str) -> Result<(), FetchError> {
        let text = serde_json::to_vec(self).map_err(std::io::Error::other);
        let text =
            text.map_err(|error| ConfigError::new(format!("cannot write a cursor: {error}"), "report it"))?;
        Ok(folder.save(name, &text)?)
    }

    /// Moves it to where the next call begins.
    pub(crate) fn advance(&mut self, next: String, now: Timestamp) {
        *self = Self { next: Some(next), moved: Some(now), failed: BTreeMap::new(), ..*self };
    }

    /// Moves it back to the oldest log that is kept.
    pub(crate) fn start_over(&mut self) {
        (self.next, self.failed) = (None, BTreeMap::new());
    }

    /// When all there was had last been fetched; where it never was, when it was first asked for.
    pub(crate) fn complete_until(&self) -> Option<Timestamp> {
        self.caught_up.or(self.began)
    }

    /// Whether all there was had been fetched so long ago, however the cursor moved since, that what lies behind it is
    /// hardly `kept` any more.
    pub(crate) fn is_late(&self, now: Timestamp, kept: SignedDuration) -> bool {
        let since = self.complete_until().or(self.moved);
        since.is_some_and(|since| now.duration_since(since) > kept - LAST)
    }

    /// Whether a file failed before, and whether so often that it is not waited for.
    pub(crate) fn has_failed(&self, file: &str) -> Option<bool> {
        self.failed.get(file).map(|failures| failures.rounds >= STUCK)
    }

    /// Makes a note of a file that was listed and is not safe; returns whether there was none.
    pub(crate) fn is_due(&mut self, file: &str) -> bool {
        let is_new = !self.failed.contains_key(file);
        if is_new {
            self.failed.insert(file.to_owned(), Failures::default());
        }
        is_new
    }

    /// Makes a note of a file that did not come, of one more round if it counts; returns whether that is often enough,
    /// and for at `least` so long, for it to be given up.
    pub(crate) fn fails(&mut self, file: &str, counts: bool, now: Timestamp, least: SignedDuration) -> bool {
        let failures = self.failed.entry(file.to_owned()).or_default();
        failures.add(counts, now);
        failures.are_enough(now, least)
    }

    /// Counts a round in which this piece, by its bytes, was all that came of a file; returns whether the same piece
    /// came in as many rounds as a file is tried. Bad networks cut now here, now there.
    pub(crate) fn breaks_off(&mut self, file: &str, piece: &str, now: Timestamp) -> bool {
        let (of_file, this) = (format!("{file} "), format!("{file} {piece}"));
        self.failed.retain(|key, _| !key.starts_with(&of_file) || *key == this);
        self.fails(&this, true, now, LASTING)
    }

    /// Forgets the failures of a file that came.
    pub(crate) fn came(&mut self, file: &str) {
        self.failed.retain(|key, _| failed_file(key) != file);
    }

    /// The files that did not come.
    pub(crate) fn failed_files(&self) -> impl Iterator<Item = &str> {
        self.failed.keys().map(String::as_str).filter(|key| failed_file(key) == *key)
    }
}

/// The file that a key is about; no link has a blank.
fn failed_file(key: &str) -> &str {
    key.split_once(' ').map_or(key, |(file, _)| file)
}

/// The cursors that were sent in one round, so that a circle of them is seen.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    sent: HashSet<u64>,
    state: RandomState,
}

/// The longest circle that is seen for sure, which bounds what is remembered.
const LONGEST: usize = 100_000;

impl Trail {
    /// Remembers a cursor that is sent.
    ///
    /// # Errors
    /// It was sent before, to `call`, and would give again what it gave then.
    pub(crate) fn send(&mut self, cursor: &str, call: &str) -> Result<(), FetchError> {
        if self.sent.len() == LONGEST {
            self.sent.clear();
        }
        if self.sent.insert(self.state.hash_one(cursor)) {
            return Ok(());
        }
        let what = "the server's cursors go in circles; what lies behind was not reached".to_owned();
        Err(FetchError::Passing { call: call.to_owned(), what, tries: 1 })
    }

    /// Forgets them all: a stream that starts over passes the same places again.
    pub(crate) fn start_over(&mut self) {
        self.sent.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_of_earlier_versions_are_read() {
        for text in [
            r#"{"next":null,"moved":null,"caught_up":null}"#,
            r#"{"next":"a","moved":"2026-03-02T10:00:00Z","caught_up":null,"failed":{"file":2}}"#,
            r#"{"next":"a","moved":null,"caught_up":null,"began":"2026-03-02T10:00:00Z","failed":{"https://x/a":2}}"#,
        ] {
            let cursor: Cursor = serde_json::from_str(text).unwrap();
            assert!(cursor.failed.values().all(|failures| failures.rounds == 2), "{text}");
            let again: Cursor = serde_json::from_str(&serde_json::to_string(&cursor).unwrap()).unwrap();
            assert_eq!(again, cursor);
        }
    }

    #[test]
    fn a_file_is_given_up_after_three_rounds_and_a_day() {
        let hour = |hour: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hour);
        let given_up = |mut cursor: Cursor, hours: &[i64]| -> Vec<bool> {
            hours.iter().map(|at| cursor.fails("x", true, hour(*at), LASTING)).collect()
        };
        assert_eq!(given_up(Cursor::default(), &[0, 0, 0, 23, 24]), [false, false, false, false, true]);
        assert_eq!(given_up(Cursor::default(), &[0, 30, 31]), [false, false, true]);
        assert_eq!(given_up(Cursor::default(), &[50, 0, 23, 24]), [false, false, false, true]);
        let text = r#"{"next":null,"moved":null,"caught_up":null,"failed":{"x":7}}"#;
        assert_eq!(given_up(serde_json::from_str(text).unwrap(), &[0, 23, 24]), [false, false, true]);
        // The times that were saved come of a clock that was ahead, or there is none, and no round counts any more.
        for since in ["", r#","since":"2100-01-01T00:00:00Z""#] {
            let text = format!(
                r#"{{"next":null,"moved":null,"caught_up":null,"failed":{{"x":{{"rounds":7{since}}}}}}}"#
            );
            let mut cursor: Cursor = serde_json::from_str(&text).unwrap();
            let given_up = [0, 23, 24].map(|at| cursor.fails("x", false, hour(at), LASTING));
            assert_eq!(given_up, [false, false, true], "{since}");
        }
        // Rounds that do not count begin no time.
        let mut cursor = Cursor::default();
        assert!(!cursor.fails("x", false, hour(0), LASTING));
        assert_eq!(given_up(cursor, &[30, 31, 32]), [false; 3]);
        // What is about to be lost does not wait.
        let mut cursor = Cursor::default();
        assert_eq!(
            [0; 3].map(|_| cursor.fails("x", true, hour(0), SignedDuration::ZERO)),
            [false, false, true]
        );
    }

    #[test]
    fn only_the_same_piece_counts_on() {
        let mut cursor = Cursor::default();
        let day = |day: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * day);
        let rounds = ["1 a", "1 a", "2 b", "1 a", "1 a", "1 a"];
        let given_up: Vec<_> =
            rounds.iter().zip(0..).map(|(piece, at)| cursor.breaks_off("x", piece, day(at))).collect();
        assert_eq!(given_up, [false, false, false, false, false, true]);
        assert!(!cursor.fails("x", false, day(9), SignedDuration::ZERO) && cursor.failed_files().eq(["x"]));
        cursor.came("x");
        assert!(cursor.failed.is_empty());
    }

    #[test]
    fn late_is_by_when_all_was_there() {
        let time = |day: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * day);
        let kept = SignedDuration::from_hours(7 * 24);
        let cursor = |began, moved, caught_up| Cursor { moved, caught_up, began, ..Cursor::default() };
        for (cursor, is_late) in [
            (cursor(None, None, None), false),
            (cursor(Some(time(3)), None, None), true),
            (cursor(Some(time(5)), None, None), false),
            (cursor(Some(time(0)), Some(time(9)), None), true),
            (cursor(Some(time(0)), Some(time(1)), Some(time(9))), false),
            (cursor(Some(time(0)), Some(time(9)), Some(time(3))), true),
            // Of earlier versions.
            (cursor(None, Some(time(3)), None), true),
            (cursor(None, Some(time(5)), None), false),
        ] {
            assert_eq!(cursor.is_late(time(10), kept), is_late, "{cursor:?}");
        }
    }

    #[test]
    fn times_of_a_clock_that_was_ahead_are_now() {
        let land = tempfile::tempdir().unwrap();
        let folder = Folder::open(land.path(), "C0A0", "siem-v2").unwrap();
        let now: Timestamp = "2026-03-02T10:00:00Z".parse().unwrap();
        let ahead = Some("2100-01-01T00:00:00Z".parse().unwrap());
        let then = Some(now - SignedDuration::from_hours(1));
        let cursor = Cursor { caught_up: ahead, moved: then, began: ahead, ..Cursor::default() };
        cursor.save(&folder, "x.json").unwrap();
        let loaded = Cursor::load(&folder, "x.json", now).unwrap();
        assert_eq!((loaded.caught_up, loaded.moved, loaded.began), (Some(now), then, Some(now)));
    }
}
