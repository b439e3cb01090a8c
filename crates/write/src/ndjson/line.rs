//! The line being written.

/// How much room is made at a time: a line takes one or two of them.
const STEP: usize = 1024;
/// Pieces up to this long are copied without asking how long they are.
pub(super) const SHORT: usize = 32;

/// The end of a buffer, with room behind what is written.
///
/// The room is zeroed and then written over piece by piece: a copy of a fixed length is a store or two,
/// where appending to a `Vec` is a call for every piece.
#[derive(Debug)]
pub(super) struct Line<'v> {
    buffer: &'v mut Vec<u8>,
    end: usize,
}

impl<'v> Line<'v> {
    /// A line behind what is in the buffer.
    #[inline]
    pub(super) fn behind(buffer: &'v mut Vec<u8>) -> Self {
        let end = buffer.len();
        Self { buffer, end }
    }

    /// Leaves what was written in the buffer, and nothing behind it.
    #[inline]
    pub(super) fn finish(self) {
        self.buffer.truncate(self.end);
    }

    /// Where the next byte goes.
    #[inline]
    pub(super) fn end(&self) -> usize {
        self.end
    }

    /// Writes over a byte that was written before.
    #[inline]
    pub(super) fn replace(&mut self, place: usize, byte: u8) {
        if let Some(old) = self.buffer.get_mut(place) {
            *old = byte;
        }
    }

    /// At least so many bytes to write to; what is written of them is told to [`advance`](Self::advance).
    #[inline]
    pub(super) fn room(&mut self, bytes: usize) -> &mut [u8] {
        if self.buffer.len() - self.end < bytes {
            self.grow(bytes);
        }
        &mut self.buffer[self.end..]
    }

    /// Keeps the first bytes of the room.
    #[inline]
    pub(super) fn advance(&mut self, bytes: usize) {
        self.end += bytes;
    }

    /// Appends a byte.
    #[inline]
    pub(super) fn byte(&mut self, byte: u8) {
        self.room(1)[0] = byte;
        self.end += 1;
    }

    /// Appends bytes.
    #[inline]
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.room(bytes.len())[..bytes.len()].copy_from_slice(bytes);
        self.end += bytes.len();
    }

    /// Appends the first `length` of the bytes, of which there are [`SHORT`].
    #[inline]
    pub(super) fn short(&mut self, bytes: &[u8; SHORT], length: usize) {
        if let Some(room) = self.room(SHORT).first_chunk_mut::<SHORT>() {
            *room = *bytes;
        }
        self.end += length;
    }

    #[cold]
    fn grow(&mut self, bytes: usize) {
        self.buffer.resize(self.end + bytes.max(STEP), 0);
    }
}
