//! A progress bar over stored bytes, on a terminal.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What the bar shows; workers add to it.
#[derive(Debug, Default)]
pub struct Counters {
    /// Stored bytes read.
    pub done: AtomicU64,
    /// Stored bytes to read.
    pub total: AtomicU64,
    /// Records rejected.
    pub rejected: AtomicU64,
}

/// A bar that follows the counters until it is dropped.
pub struct Progress {
    bar: ProgressBar,
    over: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Progress {
    /// Shows the counters on stderr if it is a terminal and `wanted`.
    pub fn show(counters: &Arc<Counters>, wanted: bool) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        if !wanted || !std::io::stderr().is_terminal() {
            return Self { bar: ProgressBar::hidden(), over, thread: None };
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(8));
        let template = "{bar:30} {percent:>3}%  {bytes} of {total_bytes}  {bytes_per_sec}  {eta} left  {msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        let (seen, ended, shown) = (Arc::clone(counters), Arc::clone(&over), bar.clone());
        let thread = std::thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                shown.set_length(seen.total.load(Ordering::Relaxed));
                shown.set_position(seen.done.load(Ordering::Relaxed));
                let rejected = seen.rejected.load(Ordering::Relaxed);
                shown.set_message(if rejected > 0 { format!("{rejected} rejected") } else { String::new() });
                std::thread::park_timeout(Duration::from_millis(120));
            }
        });
        Self { bar, over, thread: Some(thread) }
    }

    /// Says a line without tearing the bar.
    pub fn say(&self, line: &str) {
        self.bar.suspend(|| crate::terminal::say(line));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // The thread holds nothing that could be lost.
            _ = thread.join();
        }
        self.bar.finish_and_clear();
    }
}
