//! An output directory, read back.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, StructArray};
use arrow::datatypes::{Field, TimestampMicrosecondType};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

/// One row of any table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    pub table: String,
    pub date: String,
    /// What each column says, those that say nothing left out.
    pub columns: BTreeMap<String, String>,
}

impl Row {
    /// What a column says; empty if nothing.
    pub fn get(&self, column: &str) -> &str {
        self.columns.get(column).map_or("", String::as_str)
    }
}

/// All rows of an output directory, sorted, after a look at its order: no temporary file, no part of a job
/// that was not committed.
#[track_caller]
pub fn rows(out: &Path) -> Vec<Row> {
    let mut rows = Vec::new();
    let committed = committed_parts(out);
    for path in files(out) {
        let relative = path.strip_prefix(out).unwrap().to_str().unwrap().to_owned();
        let parts: Vec<&str> = relative.split('/').collect();
        match parts[..] {
            ["_mimelake", "version" | "lock"]
            | ["_mimelake", "commits", _]
            | ["_mimelake", "messages", ..]
            | ["_quarantine", _] => {}
            ["messages", date, name] => {
                let (stem, _) = name.rsplit_once('.').unwrap();
                let keys = out.join(format!("_mimelake/messages/{date}/{stem}.keys"));
                assert!(keys.is_file(), "{relative} has no keys");
                let date = date.strip_prefix("event_date=").unwrap();
                let read = if name.ends_with(".parquet") { parquet(&path) } else { ndjson(&path) };
                assert!(!read.is_empty(), "{relative} is empty");
                rows.extend(read.into_iter().map(|columns| Row {
                    table: "messages".to_owned(),
                    date: date.to_owned(),
                    columns,
                }));
            }
            [table, date, name] => {
                assert!(committed.contains(&relative), "{relative} is in no commit");
                let date = date.strip_prefix("event_date=").unwrap();
                let read = if name.ends_with(".parquet") { parquet(&path) } else { ndjson(&path) };
                assert!(!read.is_empty(), "{relative} is empty");
                rows.extend(read.into_iter().map(|columns| Row {
                    table: table.to_owned(),
                    date: date.to_owned(),
                    columns,
                }));
            }
            _ => panic!("what is {relative}?"),
        }
    }
    rows.sort();
    rows
}

/// What each row of a table's Parquet files says, whatever else lies in the output directory.
pub fn table(out: &Path, table: &str) -> Vec<BTreeMap<String, String>> {
    files(&out.join(table)).iter().flat_map(|path| parquet(path)).collect()
}

/// The rows without the columns that say where they come from.
pub fn without_source(mut rows: Vec<Row>) -> Vec<Row> {
    for row in &mut rows {
        row.columns.remove("source_file");
        row.columns.remove("source_offset");
    }
    rows.sort();
    rows
}

/// How many rows each table has.
pub fn tables(rows: &[Row]) -> BTreeMap<&str, usize> {
    let mut tables = BTreeMap::new();
    for row in rows {
        *tables.entry(row.table.as_str()).or_default() += 1;
    }
    tables
}

/// The lines of the quarantine, each of which must be JSON.
pub fn quarantine(out: &Path) -> Vec<Value> {
    let files = files(&out.join("_quarantine"));
    files.iter().flat_map(|path| documents(path)).collect()
}

/// Every line of a file, each of which must be JSON.
#[track_caller]
pub fn documents(path: &Path) -> Vec<Value> {
    lines(&fs::read(path).unwrap())
}

/// Every line of a text, each of which must be JSON.
#[track_caller]
pub fn lines(text: &[u8]) -> Vec<Value> {
    assert!(matches!(text.last(), None | Some(b'\n')), "the last line has no end");
    let text = std::str::from_utf8(text).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

/// Names, contents and times of all files: equal if nothing was touched.
pub fn snapshot(out: &Path) -> Vec<(PathBuf, Vec<u8>, SystemTime)> {
    let touched = |path: &PathBuf| !path.ends_with("_mimelake/lock");
    let files = files(out).into_iter().filter(touched);
    files
        .map(|path| {
            let changed = path.metadata().unwrap().modified().unwrap();
            let bytes = fs::read(&path).unwrap();
            (path, bytes, changed)
        })
        .collect()
}

/// All files under a directory, sorted; none if there is no such directory.
pub fn files(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// The parts that the log of commits names, by their paths in the output directory.
fn committed_parts(out: &Path) -> BTreeSet<String> {
    let commits = files(&out.join("_mimelake/commits"));
    let text: String = commits.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let on_disk = files(out).into_iter().map(|path| path.strip_prefix(out).unwrap().to_owned());
    let named = |path: &PathBuf| text.contains(path.file_name().unwrap().to_str().unwrap());
    on_disk.filter(named).map(|path| path.to_str().unwrap().to_owned()).collect()
}

fn parquet(path: &Path) -> Vec<BTreeMap<String, String>> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let options = FormatOptions::new();
    let mut rows = Vec::new();
    for batch in reader.build().unwrap() {
        let batch = batch.unwrap();
        let arrays: Vec<ArrayRef> = batch.columns().iter().map(local).collect();
        let text: Vec<_> = arrays.iter().map(|a| ArrayFormatter::try_new(a, &options).unwrap()).collect();
        let schema = batch.schema();
        for row in 0..batch.num_rows() {
            let columns = schema.fields().iter().zip(&arrays).zip(&text);
            let said = columns.filter(|((_, array), _)| array.is_valid(row));
            rows.push(said.map(|((f, _), text)| (f.name().clone(), text.value(row).to_string())).collect());
        }
    }
    rows
}

/// Timestamps without their zone, which arrow cannot show without a table of zones.
fn local(array: &ArrayRef) -> ArrayRef {
    if let Some(times) = array.as_primitive_opt::<TimestampMicrosecondType>() {
        return Arc::new(times.clone().with_timezone_opt(None::<&str>));
    }
    if let Some(lists) = array.as_list_opt::<i32>() {
        let values = local(lists.values());
        let field = Arc::new(Field::new("element", values.data_type().clone(), true));
        return Arc::new(ListArray::new(field, lists.offsets().clone(), values, lists.nulls().cloned()));
    }
    if let Some(records) = array.as_struct_opt() {
        let members: Vec<ArrayRef> = records.columns().iter().map(local).collect();
        let fields = records.fields().iter().zip(&members);
        let fields = fields.map(|(field, member)| Field::new(field.name(), member.data_type().clone(), true));
        return Arc::new(StructArray::new(fields.collect(), members, records.nulls().cloned()));
    }
    Arc::clone(array)
}

fn ndjson(path: &Path) -> Vec<BTreeMap<String, String>> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let members = |document: Value| {
        let object = document.as_object().expect("a document is an object").clone();
        object.iter().map(|(name, value)| (name.clone(), text(value))).collect()
    };
    documents(path).into_iter().map(members).collect()
}
