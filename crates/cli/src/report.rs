//! The account of a run: the file of `--report`, and the closing table.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::AddAssign;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, ensure};
use mimelake_correlate::message::Message;
use mimelake_landing::LandingError;
use mimelake_parse::{Account, Flag, Reason};
use mimelake_schema::EventType;
use serde::{Deserialize, Serialize};

use crate::args::ReadArgs;
use crate::exit::Exit;
use crate::source::Outcome;
use crate::terminal::{self, grouped, size};

/// What a run did.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    version: u32,
    /// Files by what became of them.
    pub files: Files,
    /// Bytes by what became of them.
    pub bytes: Bytes,
    lines: u64,
    records: u64,
    rejected: u64,
    blank: u64,
    /// Of `records`, the lines that only continue a record.
    continued: u64,
    tables: BTreeMap<&'static str, Table>,
    flags: BTreeMap<&'static str, u64>,
    rejects: BTreeMap<&'static str, u64>,
    unknown_keys: BTreeMap<String, u64>,
    /// What the table of messages holds, where it was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<Messages>,
    seconds: f64,
    /// The files that could not be read to their end, and why.
    unreadable: Vec<String>,
    /// Whether tables are written: then those count, else what was read.
    #[serde(skip)]
    pub writes_tables: bool,
}

/// Makes sure that the report can be written, before the work is done.
///
/// # Errors
/// If its file cannot be created.
pub fn prepare(args: &ReadArgs) -> anyhow::Result<()> {
    let Some(path) = &args.report else { return Ok(()) };
    std::fs::File::create(path)
        .map(drop)
        .with_context(|| format!("cannot write the report {}", path.display()))
}

/// What each table got, by its name.
pub type Tables = BTreeMap<&'static str, Table>;

/// What was read, added up over the workers.
#[derive(Debug, Default)]
pub struct Tally {
    /// What became of the lines.
    pub account: Account,
    /// Bytes of content.
    pub inflated: u64,
    /// Why files could not be read to their end, by file.
    pub unreadable: BTreeMap<PathBuf, Vec<String>>,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.account += &other.account;
        self.inflated += other.inflated;
        for (file, why) in other.unreadable {
            self.unreadable.entry(file).or_default().extend(why);
        }
    }
}

impl Tally {
    /// Adds what was read of a piece of a file.
    pub fn add(&mut self, file: &Path, outcome: &Outcome) {
        self.account += &outcome.account;
        self.inflated += outcome.inflated;
        if let Some(damage) = &outcome.damage {
            self.damaged(file, damage);
        }
    }

    /// Adds the damage of another, whose lines do not count.
    pub fn add_damage(&mut self, other: Self) {
        *self += Self { unreadable: other.unreadable, ..Self::default() };
    }

    /// Adds damage of a file.
    pub fn damaged(&mut self, file: &Path, damage: &LandingError) {
        self.unreadable.entry(file.to_owned()).or_default().push(damage.to_string());
    }
}

/// Files by what became of them.
#[derive(Debug, Default, Serialize)]
pub struct Files {
    /// Read, wholly or in part.
    pub read: u64,
    /// Not read, as their bytes have been converted.
    pub unchanged: u64,
    /// Not read to their end.
    pub unreadable: u64,
}

/// Bytes by what became of them.
#[derive(Debug, Default, Serialize)]
pub struct Bytes {
    /// As stored.
    pub read: u64,
    /// After inflating.
    pub inflated: u64,
    /// In part files.
    pub written: u64,
}

/// What some messages are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// All of them.
    pub total: u64,
    /// Those with every stage that their status rests on.
    pub complete: u64,
    /// By what became of them.
    pub by_status: BTreeMap<String, u64>,
    /// Those with deliveries and no receipt.
    pub orphans: u64,
    /// Records in them that are near twins of another.
    pub near_twins: u64,
}

impl Summary {
    /// Adds a message.
    pub fn add(&mut self, message: &Message<'_>) {
        self.total += 1;
        self.complete += u64::from(message.verdict.complete);
        *self.by_status.entry(message.verdict.status.name().to_owned()).or_default() += 1;
        self.orphans += u64::from(message.is_orphan);
        self.near_twins += message.near_twins;
    }
}

impl AddAssign<&Self> for Summary {
    fn add_assign(&mut self, other: &Self) {
        self.total += other.total;
        self.complete += other.complete;
        for (status, count) in &other.by_status {
            *self.by_status.entry(status.clone()).or_default() += count;
        }
        self.orphans += other.orphans;
        self.near_twins += other.near_twins;
    }
}

/// What the table of messages holds after a run, and what joining counted.
#[derive(Debug, Default, Serialize)]
pub struct Messages {
    /// The table as it is now.
    #[serde(flatten)]
    pub table: Summary,
    /// Records of this run that were known, or were there more than once.
    pub duplicates: u64,
    /// Records of this run that name no email.
    pub unkeyed: u64,
    /// Files that this run wrote.
    #[serde(skip)]
    pub parts: u64,
}

impl Messages {
    fn say(&self, out: &mut String) {
        for (status, count) in &self.table.by_status {
            _ = writeln!(out, "  {status:<22}{:>14}", grouped(*count));
        }
        let counted = [
            ("complete", self.table.complete),
            ("orphans", self.table.orphans),
            ("near twins", self.table.near_twins),
            ("duplicate records", self.duplicates),
            ("records without a key", self.unkeyed),
        ];
        for (what, count) in counted.iter().filter(|(_, count)| *count > 0) {
            _ = writeln!(out, "{what:<24}{:>14}", grouped(*count));
        }
    }

    /// Adds what files hold.
    pub fn add_all<'s>(&mut self, files: impl Iterator<Item = &'s Summary>) {
        files.for_each(|summary| self.table += summary);
    }
}

/// What one table got.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Table {
    /// Rows.
    pub records: u64,
    /// Part files.
    pub parts: u64,
}

impl Report {
    /// Reports what the table of messages holds.
    pub fn add_messages(&mut self, messages: Messages, tables: &mut Tables) {
        let table = Table { records: messages.table.total, parts: messages.parts };
        tables.insert(EventType::Message.table(), table);
        self.messages = Some(messages);
    }

    /// Ends the run that began at `start`: says its closing table, writes its report, tells how to exit.
    ///
    /// # Errors
    /// If the account does not hold: then lines were lost, and no figure is to be trusted. If the report
    /// cannot be written.
    pub fn finish(
        self,
        tally: Tally,
        tables: &Tables,
        start: Instant,
        args: &ReadArgs,
    ) -> anyhow::Result<Exit> {
        let report = self.close(tally, tables, start)?;
        if !args.quiet {
            report.say();
        }
        if let Some(path) = &args.report {
            report.write(path)?;
        }
        Ok(report.exit())
    }

    fn close(mut self, tally: Tally, tables: &Tables, start: Instant) -> anyhow::Result<Self> {
        let account = &tally.account;
        ensure!(
            account.holds(),
            "the account does not hold: {} records + {} rejected + {} blank of {} lines; please report this",
            account.records,
            account.rejected,
            account.blank,
            account.lines
        );
        self.version = 1;
        self.files.unreadable = tally.unreadable.len() as u64;
        self.unreadable = tally.unreadable.into_values().flatten().collect();
        self.bytes.inflated = tally.inflated;
        (self.lines, self.records, self.continued) = (account.lines, account.records, account.continued);
        (self.rejected, self.blank) = (account.rejected, account.blank);
        for event_type in EventType::ALL {
            let written = tables.get(event_type.table()).copied();
            let read = Table { records: account.events[*event_type as usize], parts: 0 };
            if written.is_some() || (!self.writes_tables && read.records > 0) {
                self.tables.insert(event_type.table(), written.unwrap_or(read));
            }
        }
        let counted =
            |names: &mut dyn Iterator<Item = (&'static str, u64)>| names.filter(|(_, n)| *n > 0).collect();
        self.flags = counted(&mut Flag::ALL.iter().map(|f| (f.name(), account.flags[*f as usize])));
        self.rejects = counted(&mut Reason::ALL.iter().map(|r| (r.name(), account.rejects[*r as usize])));
        self.unknown_keys.clone_from(&account.unknown_keys);
        self.seconds = start.elapsed().as_secs_f64();
        Ok(self)
    }

    fn exit(&self) -> Exit {
        if self.rejected > 0 || self.files.unreadable > 0 { Exit::Rejects } else { Exit::Done }
    }

    fn write(&self, path: &Path) -> anyhow::Result<()> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        std::fs::write(path, text).with_context(|| format!("cannot write the report {}", path.display()))
    }

    fn say(&self) {
        for line in self.table().lines() {
            terminal::say(line);
        }
    }

    fn table(&self) -> String {
        let mut out = String::new();
        // Writing to a string cannot fail.
        for (name, table) in &self.tables {
            let parts =
                if table.parts > 0 { format!("  in {} parts", grouped(table.parts)) } else { String::new() };
            _ = writeln!(out, "{name:<24}{:>14}{parts}", grouped(table.records));
        }
        let counts = [&self.flags, &self.rejects];
        for (title, names) in ["flagged", "rejected or mended"].iter().zip(counts) {
            for (name, count) in names {
                _ = writeln!(
                    out,
                    "{title}: {name:<width$}{:>14}",
                    grouped(*count),
                    width = 22 - title.len().min(21)
                );
            }
        }
        if let Some(messages) = &self.messages {
            messages.say(&mut out);
        }
        if !self.unknown_keys.is_empty() {
            let mut keys: Vec<_> = self.unknown_keys.iter().collect();
            keys.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
            let shown: Vec<_> =
                keys.iter().take(8).map(|(key, count)| format!("{key} {}", grouped(**count))).collect();
            let more = if keys.len() > 8 { format!(" and {} more", keys.len() - 8) } else { String::new() };
            _ = writeln!(out, "unknown keys, kept in extra: {}{more}", shown.join(", "));
        }
        let files = &self.files;
        _ = write!(out, "{} files read", grouped(files.read));
        if files.unchanged > 0 {
            _ = write!(out, ", {} unchanged", grouped(files.unchanged));
        }
        if files.unreadable > 0 {
            _ = write!(out, ", {} not readable to the end", grouped(files.unreadable));
        }
        _ = writeln!(out);
        _ = writeln!(
            out,
            "{} lines = {} records + {} rejected + {} blank",
            grouped(self.lines),
            grouped(self.records),
            grouped(self.rejected),
            grouped(self.blank)
        );
        let rate = self.bytes.inflated as f64 / self.seconds.max(1e-9) / 1e6;
        let written = if self.bytes.written > 0 {
            format!(", wrote {}", size(self.bytes.written))
        } else {
            String::new()
        };
        let (inflated, read) = (size(self.bytes.inflated), size(self.bytes.read));
        _ = write!(out, "{inflated} (stored as {read}) in {:.1} s, {rate:.0} MB/s{written}", self.seconds);
        out
    }
}
