//! One run at a time: an advisory lock whose file says who holds it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::Path;

use super::error::{PutError, Result};

/// The held lock; dropping it lets the next run in.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

impl Lock {
    pub(super) fn take(path: &Path) -> Result<Self> {
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)
            .map_err(PutError::io("open", path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(PutError::Locked { lock: path.to_owned(), holder: holder(path) });
            }
            Err(TryLockError::Error(error)) => return Err(PutError::io("lock", path)(error)),
        }
        let text =
            format!("pid {}, started {}\n", std::process::id(), jiff::Timestamp::now().strftime("%FT%TZ"));
        file.set_len(0)
            .and_then(|()| file.write_all(text.as_bytes()))
            .map_err(PutError::io("write", path))?;
        Ok(Self { file })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Only the text for people; the lock itself goes when the file is closed.
        let _ = self.file.set_len(0);
    }
}

/// What the lock file says, made fit for one line of a terminal.
fn holder(path: &Path) -> String {
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| file.take(200).read_to_end(&mut text));
    let text: String = String::from_utf8_lossy(&text).chars().filter(|c| matches!(c, ' '..='~')).collect();
    if read.is_err() || text.is_empty() { "it left no name".to_owned() } else { text }
}
