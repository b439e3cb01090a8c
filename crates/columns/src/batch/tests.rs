use arrow::array::{Array, ArrayRef, AsArray, MapArray, StructArray};
use arrow::datatypes::{DataType, Fields, TimeUnit, TimestampMicrosecondType};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use mimelake_parse::{ExtraPair, Verdict, Verdicts};
use mimelake_schema::{EventType, Field};

use super::*;
use crate::document::{Document, Leaf, LeafKind};

/// One cell of a batch of one leaf, as Arrow prints it; empty for null.
fn shown(kind: LeafKind, cell: Cell<'_>) -> String {
    let mut batches = Batches::new(&Layout::new(vec![Leaf::new("leaf", kind)]));
    batches.push(&[cell]);
    show(batches.finish().unwrap().column(0), 0)
}

fn show(array: &ArrayRef, row: usize) -> String {
    let options = FormatOptions::default().with_null("∅");
    ArrayFormatter::try_new(array, &options).unwrap().value(row).to_string()
}

/// The type's name in `mimelake schema`.
fn type_name(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Utf8 => "string",
        DataType::Int64 => "int64",
        DataType::Boolean => "bool",
        DataType::Timestamp(TimeUnit::Microsecond, Some(zone)) if &**zone == "UTC" => "timestamp",
        DataType::List(element) if *element.data_type() == DataType::Utf8 => "list<string>",
        DataType::Struct(_) => "struct",
        DataType::List(element) if matches!(element.data_type(), DataType::Struct(_)) => "struct",
        DataType::Map(..) => "map",
        other => panic!("no column has the type {other}"),
    }
}

#[test]
fn native_columns_have_the_types_of_the_field_table() {
    for table in EventType::ALL {
        let batches = Batches::new(Document::native(*table, true).layout());
        let fields = batches.schema().fields().iter();
        let found: Vec<_> = fields.map(|f| (f.name().as_str(), type_name(f.data_type()))).collect();
        let columns = table.columns().iter().chain([&Field::Original]).map(|field| field.row());
        let wanted: Vec<_> = columns
            .map(|row| {
                (row.column, if row.kind.type_name() == "json" { "string" } else { row.kind.type_name() })
            })
            .collect();
        assert_eq!(found, wanted, "{}", table.table());
    }
}

#[test]
fn columns_say_what_they_hold() {
    let batches = Batches::new(Document::native(EventType::Receipt, false).layout());
    let subject = batches.schema().field_with_name("subject").unwrap().clone();
    assert_eq!(subject.metadata()[DOC], Field::Subject.row().doc);
}

/// The path and type of every leaf below some fields; structs that are null as a whole are leaves.
fn paths(fields: &Fields, above: &str, found: &mut Vec<(String, DataType)>) {
    for field in fields {
        let path = format!("{above}{}", field.name());
        match field.data_type() {
            DataType::Struct(inner) if !field.is_nullable() => paths(inner, &format!("{path}."), found),
            other => found.push((path, other.clone())),
        }
    }
}

#[test]
fn dots_of_ecs_paths_are_structs() {
    for table in EventType::ALL {
        let document = Document::ecs(*table, true);
        let batches = Batches::new(document.layout());
        let mut found = vec![];
        paths(batches.schema().fields(), "", &mut found);
        let found: Vec<_> = found.iter().map(|(path, _)| path.as_str()).collect();
        let wanted: Vec<_> = document.layout().leaves().iter().map(|leaf| &*leaf.path).collect();
        assert_eq!(found, wanted, "{}", table.table());
    }
}

#[test]
fn a_row_of_a_nested_layout_stands_where_its_paths_say() {
    let leaf = Leaf::new;
    let leaves = vec![leaf("a.b.c", LeafKind::Int), leaf("d", LeafKind::Bool), leaf("a.e", LeafKind::Text)];
    let mut batches = Batches::new(&Layout::new(leaves));
    // The layout brings the leaves of `a` together.
    batches.push(&[Cell::Int(7), Cell::Text("x"), Cell::Bool(true)]);
    batches.push(&[Cell::Null; 3]);
    let batch = batches.finish().unwrap();
    let rows = StructArray::from(batch);
    let rows = Arc::new(rows) as ArrayRef;
    assert_eq!(show(&rows, 0), "{a: {b: {c: 7}, e: x}, d: true}");
    assert_eq!(show(&rows, 1), "{a: {b: {c: ∅}, e: ∅}, d: ∅}");
}

const MEMBERS: &[Leaf] = &[Leaf::new("file.name", LeafKind::Text), Leaf::new("file.size", LeafKind::Int)];

#[test]
fn cells_become_values() {
    let verdict = Verdict { allow: Some(true), info: Some("SPF_OK") };
    let mut verdicts = Verdicts { grey_email: Some(false), ..Verdicts::default() };
    verdicts.each[0] = Some(verdict);
    verdicts.each[1] = Some(Verdict::default());
    let rows: &[&[Cell<'_>]] = &[&[Cell::Text("a.pdf"), Cell::Int(3)], &[Cell::Null; 2]];
    let cases = [
        (LeafKind::Text, Cell::Text(""), ""),
        (LeafKind::Text, Cell::Text("héllo"), "héllo"),
        (LeafKind::Int, Cell::Int(i64::MIN), "-9223372036854775808"),
        (LeafKind::Bool, Cell::Bool(false), "false"),
        (LeafKind::TextList, Cell::List(&[]), "[]"),
        (LeafKind::TextList, Cell::List(&["a", "", "b"]), "[a, , b]"),
        (LeafKind::Structs(MEMBERS), Cell::Structs(&[]), "[]"),
        (
            LeafKind::Structs(MEMBERS),
            Cell::Structs(rows),
            "[{file: {name: a.pdf, size: 3}}, {file: {name: ∅, size: ∅}}]",
        ),
        (
            LeafKind::Verdicts,
            Cell::Verdicts(&verdicts),
            "{spf: {allow: true, info: SPF_OK}, dkim: {allow: ∅, info: ∅}, dmarc: ∅, rbl: ∅, permitted_sender: ∅, \
             managed_sender: ∅, grey_email: false}",
        ),
        (LeafKind::Pairs, Cell::Pairs(&[]), "{}"),
    ];
    for (kind, cell, wanted) in cases {
        assert_eq!(shown(kind, cell), wanted, "{cell:?}");
        assert_eq!(shown(kind, Cell::Null), "∅", "{kind:?}");
    }
}

#[test]
fn a_cell_of_another_kind_is_null() {
    let kinds = [
        LeafKind::Text,
        LeafKind::Bool,
        LeafKind::TextList,
        LeafKind::Verdicts,
        LeafKind::Pairs,
        LeafKind::Structs(MEMBERS),
    ];
    for kind in kinds {
        assert_eq!(shown(kind, Cell::Int(1)), "∅", "{kind:?}");
    }
    assert_eq!(shown(LeafKind::Int, Cell::Time(1)), "∅");
}

#[test]
fn times_are_microseconds_in_utc() {
    let mut batches = Batches::new(&Layout::new(vec![Leaf::new("leaf", LeafKind::Time)]));
    for cell in [Cell::Time(-1), Cell::Null, Cell::Int(3)] {
        batches.push(&[cell]);
    }
    let batch = batches.finish().unwrap();
    assert_eq!(type_name(batch.column(0).data_type()), "timestamp");
    let micros = batch.column(0).as_primitive::<TimestampMicrosecondType>();
    assert_eq!(micros.iter().collect::<Vec<_>>(), [Some(-1), None, None]);
}

#[test]
fn nulls_before_and_behind_verdicts_keep_their_places() {
    let mut batches = Batches::new(&Layout::new(vec![Leaf::new("leaf", LeafKind::Verdicts)]));
    let verdicts = Verdicts { grey_email: Some(true), ..Verdicts::default() };
    for cell in [Cell::Null, Cell::Null, Cell::Verdicts(&verdicts), Cell::Null] {
        batches.push(&[cell]);
    }
    let batch = batches.finish().unwrap();
    let column = batch.column(0).as_struct();
    assert_eq!((0..4).map(|row| column.is_valid(row)).collect::<Vec<_>>(), [false, false, true, false]);
    assert!(column.column_by_name("grey_email").unwrap().as_boolean().value(2));
}

/// The keys of a map made of pairs with these keys.
fn numbered(keys: &[&str]) -> Vec<String> {
    let pairs: Vec<_> = keys.iter().map(|key| ExtraPair { key, value: None }).collect();
    let mut batches = Batches::new(&Layout::new(vec![Leaf::new("leaf", LeafKind::Pairs)]));
    batches.push(&[Cell::Pairs(&pairs)]);
    let batch = batches.finish().unwrap();
    let map: &MapArray = batch.column(0).as_map();
    map.keys().as_string::<i32>().iter().map(|key| key.unwrap().to_owned()).collect()
}

#[test]
fn keys_that_come_again_are_numbered() {
    let cases: [(&[&str], &[&str]); 5] = [
        (&["a", "b"], &["a", "b"]),
        (&["a", "b", "a", "a", "b"], &["a", "b", "a#2", "a#3", "b#2"]),
        (&["a#2", "a", "a"], &["a#2", "a", "a#3"]),
        (&["a", "a", "a#2", "a"], &["a", "a#2", "a#2#2", "a#3"]),
        (&["", "", "A", "a"], &["", "#2", "A", "a"]),
    ];
    for (keys, wanted) in cases {
        assert_eq!(numbered(keys), wanted, "{keys:?}");
    }
}

#[test]
fn many_keys_are_unique_whatever_they_are() {
    let keys: Vec<_> =
        (0..400).map(|n| if n % 3 == 0 { "k".to_owned() } else { format!("k#{}", n / 2) }).collect();
    let keys: Vec<_> = keys.iter().map(String::as_str).collect();
    let found = numbered(&keys);
    let distinct: std::collections::HashSet<_> = found.iter().collect();
    assert_eq!((found.len(), distinct.len()), (400, 400));
    assert!(found.iter().zip(&keys).all(|(found, key)| found.starts_with(key)));
}

#[test]
fn a_batch_is_as_if_there_had_been_none_before() {
    let layout = Layout::new(vec![
        Leaf::new("list", LeafKind::TextList),
        Leaf::new("at", LeafKind::Time),
        Leaf::new("files", LeafKind::Structs(MEMBERS)),
    ]);
    let rows: &[&[Cell<'_>]] = &[&[Cell::Text("x"), Cell::Int(1)]];
    let first = [Cell::List(&["a", "b"]), Cell::Time(5), Cell::Structs(rows)];
    let second = [Cell::Null, Cell::Null, Cell::Structs(&[])];
    let mut used = Batches::new(&layout);
    used.push(&first);
    used.push(&first);
    assert_eq!((used.rows(), used.bytes() > 50), (2, true));
    used.finish().unwrap();
    assert_eq!((used.rows(), used.bytes()), (0, 0));
    let mut fresh = Batches::new(&layout);
    for batches in [&mut used, &mut fresh] {
        batches.push(&second);
        batches.push(&first);
    }
    assert_eq!(used.finish().unwrap(), fresh.finish().unwrap());
}

#[test]
fn no_rows_are_an_empty_batch() {
    for table in EventType::ALL {
        for document in [Document::native(*table, false), Document::ecs(*table, false)] {
            let mut batches = Batches::new(document.layout());
            let batch = batches.finish().unwrap();
            assert_eq!((batch.num_rows(), batch.schema_ref()), (0, batches.schema()));
        }
    }
}

#[test]
fn elements_and_keys_have_the_names_of_the_parquet_format() {
    let list = text_list::TextListColumn::data_type();
    assert!(matches!(list, DataType::List(element) if element.name() == "element" && !element.is_nullable()));
    let DataType::Map(entries, false) = pairs::PairsColumn::data_type() else { panic!("a map") };
    let DataType::Struct(members) = entries.data_type() else { panic!("a struct") };
    let names: Vec<_> = members.iter().map(|f| (f.name().as_str(), f.is_nullable())).collect();
    assert_eq!((entries.name().as_str(), &*names), ("key_value", &[("key", false), ("value", true)][..]));
}
