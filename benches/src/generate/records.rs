//! The stream of records: emails arrive, and each is followed by its stages.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;

use super::calendar::START_MS;
use super::email::{Email, Fate};
use super::lists::{BOUNCES, DEFERRALS, Failure};
use super::random::Rng;

/// A stage that every email passes; each of Mimecast's files holds the lines of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The connection that brought the email, per recipient.
    Receipt,
    /// Policies applied, per email.
    Process,
    /// An attempt to hand the email on, per recipient.
    Delivery,
}

impl Stage {
    /// Every stage, in the order in which an email passes them.
    pub const ALL: [Self; 3] = [Self::Receipt, Self::Process, Self::Delivery];

    /// Returns the prefix of the stage's file names and its API 2.0 type: `receipt`, `process`, `delivery`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Receipt => "receipt",
            Self::Process => "process",
            Self::Delivery => "delivery",
        }
    }
}

/// One line of a log to be.
#[derive(Clone, Debug)]
pub struct Record {
    pub(super) at_ms: i64,
    pub(super) email: Rc<Email>,
    pub(super) step: Step,
    /// What the line needs to invent of itself alone, the same in every dialect.
    pub(super) salt: u64,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Receipt { recipient: usize },
    Process,
    Delivery { recipient: usize, attempt: u32, outcome: Outcome },
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Outcome {
    Delivered,
    Deferred(Failure),
    Bounced(Failure),
}

impl Record {
    /// Returns the stage that the record is of.
    pub fn stage(&self) -> Stage {
        match self.step {
            Step::Receipt { .. } => Stage::Receipt,
            Step::Process => Stage::Process,
            Step::Delivery { .. } => Stage::Delivery,
        }
    }

    /// Returns when it was logged, in milliseconds since 1970 UTC.
    pub fn at_ms(&self) -> i64 {
        self.at_ms
    }

    /// Returns the aCode that joins the email's records.
    pub fn acode(&self) -> &str {
        &self.email.code
    }

    /// Returns which of `servers` machines logged the record; an email's stages are often on different ones.
    pub(super) fn server(&self, servers: usize) -> usize {
        (self.salt >> 32) as usize % servers.max(1)
    }
}

/// The endless stream of records in time order.
///
/// [`Records::close`] ends it: no more emails arrive, and what the last ones still lack follows.
#[derive(Debug)]
pub struct Records {
    rng: Rng,
    mean_gap_ms: u64,
    next_arrival_ms: i64,
    open: bool,
    waiting: BinaryHeap<Reverse<Waiting>>,
    drawn: u64,
}

impl Records {
    /// Starts a stream in which an email arrives every `mean_gap_ms` on average, from 2026-03-02 on.
    pub fn new(seed: u64, mean_gap_ms: u64) -> Self {
        Self {
            rng: Rng::new(seed),
            mean_gap_ms,
            next_arrival_ms: START_MS,
            open: true,
            waiting: BinaryHeap::new(),
            drawn: 0,
        }
    }

    /// Lets no more emails arrive, so that the stream ends once every email has all its records.
    pub fn close(&mut self) {
        self.open = false;
    }

    fn arrive(&mut self) {
        let arrived = self.next_arrival_ms;
        self.next_arrival_ms += self.rng.below(2 * self.mean_gap_ms + 1) as i64;
        let email = Rc::new(Email::draw(&mut self.rng, arrived));
        for recipient in 0..email.recipients.len() {
            self.plan(&email, arrived, Step::Receipt { recipient });
        }
        if matches!(email.fate, Fate::Rejected(_)) {
            return;
        }
        let processed = arrived + self.rng.between(300, 6_000) as i64;
        self.plan(&email, processed, Step::Process);
        if matches!(email.fate, Fate::Accepted) {
            for recipient in 0..email.recipients.len() {
                self.deliver(&email, recipient, processed);
            }
        }
    }

    /// Plans the attempts for one recipient: the wait doubles, and most succeed in the end.
    fn deliver(&mut self, email: &Rc<Email>, recipient: usize, processed: i64) {
        let mut at = processed + self.rng.between(200, 9_000) as i64;
        let failures = if self.rng.permille(45) { self.rng.between(1, 6) as u32 } else { 0 };
        for attempt in 1..=failures {
            let outcome = Outcome::Deferred(self.rng.pick(DEFERRALS));
            self.plan(email, at, Step::Delivery { recipient, attempt, outcome });
            at += (300_000_i64 << attempt.min(8)) + self.rng.below(60_000) as i64;
        }
        let bounces = self.rng.permille(if failures > 0 { 100 } else { 8 });
        let outcome = if bounces { Outcome::Bounced(self.rng.pick(BOUNCES)) } else { Outcome::Delivered };
        self.plan(email, at, Step::Delivery { recipient, attempt: failures + 1, outcome });
    }

    fn plan(&mut self, email: &Rc<Email>, at_ms: i64, step: Step) {
        let record = Record { at_ms, email: Rc::clone(email), step, salt: self.rng.next() };
        self.drawn += 1;
        self.waiting.push(Reverse(Waiting { order: (at_ms, self.drawn), record }));
    }
}

impl Iterator for Records {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        while self.open && self.waiting.peek().is_none_or(|Reverse(w)| w.order.0 >= self.next_arrival_ms) {
            self.arrive();
        }
        self.waiting.pop().map(|Reverse(waiting)| waiting.record)
    }
}

/// A record that waits for its time; of two at the same time the one planned first goes first.
#[derive(Debug)]
struct Waiting {
    order: (i64, u64),
    record: Record,
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.order.cmp(&other.order)
    }
}
