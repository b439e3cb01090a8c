//! What became of an email.
//!
//! The first row that holds decides:
//!
//! | | what the records say | status |
//! |---|---|---|
//! | 1 | a recipient has it, and another does not: refused at receipt and never tried, attempts failed, or fewer recipients were tried than were accepted | `partially_delivered` |
//! | 2 | a recipient has it | `delivered` |
//! | 3 | attempts failed, and for a recipient the last failure may pass | `deferred` |
//! | 4 | attempts failed, and for every recipient the last failure is final | `bounced` |
//! | 5 | the last process record holds it: its action says so, or it has no action and a hold reason | `held` |
//! | 6 | the last process record drops, bounces or rejects it | `dropped`, `bounced`, `rejected` |
//! | 7 | no process record, and all receipts refuse it: by their action, or without an action by a rejection type or code | `rejected` |
//! | 8 | no process record, and the last receipt that does not refuse it holds, drops or bounces it | `held`, `dropped`, `bounced` |
//! | 9 | everything else: it was received or processed, and no attempt is known | `in_progress` |
//!
//! A failure is final if the server's code (`550`, `5.1.1`) begins with 5, in the rejection code or at the start of the
//! error, or if there is no code and the error speaks of a bounce. Records without a time come first. Recipients are the same in any case of letters. An attempt that says neither that it
//! delivered nor that it failed decides nothing.

use std::borrow::Cow;

use mimelake_parse::Value;
use mimelake_schema::{Field, Ruling};

use crate::named::Named;
use crate::record::Record;
use crate::stage::Stage;

/// What became of an email, in an administrator's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Status {
    /// Every recipient has it.
    Delivered,
    /// A recipient has it, another has not.
    PartiallyDelivered,
    /// Attempts have failed so far.
    Deferred,
    /// It was sent back.
    Bounced,
    /// It was refused at receipt, or by a policy.
    Rejected,
    /// It waits for review.
    Held,
    /// It was thrown away.
    Dropped,
    /// It was received, and no attempt to deliver it is known.
    InProgress,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 8] = [
        Self::Delivered,
        Self::PartiallyDelivered,
        Self::Deferred,
        Self::Bounced,
        Self::Rejected,
        Self::Held,
        Self::Dropped,
        Self::InProgress,
    ];

    /// Its name in the column `status`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::PartiallyDelivered => "partially_delivered",
            Self::Deferred => "deferred",
            Self::Bounced => "bounced",
            Self::Rejected => "rejected",
            Self::Held => "held",
            Self::Dropped => "dropped",
            Self::InProgress => "in_progress",
        }
    }
}

/// A status, and whether every stage that it rests on was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What became of the email.
    pub status: Status,
    /// Whether every stage that it rests on was seen, and no recipient is waited for.
    pub complete: bool,
}

/// The status of the email with these records, in their order.
pub fn status(records: &[Record<'_>]) -> Verdict {
    let seen = |stage| records.iter().any(|record| record.stage == stage);
    let (received, processed) = (seen(Stage::Receipt), seen(Stage::Process));
    let tried = Tried::of(records);
    let receipts = Receipts::of(records, &tried);
    if tried.outcomes.len() > 0 {
        let waits = tried.count(Outcome::Deferred) > 0 || tried.outcomes.len() < receipts.accepted;
        return Verdict { status: tried.status(&receipts), complete: received && processed && !waits };
    }
    let last = records.iter().rev().find(|record| record.stage == Stage::Process);
    if let Some(last) = last {
        let status = policy(last);
        return Verdict { status, complete: received && status != Status::InProgress };
    }
    let status = receipts.status();
    Verdict { status, complete: status != Status::InProgress }
}

/// What a process record did.
fn policy(process: &Record<'_>) -> Status {
    match ruling(process) {
        Some(Ruling::Held) => Status::Held,
        Some(Ruling::Dropped) => Status::Dropped,
        Some(Ruling::Bounced) => Status::Bounced,
        Some(Ruling::Rejected) => Status::Rejected,
        Some(Ruling::Passed) | None => Status::InProgress,
    }
}

/// What a receipt or process record says was done.
fn ruling(record: &Record<'_>) -> Option<Ruling> {
    if let Some(action) = record.text(Field::Action) {
        return Ruling::of_word(action);
    }
    let says = |field| record.text(field).is_some();
    match record.stage {
        Stage::Process if says(Field::HoldReason) => Some(Ruling::Held),
        Stage::Receipt if says(Field::RejectionType) || says(Field::RejectionCode) => Some(Ruling::Rejected),
        _ => None,
    }
}

/// The receipts' say.
#[derive(Debug, Default)]
struct Receipts {
    /// How many recipients were refused, and no delivery to them was tried.
    refused: usize,
    /// How many were not refused.
    accepted: usize,
    /// What the last of those that were not refused says.
    last: Option<Ruling>,
}

impl Receipts {
    fn of<'a>(records: &[Record<'a>], tried: &Tried<'a>) -> Self {
        // A server that was refused tries again: who was accepted once is accepted.
        let mut recipients = Named::new();
        let mut last = None;
        for record in records.iter().filter(|record| record.stage == Stage::Receipt) {
            let ruling = ruling(record);
            let refused = ruling == Some(Ruling::Rejected);
            if !refused {
                last = ruling;
            }
            for recipient in recipients_of(record) {
                *recipients.entry(recipient, true).0 &= refused;
            }
        }
        let accepted = recipients.iter().filter(|(_, refused)| !**refused).count();
        let untried = recipients.iter().filter(|(name, refused)| **refused && !tried.outcomes.has(name));
        Self { refused: untried.count(), accepted, last }
    }

    fn status(&self) -> Status {
        match self.last {
            _ if self.accepted == 0 && self.refused > 0 => Status::Rejected,
            Some(Ruling::Held) => Status::Held,
            Some(Ruling::Dropped) => Status::Dropped,
            Some(Ruling::Bounced) => Status::Bounced,
            _ => Status::InProgress,
        }
    }
}

/// What the attempts came to, for each recipient.
#[derive(Debug)]
struct Tried<'a> {
    outcomes: Named<'a, Outcome>,
}

/// The outcome of the attempts for one recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Delivered,
    Deferred,
    Bounced,
}

impl<'a> Tried<'a> {
    fn of(records: &[Record<'a>]) -> Self {
        let mut outcomes = Named::new();
        for record in records.iter().filter(|record| record.stage == Stage::Delivery) {
            let Value::Bool(delivered) = record.get(Field::Delivered) else { continue };
            let outcome = match delivered {
                true => Outcome::Delivered,
                false if is_final(record) => Outcome::Bounced,
                false => Outcome::Deferred,
            };
            for recipient in recipients_of(record) {
                let (before, _) = outcomes.entry(recipient, outcome);
                if *before != Outcome::Delivered {
                    *before = outcome;
                }
            }
        }
        Self { outcomes }
    }

    fn count(&self, wanted: Outcome) -> usize {
        self.outcomes.iter().filter(|(_, outcome)| **outcome == wanted).count()
    }

    fn status(&self, receipts: &Receipts) -> Status {
        let all = self.outcomes.len();
        match (self.count(Outcome::Delivered), self.count(Outcome::Deferred)) {
            (0, 0) => Status::Bounced,
            (0, _) => Status::Deferred,
            (delivered, _) if delivered < all || receipts.refused > 0 || all < receipts.accepted => {
                Status::PartiallyDelivered
            }
            _ => Status::Delivered,
        }
    }
}

/// The recipients, the same in any case of letters; one without a name if there is none.
fn recipients_of<'a>(record: &Record<'a>) -> impl Iterator<Item = Cow<'a, str>> + use<'a> {
    let mut named = record.recipients_folded().peekable();
    let nobody = named.peek().is_none().then_some(Cow::Borrowed(""));
    named.chain(nobody)
}

/// Whether a failed attempt is the last.
fn is_final(delivery: &Record<'_>) -> bool {
    let error = delivery.text(Field::Error).unwrap_or_default().trim_ascii_start();
    let code = delivery.text(Field::RejectionCode).unwrap_or_default().trim_ascii();
    match [code, error].into_iter().find(|text| is_code(text)) {
        Some(text) => text.starts_with('5'),
        None => error.to_ascii_lowercase().contains("bounce"),
    }
}

/// Whether a text begins with an SMTP code, `550`, or an enhanced one, `5.1.1`.
fn is_code(text: &str) -> bool {
    let digit = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    let begins = text.starts_with(['2', '4', '5']);
    let is_plain = digit(1) && digit(2) && !digit(3);
    let is_enhanced = text.as_bytes().get(1) == Some(&b'.') && digit(2);
    begins && (is_plain || is_enhanced)
}
