//! The tables of a converted OUT: bloom filters first, then the few parts that may hold a row.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use bumpalo::Bump;
use mimelake_columns::rows::Rows;
use mimelake_schema::{EventType, Field};
use mimelake_write::parquet::{Lookup, ReadPart};
use mimelake_write::store;
use rayon::prelude::*;

use super::record::{Maker, Record};
use super::search::{Names, Search};
use crate::args::SchemaKind;
use crate::exit::Hinted;
use crate::interrupt;

/// The parts of the event tables of one or more output directories.
#[derive(Debug, Default)]
pub struct Lake {
    parts: Vec<(EventType, PathBuf)>,
}

/// What was found, and what could not be read.
pub type Found<T> = (Vec<T>, Vec<String>);

impl Lake {
    /// Adds the parts of an output directory.
    ///
    /// # Errors
    /// If it cannot be listed, or holds parts that have no columns to look things up in.
    pub fn add(&mut self, out: &Path) -> anyhow::Result<()> {
        let parts = store::visible_parts(out)?;
        let (parquet, other): (Vec<_>, Vec<_>) =
            parts.into_iter().partition(|path| path.extension().is_some_and(|ending| ending == "parquet"));
        if parquet.is_empty() && !other.is_empty() {
            let what = format!("{} holds NDJSON, in which nothing can be looked up", out.display());
            return Err(Hinted::error(what, "name the logs that it was converted from"));
        }
        // A part that cannot be read is told when it is looked into.
        let schema = parquet
            .iter()
            .find_map(|path| Some(ReadPart::open(path, None).ok()?.label("schema")?.to_owned()));
        if let Some(schema) = schema.filter(|schema| schema != SchemaKind::Native.name()) {
            let what = format!("{} holds tables of the schema {schema}, not native", out.display());
            return Err(Hinted::error(what, "name the logs that it was converted from"));
        }
        self.parts.extend(parquet.into_iter().filter_map(|path| Some((table(&path)?, path))));
        Ok(())
    }

    /// Whether there is no part.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The records that belong to the email.
    pub fn find(&self, search: &Search, maker: &Maker) -> anyhow::Result<Found<Record>> {
        let lookups = search.lookups();
        self.each(|event_type, path| find(event_type, path, &lookups, search, maker))
    }

    /// How the key's aCode is spelled, by a look at the aCode of every row.
    pub fn spellings(&self, search: &Search) -> anyhow::Result<Found<String>> {
        self.each(|_, path| spellings(path, search))
    }

    fn each<T: Send>(
        &self,
        read: impl Fn(EventType, &Path) -> anyhow::Result<Vec<T>> + Sync,
    ) -> anyhow::Result<Found<T>> {
        let results = self.parts.par_iter().map(|(event_type, path)| {
            interrupt::check()?;
            Ok(read(*event_type, path).map_err(|error| error.to_string()))
        });
        let results: Vec<_> = results.collect::<anyhow::Result<_>>()?;
        let (mut found, mut unreadable) = (Vec::new(), Vec::new());
        for result in results {
            match result {
                Ok(more) => found.extend(more),
                Err(error) => unreadable.push(error),
            }
        }
        Ok((found, unreadable))
    }
}

/// The table that a part belongs to, if it is one of events.
fn table(path: &Path) -> Option<EventType> {
    let table = path.parent()?.parent()?.file_name()?.to_str()?;
    EventType::from_table(table).filter(|table| *table != EventType::Message)
}

fn find(
    event_type: EventType,
    path: &Path,
    lookups: &[Lookup],
    search: &Search,
    maker: &Maker,
) -> anyhow::Result<Vec<Record>> {
    let mut found = Vec::new();
    let mut bump = Bump::new();
    for batch in ReadPart::lookup(path, lookups)?.into_iter().flatten() {
        let batch = batch?;
        let rows =
            Rows::of(event_type, &batch).map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))?;
        for row in 0..rows.len() {
            bump.reset();
            let event = rows.event(row, &bump);
            if search.accepts(Names::of(&event)) {
                found.push(maker.record(&event, &bump));
            }
        }
    }
    Ok(found)
}

fn spellings(path: &Path, search: &Search) -> anyhow::Result<Vec<String>> {
    use arrow::array::AsArray;
    let mut spelled = BTreeSet::new();
    for batch in ReadPart::open(path, Some(&[Field::Acode]))? {
        let batch = batch?;
        let column = batch.column_by_name(Field::Acode.column()).and_then(|c| c.as_string_opt::<i32>());
        let acodes = column.into_iter().flatten().flatten();
        spelled.extend(acodes.filter(|acode| search.is_key(acode)).map(str::to_owned));
    }
    Ok(spelled.into_iter().collect())
}
