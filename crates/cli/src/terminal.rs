//! Text for a terminal: what attackers wrote is escaped first.

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};

use mimelake_landing::one_line;

static IS_LOGGED: AtomicBool = AtomicBool::new(false);

/// Has all that is said from now on stand in the log, where stderr is for programs.
pub fn log_instead() {
    IS_LOGGED.store(true, Ordering::Relaxed);
}

/// Writes one line to stderr, made fit for a terminal.
pub fn say(line: &str) {
    if IS_LOGGED.load(Ordering::Relaxed) {
        tracing::warn!("{line}");
        return;
    }
    // There is nowhere to say that stderr is closed.
    _ = writeln!(std::io::stderr().lock(), "{}", one_line(line));
}

/// A number with its thousands set apart.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number of bytes as people write it.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KB", "MB", "GB", "TB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        assert_eq!(
            (grouped(7), grouped(1234), grouped(1_234_567)),
            ("7".into(), "1,234".into(), "1,234,567".into())
        );
        assert_eq!(
            (size(999), size(1500), size(2_000_000_000)),
            ("999 B".into(), "1.5 KB".into(), "2.0 GB".into())
        );
    }
}
