//! Rows looked up by the texts of a column.

use std::path::Path;

use arrow::array::AsArray;
use mimelake_columns::document::{Cell, Document};
use mimelake_schema::{EventType, Field};

use super::part;
use crate::parquet::{Lookup, ReadPart};

/// A file of receipts `0..rows` with an aCode and a message id each, in row groups of ten; every seventh has no aCode.
fn receipts(path: &Path, rows: usize) {
    let document = Document::native(EventType::Receipt, false);
    let place = |field: Field| document.layout().position(field.column()).unwrap();
    let mut part = part(document.layout());
    for n in 0..rows {
        let (acode, id, subject) = (acode(n), id(n), format!("Number {n}"));
        let mut row = vec![Cell::Null; document.layout().leaves().len()];
        if n % 7 != 0 {
            row[place(Field::Acode)] = Cell::Text(&acode);
        }
        row[place(Field::MessageId)] = Cell::Text(&id);
        row[place(Field::Subject)] = Cell::Text(&subject);
        part.push(&row).unwrap();
        if n % 10 == 9 {
            part.flush_group().unwrap();
        }
    }
    std::fs::write(path, part.finish().unwrap().out).unwrap();
}

fn acode(n: usize) -> String {
    format!("aCode-{n:016}")
}

fn id(n: usize) -> String {
    format!("<{n}@example.net>")
}

/// The subjects of the rows found; none if the part was ruled out.
fn subjects(path: &Path, any_of: &[Lookup]) -> Option<Vec<String>> {
    let part = ReadPart::lookup(path, any_of).unwrap()?;
    let mut subjects = Vec::new();
    for batch in part {
        let batch = batch.unwrap();
        let column = batch.column_by_name("subject").unwrap().as_string::<i32>().clone();
        subjects.extend(column.iter().map(|subject| subject.unwrap().to_owned()));
    }
    Some(subjects)
}

#[test]
fn rows_that_hold_a_text_and_no_others() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("part.parquet");
    receipts(&path, 100);
    for n in 0..100 {
        let expected = Some(vec![format!("Number {n}")]);
        assert_eq!(subjects(&path, &[(Field::MessageId, vec!["none".into(), id(n)])]), expected);
        let by_acode = subjects(&path, &[(Field::Acode, vec![acode(n)])]);
        if n % 7 == 0 {
            assert!(by_acode.unwrap_or_default().is_empty(), "{n} has no aCode");
        } else {
            assert_eq!(by_acode, expected);
        }
    }
    let either = [(Field::Acode, vec![acode(5), acode(93)]), (Field::MessageId, vec![id(5), id(21)])];
    assert_eq!(subjects(&path, &either).unwrap(), ["Number 5", "Number 21", "Number 93"]);
}

#[test]
fn parts_are_ruled_out_by_their_bloom_filters() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("part.parquet");
    receipts(&path, 20);
    let found =
        (1000..2000).filter_map(|n| subjects(&path, &[(Field::Acode, vec![acode(n)])])).collect::<Vec<_>>();
    // Of two filters, each may be wrong in one case of twenty.
    assert!(found.len() < 200, "{} of 1000 were not ruled out", found.len());
    assert!(found.iter().all(Vec::is_empty));
    assert_eq!(subjects(&path, &[]), None);
}

#[test]
fn columns_without_a_bloom_filter_are_looked_through() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("part.parquet");
    receipts(&path, 20);
    let lookup = |text: &str| [(Field::Subject, vec![text.to_owned()])];
    assert_eq!(subjects(&path, &lookup("Number 13")).unwrap(), ["Number 13"]);
    assert_eq!(subjects(&path, &lookup("Number")).unwrap(), [""; 0]);
}

#[test]
fn what_cannot_be_looked_into() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("part.parquet");
    receipts(&path, 20);
    let no_column = ReadPart::lookup(&path, &[(Field::HoldReason, vec!["Spm".into()])]).unwrap_err();
    assert!(no_column.to_string().contains("hold_reason"), "{no_column}");
    assert_eq!(ReadPart::open(&path, None).unwrap().label("schema"), Some("native"));
    std::fs::write(&path, "no Parquet").unwrap();
    assert!(ReadPart::lookup(&path, &[]).is_err());
    assert!(ReadPart::open(&path, None).is_err());
    assert!(ReadPart::lookup(&directory.path().join("none"), &[]).is_err());
}
