//! Bytes that can be read at any position.

use std::fs::File;
use std::io;
use std::sync::Arc;

use crate::error::Fault;

/// An open file, or bytes in memory, shared by the readers of its members.
#[derive(Debug, Clone)]
pub(crate) enum Bytes {
    File(Arc<File>),
    Memory(Arc<[u8]>),
}

impl Bytes {
    pub(crate) fn len(&self) -> io::Result<u64> {
        match self {
            Self::File(file) => Ok(file.metadata()?.len()),
            Self::Memory(bytes) => Ok(bytes.len() as u64),
        }
    }

    /// Returns how many bytes were read at `at`; zero at the end.
    pub(crate) fn read_at(&self, out: &mut [u8], at: u64) -> io::Result<usize> {
        match self {
            Self::File(file) => loop {
                match file_read_at(file, out, at) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    read => return read,
                }
            },
            Self::Memory(bytes) => {
                let from = usize::try_from(at).ok().and_then(|at| bytes.get(at..)).unwrap_or_default();
                let n = from.len().min(out.len());
                if let (Some(to), Some(from)) = (out.get_mut(..n), from.get(..n)) {
                    to.copy_from_slice(from);
                }
                Ok(n)
            }
        }
    }

    /// Returns how many bytes were read at `at`: fewer than `out` holds only where the bytes end.
    pub(crate) fn read_full(&self, out: &mut [u8], at: u64) -> Result<usize, Fault> {
        let mut n = 0;
        while let Some(rest) = out.get_mut(n..).filter(|rest| !rest.is_empty()) {
            match self.read_at(rest, at + n as u64).map_err(|error| Fault::new(at, error))? {
                0 => break,
                more => n += more,
            }
        }
        Ok(n)
    }
}

#[cfg(unix)]
fn file_read_at(file: &File, out: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, out, at)
}

#[cfg(windows)]
fn file_read_at(file: &File, out: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, out, at)
}
