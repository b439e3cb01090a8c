//! What was found out about texts that come again and again.

/// So many texts are remembered; one that falls on the slot of another takes its place.
const SLOTS: usize = 128;
/// The longest text that is remembered, in bytes.
const LONGEST: usize = 1024;
const WORD: usize = size_of::<u64>();

/// Texts of the last records, and what was found out about each.
///
/// The verdicts of spam scans are a few hundred texts in millions of records, and comparing one with what is
/// remembered takes a tenth of reading it.
#[derive(Clone, Debug)]
pub(crate) struct Memo<T> {
    /// None at all until the first text comes.
    slots: Vec<Slot<T>>,
}

#[derive(Clone, Debug)]
struct Slot<T> {
    text: Vec<u8>,
    found: Option<T>,
}

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Self { slots: Vec::new() }
    }
}

impl<T> Memo<T> {
    /// What was found out about this text, if it is remembered.
    #[inline]
    pub(crate) fn get(&self, text: &[u8]) -> Option<&T> {
        if text.len() > LONGEST || self.slots.is_empty() {
            return None;
        }
        let slot = &self.slots[place(text)];
        if slot.text == text { slot.found.as_ref() } else { None }
    }

    /// Remembers what was found out about a text, unless it is long.
    pub(crate) fn put(&mut self, text: &[u8], found: T) {
        if text.len() > LONGEST {
            return;
        }
        if self.slots.is_empty() {
            self.slots.resize_with(SLOTS, || Slot { text: Vec::new(), found: None });
        }
        let slot = &mut self.slots[place(text)];
        slot.text.clear();
        slot.text.extend_from_slice(text);
        slot.found = Some(found);
    }
}

/// The slot of a text. Each word is turned by another number of bits, so that order counts, and no word waits for the
/// one before it.
#[inline]
fn place(text: &[u8]) -> usize {
    let last = text.last_chunk::<WORD>().map_or(0, |word| u64::from_le_bytes(*word));
    let words = text.as_chunks::<WORD>().0.iter().zip((7_u32..).step_by(11));
    let mixed = words.fold(last ^ text.len() as u64, |mixed, (word, turn)| {
        mixed ^ u64::from_le_bytes(*word).rotate_left(turn % u64::BITS)
    });
    (mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (u64::BITS - SLOTS.ilog2())) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_comes_back_and_nothing_else() {
        let mut memo = Memo::default();
        let texts: Vec<String> = (0..3000).map(|n| "x".repeat(n % 90) + &n.to_string()).collect();
        for (n, text) in texts.iter().enumerate() {
            assert_eq!(memo.get(text.as_bytes()), None);
            memo.put(text.as_bytes(), n);
            assert_eq!(memo.get(text.as_bytes()), Some(&n));
        }
        let kept = texts.iter().enumerate().filter(|(n, text)| {
            let found = memo.get(text.as_bytes());
            assert!(found.is_none_or(|found| found == n), "{text}");
            found.is_some()
        });
        assert!((SLOTS / 2..=SLOTS).contains(&kept.count()));
    }

    #[test]
    fn long_texts_are_not_kept() {
        let mut memo = Memo::default();
        for (length, kept) in [(LONGEST, true), (LONGEST + 1, false)] {
            let text = vec![b'x'; length];
            memo.put(&text, ());
            assert_eq!(memo.get(&text).is_some(), kept);
        }
    }
}
