//! Ctrl-C and SIGTERM: a flag that the workers look at between blocks.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::exit::Stopped;

static STOP: AtomicBool = AtomicBool::new(false);

/// Starts listening; a second signal ends the program at once.
pub fn listen() {
    listen_and(|| ());
}

/// Starts listening, and calls `stop` at the first signal.
pub fn listen_and(stop: impl Fn() + Send + 'static) {
    let handler = move || {
        if STOP.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        stop();
    };
    // Without a handler the signal ends the program, which loses nothing that was committed.
    _ = ctrlc::set_handler(handler);
}

/// Whether to stop.
pub fn check() -> Result<(), Stopped> {
    if STOP.load(Ordering::Relaxed) { Err(Stopped) } else { Ok(()) }
}
