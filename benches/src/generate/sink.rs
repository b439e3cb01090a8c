//! The files being written: plain, gzip, or a zip with its members.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::archive::{GenerateError, Plan, Shape, Summary};
use super::calendar::file_stamp;
use super::random::Rng;
use super::records::{Record, Stage};
use super::render::Dialect;

/// A zip member is closed at this size, so that a zip of any size is written in bounded memory.
const MEMBER_SIZE: usize = 4 << 20;

/// Writes records to the files of a directory, several open at once: one for each stage and server.
pub(super) struct Sink<'a> {
    plan: &'a Plan,
    dir: PathBuf,
    servers: usize,
    open: Vec<Option<OpenFile>>,
    zip: Option<OpenZip>,
    names: HashSet<String>,
    uuids: Rng,
    line: Vec<u8>,
    summary: Summary,
}

struct OpenFile {
    path: PathBuf,
    out: Out,
    /// Size before compression.
    bytes: u64,
}

enum Out {
    Plain(BufWriter<File>),
    Gzip(Box<GzEncoder<BufWriter<File>>>),
}

struct OpenZip {
    path: PathBuf,
    out: ZipWriter<BufWriter<File>>,
    members: Vec<Option<(String, Vec<u8>)>>,
    /// Size of the members, open ones included, before compression.
    bytes: u64,
}

impl<'a> Sink<'a> {
    pub(super) fn new(plan: &'a Plan, dir: PathBuf, servers: usize) -> Self {
        let slots = Stage::ALL.len() * servers;
        Self {
            plan,
            dir,
            servers,
            open: (0..slots).map(|_| None).collect(),
            zip: None,
            names: HashSet::new(),
            uuids: Rng::new(!plan.seed),
            line: Vec::with_capacity(4096),
            summary: Summary::default(),
        }
    }

    /// Returns how many bytes of records were written so far, before compression.
    pub(super) fn bytes(&self) -> u64 {
        self.summary.bytes
    }

    pub(super) fn put(&mut self, record: &Record) -> Result<(), GenerateError> {
        self.line.clear();
        record.write_bare(self.plan.shape.dialect(), &mut self.line);
        self.summary.records += 1;
        let stage = record.stage() as usize;
        let slot = if self.plan.single && self.plan.shape != Shape::Zip {
            0
        } else {
            stage * self.servers + record.server(self.servers)
        };
        if self.plan.shape == Shape::Zip {
            self.put_member(slot, record)
        } else {
            self.put_file(slot, record)
        }
    }

    pub(super) fn finish(mut self) -> Result<Summary, GenerateError> {
        for slot in 0..self.open.len() {
            self.close_file(slot)?;
        }
        self.close_zip()?;
        Ok(self.summary)
    }

    fn put_file(&mut self, slot: usize, record: &Record) -> Result<(), GenerateError> {
        let envelope = self.plan.shape.dialect() == Dialect::Json1;
        if self.open[slot].is_none() {
            let name = self.name(record);
            let path = self.dir.join(name);
            let file = create(&path)?;
            let out = match self.plan.shape {
                Shape::Gzip => Out::Gzip(Box::new(GzEncoder::new(file, Compression::default()))),
                _ => Out::Plain(file),
            };
            self.open[slot] = Some(OpenFile { path, out, bytes: 0 });
        }
        let Some(file) = self.open[slot].as_mut() else { return Ok(()) };
        if envelope {
            let before: &[u8] = if file.bytes == 0 { b"{\"type\":\"MTA\",\"data\":[\n" } else { b",\n" };
            file.write(before)?;
            file.write(&self.line)?;
            self.summary.bytes += (before.len() + self.line.len()) as u64;
        } else {
            self.line.push(b'\n');
            file.write(&self.line)?;
            self.summary.bytes += self.line.len() as u64;
        }
        let full = file.bytes >= self.plan.file_size && !self.plan.single;
        if full { self.close_file(slot) } else { Ok(()) }
    }

    fn close_file(&mut self, slot: usize) -> Result<(), GenerateError> {
        let Some(mut file) = self.open[slot].take() else { return Ok(()) };
        if self.plan.shape.dialect() == Dialect::Json1 {
            file.write(b"\n]}\n")?;
            self.summary.bytes += 4;
        }
        self.summary.files += 1;
        let finished = match file.out {
            Out::Plain(mut out) => out.flush(),
            Out::Gzip(out) => out.finish().and_then(|mut out| out.flush()),
        };
        finished.map_err(|source| GenerateError::Write { path: file.path, source })
    }

    fn put_member(&mut self, slot: usize, record: &Record) -> Result<(), GenerateError> {
        if self.zip.is_none() {
            let path = self.dir.join(format!("{}.zip", uuid(&mut self.uuids)));
            let out = ZipWriter::new(create(&path)?);
            self.zip =
                Some(OpenZip { path, out, members: self.open.iter().map(|_| None).collect(), bytes: 0 });
        }
        let new_name = match &self.zip {
            Some(zip) if zip.members[slot].is_none() => Some(self.name(record)),
            _ => None,
        };
        let Some(zip) = self.zip.as_mut() else { return Ok(()) };
        if let Some(name) = new_name {
            zip.members[slot] = Some((name, Vec::new()));
        }
        self.line.push(b'\n');
        let size = self.line.len() as u64;
        zip.bytes += size;
        self.summary.bytes += size;
        let mut member_full = false;
        if let Some((_, text)) = &mut zip.members[slot] {
            text.extend_from_slice(&self.line);
            member_full = text.len() >= MEMBER_SIZE;
        }
        if member_full {
            zip.close_member(slot)?;
        }
        let full = zip.bytes >= self.plan.file_size && !self.plan.single;
        if full { self.close_zip() } else { Ok(()) }
    }

    fn close_zip(&mut self) -> Result<(), GenerateError> {
        let Some(mut zip) = self.zip.take() else { return Ok(()) };
        for slot in 0..zip.members.len() {
            zip.close_member(slot)?;
        }
        self.summary.files += 1;
        let finished = zip.out.finish().map_err(io::Error::from).and_then(|mut out| out.flush());
        finished.map_err(|source| GenerateError::Write { path: zip.path, source })
    }

    /// Returns the name that Mimecast would give the file or member that `record` begins.
    fn name(&mut self, record: &Record) -> String {
        let shape = self.plan.shape;
        // A file of all stages is nothing that Mimecast sends, so its prefix is none of Mimecast's either.
        let prefix = if self.plan.single && shape != Shape::Zip { "all" } else { record.stage().name() };
        let mut ms = record.at_ms;
        loop {
            let name = format!("{prefix}_{}.{}", file_stamp(ms), shape.extension());
            if self.names.insert(name.clone()) {
                return name;
            }
            ms += 1;
        }
    }
}

impl OpenFile {
    fn write(&mut self, bytes: &[u8]) -> Result<(), GenerateError> {
        self.bytes += bytes.len() as u64;
        let written = match &mut self.out {
            Out::Plain(out) => out.write_all(bytes),
            Out::Gzip(out) => out.write_all(bytes),
        };
        written.map_err(|source| GenerateError::Write { path: self.path.clone(), source })
    }
}

impl OpenZip {
    fn close_member(&mut self, slot: usize) -> Result<(), GenerateError> {
        let Some((name, text)) = self.members[slot].take() else { return Ok(()) };
        // A fixed time, whatever features of zip the build has: the bytes depend on the seed alone.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default());
        let started = self.out.start_file(name, options).map_err(io::Error::from);
        started
            .and_then(|()| self.out.write_all(&text))
            .map_err(|source| GenerateError::Write { path: self.path.clone(), source })
    }
}

fn create(path: &PathBuf) -> Result<BufWriter<File>, GenerateError> {
    let file =
        File::create_new(path).map_err(|source| GenerateError::Write { path: path.clone(), source })?;
    Ok(BufWriter::with_capacity(1 << 18, file))
}

fn uuid(rng: &mut Rng) -> String {
    let mut hex = String::with_capacity(32);
    rng.push_hex(32, &mut hex);
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}
