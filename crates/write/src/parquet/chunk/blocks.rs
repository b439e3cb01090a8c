//! Bytes that wait for their page to be full.

/// Texts behind each other, in blocks: as one buffer they would be copied each time it doubled, into memory that nobody
/// has touched.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    full: Vec<Vec<u8>>,
    /// The block that is being filled.
    last: Vec<u8>,
    /// Bytes of those that are full.
    full_bytes: usize,
}

/// A longer text has a block of its own.
const BLOCK: usize = 32 << 10;

impl Blocks {
    /// Appends a text, which is in one block.
    #[inline]
    pub(super) fn push(&mut self, text: &[u8]) {
        if self.last.len() + text.len() > BLOCK {
            self.begin(text.len());
        }
        self.last.extend_from_slice(text);
    }

    #[cold]
    fn begin(&mut self, least: usize) {
        let block = Vec::with_capacity(BLOCK.max(least));
        let full = std::mem::replace(&mut self.last, block);
        self.full_bytes += full.len();
        if !full.is_empty() {
            self.full.push(full);
        }
    }

    /// The blocks, in the order of the texts.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.full.iter().chain([&self.last]).map(Vec::as_slice)
    }

    /// How many bytes there are.
    pub(super) fn len(&self) -> usize {
        self.full_bytes + self.last.len()
    }

    /// Forgets all texts, and gives back all blocks but one.
    pub(super) fn clear(&mut self) {
        self.full.clear();
        self.full_bytes = 0;
        self.last.clear();
    }

    /// How many bytes of memory the blocks take.
    pub(super) fn memory(&self) -> usize {
        self.full.iter().map(Vec::capacity).sum::<usize>() + self.last.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_is_whole_in_a_block() {
        let texts =
            [0, BLOCK + 1, 1, BLOCK - 1, 0, 1, BLOCK, 7, 3 * BLOCK, 0].map(|length| vec![b'x'; length]);
        let mut blocks = Blocks::default();
        for round in 0..2 {
            for text in &texts {
                blocks.push(text);
            }
            let lengths: Vec<usize> = blocks.iter().map(<[u8]>::len).collect();
            assert_eq!(lengths, [BLOCK + 1, BLOCK, 1, BLOCK, 7, 3 * BLOCK, 0], "{round}");
            assert_eq!(blocks.len(), texts.concat().len());
            assert!(blocks.memory() >= blocks.len());
            blocks.clear();
            assert_eq!((blocks.len(), blocks.iter().flatten().count()), (0, 0));
        }
    }
}
