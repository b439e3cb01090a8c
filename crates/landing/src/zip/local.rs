//! The header that stands before a member's data.

use super::fields::{DESCRIPTOR, ENCRYPTED, u16_at, u32_at, widen};
use crate::bytes::Bytes;
use crate::error::{Fault, Reason};

/// A local header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Local {
    pub(super) name: String,
    /// Where the data begins.
    pub(super) data: u64,
    pub(super) stored: u64,
    pub(super) len: u64,
    pub(super) crc32: u32,
    pub(super) method: u16,
    flags: u16,
}

impl Local {
    /// Bytes before the name.
    pub(super) const LEN: u64 = 30;
    pub(super) const SIGNATURE: &[u8; 4] = b"PK\x03\x04";
    /// Enough for most names and extra fields in one read.
    const USUAL: usize = 256;

    /// Returns the header that stands at `at`.
    pub(super) fn read(bytes: &Bytes, at: u64) -> Result<Self, Fault> {
        let mut buffer = vec![0; Self::USUAL];
        let n = bytes.read_full(&mut buffer, at)?;
        buffer.truncate(n);
        if !Self::SIGNATURE.starts_with(buffer.get(..4).unwrap_or(&buffer)) {
            return Err(Fault::new(at, Reason::Corrupt("no zip member begins here".to_owned())));
        }
        let (name, extra) = (usize::from(u16_at(&buffer, 26)), usize::from(u16_at(&buffer, 28)));
        let len = Self::LEN as usize + name + extra;
        if n == Self::USUAL && len > n {
            buffer.resize(len, 0);
            let n = bytes.read_full(&mut buffer, at)?;
            buffer.truncate(n);
        }
        if buffer.len() < len.max(Self::LEN as usize) {
            return Err(Fault::new(at, Reason::Truncated("in a zip member's header")));
        }
        Ok(Self::parse(&buffer, at, name, extra))
    }

    fn parse(buffer: &[u8], at: u64, name: usize, extra: usize) -> Self {
        let fixed = Self::LEN as usize;
        let (mut len, mut stored) = (u64::from(u32_at(buffer, 22)), u64::from(u32_at(buffer, 18)));
        let fields = buffer.get(fixed + name..fixed + name + extra).unwrap_or_default();
        widen(fields, &mut [&mut len, &mut stored]);
        Self {
            name: String::from_utf8_lossy(buffer.get(fixed..fixed + name).unwrap_or_default()).into_owned(),
            data: at + (fixed + name + extra) as u64,
            stored,
            len,
            crc32: u32_at(buffer, 14),
            method: u16_at(buffer, 8),
            flags: u16_at(buffer, 6),
        }
    }

    /// Whether sizes and checksum stand behind the data only.
    pub(super) fn has_descriptor(&self) -> bool {
        self.flags & DESCRIPTOR != 0
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.flags & ENCRYPTED != 0
    }
}
