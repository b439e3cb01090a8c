//! What the server has to give: files from a folder, or made up.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use mimelake_schema::EventType;

use crate::archive::{gzipped, zipped};
use crate::generate::{Dialect, Generate};
use crate::random::Random;

/// How API 1.0 writes its logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileFormat {
    /// Lines of `key=value` separated by `|`.
    KeyValue,
    /// JSON with the same names.
    Json,
}

/// The sequences of files that can be asked for. A client sees one of them, by how it asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sequence {
    /// API 1.0 with `compress: true`: zips of several logs.
    Zips(FileFormat),
    /// API 1.0 with `compress: false`: one log a call.
    Logs(FileFormat),
    /// API 2.0: `.json.gz` files by type.
    Batches,
}

/// A file as a client should land it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// As the server names it.
    pub name: String,
    /// What its name (for zips: nothing) says is inside.
    pub event_type: Option<EventType>,
    /// All of it.
    pub bytes: Vec<u8>,
}

/// The files a server has to give.
#[derive(Clone, Debug)]
pub struct Content(Source);

#[derive(Clone, Debug)]
enum Source {
    Generated(Generate),
    Folder(Folder),
}

/// Files found, by how they are served.
#[derive(Clone, Debug, Default)]
struct Folder {
    members: usize,
    key_value: Vec<PathBuf>,
    json: Vec<PathBuf>,
    zips: Vec<PathBuf>,
    batches: Vec<PathBuf>,
}

impl Default for Content {
    fn default() -> Self {
        Self::generated(Generate::default())
    }
}

impl Content {
    /// Returns content that is made up when asked for.
    pub fn generated(generate: Generate) -> Self {
        Self(Source::Generated(Generate { members: generate.members.max(1), ..generate }))
    }

    /// Returns the files under `folder`, ordered by name, `members` of the plain ones to a zip.
    ///
    /// Told by their bytes: zips go out over API 1.0 and gzip files over API 2.0 as they are; lines of API 2.0 NDJSON
    /// are compressed for API 2.0; other JSON and all other text goes out over API 1.0, zipped or one by one. For API
    /// 2.0 the name tells the type. Names that begin with `_` or `.` are left out, and so are audit events.
    ///
    /// # Errors
    /// The folder or a file in it cannot be read.
    pub fn folder(folder: &Path, members: usize) -> io::Result<Self> {
        let mut found = Folder { members: members.max(1), ..Folder::default() };
        let mut paths = Vec::new();
        // A landing directory keeps its own files under names that begin with `_`.
        let kept = |entry: &walkdir::DirEntry| {
            entry.depth() == 0 || !entry.file_name().to_string_lossy().starts_with(['_', '.'])
        };
        for entry in walkdir::WalkDir::new(folder).into_iter().filter_entry(kept) {
            let entry = entry?;
            if entry.file_type().is_file() {
                paths.push(entry.into_path());
            }
        }
        paths.sort_by_key(|path| (name_of(path), path.clone()));
        for path in paths {
            if EventType::from_file_name(&name_of(&path)) == Some(EventType::Audit) {
                continue;
            }
            let mut head = Vec::new();
            fs::File::open(&path)?.take(4096).read_to_end(&mut head)?;
            match &head[..] {
                [b'P', b'K', ..] => found.zips.push(path),
                [0x1f, 0x8b, ..] => found.batches.push(path),
                head if is_api2(head) => found.batches.push(path),
                [b'{' | b'[', ..] => found.json.push(path),
                _ => found.key_value.push(path),
            }
        }
        Ok(Self(Source::Folder(found)))
    }

    /// How many files the sequence has.
    pub fn count(&self, sequence: Sequence) -> usize {
        match (&self.0, sequence) {
            (Source::Generated(g), Sequence::Zips(_)) => g.files.div_ceil(g.members),
            (Source::Generated(g), _) => g.files,
            (Source::Folder(f), Sequence::Zips(FileFormat::KeyValue)) => {
                f.zips.len() + f.key_value.len().div_ceil(f.members)
            }
            (Source::Folder(f), Sequence::Zips(FileFormat::Json)) => f.json.len().div_ceil(f.members),
            (Source::Folder(f), Sequence::Logs(format)) => f.logs(format).len(),
            (Source::Folder(f), Sequence::Batches) => f.batches.len(),
        }
    }

    /// Returns the name of file `index` of a sequence; `None` past its end.
    pub fn name(&self, sequence: Sequence, index: usize) -> Option<String> {
        if index >= self.count(sequence) {
            return None;
        }
        let name = match (&self.0, sequence) {
            (Source::Generated(g), Sequence::Logs(format)) => g.stem(index) + ending(format),
            (Source::Generated(g), Sequence::Batches) => g.stem(index) + ".json.gz",
            (Source::Generated(g), Sequence::Zips(_)) => zip_name(g.seed, index),
            (Source::Folder(f), Sequence::Zips(format)) => match f.ready(format).get(index) {
                Some(path) => name_of(path),
                None => zip_name(0, index),
            },
            (Source::Folder(f), Sequence::Logs(format)) => name_of(&f.logs(format)[index]),
            (Source::Folder(f), Sequence::Batches) => {
                let name = name_of(&f.batches[index]);
                let packed = Path::new(&name).extension().is_some_and(|e| e.eq_ignore_ascii_case("gz"));
                if packed { name } else { name + ".gz" }
            }
        };
        Some(name)
    }

    /// Returns the type that the name of file `index` says; `None` for zips and past the end.
    pub fn event_type(&self, sequence: Sequence, index: usize) -> Option<EventType> {
        match (&self.0, sequence) {
            (_, Sequence::Zips(_)) => None,
            (Source::Generated(g), _) => (index < g.files).then(|| Generate::event_type(index)),
            (Source::Folder(_), _) => EventType::from_file_name(&self.name(sequence, index)?),
        }
    }

    /// Returns file `index` of a sequence; `None` past its end.
    ///
    /// # Errors
    /// A file of the folder cannot be read any more.
    pub fn file(&self, sequence: Sequence, index: usize) -> io::Result<Option<File>> {
        let Some(name) = self.name(sequence, index) else { return Ok(None) };
        let bytes = match (&self.0, sequence) {
            (Source::Generated(g), Sequence::Logs(format)) => g.log(index, Dialect::Api1(format)),
            (Source::Generated(g), Sequence::Batches) => gzipped(&g.log(index, Dialect::Api2))?,
            (Source::Generated(g), Sequence::Zips(format)) => {
                let range = index * g.members..((index + 1) * g.members).min(g.files);
                zipped(range.map(|i| (g.stem(i) + ending(format), g.log(i, Dialect::Api1(format)))))?
            }
            (Source::Folder(f), sequence) => f.file(sequence, index)?,
        };
        Ok(Some(File { name, event_type: self.event_type(sequence, index), bytes }))
    }
}

impl Folder {
    fn logs(&self, format: FileFormat) -> &[PathBuf] {
        match format {
            FileFormat::KeyValue => &self.key_value,
            FileFormat::Json => &self.json,
        }
    }

    /// Zips that are served as they are, which come first.
    fn ready(&self, format: FileFormat) -> &[PathBuf] {
        if format == FileFormat::KeyValue { &self.zips } else { &[] }
    }

    fn file(&self, sequence: Sequence, index: usize) -> io::Result<Vec<u8>> {
        match sequence {
            Sequence::Logs(format) => fs::read(&self.logs(format)[index]),
            Sequence::Batches => {
                let bytes = fs::read(&self.batches[index])?;
                if bytes.starts_with(&[0x1f, 0x8b]) { Ok(bytes) } else { gzipped(&bytes) }
            }
            Sequence::Zips(format) => {
                let ready = self.ready(format);
                if let Some(path) = ready.get(index) {
                    return fs::read(path);
                }
                let mut members = Vec::new();
                let mut before = "";
                let names: Vec<String> = self.logs(format).iter().map(|path| name_of(path)).collect();
                let from = (index - ready.len()) * self.members;
                for (at, path) in self.logs(format).iter().enumerate().skip(from).take(self.members) {
                    // Folders may hold the same name twice; a zip must not.
                    let name = if names[at] == before { format!("{at}/{before}") } else { names[at].clone() };
                    before = &names[at];
                    members.push((name, fs::read(path)?));
                }
                zipped(members)
            }
        }
    }
}

fn ending(format: FileFormat) -> &'static str {
    match format {
        FileFormat::KeyValue => ".siem",
        FileFormat::Json => ".json",
    }
}

fn zip_name(seed: u64, index: usize) -> String {
    Random::new(seed ^ 0x007a_6970, index as u64).uuid() + ".zip"
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Whether the first line is an event as only API 2.0 writes it.
fn is_api2(head: &[u8]) -> bool {
    let line = head.split(|&b| b == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    line.starts_with('{')
        && ["\"aggregateId\"", "\"processingId\"", "\"eventType\""].iter().any(|k| line.contains(k))
}
