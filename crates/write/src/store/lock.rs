//! One run at a time: an advisory lock whose file says who holds it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use super::error::{Result, StoreError};

/// What to do while another run holds the output directory.
pub enum Wait<'a> {
    /// Give up at once with [`StoreError::Locked`].
    Fail,
    /// Wait for the other run to end.
    Until {
        /// Called once, before waiting, with what the lock file says of its holder.
        held: &'a mut dyn FnMut(&str),
        /// Asked several times a second; `true` ends the wait with [`StoreError::Locked`].
        give_up: &'a dyn Fn() -> bool,
    },
}

const POLL: Duration = Duration::from_millis(100);

/// The held lock; dropping it lets the next run in.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

impl Lock {
    pub(super) fn take(path: &Path, wait: Wait<'_>) -> Result<Self> {
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)
            .map_err(StoreError::io("open", path))?;
        if !try_lock(&file, path)? {
            let holder = holder(path);
            let Wait::Until { held, give_up } = wait else {
                return Err(StoreError::Locked { lock: path.to_owned(), holder });
            };
            held(&holder);
            while !try_lock(&file, path)? {
                if give_up() {
                    return Err(StoreError::Locked { lock: path.to_owned(), holder });
                }
                std::thread::sleep(POLL);
            }
        }
        let text =
            format!("pid {}, started {}\n", std::process::id(), jiff::Timestamp::now().strftime("%FT%TZ"));
        file.set_len(0)
            .and_then(|()| file.write_all(text.as_bytes()))
            .map_err(StoreError::io("write", path))?;
        Ok(Self { file })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Only the text for people; the lock itself goes when the file is closed.
        let _ = self.file.set_len(0);
    }
}

fn try_lock(file: &File, path: &Path) -> Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(StoreError::io("lock", path)(error)),
    }
}

/// What the lock file says, made fit for one line of a terminal.
fn holder(path: &Path) -> String {
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| file.take(200).read_to_end(&mut text));
    let text: String = String::from_utf8_lossy(&text).chars().filter(|c| matches!(c, ' '..='~')).collect();
    if read.is_err() || text.is_empty() { "it left no name".to_owned() } else { text }
}
