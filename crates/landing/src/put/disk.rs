//! The few file operations that putting is made of.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::error::{PutError, Result};

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Whoever the user's umask lets.
    Shared,
    /// Its owner only.
    Private,
}

/// Replaces the content of `path` at once: whoever reads it sees the old bytes or the new, also after a crash. One
/// writer at a time.
///
/// # Errors
/// The file system says no; the old content then stands.
pub fn replace(path: &Path, bytes: &[u8], access: Access) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let temp = &beside(path);
    // What a crash left; it may have other rights.
    _ = fs::remove_file(temp);
    let written = create(temp, access).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(PutError::io("write", temp))?;
    fs::rename(temp, path).map_err(PutError::io("rename to", path))?;
    sync_dir(folder)
}

/// Returns once it is known that [`replace`] can write to `path`, whose content stays as it is.
///
/// # Errors
/// The file system says no.
pub fn can_replace(path: &Path, access: Access) -> Result<()> {
    if path.is_dir() {
        return Err(PutError::io("write", path)(io::ErrorKind::IsADirectory.into()));
    }
    let temp = beside(path);
    _ = fs::remove_file(&temp);
    create(&temp, access).map_err(PutError::io("write", &temp))?;
    fs::remove_file(&temp).map_err(PutError::io("remove", &temp))
}

/// Where the next content of `path` is written before it gets its name: a name that no other program gives.
pub(super) fn beside(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".mimelake-tmp");
    path.with_file_name(name)
}

fn create(path: &Path, access: Access) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if access == Access::Private {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

/// Waits until the directory's names are on the disk. Nothing to do where directories cannot be opened.
pub(super) fn sync_dir(path: &Path) -> Result<()> {
    if cfg!(unix) {
        File::open(path).and_then(|dir| dir.sync_all()).map_err(PutError::io("sync directory", path))?;
    }
    Ok(())
}

/// Creates a directory and those above it, each name synced.
pub(super) fn create_dirs(path: &Path) -> Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    let above = path.parent().unwrap_or(Path::new(""));
    create_dirs(above)?;
    match fs::create_dir(path) {
        Err(error) if !path.is_dir() => Err(PutError::io("create directory", path)(error)),
        _ => sync_dir(if above.as_os_str().is_empty() { Path::new(".") } else { above }),
    }
}

/// Gives a file its final name, for good.
pub(super) fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(PutError::io("rename to", to))?;
    sync_dir(to.parent().unwrap_or(Path::new(".")))
}
