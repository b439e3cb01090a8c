//! Ctrl-C and SIGTERM: a flag that the workers look at between blocks.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::exit::Stopped;

static STOP: AtomicBool = AtomicBool::new(false);

/// Starts listening; a second signal ends the program at once.
pub fn listen() {
    let handler = || {
        if STOP.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    };
    // Without a handler the signal ends the program, which loses nothing that was committed.
    _ = ctrlc::set_handler(handler);
}

/// Whether to stop.
pub fn check() -> Result<(), Stopped> {
    if STOP.load(Ordering::Relaxed) { Err(Stopped) } else { Ok(()) }
}
