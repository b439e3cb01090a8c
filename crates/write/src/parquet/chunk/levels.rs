//! Levels: which values are null, and where lists begin.

use super::bits;

/// Where a value stands among the structs and lists around it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::parquet) struct Around {
    /// The definition level of a null there: how much of what is around it is there.
    pub(super) definition: u32,
    /// The innermost list of which it is not in the first element, counted from one; 0 where a row begins.
    pub(super) repetition: u32,
    /// How many lists are around it.
    lists: u32,
}

impl Around {
    /// The place of the members of a struct that stands here; for a list, that of a null which says that it is empty.
    #[inline]
    pub(in crate::parquet) fn within(self) -> Self {
        Self { definition: self.definition + 1, ..self }
    }

    /// The place of an element of a list that stands here.
    #[inline]
    pub(in crate::parquet) fn element(self, number: usize) -> Self {
        let lists = self.lists + 1;
        let repetition = if number == 0 { self.repetition } else { lists };
        Self { definition: self.definition + 2, repetition, lists }
    }
}

/// The levels of a page, as runs: most columns are always there or never.
#[derive(Debug, Default)]
pub(super) struct Levels {
    /// Each level and how often it comes in a row.
    runs: Vec<(u32, u32)>,
    len: usize,
}

impl Levels {
    /// Appends a level, so many times.
    #[inline]
    pub(super) fn push(&mut self, level: u32, times: usize) {
        self.len += times;
        match self.runs.last_mut() {
            Some((last, length)) if *last == level => *length += times as u32,
            _ if times == 0 => {}
            _ => self.runs.push((level, times as u32)),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// How many are of this level.
    pub(super) fn count(&self, level: u32) -> usize {
        self.runs.iter().filter(|(found, _)| *found == level).map(|(_, length)| *length as usize).sum()
    }

    /// Appends them, their length first. `packed` is room for those that come too seldom in a row.
    pub(super) fn write(&self, highest: u32, packed: &mut Vec<u32>, out: &mut Vec<u8>) {
        let width = bits::width(highest.into());
        let start = out.len();
        out.extend_from_slice(&[0; size_of::<u32>()]);
        bits::hybrid_of_runs(&self.runs, width, packed, out);
        let from = start + size_of::<u32>();
        let length = (out.len() - from) as u32;
        out[start..from].copy_from_slice(&length.to_le_bytes());
    }

    pub(super) fn clear(&mut self) {
        self.runs.clear();
        self.len = 0;
    }

    pub(super) fn memory(&self) -> usize {
        self.runs.capacity() * size_of::<(u32, u32)>()
    }
}
