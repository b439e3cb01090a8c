//! A container: it is listed and read within its limits, and always to the same.

use std::io::Read as _;
use std::sync::Arc;

use mimelake_landing::{Limits, Opener, Unit, units_of_bytes};

const LIMITS: Limits = Limits {
    max_ratio: 100,
    max_inflated: 256 << 10,
    max_members: 32,
    max_listing: 64 << 10,
    max_spool: 128 << 10,
    keep_small: true,
};

/// Bytes asked for at once.
const STEP: usize = 4096;

/// Whatever `bytes` are, no more comes out of them than the limits say.
///
/// # Panics
/// It is not so.
pub fn opens_within_limits(bytes: &[u8]) {
    let Ok(listing) = units_of_bytes("in", Arc::from(bytes), &LIMITS) else { return };
    assert!(listing.units.len() as u64 <= LIMITS.max_members);
    let shown: String = listing.damages.iter().map(ToString::to_string).collect();
    assert!(!shown.contains(char::is_control), "{shown:?}");
    let mut opener = Opener::new(LIMITS);
    for unit in &listing.units {
        assert!(unit.name.ends_with(unit.leaf_name()));
        let read = content(&mut opener, unit, STEP);
        // What crosses the cap is delivered first.
        let most = LIMITS.max_inflated + STEP as u64;
        assert!(read.0.len() as u64 <= most, "{} bytes from {}", read.0.len(), unit.name);
        // Another opener, which has kept nothing, and another step.
        let again = content(&mut Opener::new(LIMITS), unit, 777);
        assert_eq!(read.1, again.1, "{}", unit.name);
        assert!(read.0 == again.0, "{} reads in two ways", unit.name);
    }
}

/// What a unit holds, and what it ends in.
fn content(opener: &mut Opener, unit: &Unit, step: usize) -> (Vec<u8>, Option<String>) {
    let mut reader = match opener.open(unit) {
        Ok(reader) => reader,
        Err(error) => return (Vec::new(), Some(error.to_string())),
    };
    let (mut content, mut buffer) = (Vec::new(), vec![0; step]);
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return (content, None),
            Ok(n) => content.extend_from_slice(&buffer[..n]),
            Err(error) => {
                assert!(matches!(reader.read(&mut buffer), Ok(0)), "a fault is told once");
                return (content, Some(error.to_string()));
            }
        }
    }
}
