//! The places that the cells of a column stand at, one after the other.

use super::levels::Around;

/// The rows, or the structs of a column, that were begun since levels were last settled.
///
/// A column that has nothing to say of them is not touched: its nulls are read off here when a value comes, or when all
/// columns are settled. Many columns have nothing else.
#[derive(Debug, Default)]
pub(in crate::parquet) struct Scope {
    runs: Vec<Run>,
    len: usize,
}

/// A row, or a struct of a column, and what is around it.
#[derive(Clone, Copy, Debug)]
pub(in crate::parquet) struct Place {
    /// The how manieth it is, from one.
    pub(super) number: usize,
    pub(in crate::parquet) around: Around,
}

/// Places of the same levels in a row.
#[derive(Debug)]
struct Run {
    around: Around,
    /// How many places there are up to its end.
    end: usize,
}

/// How far a column has read a scope.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cursor {
    run: usize,
    /// How many places were read.
    pub(super) places: usize,
}

impl Scope {
    /// Begins a row or a struct, or says that there is none here.
    #[inline]
    pub(in crate::parquet) fn begin(&mut self, around: Around) -> Place {
        self.len += 1;
        match self.runs.last_mut() {
            Some(last) if last.around == around => last.end = self.len,
            _ => self.runs.push(Run { around, end: self.len }),
        }
        Place { number: self.len, around }
    }

    /// Begins anew; all columns have read it.
    pub(in crate::parquet) fn clear(&mut self) {
        self.runs.clear();
        self.len = 0;
    }

    /// How many places there are.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The places that were not read yet up to this one, in runs.
    pub(super) fn read(&self, cursor: &mut Cursor, end: usize) -> impl Iterator<Item = (Around, usize)> {
        std::iter::from_fn(move || {
            if cursor.places >= end {
                return None;
            }
            while self.runs[cursor.run].end <= cursor.places {
                cursor.run += 1;
            }
            let run = &self.runs[cursor.run];
            let times = run.end.min(end) - cursor.places;
            cursor.places += times;
            Some((run.around, times))
        })
    }
}
