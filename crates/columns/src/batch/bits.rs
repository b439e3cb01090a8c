//! Bits, one at a time into words: Arrow's own builder looks for room and for its bitmap at every bit.

use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};

const WORD: usize = u64::BITS as usize;

#[derive(Debug, Default)]
pub(super) struct Bits {
    words: Vec<u64>,
    /// The word in progress, from its lowest bit.
    word: u64,
    len: usize,
}

impl Bits {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(super) fn push(&mut self, bit: bool) {
        let at = self.len % WORD;
        self.word |= u64::from(bit) << at;
        self.len += 1;
        if at == WORD - 1 {
            self.end_word();
        }
    }

    /// Appends as many zeros.
    pub(super) fn push_zeros(&mut self, count: usize) {
        let end = self.len + count;
        while self.len / WORD < end / WORD {
            self.end_word();
            self.len = (self.len / WORD + 1) * WORD;
        }
        self.len = end;
    }

    fn end_word(&mut self) {
        // Arrow counts bits from the lowest of the first byte, whatever the machine.
        self.words.push(std::mem::take(&mut self.word).to_le());
    }

    /// The bits, which are gone from here.
    pub(super) fn finish(&mut self) -> BooleanBuffer {
        self.end_word();
        let room = Vec::with_capacity(self.words.len());
        let words = std::mem::replace(&mut self.words, room);
        BooleanBuffer::new(Buffer::from_vec(words), 0, std::mem::take(&mut self.len))
    }

    /// The bits as what is not null; none if nothing is.
    pub(super) fn finish_nulls(&mut self) -> Option<NullBuffer> {
        Some(NullBuffer::new(self.finish())).filter(|nulls| nulls.null_count() > 0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bits_are_those_pushed(
            runs in proptest::collection::vec((any::<bool>(), 0..150_usize), 0..6),
            again in proptest::collection::vec(any::<bool>(), 0..70),
        ) {
            let mut bits = Bits::default();
            let mut pushed = vec![];
            for (bit, count) in runs {
                if bit {
                    for _ in 0..count {
                        bits.push(true);
                    }
                } else {
                    bits.push_zeros(count);
                }
                pushed.extend(std::iter::repeat_n(bit, count));
            }
            prop_assert_eq!(bits.len(), pushed.len());
            prop_assert_eq!(bits.finish().iter().collect::<Vec<_>>(), pushed);
            for bit in &again {
                bits.push(*bit);
            }
            let nulls = bits.finish_nulls();
            prop_assert_eq!(nulls.is_some(), again.contains(&false));
            let valid = |at| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(at));
            prop_assert_eq!((0..again.len()).map(valid).collect::<Vec<_>>(), again);
        }
    }
}
