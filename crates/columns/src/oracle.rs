//! Rows as JSON values, built the slow and obvious way; tests hold the writers against it.

#![expect(clippy::expect_used, clippy::panic, reason = "only tests use it")]

use mimelake_parse::{ExtraPair, Verdicts};
use mimelake_schema::VERDICTS;
use serde_json::{Map, Value, json};

use crate::document::{Cell, Leaf};

/// The object of a row: nulls left out, leaves put where their paths say.
pub fn object(leaves: &[Leaf], row: &[Cell<'_>]) -> Value {
    let mut root = Map::new();
    for (leaf, cell) in leaves.iter().zip(row) {
        let Some(value) = value(leaf, cell) else { continue };
        let mut names: Vec<&str> = leaf.segments().collect();
        let last = names.pop().unwrap_or_default();
        let parent = names.into_iter().fold(&mut root, |object, name| {
            let child = object.entry(name).or_insert_with(|| json!({}));
            child.as_object_mut().expect("no path is the beginning of another")
        });
        let before = parent.insert(last.to_owned(), value);
        assert!(before.is_none(), "{} stands twice", leaf.path);
    }
    Value::Object(root)
}

fn value(leaf: &Leaf, cell: &Cell<'_>) -> Option<Value> {
    Some(match cell {
        Cell::Null | Cell::Pairs([]) => return None,
        Cell::Text(text) => json!(text),
        Cell::Int(number) => json!(number),
        Cell::Bool(bit) => json!(bit),
        Cell::Time(micros) => json!(time(*micros)?),
        Cell::List(list) => json!(list),
        Cell::Verdicts(verdicts) => Some(verdicts_object(verdicts)).filter(|v| *v != json!({}))?,
        Cell::Pairs(pairs) => pairs_object(pairs),
        Cell::Struct(row) => {
            let crate::document::LeafKind::Struct(members) = leaf.kind else {
                panic!("{} is no struct", leaf.path)
            };
            object(members, row)
        }
        Cell::Structs(rows) => {
            let crate::document::LeafKind::Structs(members) = leaf.kind else {
                panic!("{} is no list of structs", leaf.path)
            };
            rows.iter().map(|row| object(members, row)).collect()
        }
    })
}

fn verdicts_object(verdicts: &Verdicts<'_>) -> Value {
    let mut object = Map::new();
    for ((name, _), verdict) in VERDICTS.iter().zip(verdicts.each) {
        let Some(verdict) = verdict else { continue };
        let mut members = Map::new();
        members.extend(verdict.allow.map(|allow| ("allow".to_owned(), json!(allow))));
        members.extend(verdict.info.map(|info| ("info".to_owned(), json!(info))));
        if !members.is_empty() {
            object.insert((*name).to_owned(), Value::Object(members));
        }
    }
    object.extend(verdicts.grey_email.map(|grey| ("grey_email".to_owned(), json!(grey))));
    Value::Object(object)
}

fn pairs_object(pairs: &[ExtraPair<'_>]) -> Value {
    let mut object = Map::new();
    for pair in pairs {
        let values: Vec<_> = pairs.iter().filter(|p| p.key == pair.key).map(|p| json!(p.value)).collect();
        let value = if values.len() == 1 { values[0].clone() } else { Value::Array(values) };
        object.insert(pair.key.to_owned(), value);
    }
    Value::Object(object)
}

/// The time with three digits of a second, or six; none outside of the years 0 to 9999.
///
/// Days are counted one by one from year to year and month to month.
fn time(micros: i64) -> Option<String> {
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let mut days = micros.div_euclid(86_400_000_000);
    let in_day = micros.rem_euclid(86_400_000_000);
    let mut year = 1970;
    while days < 0 && year >= 0 {
        year -= 1;
        days += if is_leap(year) { 366 } else { 365 };
    }
    while days >= if is_leap(year) { 366 } else { 365 } && year < 10_000 {
        days -= if is_leap(year) { 366 } else { 365 };
        year += 1;
    }
    if !(0..10_000).contains(&year) {
        return None;
    }
    let february = if is_leap(year) { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let (seconds, fraction) = (in_day / 1_000_000, in_day % 1_000_000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let fraction =
        if fraction % 1000 == 0 { format!("{:03}", fraction / 1000) } else { format!("{fraction:06}") };
    Some(format!("{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}.{fraction}Z", days + 1))
}
