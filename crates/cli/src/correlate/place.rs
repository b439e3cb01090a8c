//! Which file an email's row is in: the day of its first record, and a share of the day by the email's key.

use std::collections::BTreeMap;
use std::fmt;

use mimelake_correlate::email::Email;
use mimelake_correlate::join::Days;
use mimelake_correlate::key;
use mimelake_parse::time;

use super::state::State;
use crate::convert::lake::{UNKNOWN, date};

/// A day is written to so many files that each has about as many emails: enough for good compression, and few enough
/// that a worker can hold them, and that a late record does not rewrite a day.
const EMAILS: u64 = 1 << 16;
/// Records of an email, about: a receipt, a process, a delivery.
const RECORDS: u64 = 3;
/// A day is shared anew when it should have so many times as many files.
const GROWN: u8 = 4;
/// The most files of a day.
const MOST: u64 = 64;
/// Bytes of an email that was written before in the row form, about.
const BYTES: u64 = 1 << 11;
/// The most stretches of a day.
const STRETCHES: u64 = 64;

/// A file of the table: a day, and which of its shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    /// The day since 1970, or [`UNKNOWN`].
    pub day: i64,
    /// Which share.
    pub share: u8,
    /// Of how many.
    pub of: u8,
}

impl Slot {
    /// A slot that comes before all others.
    pub const FIRST: Self = Self { day: i64::MIN, share: 0, of: 0 };

    /// The slot as a number; it fits all days that can be written as a date.
    pub fn number(self) -> u64 {
        let day = if self.day == UNKNOWN { i64::from(i32::MIN) } else { self.day };
        ((day - i64::from(i32::MIN)) as u64) << 16 | u64::from(self.share) << 8 | u64::from(self.of)
    }

    /// `YYYY-MM-DD` or `unknown`.
    pub fn date(self) -> String {
        date(self.day)
    }

    /// The slot of the file with this partition's date and this name, if it is one of ours.
    pub fn parse(date: &str, stem: &str) -> Option<Self> {
        let (share, of) = stem.strip_prefix("part-")?.split_once("-of-")?;
        let day = match date {
            "unknown" => UNKNOWN,
            date => time::parse(&format!("{date}T00:00:00Z"))?.micros.div_euclid(time::DAY),
        };
        Some(Self { day, share: share.parse().ok()?, of: of.parse().ok()? })
    }
}

/// The end of the file's path, without its ending.
impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "event_date={}/part-{:02}-of-{:02}", self.date(), self.share, self.of)
    }
}

/// How many files each day has, and in how many stretches of the day their emails are set aside and sorted.
pub struct Slots(BTreeMap<i64, Shares>);

#[derive(Clone, Copy, Debug)]
struct Shares {
    files: u8,
    stretches: u8,
}

impl Slots {
    /// By what is new of each day; as many files as before for days that are there, until they have grown too large. A
    /// stretch of a file has about so many bytes, if a day's emails are spread over it.
    pub fn new(state: &State, days: &Days, stretch: u64) -> Self {
        let before = state.emails();
        let mut emails = before.clone();
        for (day, new) in days {
            *emails.entry(day.unwrap_or(UNKNOWN)).or_default() += new.records / RECORDS;
        }
        let files = |emails: u64| (emails / EMAILS + 1).next_power_of_two().min(MOST) as u8;
        let mut shares: BTreeMap<i64, u8> =
            emails.iter().map(|(day, emails)| (*day, files(*emails))).collect();
        for slot in state.slots() {
            let wanted = shares.entry(slot.day).or_insert(slot.of);
            if *wanted < slot.of.saturating_mul(GROWN) {
                *wanted = slot.of;
            }
        }
        let files_before: BTreeMap<i64, u8> = state.slots().map(|slot| (slot.day, slot.of)).collect();
        let stretches = |day: &i64, files: u8| {
            let new = days.get(&Some(*day).filter(|day| *day != UNKNOWN)).map_or(0, |new| new.bytes);
            // What was written before is set aside only where a day is shared anew.
            let is_kept = files_before.get(day) == Some(&files);
            let old = if is_kept { 0 } else { before.get(day).copied().unwrap_or_default() * BYTES };
            ((new + old) / u64::from(files) / stretch.max(1) + 1).min(STRETCHES) as u8
        };
        let with_stretches = |(day, files)| (day, Shares { files, stretches: stretches(&day, files) });
        Self(shares.into_iter().map(with_stretches).collect())
    }

    /// Whether the file has the share of its day that it had.
    pub fn keeps(&self, slot: Slot) -> bool {
        self.0.get(&slot.day).is_none_or(|shares| shares.files == slot.of)
    }

    fn of_day(&self, day: i64) -> Shares {
        self.0.get(&day).copied().unwrap_or(Shares { files: 1, stretches: 1 })
    }

    /// The place of an email's row.
    ///
    /// The share is by the message id, where there is one: a click that is seen before its email has no other key.
    pub fn of(&self, email: &Email<'_>) -> Place {
        let seen = email.first_seen();
        let day = seen.map_or(UNKNOWN, |micros| micros.div_euclid(time::DAY));
        let Shares { files, stretches } = self.of_day(day);
        let [acode, id] = key::of_email(email);
        let key = if id == 0 { acode } else { id };
        let share = key >> (u64::BITS - 6) & u64::from(files - 1);
        let slot = Slot { day, share: share as u8, of: files };
        let into_day = seen.map_or(0, |micros| micros.rem_euclid(time::DAY));
        let stretch = into_day * i64::from(stretches) / time::DAY;
        Place { slot, number: number(slot, stretch as u8), order: order(seen) }
    }

    /// How many numbers emails are set aside under.
    pub fn count(&self) -> usize {
        self.0.values().map(|shares| usize::from(shares.files) * usize::from(shares.stretches)).sum()
    }

    /// The numbers that a file's emails are set aside under, in the order of their times.
    pub fn numbers(&self, slot: Slot) -> impl Iterator<Item = u64> + use<> {
        (0..self.of_day(slot.day).stretches).map(move |stretch| number(slot, stretch))
    }
}

/// Where an email's row is.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The file.
    pub slot: Slot,
    /// The number that the email is set aside under.
    pub number: u64,
    /// Its order in the file.
    pub order: u64,
}

/// The order of the rows of a file: by the time of the first record, those without one first.
pub fn order(first_seen: Option<i64>) -> u64 {
    // The last two microseconds that there are count as one.
    first_seen.map_or(0, |micros| (micros as u64 ^ 1 << 63).saturating_add(1))
}

fn number(slot: Slot, stretch: u8) -> u64 {
    slot.number() << 8 | u64::from(stretch)
}

#[cfg(test)]
mod tests {
    use mimelake_correlate::join::Day;

    use super::*;

    #[test]
    fn a_slot_is_read_as_it_was_written() {
        for day in [UNKNOWN, -719_162, -1, 0, 20_514, 2_932_896] {
            let slot = Slot { day, share: 3, of: 8 };
            let text = slot.to_string();
            let (date, stem) =
                text.strip_prefix("event_date=").and_then(|rest| rest.split_once('/')).unwrap();
            assert_eq!(Slot::parse(date, stem), Some(slot), "{text}");
        }
        assert_eq!(Slot::parse("2026-03-02", "part-0"), None);
        assert_eq!(Slot::parse("2026-03", "part-00-of-01"), None);
    }

    #[test]
    fn a_day_is_shared_anew_when_it_has_grown() {
        let slot = |of| Slot { day: 20_514, share: 0, of };
        let files = |of, emails, new: u64| {
            let state = State::of(slot(of), emails);
            let slots = Slots::new(
                &state,
                &Days::from([(Some(20_514), Day { records: new * RECORDS, ..Day::default() })]),
                u64::MAX,
            );
            (slots.0[&20_514].files, slots.keeps(slot(of)))
        };
        assert_eq!(files(1, 10, 10), (1, true));
        assert_eq!(files(1, 10, EMAILS), (1, true));
        assert_eq!(files(1, 10, 2 * EMAILS), (4, false));
        assert_eq!(files(4, 2 * EMAILS, 10), (4, true));
        assert_eq!(files(4, 10, 9 * EMAILS), (16, false));
        assert_eq!(files(64, 64 * EMAILS, 64 * EMAILS), (64, true));
    }
}
