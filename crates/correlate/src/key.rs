//! What joins records: the aCode, and the message id where a record has no aCode of its own.

use mimelake_parse::Event;
use mimelake_schema::{EventType, Field};
use xxhash_rust::xxh3::xxh3_128_with_seed;

use crate::email::Email;

/// The length of an aCode of 22 base64url characters; UUIDs are longer.
const ACODE: usize = 22;

/// The aCode without what API 2.0 puts behind it: `_` and epoch seconds.
///
/// A `_` inside the 22 characters is the aCode's own.
///
/// ```
/// use mimelake_correlate::key::bare_acode;
/// assert_eq!(bare_acode("HyJUanDpckKgGAP6-6DtKg_1772528400"), "HyJUanDpckKgGAP6-6DtKg");
/// assert_eq!(bare_acode("HyJUanDpckK_1772528400"), "HyJUanDpckK_1772528400");
/// ```
pub fn bare_acode(acode: &str) -> &str {
    let acode = acode.trim_ascii();
    let Some((bare, seconds)) = acode.rsplit_once('_') else { return acode };
    let is_epoch = (9..=11).contains(&seconds.len()) && seconds.bytes().all(|b| b.is_ascii_digit());
    if is_epoch && bare.len() >= ACODE { bare } else { acode }
}

/// The message id without white space and brackets around it; one bracket may be cut off.
pub fn bare_message_id(id: &str) -> &str {
    let id = id.trim_ascii();
    let id = id.strip_prefix('<').unwrap_or(id);
    id.strip_suffix('>').unwrap_or(id).trim_ascii()
}

/// How a record is joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key<'a> {
    /// By its aCode, which is bare.
    Acode(&'a str),
    /// By its message id, which is bare.
    MessageId(&'a str),
}

impl<'a> Key<'a> {
    /// How this event is joined; none if it names no email.
    ///
    /// Clicks and sandboxed files join by the message id, where they have one: in API 1.0 they have no aCode, and
    /// the same record must join alike in both.
    pub fn of(event: &Event<'a>) -> Option<Self> {
        let text = |field| event.get(field).text().unwrap_or_default();
        let acode = bare_acode(text(Field::Acode));
        let id = bare_message_id(text(Field::MessageId));
        let by_id = matches!(event.event_type, EventType::UrlProtect | EventType::AttachmentProtect);
        match (acode, id) {
            ("", "") => None,
            ("", id) => Some(Self::MessageId(id)),
            (_, id) if by_id && !id.is_empty() => Some(Self::MessageId(id)),
            (acode, _) => Some(Self::Acode(acode)),
        }
    }

    /// A hash of the key in its account; never 0, which says in an index that there is no key.
    pub fn hash(self, account: &str) -> u64 {
        let (text, seed) = match self {
            Self::Acode(acode) => (acode, 1),
            Self::MessageId(id) => (id, 2),
        };
        // The account is part of the seed, so that nothing has to be put together.
        let account = xxh3_128_with_seed(account.as_bytes(), seed) as u64;
        ((xxh3_128_with_seed(text.as_bytes(), account) >> 64) as u64).max(1)
    }
}

/// The keys of an email as an index keeps them: of its aCode and of its message id; 0 where it has none.
pub fn of_email(email: &Email<'_>) -> [u64; 2] {
    let acode = email.acode.map(Key::Acode);
    let id = email.message_id().map(Key::MessageId);
    [acode, id].map(|key| key.map_or(0, |key| key.hash(email.account)))
}

/// The same of the message that was made of an email: of its columns `account`, `acode` and `message_id`.
pub fn of_message(message: &Event<'_>) -> [u64; 2] {
    let text = |field| message.get(field).text();
    let id = text(Field::MessageId).map(bare_message_id).filter(|id| !id.is_empty());
    let keys = [text(Field::Acode).map(Key::Acode), id.map(Key::MessageId)];
    let account = text(Field::Account).unwrap_or_default();
    keys.map(|key| key.map_or(0, |key| key.hash(account)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare() {
        for (acode, bare) in [
            ("n97bxRqOImbxg5wuRyFFuQ", "n97bxRqOImbxg5wuRyFFuQ"),
            ("n97bxRqOImbxg5wuRyFFuQ_1772528400", "n97bxRqOImbxg5wuRyFFuQ"),
            ("59a2b318-302a-4ee2-a4ce-c6e62fd2217e_1772528400", "59a2b318-302a-4ee2-a4ce-c6e62fd2217e"),
            ("I8E9lws_UfS_1772528400", "I8E9lws_UfS_1772528400"),
            ("n97bxRqOImbxg5wuRyFFuQ_17725x8400", "n97bxRqOImbxg5wuRyFFuQ_17725x8400"),
            (" -x3QjKyRgBA0-qVsF0VCiQ ", "-x3QjKyRgBA0-qVsF0VCiQ"),
        ] {
            assert_eq!(bare_acode(acode), bare);
        }
        for (id, bare) in
            [("<a@b>", "a@b"), (" a@b ", "a@b"), ("<a@b", "a@b"), ("<>", ""), ("< a@b >", "a@b")]
        {
            assert_eq!(bare_message_id(id), bare, "{id}");
        }
    }

    #[test]
    fn the_hash_tells_accounts_and_kinds_apart() {
        let hashes = [
            Key::Acode("x").hash("A"),
            Key::Acode("x").hash("B"),
            Key::MessageId("x").hash("A"),
            Key::Acode("y").hash("A"),
        ];
        for (at, hash) in hashes.iter().enumerate() {
            assert!(!hashes[..at].contains(hash), "{at}");
        }
    }
}
