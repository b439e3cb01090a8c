//! What Mimecast did with the email or the click: the word in `action`, or what stands in for it.
//!
//! | ruling | words of `action`, in any case and dialect | without an action |
//! |---|---|---|
//! | passed | Acc, Accept, Allow, Permit, Continue, Deliver, Tag, none and their past tenses | `delivered` is true |
//! | refused | Rej, Reject, Bnc, Bounce, Block, Deny, Drop, Delete and their past tenses | `delivered` is false, a rejection type at receipt, a block reason of a click |
//! | held | Hld, Hold, Held, Quarantine, Sdbx, Sandbox | a hold reason |
//! | unclear | everything else | everything else |
//!
//! Of a message its status decides: delivered has passed; rejected, bounced and dropped are refused; held is held.

use mimelake_schema::{EventType, Field};

use super::record::Record;

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ruling {
    Passed,
    Refused,
    Held,
    Unclear,
}

impl Ruling {
    /// What the record says was done.
    pub(super) fn of(record: &Record<'_, '_>) -> Self {
        if let Some(status) = record.text(Field::Status) {
            return Self::of_word(status);
        }
        if let Some(delivered) = record.bool(Field::Delivered) {
            return if delivered { Self::Passed } else { Self::Refused };
        }
        if let Some(action) = record.text(Field::Action) {
            return Self::of_word(action);
        }
        let says = |field| record.text(field).is_some();
        match record.event.event_type {
            EventType::Receipt if says(Field::RejectionType) => Self::Refused,
            EventType::Process if says(Field::HoldReason) => Self::Held,
            EventType::UrlProtect if says(Field::Reason) => Self::Refused,
            _ => Self::Unclear,
        }
    }

    fn of_word(word: &str) -> Self {
        use mimelake_schema::Ruling as Word;
        match Word::of_word(word) {
            Some(Word::Passed) => Self::Passed,
            Some(Word::Rejected | Word::Bounced | Word::Dropped) => Self::Refused,
            Some(Word::Held) => Self::Held,
            None => Self::Unclear,
        }
    }

    /// `event.outcome`: what is held is not decided yet.
    pub(super) fn outcome(self) -> &'static str {
        match self {
            Self::Passed => "success",
            Self::Refused => "failure",
            Self::Held | Self::Unclear => "unknown",
        }
    }
}
