//! How much a container may unfold into.

/// The caps that keep a hostile container from filling memory, disk or time, and what may be kept in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Inflated bytes per compressed byte, looked at once [`Limits::RATIO_FROM`] bytes came out.
    pub max_ratio: u64,
    /// Inflated bytes per unit.
    pub max_inflated: u64,
    /// Members per zip file, those of nested zips included.
    pub max_members: u64,
    /// Bytes of names and entries that the listing of one file may hold in memory.
    pub max_listing: u64,
    /// Bytes of one nested zip (or of a zip on standard input) written to a temporary file.
    pub max_spool: u64,
    /// Whether the units of a file of up to 8 KiB keep its bytes, so that it is opened once. Not for who holds the units
    /// of all files at once.
    pub keep_small: bool,
}

impl Limits {
    /// Inflated bytes below which the ratio is not looked at: small highly regular files are harmless.
    pub const RATIO_FROM: u64 = 64 << 20;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_ratio: 1000,
            max_inflated: 1 << 40,
            max_members: 1_000_000,
            max_listing: 512 << 20,
            max_spool: 16 << 30,
            keep_small: true,
        }
    }
}
