//! Which file an email's row is in: the day of its first record, and a share of the day by the email's key.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use mimelake_correlate::email::Email;
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
    /// The slot as a number; it fits all days that can be written as a date.
    pub fn number(self) -> u64 {
        let day = if self.day == UNKNOWN { i64::from(i32::MIN) } else { self.day };
        ((day - i64::from(i32::MIN)) as u64) << 16 | u64::from(self.share) << 8 | u64::from(self.of)
    }

    /// The slot of a number.
    pub fn of_number(number: u64) -> Self {
        let day = (number >> 16) as i64 + i64::from(i32::MIN);
        let day = if day == i64::from(i32::MIN) { UNKNOWN } else { day };
        Self { day, share: (number >> 8) as u8, of: number as u8 }
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

/// How many files each day has.
pub struct Slots(BTreeMap<i64, u8>);

impl Slots {
    /// By the number of a day's records; as many as before for days that are there, until they have grown too large.
    pub fn new(state: &State, records: &HashMap<Option<i64>, u64>) -> Self {
        let mut emails: BTreeMap<i64, u64> = state.emails();
        for (day, records) in records {
            *emails.entry(day.unwrap_or(UNKNOWN)).or_default() += records / RECORDS;
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
        Self(shares)
    }

    /// Whether the file has the share of its day that it had.
    pub fn keeps(&self, slot: Slot) -> bool {
        self.0.get(&slot.day).is_none_or(|of| *of == slot.of)
    }

    /// The file that an email's row is in.
    pub fn of(&self, email: &Email<'_>) -> Slot {
        let day = email.first_seen().map_or(UNKNOWN, |micros| micros.div_euclid(time::DAY));
        let of = self.0.get(&day).copied().unwrap_or(1);
        let [acode, id] = key::of_email(email);
        let key = if acode == 0 { id } else { acode };
        let share = key >> (u64::BITS - 6) & u64::from(of - 1);
        Slot { day, share: share as u8, of }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_read_as_it_was_written() {
        for day in [UNKNOWN, -719_162, -1, 0, 20_514, 2_932_896] {
            let slot = Slot { day, share: 3, of: 8 };
            assert_eq!(Slot::of_number(slot.number()), slot);
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
            let slots = Slots::new(&state, &HashMap::from([(Some(20_514), new * RECORDS)]));
            (slots.0[&20_514], slots.keeps(slot(of)))
        };
        assert_eq!(files(1, 10, 10), (1, true));
        assert_eq!(files(1, 10, EMAILS), (1, true));
        assert_eq!(files(1, 10, 2 * EMAILS), (4, false));
        assert_eq!(files(4, 2 * EMAILS, 10), (4, true));
        assert_eq!(files(4, 10, 9 * EMAILS), (16, false));
        assert_eq!(files(64, 64 * EMAILS, 64 * EMAILS), (64, true));
    }
}
