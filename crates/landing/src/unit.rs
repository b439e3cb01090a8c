//! What is read as one stream.

use std::fmt;
use std::io::Read;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use crate::bytes::Bytes;
use crate::stream::Container;
use crate::zip::Entry;

/// One stream of log bytes: a file, or one member of a zip.
#[derive(Debug, Clone)]
pub struct Unit {
    /// For display and for the record of where a row came from: the path as found; for members `a.zip!member` and
    /// `a.zip!inner.zip!member`. Bytes that are not UTF-8 are replaced. Never a path to write to.
    pub name: String,
    /// Content bytes where they are known beforehand: a plain file's length, what the zip's directory says of a
    /// member. Of a gzip or zstd file it is what the file says of itself: a hint, wrong where it has several members.
    pub len: Option<u64>,
    /// Checksum of a zip member's bytes, before a compression of their own is undone.
    pub crc32: Option<u32>,
    /// Bytes of the gzip or zstd file that holds the content, where there is one that can be read again.
    pub packed_len: Option<u64>,
    /// Bytes stored in the file for this unit, the measure of progress; zero for a stream.
    pub stored_len: u64,
    /// Where in `name` the last path component begins.
    pub(crate) leaf: usize,
    pub(crate) origin: Arc<Origin>,
    pub(crate) place: Place,
}

impl Unit {
    pub(crate) fn new(name: String, container: &str, origin: &Arc<Origin>, place: Place) -> Self {
        let own = name.get(container.len()..).unwrap_or(&name);
        let cut = own.bytes().rposition(|byte| matches!(byte, b'/' | b'\\'));
        let own_leaf = cut.map_or_else(|| usize::from(!container.is_empty()), |at| at + 1);
        let leaf = name.len() - own.len() + own_leaf.min(own.len());
        Self {
            name,
            len: None,
            crc32: None,
            packed_len: None,
            stored_len: 0,
            leaf,
            origin: Arc::clone(origin),
            place,
        }
    }

    /// Returns the last path component of the file or member: `receipt_20170221.siem`.
    pub fn leaf_name(&self) -> &str {
        self.name.get(self.leaf..).unwrap_or_default()
    }

    /// Whether the content is stored as it is, so that [`Opener::open_at`](crate::Opener::open_at) can begin in its
    /// middle.
    pub fn is_plain(&self) -> bool {
        matches!(self.place, Place::File { container: Container::Plain, .. })
            && !matches!(*self.origin, Origin::Pipe(_))
    }

    /// Returns the content, where it is stored as it is and kept in memory.
    pub fn kept_content(&self) -> Option<&[u8]> {
        match (&self.place, &*self.origin) {
            (Place::File { container: Container::Plain, .. }, Origin::Open(Bytes::Memory(bytes))) => {
                Some(bytes)
            }
            _ => None,
        }
    }

    /// Whether it keeps its bytes, which then stay as they are whatever becomes of the file.
    pub fn is_kept(&self) -> bool {
        matches!(&*self.origin, Origin::Open(Bytes::Memory(_)))
    }
}

/// Where a unit stands in its origin.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// The whole of it, as long as it was when listed.
    File { container: Container, len: u64 },
    /// A member of a zip.
    Member(Entry),
    /// A member of a zip that is itself a member.
    Nested(Arc<Entry>, Entry),
}

/// What the units of one input are read from.
pub(crate) enum Origin {
    /// A file that is opened when it is needed.
    Path(PathBuf),
    /// Bytes in memory or in a temporary file.
    Open(Bytes),
    /// What can be read only once.
    Pipe(Mutex<Option<Box<dyn Read + Send>>>),
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => f.debug_tuple("Path").field(path).finish(),
            Self::Open(_) => f.write_str("Open"),
            Self::Pipe(_) => f.write_str("Pipe"),
        }
    }
}
