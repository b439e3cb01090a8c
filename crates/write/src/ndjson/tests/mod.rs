//! Lines held against rows that `serde_json` writes.

use bumpalo::Bump;
use mimelake_columns::{
    document::{Cell, Document, Layout, Leaf, LeafKind},
    ecs, oracle,
};
use mimelake_parse::{ExtraPair, Verdict, Verdicts};
use mimelake_schema::{EventType, Field};
use proptest::prelude::*;
use serde_json::Value as Json;

use super::RowWriter;

mod golden;
mod random;

use random::{OwnedValue, event_of};

fn line(layout: &Layout, row: &[Cell<'_>]) -> String {
    let mut out = b"before\n".to_vec();
    RowWriter::new(layout).write_row(row, &mut out);
    let text = String::from_utf8(out).unwrap();
    let line = text.strip_prefix("before\n").unwrap().strip_suffix('\n').unwrap();
    assert!(!line.contains('\n'));
    line.to_owned()
}

fn layout(leaves: &[(&'static str, LeafKind)]) -> Layout {
    Layout::new(leaves.iter().map(|(path, kind)| Leaf::new(path, *kind)).collect())
}

#[test]
fn objects_open_only_around_what_is_said() {
    let layout = layout(&["a.b.c", "a.b.d", "a.e", "f", "g.h.i", "g.j"].map(|path| (path, LeafKind::Int)));
    let cases: [([u8; 6], &str); 8] = [
        ([1, 2, 3, 4, 5, 6], r#"{"a":{"b":{"c":1,"d":2},"e":3},"f":4,"g":{"h":{"i":5},"j":6}}"#),
        ([0, 0, 0, 0, 0, 0], "{}"),
        ([0, 2, 0, 0, 0, 0], r#"{"a":{"b":{"d":2}}}"#),
        ([0, 0, 3, 0, 0, 6], r#"{"a":{"e":3},"g":{"j":6}}"#),
        ([1, 0, 3, 0, 0, 0], r#"{"a":{"b":{"c":1},"e":3}}"#),
        ([1, 0, 0, 0, 5, 0], r#"{"a":{"b":{"c":1}},"g":{"h":{"i":5}}}"#),
        ([0, 0, 0, 4, 0, 0], r#"{"f":4}"#),
        ([1, 0, 0, 4, 0, 6], r#"{"a":{"b":{"c":1}},"f":4,"g":{"j":6}}"#),
    ];
    for (numbers, expected) in cases {
        let row = numbers.map(|n| if n == 0 { Cell::Null } else { Cell::Int(i64::from(n)) });
        assert_eq!(line(&layout, &row), expected);
    }
}

#[test]
fn leaves_of_one_parent_are_brought_together() {
    let layout = layout(&["a.b", "c", "a.d"].map(|path| (path, LeafKind::Bool)));
    assert_eq!(line(&layout, &[Cell::Bool(true); 3]), r#"{"a":{"b":true,"d":true},"c":true}"#);
}

/// The members of a list of structs.
const MEMBERS: &[Leaf] = &[Leaf::new("x.y", LeafKind::Int), Leaf::new("z", LeafKind::Text)];

#[test]
fn every_kind_of_value() {
    let verdicts = Verdicts {
        each: [
            Some(Verdict { allow: Some(true), info: Some("SPF_PASS") }),
            Some(Verdict { allow: None, info: None }),
            None,
            Some(Verdict { allow: None, info: Some("") }),
            None,
            None,
        ],
        grey_email: Some(false),
    };
    let pairs = [("K", Some("1")), ("L", None), ("K", None), ("K", Some("2"))];
    let pairs = pairs.map(|(key, value)| ExtraPair { key, value });
    let cases = [
        (LeafKind::Int, Cell::Int(i64::MIN), "-9223372036854775808"),
        (LeafKind::Int, Cell::Int((1 << 53) + 1), "9007199254740993"),
        (LeafKind::Bool, Cell::Bool(false), "false"),
        (LeafKind::Text, Cell::Text(""), r#""""#),
        (LeafKind::Text, Cell::Text("null"), r#""null""#),
        (LeafKind::Time, Cell::Time(1), r#""1970-01-01T00:00:00.000001Z""#),
        (LeafKind::TextList, Cell::List(&[]), "[]"),
        (LeafKind::TextList, Cell::List(&["a", "\""]), r#"["a","\""]"#),
        (
            LeafKind::Verdicts,
            Cell::Verdicts(&verdicts),
            r#"{"spf":{"allow":true,"info":"SPF_PASS"},"rbl":{"info":""},"grey_email":false}"#,
        ),
        (LeafKind::Pairs, Cell::Pairs(&pairs), r#"{"K":["1",null,"2"],"L":null}"#),
        (LeafKind::Structs(MEMBERS), Cell::Structs(&[]), "[]"),
        (
            LeafKind::Structs(MEMBERS),
            Cell::Structs(&[&[Cell::Int(1), Cell::Text("a")], &[Cell::Null, Cell::Null]]),
            r#"[{"x":{"y":1},"z":"a"},{}]"#,
        ),
    ];
    for (kind, cell, expected) in cases {
        let layout = layout(&[("a", kind)]);
        assert_eq!(line(&layout, &[cell]), format!("{{\"a\":{expected}}}"));
        let json: Json = serde_json::from_str(&line(&layout, &[cell])).unwrap();
        assert_eq!(json, oracle::object(layout.leaves(), &[cell]));
    }
}

#[test]
fn what_says_nothing_is_left_out() {
    let nothing = Verdicts { each: [Some(Verdict::default()); 6], grey_email: None };
    for cell in [Cell::Time(i64::MAX), Cell::Pairs(&[]), Cell::Verdicts(&nothing)] {
        let layout = layout(&[("a", LeafKind::Text)]);
        assert_eq!(line(&layout, &[cell]), "{}");
        assert_eq!(oracle::object(layout.leaves(), &[cell]), serde_json::json!({}));
    }
}

#[test]
fn constants_stand_in_every_line() {
    let constant = Leaf { constant: Some("\"v\"".into()), ..Leaf::new("a.b", LeafKind::Text) };
    let layout = Layout::new(vec![constant, Leaf::new("a.c", LeafKind::Int)]);
    assert_eq!(line(&layout, &[Cell::Text("\"v\""), Cell::Int(1)]), r#"{"a":{"b":"\"v\"","c":1}}"#);
}

#[test]
fn cells_of_another_kind_than_the_leafs_are_still_json() {
    let layout = layout(&[("a.b", LeafKind::Text), ("a.c", LeafKind::Int)]);
    let line = line(&layout, &[Cell::Structs(&[&[Cell::Int(1)]]), Cell::Text("x")]);
    assert_eq!(line, r#"{"a":{"b":[{}],"c":"x"}}"#);
}

#[test]
fn many_pairs_take_linear_time_and_keep_their_order() {
    let keys: Vec<String> = (0..100_000).map(|n| format!("k{}", n % 70_000)).collect();
    let pairs: Vec<_> = keys.iter().map(|key| ExtraPair { key, value: Some(key) }).collect();
    let layout = layout(&[("a", LeafKind::Pairs)]);
    let line = line(&layout, &[Cell::Pairs(&pairs)]);
    assert!(line.starts_with(r#"{"a":{"k0":["k0","k0"],"k1":["k1","k1"],"#), "{}", &line[..60]);
    assert!(line.ends_with(r#","k69999":"k69999"}}"#));
}

/// The line of an event is JSON, and what `serde_json` makes of the row.
fn lines_match(document: &Document, columns: &[(Field, OwnedValue)], text: &str) -> Json {
    let bump = Bump::new();
    let event = event_of(document.event_type(), columns, text, &bump);
    let row = document.row(&event, &bump);
    let json: Json = serde_json::from_str(&line(document.layout(), row)).unwrap();
    assert_eq!(json, oracle::object(document.layout().leaves(), row));
    json
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn native_lines((event_type, columns) in random::columns(), text in ".*", original: bool) {
        lines_match(&Document::native(event_type, original), &columns, &text);
    }

    #[test]
    fn ecs_lines((event_type, columns) in random::columns(), text in ".+", original: bool) {
        let document = Document::ecs(event_type, original);
        let json = lines_match(&document, &columns, &text).to_string();
        prop_assert_eq!(ecs::validate(&json), Ok(()));
    }

    #[test]
    fn random_rows_of_random_layouts(
        paths in prop::collection::hash_set("[a-c](\\.[d-f](\\.[g-h])?)?", 1..20),
        said in prop::collection::vec(any::<bool>(), 20),
    ) {
        let begins = |a: &str, b: &str| b.starts_with(&format!("{a}."));
        let leaves: Vec<_> = paths.iter().filter(|p| !paths.iter().any(|other| begins(p, other))).collect();
        let leaf = |path: &&String| Leaf { path: (**path).clone().into(), ..Leaf::new("", LeafKind::Bool) };
        let layout = Layout::new(leaves.iter().map(leaf).collect());
        let row: Vec<_> = layout.leaves().iter().zip(said)
            .map(|(_, said)| if said { Cell::Bool(true) } else { Cell::Null }).collect();
        let text = line(&layout, &row);
        let json: Json = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&json, &oracle::object(layout.leaves(), &row));
        // No key stands twice: the compact text is as long as serde_json's.
        prop_assert_eq!(text.len(), json.to_string().len());
    }
}

#[test]
fn every_event_type_writes_an_empty_event() {
    for event_type in EventType::ALL {
        let json = lines_match(&Document::ecs(*event_type, false), &[], "x");
        assert_eq!(ecs::validate(&json.to_string()), Ok(()));
        assert_eq!(lines_match(&Document::native(*event_type, false), &[], "x"), serde_json::json!({}));
    }
}
