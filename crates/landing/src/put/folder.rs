//! One part of the landing directory, held by one run.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::disk::{self, Access};
use super::error::{PutError, Result};
use super::incoming::{Incoming, Whole};
use super::index::{Identity, Index};
use super::lock::Lock;
use super::name::{marked, safe_name};

/// What became of a whole file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Landed {
    /// It stands under this path.
    New(PathBuf),
    /// All that it holds was landed before; nothing was added.
    Known,
}

/// One part (`siem-v1`, `siem-v2`, `audit`) of one account's folder, held until it is dropped.
#[derive(Debug)]
pub struct Folder {
    account: PathBuf,
    part: String,
    state: PathBuf,
    incoming: PathBuf,
    next: AtomicU64,
    index: Mutex<Index>,
    _lock: Lock,
}

impl Folder {
    /// Returns the part of `LAND/<account>`, created if need be and held by this run. What an earlier run left
    /// unfinished is cleared away.
    ///
    /// # Errors
    /// Another run holds it, a name cannot be a folder's, or the file system says no.
    pub fn open(land: &Path, account: &str, part: &str) -> Result<Self> {
        for name in [account, part] {
            if safe_name(name).as_deref() != Some(name) {
                return Err(PutError::BadName { name: name.to_owned() });
            }
        }
        let account = land.join(account);
        let state = account.join("_state");
        disk::create_dirs(&state)?;
        let lock = Lock::take(&state.join(format!("{part}.lock")))?;
        let incoming = state.join(format!("{part}.incoming"));
        disk::create_dirs(&incoming)?;
        for entry in fs::read_dir(&incoming).map_err(PutError::io("list", &incoming))?.flatten() {
            fs::remove_file(entry.path()).map_err(PutError::io("remove", &entry.path()))?;
        }
        let index = Mutex::new(Index::open(state.join(format!("{part}.landed")), &account)?);
        let part = part.to_owned();
        Ok(Self { account, part, state, incoming, next: AtomicU64::new(0), index, _lock: lock })
    }

    /// Returns a new, empty file for bytes to come.
    ///
    /// # Errors
    /// The file system says no.
    pub fn incoming(&self) -> Result<Incoming> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        Incoming::create(self.incoming.join(format!("{number}")))
    }

    /// Whether something of this identity was landed.
    pub fn knows(&self, identity: Identity) -> bool {
        self.index.lock().unwrap_or_else(PoisonError::into_inner).holds(identity)
    }

    /// Returns once the file is safe under `LAND/<account>/<part>/<subfolder>/<its name>`: synced, renamed, and its
    /// folder synced. A file of the same name and other content is left alone; this one then gets a mark.
    ///
    /// # Errors
    /// The file system says no. The file is then not landed.
    pub fn land(&self, whole: Whole, subfolder: &str) -> Result<Landed> {
        let Whole { incoming, name, identities, .. } = whole;
        incoming.sync()?;
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        if !identities.is_empty() && identities.iter().all(|identity| index.holds(*identity)) {
            return Ok(Landed::Known);
        }
        let folder = format!("{}/{subfolder}", self.part);
        disk::create_dirs(&self.account.join(&folder))?;
        let (target, is_there) = match index.begun(&identities, &self.account) {
            Some(target) => (target, true),
            None => self.place(&folder, &name, &incoming),
        };
        let path = self.account.join(&target);
        if is_there {
            // It got its name, on this day or another, and something failed after that.
            disk::sync_dir(path.parent().unwrap_or(&self.account))?;
            index.finish(&identities)?;
            return Ok(Landed::Known);
        }
        index.begin(&identities, &incoming.digest(), &target)?;
        disk::rename(&incoming.path, &path)?;
        index.finish(&identities)?;
        Ok(Landed::New(path))
    }

    /// A name that no other file has, and whether this one has it already.
    fn place(&self, folder: &str, name: &str, incoming: &Incoming) -> (String, bool) {
        let mark = incoming.mark();
        let mut target = format!("{folder}/{name}");
        let mut number = 0_u32;
        loop {
            let path = self.account.join(&target);
            if !path.exists() {
                return (target, false);
            }
            if incoming.is_at(&path) {
                return (target, true);
            }
            let mark = if number == 0 { mark.clone() } else { format!("{mark}-{number}") };
            target = format!("{folder}/{}", marked(name, &mark));
            number += 1;
        }
    }

    /// Returns where the damaged file was put, whole as it came: `LAND/<account>/_quarantine/<name>`, with a mark of
    /// its bytes, so that the same file twice is one.
    ///
    /// # Errors
    /// The file system says no.
    #[expect(clippy::needless_pass_by_value, reason = "it is moved away, and nothing can be added to it")]
    pub fn quarantine(&self, incoming: Incoming, name: &str) -> Result<PathBuf> {
        let folder = self.account.join("_quarantine");
        disk::create_dirs(&folder)?;
        let name = safe_name(name).unwrap_or_else(|| "file".to_owned());
        let path = folder.join(marked(&name, &incoming.mark()));
        incoming.sync()?;
        disk::rename(&incoming.path, &path)?;
        Ok(path)
    }

    /// Returns what was last saved under this name, or `None` where nothing was.
    ///
    /// # Errors
    /// The file system says no.
    pub fn saved(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let path = self.state_path(name);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(PutError::io("read", &path)(error)),
        }
    }

    /// Saves bytes under a name of this part, such as a cursor; at once and for good.
    ///
    /// # Errors
    /// The file system says no; what was saved before then stands.
    pub fn save(&self, name: &str, bytes: &[u8]) -> Result<()> {
        disk::replace(&self.state_path(name), bytes, Access::Shared)
    }

    /// Appends a line to what is noted for people and programs: gaps, files in the quarantine.
    ///
    /// # Errors
    /// The file system says no.
    pub fn note(&self, line: &str) -> Result<()> {
        let path = self.state.join(format!("{}.notes.ndjson", self.part));
        let options = OpenOptions::new().create(true).read(true).append(true).open(&path);
        let written = options.and_then(|mut file| {
            // What a crash or a full disk left of a line must not run into this one.
            let mut last = [b'\n'];
            if file.seek(SeekFrom::End(0))? > 0 {
                file.seek(SeekFrom::End(-1))?;
                file.read_exact(&mut last)?;
            }
            let before = if last == [b'\n'] { "" } else { "\n" };
            file.write_all(format!("{before}{line}\n").as_bytes())?;
            file.sync_data()
        });
        written.map_err(PutError::io("write", &path))
    }

    /// Returns the path that [`save`](Self::save) writes to.
    pub fn state_path(&self, name: &str) -> PathBuf {
        self.state.join(format!("{}.{name}", self.part))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::put::Expect;

    #[test]
    fn a_note_stands_on_a_line_of_its_own() {
        let land = tempfile::tempdir().unwrap();
        let folder = Folder::open(land.path(), "C0A0", "siem-v1").unwrap();
        let path = folder.state.join("siem-v1.notes.ndjson");
        folder.note("1").unwrap();
        folder.note("2").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "1\n2\n");
        fs::write(&path, "1\n{\"at").unwrap();
        folder.note("2").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "1\n{\"at\n2\n");
    }

    /// The file got its name, its folder could not be synced, and it comes again on another day.
    #[test]
    fn a_file_whose_folder_could_not_be_synced_lands_once() {
        let land = tempfile::tempdir().unwrap();
        let folder = Folder::open(land.path(), "C0A0", "siem-v1").unwrap();
        let coming = |bytes: &[u8]| {
            let mut incoming = folder.incoming().unwrap();
            incoming.write(bytes).unwrap();
            incoming.check("a.siem", Expect::Anything).unwrap()
        };
        let target = "siem-v1/2026/03/02/a.siem";
        let whole = coming(b"x=1\n");
        let mut index = folder.index.lock().unwrap();
        index.begin(&whole.identities, &whole.incoming.digest(), target).unwrap();
        drop(index);
        let path = folder.account.join(target);
        let begun = || folder.index.lock().unwrap().begun(&whole.identities, &folder.account);
        // It did not get its name after all.
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, b"x=2\n").unwrap();
        assert!(begun().is_none());
        fs::write(&path, b"x=1\n").unwrap();
        for day in ["2026/03/03", "2026/03/04"] {
            assert_eq!(folder.land(coming(b"x=1\n"), day).unwrap(), Landed::Known);
            assert!(!folder.account.join("siem-v1").join(day).join("a.siem").exists(), "{day}");
        }
        assert!(begun().is_none());
    }
}
