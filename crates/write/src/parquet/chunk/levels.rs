//! Levels: which values are null, and where lists begin.

use super::bits;

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

    /// Appends them, their length first. `all` is room to spread them out.
    pub(super) fn write(&self, highest: u32, all: &mut Vec<u32>, out: &mut Vec<u8>) {
        let width = bits::width(highest.into());
        let start = out.len();
        out.extend_from_slice(&[0; size_of::<u32>()]);
        if let [(level, length)] = self.runs[..] {
            bits::run(level, length as usize, width, out);
        } else {
            all.clear();
            for (level, length) in &self.runs {
                all.resize(all.len() + *length as usize, *level);
            }
            bits::hybrid(all, width, out);
        }
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
