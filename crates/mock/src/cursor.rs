//! Tokens and cursors: opaque to clients, a place in a sequence to the server.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;

/// A place in the sequence `of`; `turn` tells apart tokens of the same place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) of: String,
    pub(crate) position: usize,
    pub(crate) turn: u64,
}

impl Cursor {
    pub(crate) fn new(of: &str, position: usize) -> Self {
        Self { of: of.to_owned(), position, turn: 0 }
    }

    /// The next token that stands for the same place.
    pub(crate) fn turned(&self) -> Self {
        Self { turn: self.turn + 1, ..self.clone() }
    }

    /// The place before.
    pub(crate) fn back(&self) -> Self {
        Self { position: self.position.saturating_sub(1), ..self.clone() }
    }

    pub(crate) fn text(&self) -> String {
        URL_SAFE.encode(format!("{};{};{}", self.of, self.position, self.turn))
    }

    /// The cursor that `text` spells; `None` for what this server never gave out.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE.decode(text).ok()?).ok()?;
        let mut parts = text.split(';');
        let cursor = Self {
            of: parts.next()?.to_owned(),
            position: parts.next()?.parse().ok()?,
            turn: parts.next()?.parse().ok()?,
        };
        (parts.next().is_none()).then_some(cursor)
    }
}

/// A cursor that begins from nothing, as API 2.0 is known to hand out when it has lost its place.
pub(crate) fn reset() -> String {
    URL_SAFE.encode("shard-0=0-0,shard-1=0-0,shard-2=0-0")
}

/// Whether `text` is such a cursor.
pub(crate) fn is_reset(text: &str) -> bool {
    text == reset()
}
