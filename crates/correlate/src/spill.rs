//! The file that takes what memory has no room for. It has no name, so nothing is left of it after a kill.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Where bytes lie in the file, and how many.
pub(crate) type Span = (u64, u64);

/// A temporary file, made when it is first written to.
///
/// What was read is written over: of the joined emails most go where the records lay that they were made of, which takes
/// half the disk, and pages of the kernel's cache that are there already.
#[derive(Debug, Default)]
pub(crate) struct SpillFile {
    file: Option<File>,
    /// Where the file ends.
    end: u64,
    /// What was read, the last one being written over.
    free: Vec<Span>,
    /// Where the last write ended, if nothing was read since.
    at: Option<u64>,
    written: u64,
}

impl SpillFile {
    /// How many bytes were written in all.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// How many bytes the file has.
    #[cfg(test)]
    pub(crate) fn len(&self) -> u64 {
        self.end
    }

    /// Writes bytes to the file, which is made in this directory; adds where they are, in as many pieces as there are.
    pub(crate) fn write(
        &mut self,
        mut bytes: &[u8],
        directory: &Path,
        spans: &mut Vec<Span>,
    ) -> io::Result<()> {
        self.written += bytes.len() as u64;
        while !bytes.is_empty() {
            let (place, length) = self.take(bytes.len() as u64);
            let (piece, rest) = bytes.split_at(length as usize);
            bytes = rest;
            let file = match &mut self.file {
                Some(file) => file,
                none => none.insert(tempfile::tempfile_in(directory)?),
            };
            if self.at.take() != Some(place) {
                file.seek(SeekFrom::Start(place))?;
            }
            file.write_all(piece)?;
            self.at = Some(place + length);
            match spans.last_mut() {
                Some((from, before)) if *from + *before == place => *before += length,
                _ => spans.push((place, length)),
            }
        }
        Ok(())
    }

    /// A place for so many bytes, or for some of them.
    fn take(&mut self, length: u64) -> Span {
        if let Some((from, room)) = self.free.pop() {
            let taken = room.min(length);
            if taken < room {
                self.free.push((from + taken, room - taken));
            }
            return (from, taken);
        }
        let place = self.end;
        self.end += length;
        (place, length)
    }

    /// Appends what lies in these spans to `bytes`; they are free then.
    pub(crate) fn read(&mut self, spans: &[Span], bytes: &mut Vec<u8>) -> io::Result<()> {
        self.at = None;
        for (from, length) in spans {
            let file = self.file.as_mut().ok_or(io::ErrorKind::UnexpectedEof)?;
            file.seek(SeekFrom::Start(*from))?;
            if file.take(*length).read_to_end(bytes)? as u64 != *length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        self.free.extend(spans);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &mut SpillFile, spans: &[Span]) -> Vec<u8> {
        let mut bytes = Vec::new();
        file.read(spans, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn what_was_read_is_written_over() {
        let directory = tempfile::tempdir().unwrap();
        let mut file = SpillFile::default();
        let write = |file: &mut SpillFile, chunks: &[&[u8]]| {
            let mut spans = Vec::new();
            for chunk in chunks {
                file.write(chunk, directory.path(), &mut spans).unwrap();
            }
            spans
        };
        let first = write(&mut file, &[b"abc", b"", b"def"]);
        let second = write(&mut file, &[b"ghijk"]);
        assert_eq!((&first[..], &second[..]), (&[(0, 6)][..], &[(6, 5)][..]));
        assert_eq!(read(&mut file, &first), b"abcdef");
        // The last piece goes on where the first ones had no more room.
        let third = write(&mut file, &[b"ABCD", b"E", b"FG", b"H"]);
        assert_eq!(third, [(0, 6), (11, 2)]);
        assert_eq!(read(&mut file, &second), b"ghijk");
        assert_eq!(read(&mut file, &third), b"ABCDEFGH");
        assert_eq!((file.written(), file.len()), (19, 13));
        let fourth = write(&mut file, &[b"xyz", b"", b"1234567890-"]);
        assert_eq!(fourth, [(11, 2), (0, 11), (13, 1)]);
        assert_eq!(read(&mut file, &fourth), b"xyz1234567890-");
    }
}
