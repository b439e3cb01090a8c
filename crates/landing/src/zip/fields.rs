//! Little-endian fields of zip headers.

/// Returns the 16-bit field at `at`; zero beyond the end, which callers rule out by length.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    field(bytes, at).map_or(0, u16::from_le_bytes)
}

/// Returns the 32-bit field at `at`; zero beyond the end.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    field(bytes, at).map_or(0, u32::from_le_bytes)
}

/// Returns the 64-bit field at `at`; zero beyond the end.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    field(bytes, at).map_or(0, u64::from_le_bytes)
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

/// Puts the zip64 values of `extra` in place of those `sizes` that are `u32::MAX`, in the order they are given.
pub(super) fn widen(extra: &[u8], sizes: &mut [&mut u64]) {
    let mut rest = extra;
    while rest.len() >= 4 {
        let (id, len) = (u16_at(rest, 0), usize::from(u16_at(rest, 2)));
        let body = rest.get(4..).unwrap_or_default();
        let field = body.get(..len.min(body.len())).unwrap_or_default();
        rest = body.get(field.len()..).unwrap_or_default();
        if id != ZIP64 {
            continue;
        }
        let mut at = 0;
        for size in sizes.iter_mut().filter(|size| ***size == u64::from(u32::MAX)) {
            if field.len() >= at + 8 {
                **size = u64_at(field, at);
            }
            at += 8;
        }
        return;
    }
}

/// The extra field that carries 64-bit sizes.
const ZIP64: u16 = 1;
/// Flag: the member is encrypted.
pub(super) const ENCRYPTED: u16 = 1;
/// Flag: sizes and checksum follow the data.
pub(super) const DESCRIPTOR: u16 = 1 << 3;
