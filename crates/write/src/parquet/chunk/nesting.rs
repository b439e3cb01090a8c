//! The levels of a column's page in progress.

use super::levels::{Around, Levels};
use super::scope::{Cursor, Place, Scope};

/// Levels as values come: of the rows or structs of a scope, each with a value, something deeper, or nothing.
#[derive(Debug, Default)]
pub(super) struct Nesting {
    /// How many lists are around a value.
    lists: u32,
    /// Rows whose levels are there.
    rows: usize,
    /// The rows or structs whose levels are there.
    read: Cursor,
    /// The last of them that the column has something of; their levels follow.
    last: Filled,
    definitions: Levels,
    repetitions: Levels,
}

/// Rows or structs one after the other that have something of one definition level.
#[derive(Clone, Copy, Debug, Default)]
struct Filled {
    /// How many places there are before them, and with them.
    from: usize,
    end: usize,
    definition: u32,
}

impl Nesting {
    /// No rows, of a column whose values are within so many lists.
    pub(super) fn new(lists: u32) -> Self {
        Self { lists, ..Self::default() }
    }

    /// Notes the definition level of a row or struct.
    #[inline]
    pub(super) fn fill(&mut self, definition: u32, place: Place, scope: &Scope) {
        let number = place.number;
        if self.last.definition == definition && self.last.end + 1 == number {
            self.last.end = number;
        } else {
            self.write_last(scope);
            self.last = Filled { from: number - 1, end: number, definition };
        }
    }

    /// Notes the levels of an element of a list that is in a row or struct.
    #[inline]
    pub(super) fn element(&mut self, definition: u32, around: Around, place: Place, scope: &Scope) {
        let number = place.number;
        if self.read.places < number {
            self.write(number - 1, None, scope);
            self.rows += usize::from(around.repetition == 0);
            self.read.places = number;
        }
        self.definitions.push(definition, 1);
        self.repetitions.push(around.repetition, 1);
    }

    /// Appends the levels of the last rows or structs that the column has something of, and of those before them.
    #[inline(never)]
    fn write_last(&mut self, scope: &Scope) {
        let Filled { from, end, definition } = std::mem::take(&mut self.last);
        self.write(from, None, scope);
        self.write(end, Some(definition), scope);
    }

    /// Appends the levels of rows or structs up to this one: of nulls, or of what has this definition level.
    fn write(&mut self, end: usize, definition: Option<u32>, scope: &Scope) {
        for (around, times) in scope.read(&mut self.read, end) {
            self.rows += if around.repetition == 0 { times } else { 0 };
            self.definitions.push(definition.unwrap_or(around.definition), times);
            if self.lists > 0 {
                self.repetitions.push(around.repetition, times);
            }
        }
    }

    /// Appends the levels that are not there yet; the scope begins anew then.
    pub(super) fn settle(&mut self, scope: &Scope) {
        self.write_last(scope);
        self.write(scope.len(), None, scope);
        self.read = Cursor::default();
    }

    /// Rows of the page, as of when it was last settled.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// How many levels there are, and how many of them are not those of a value.
    pub(super) fn count(&self, highest: u32) -> (usize, usize) {
        let all = self.definitions.len();
        (all, all - self.definitions.count(highest))
    }

    /// Appends the levels as a page has them.
    pub(super) fn encode(&self, highest: u32, scratch: &mut Vec<u32>, page: &mut Vec<u8>) {
        if self.lists > 0 {
            self.repetitions.write(self.lists, scratch, page);
        }
        self.definitions.write(highest, scratch, page);
    }

    /// Makes room for the next page.
    pub(super) fn clear(&mut self) {
        self.rows = 0;
        self.definitions.clear();
        self.repetitions.clear();
    }

    /// How many bytes of memory the levels take.
    pub(super) fn memory(&self) -> usize {
        self.definitions.memory() + self.repetitions.memory()
    }
}
