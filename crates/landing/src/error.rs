//! What can go wrong between a path and its bytes.

use std::fmt;
use std::io;

/// A file, or a part of one, that could not be read: where and why.
///
/// `Display` is one line; control and bidirectional characters of names are escaped, for member names are a
/// stranger's text.
#[derive(Debug, thiserror::Error)]
pub struct LandingError {
    /// The input, file or member (`path.zip!member`) as displayed.
    pub path: String,
    /// The compressed byte of the file at which the damage was met, where known. Inside a nested zip it counts from
    /// the nested zip's start.
    pub offset: Option<u64>,
    /// What is wrong; part of the message, so not a source of its own.
    pub reason: Reason,
}

/// Why bytes could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The operating system said no.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// No file or directory has this name.
    #[error("no such file or directory")]
    NotFound,
    /// A glob that matches nothing, or a directory without a file to read.
    #[error("{0}")]
    NothingFound(&'static str),
    /// A glob that cannot be read as one.
    #[error("not a glob: {0}")]
    BadGlob(&'static str),
    /// The container ends before its content does.
    #[error("truncated: the file ends {0}")]
    Truncated(&'static str),
    /// The container's bytes contradict its format.
    #[error("corrupt: {0}")]
    Corrupt(String),
    /// The content is not what its checksum was taken of.
    #[error("corrupt: checksum {found:08x}, expected {expected:08x}")]
    Checksum {
        /// As stored in the container.
        expected: u32,
        /// As computed from the content.
        found: u32,
    },
    /// The content is longer or shorter than the container says.
    #[error("corrupt: {found} bytes, expected {expected}")]
    Length {
        /// As stored in the container.
        expected: u64,
        /// As read.
        found: u64,
    },
    /// Bytes follow the container's end that do not belong to it.
    #[error("bytes that are no {0} follow its end")]
    Trailing(&'static str),
    /// The zip's directory is missing or broken, and its members were found by walking from the file's start.
    #[error("zip directory {0}; members were found by their local headers")]
    Directory(&'static str),
    /// Two members of a zip claim the same bytes.
    #[error("zip member overlaps another")]
    Overlap,
    /// The member needs a password.
    #[error("zip member is encrypted")]
    Encrypted,
    /// The member is packed by a method that is not read.
    #[error("zip member is packed by method {0}, which is not read")]
    Method(u16),
    /// Containers inside containers beyond what is opened.
    #[error("{0} is not opened")]
    TooDeep(&'static str),
    /// More came out than `--max-ratio` allows.
    #[error("inflates to more than {0} times its size (--max-ratio)")]
    Ratio(u64),
    /// More came out than `--max-inflated` allows.
    #[error("inflates to more than {0} bytes (--max-inflated)")]
    Inflated(u64),
    /// More members than `--max-members` allows.
    #[error("more than {0} members (--max-members)")]
    Members(u64),
    /// The listing would take more memory than `--max-listing` allows.
    #[error("listing its members takes more than {0} bytes (--max-listing)")]
    Listing(u64),
    /// A nested zip larger than `--max-spool` allows on disk.
    #[error("a zip of more than {0} bytes would be spooled to disk (--max-spool)")]
    Spool(u64),
    /// The content is text in another encoding.
    #[error("UTF-16 text, which is not read: convert it to UTF-8 first, as `iconv -f UTF-16 -t UTF-8` does")]
    Utf16,
    /// An offset was asked for in content that is not stored plainly.
    #[error("not a plain file, so it cannot be opened in its middle")]
    NotSeekable,
    /// A pipe or standard input was opened a second time.
    #[error("a stream can be read only once")]
    StreamTaken,
}

impl Reason {
    /// Whether content is missing behind the place where reading ended: not so where all of it was read, and only then
    /// proved to be wrong.
    pub fn cuts_content(&self) -> bool {
        match self {
            Self::Checksum { .. } | Self::Trailing(_) => false,
            Self::Length { expected, found } => found < expected,
            _ => true,
        }
    }
}

impl LandingError {
    /// Returns an error about `path` as a whole.
    pub(crate) fn new(path: impl Into<String>, reason: impl Into<Reason>) -> Self {
        Self { path: path.into(), offset: None, reason: reason.into() }
    }

    /// Returns an error about `path` at the byte where the fault was met.
    pub(crate) fn at(path: impl Into<String>, fault: Fault) -> Self {
        Self { path: path.into(), offset: fault.at, reason: fault.reason }
    }

    /// Returns the error that a [`UnitReader`](crate::UnitReader) put into `error`.
    ///
    /// # Errors
    /// `error` itself where something else made it.
    ///
    /// ```
    /// let other = std::io::Error::other("disk on fire");
    /// assert!(mimelake_landing::LandingError::from_io(other).is_err());
    /// ```
    pub fn from_io(error: io::Error) -> Result<Self, io::Error> {
        error.downcast::<Self>()
    }

    /// Returns what to do about it, or `None` where the message says it all.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match &self.reason {
            Reason::Io(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                "make the file readable for this user, or leave it out"
            }
            Reason::NotFound | Reason::NothingFound(_) => {
                "check the spelling; names that begin with . or _ are skipped in directories"
            }
            Reason::BadGlob(_) => "quote a literal [ as [[]",
            Reason::Truncated(_) | Reason::Directory(_) => {
                "the download may have been cut: fetch the file again; what could be read was used"
            }
            Reason::Corrupt(_) | Reason::Checksum { .. } | Reason::Length { .. } => {
                "fetch the file again; what could be read before the damage was used"
            }
            Reason::Trailing(_) => "what came before was used; look at the rest if it should be there",
            Reason::Overlap => "archives in good order never do this: do not trust it",
            Reason::Encrypted => "unpack it with its password first",
            Reason::Method(_) | Reason::TooDeep(_) => "unpack it first",
            Reason::Ratio(_) => "if the file is trusted, raise --max-ratio",
            Reason::Inflated(_) => "if the file is trusted, raise --max-inflated",
            Reason::Members(_) => "if the file is trusted, raise --max-members",
            Reason::Listing(_) => "if the file is trusted, raise --max-listing",
            Reason::Spool(_) => "if the file is trusted, raise --max-spool",
            _ => return None,
        })
    }
}

impl fmt::Display for LandingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", one_line(&self.path))?;
        if let Some(offset) = self.offset {
            write!(f, ": byte {offset}")?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// Returns `text` fit for one line of a terminal: what could break the line, reorder it or hide in it is escaped.
///
/// ```
/// use mimelake_landing::one_line;
/// assert_eq!(one_line("a\u{1b}[2J\u{202e}b\n").to_string(), "a\\u{1b}[2J\\u{202e}b\\u{a}");
/// assert_eq!(one_line("grün 😀").to_string(), "grün 😀");
/// ```
pub fn one_line(text: &str) -> impl fmt::Display {
    fmt::from_fn(move |f| {
        text.chars().try_for_each(|c| {
            if c.is_control() || is_unseen(c) {
                write!(f, "{}", c.escape_unicode())
            } else {
                write!(f, "{c}")
            }
        })
    })
}

/// Whether a character has no width or tells the direction of others.
fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
    )
}

/// A reason at a byte, before the path is known.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) at: Option<u64>,
    pub(crate) reason: Reason,
}

impl Fault {
    pub(crate) fn new(at: u64, reason: impl Into<Reason>) -> Self {
        Self { at: Some(at), reason: reason.into() }
    }

    /// Whether the container went wrong because its bytes ran out.
    pub(crate) fn is_truncation(&self) -> bool {
        matches!(self.reason, Reason::Truncated(_))
    }
}
