//! Texts that wait to be numbered.

use super::dictionary::{Dictionary, is_same};

/// The texts of some rows, those that come again at once counted and not kept.
///
/// A look-up waits for memory more than it computes. Many of one column behind each other wait together, and find of the
/// dictionary in the caches what the one before has brought there; between the cells of a row it would be gone again.
#[derive(Debug, Default)]
pub(super) struct Unnumbered {
    bytes: Vec<u8>,
    /// Of each text how long it is, and how often it comes in a row.
    runs: Vec<(u32, u32)>,
}

impl Unnumbered {
    /// Appends a text.
    #[inline]
    pub(super) fn push(&mut self, text: &[u8]) {
        if let Some((length, times)) = self.runs.last_mut()
            && *length as usize == text.len()
            && let Some(start) = self.bytes.len().checked_sub(text.len())
            && is_same(&self.bytes[start..], text)
        {
            *times += 1;
            return;
        }
        self.bytes.extend_from_slice(text);
        self.runs.push((text.len() as u32, 1));
    }

    /// Appends the number of each text, and forgets it.
    pub(super) fn number(&mut self, dictionary: &mut Dictionary, numbers: &mut Vec<u32>) {
        let mut rest = &self.bytes[..];
        for (length, times) in self.runs.drain(..) {
            let (text, after) = rest.split_at(length as usize);
            rest = after;
            let number = dictionary.text(text);
            numbers.resize(numbers.len() + times as usize, number);
        }
        self.bytes.clear();
    }

    /// How many bytes of memory it takes.
    pub(super) fn memory(&self) -> usize {
        self.bytes.capacity() + self.runs.capacity() * size_of::<(u32, u32)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_in_a_row_have_one_number() {
        let texts = ["", "", "ab", "b", "b", "ab", "", "aab", "aab", "b"];
        let (mut dictionary, mut numbers) = (Dictionary::default(), vec![]);
        let mut unnumbered = Unnumbered::default();
        for stretch in texts.chunks(4) {
            for text in stretch {
                unnumbered.push(text.as_bytes());
            }
            unnumbered.number(&mut dictionary, &mut numbers);
        }
        assert_eq!(numbers, [0, 0, 1, 2, 2, 1, 0, 3, 3, 2]);
        assert!(dictionary.values().eq(["", "ab", "b", "aab"].map(str::as_bytes)));
    }
}
