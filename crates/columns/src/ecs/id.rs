//! `event.id`.

use bumpalo::Bump;
use mimelake_schema::EventType;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128_with_seed};

/// What the ids of an event type begin from: its name, so that a new type changes nobody's ids.
pub(super) fn seed(event_type: EventType) -> u64 {
    xxh3_64(event_type.table().as_bytes())
}

/// 32 hexadecimal digits of a hash over all of the record. The same record gives the same id in every
/// run; records that differ in anything, recipient or file included, differ in the id.
pub(super) fn event_id<'a>(record: &str, seed: u64, bump: &'a Bump) -> &'a str {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0; 32];
    let hash = xxh3_128_with_seed(record.as_bytes(), seed).to_be_bytes();
    for (pair, byte) in text.chunks_exact_mut(2).zip(hash) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    bump.alloc_str(std::str::from_utf8(&text).unwrap_or_default())
}
