//! What is kept of a file of the table: what it counts, and the keys of its emails.
//!
//! `OUT/_mimelake/messages/event_date=…/part-….keys` is a line of JSON, and then for each row of the file, in its order,
//! the hashes of its aCode and of its message id, 8 bytes each. With that a run finds the rows that its records belong
//! to without reading the table. Of a closed file there is the line alone; its keys are made of the table.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use bumpalo::Bump;
use mimelake_columns::rows::Rows;
use mimelake_correlate::email::Email;
use mimelake_correlate::key;
use mimelake_correlate::message::{Message, email_of};
use mimelake_parse::Value;
use mimelake_schema::{EventType, Field};
use mimelake_write::parquet::ReadPart;
use mimelake_write::store::Store;
use serde::{Deserialize, Serialize};

use super::place::Slot;
use super::rows;
use crate::args::ConvertArgs;
use crate::report::Summary;

/// Where the files of keys lie, below the output directory.
pub const DIRECTORY: &str = "_mimelake/messages";

/// Bytes of a row's keys.
const ROW: usize = 16;

const VERSION: u32 = 1;

/// The columns that an email's keys are made of.
const COLUMNS: [Field; 3] = [Field::Account, Field::Acode, Field::MessageId];

/// What is kept of a file besides keys.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Kept {
    #[serde(flatten)]
    pub summary: Summary,
    /// Bytes of the native file that it was made of.
    #[serde(default)]
    pub bytes: u64,
    /// When the last record of its emails was written, in microseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<i64>,
    /// Whether the keys are gone.
    #[serde(default)]
    pub closed: bool,
}

impl Kept {
    /// Counts one email of the file.
    pub fn add(&mut self, message: &Message<'_>) {
        self.summary.add(message);
        if let Value::Time(micros) = message.event.get(Field::LastSeen) {
            self.last_seen = self.last_seen.max(Some(micros));
        }
    }
}

/// The first line of a file of keys.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    version: u32,
    #[serde(flatten)]
    kept: Kept,
}

/// The content of a file of keys; of a closed one the keys do not matter.
pub fn encode(kept: &Kept, keys: &[[u64; 2]]) -> anyhow::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec(&Head { version: VERSION, kept: kept.clone() })?;
    bytes.push(b'\n');
    if !kept.closed {
        bytes.extend(keys.iter().flatten().flat_map(|key| key.to_le_bytes()));
    }
    Ok(bytes)
}

/// What is kept of a file of the table, which is made anew if the file is not the one that it was made of.
pub fn kept(args: &ConvertArgs, store: &Store, slot: Slot) -> anyhow::Result<Kept> {
    let native = store.out().join(rows::native(args, slot));
    let (kept, _) = open(store.out(), slot)?;
    if native.metadata().is_ok_and(|of_file| of_file.len() == kept.bytes) {
        return Ok(kept);
    }
    rebuild(args, store, slot)?;
    Ok(open(store.out(), slot)?.0)
}

/// Calls `each` with every row of a file of the table, and its keys.
pub fn each(
    args: &ConvertArgs,
    out: &Path,
    slot: Slot,
    each: &mut dyn FnMut(u32, [u64; 2]),
) -> anyhow::Result<()> {
    let (kept, mut reader) = open(out, slot)?;
    if kept.closed {
        return each_of_table(&out.join(rows::native(args, slot)), each);
    }
    let mut bytes = vec![0; ROW << 12];
    for start in (0..kept.summary.total).step_by(bytes.len() / ROW) {
        let count = (kept.summary.total - start).min((bytes.len() / ROW) as u64) as usize;
        let bytes = &mut bytes[..count * ROW];
        reader.read_exact(bytes).with_context(|| format!("cannot read {}", place(out, slot).display()))?;
        let (pairs, _) = bytes.as_chunks::<ROW>();
        for (row, pair) in (start as u32..).zip(pairs) {
            let (halves, _) = pair.as_chunks::<8>();
            each(row, [u64::from_le_bytes(halves[0]), u64::from_le_bytes(halves[1])]);
        }
    }
    Ok(())
}

fn each_of_table(path: &Path, each: &mut dyn FnMut(u32, [u64; 2])) -> anyhow::Result<()> {
    let mut number = 0;
    let mut bump = Bump::new();
    for batch in ReadPart::open(path, Some(&COLUMNS))? {
        let batch = batch?;
        let rows = Rows::of(EventType::Message, &batch)?;
        for row in 0..rows.len() {
            each(number, key::of_message(&rows.event(row, &bump)));
            bump.reset();
            number += 1;
        }
    }
    Ok(())
}

/// Makes the file of keys of a file of the table anew.
pub fn rebuild(args: &ConvertArgs, store: &Store, slot: Slot) -> anyhow::Result<()> {
    let native = store.out().join(rows::native(args, slot));
    let bytes = native.metadata().map_or(0, |of_file| of_file.len());
    let (mut kept, mut keys) = (Kept { bytes, ..Kept::default() }, Vec::new());
    rows::each_message(&native, &mut |_, event, bump| {
        keys.push(key::of_message(event));
        kept.add(&Message::of(&Email::read(&email_of(event)), bump));
        Ok(())
    })
    .with_context(|| {
        format!("what is kept of {} is lost; correlate into another directory", native.display())
    })?;
    let (temporary, target) =
        (store.temporary().join(format!("{}.keys", slot.number())), place(store.out(), slot));
    let write = || {
        fs::create_dir_all(target.parent().unwrap_or(&target))?;
        fs::write(&temporary, encode(&kept, &keys).map_err(std::io::Error::other)?)?;
        File::open(&temporary)?.sync_all()?;
        fs::rename(&temporary, &target)
    };
    write().with_context(|| format!("cannot write {}", target.display()))
}

fn place(out: &Path, slot: Slot) -> PathBuf {
    out.join(DIRECTORY).join(format!("{slot}.keys"))
}

fn open(out: &Path, slot: Slot) -> anyhow::Result<(Kept, BufReader<File>)> {
    let path = place(out, slot);
    let read = || -> anyhow::Result<_> {
        let mut reader = BufReader::with_capacity(1 << 16, File::open(&path)?);
        let mut line = Vec::new();
        reader.read_until(b'\n', &mut line)?;
        let head: Head = serde_json::from_slice(&line)?;
        ensure!(head.version == VERSION, "it is of version {}", head.version);
        Ok((head.kept, reader))
    };
    read().with_context(|| {
        format!(
            "cannot read what {} says of earlier messages; correlate into another directory",
            path.display()
        )
    })
}
