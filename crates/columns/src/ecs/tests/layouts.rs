use mimelake_schema::{EventType, Kind};

use super::super::{
    check::{EcsField, fields},
    part::Part,
};
use crate::document::{Document, Leaf, LeafKind};

fn layouts() -> impl Iterator<Item = (EventType, Vec<Leaf>)> {
    let both = EventType::ALL.iter().flat_map(|t| [(*t, false), (*t, true)]);
    both.map(|(t, original)| (t, Document::ecs(t, original).layout().leaves().to_vec()))
}

#[test]
fn no_path_stands_twice_or_begins_another() {
    for (event_type, leaves) in layouts() {
        for a in &leaves {
            let below =
                leaves.iter().filter(|b| b.path == a.path || b.path.starts_with(&format!("{}.", a.path)));
            assert_eq!(below.count(), 1, "{event_type:?} {}", a.path);
        }
    }
}

#[test]
fn leaves_of_one_parent_stand_together() {
    for (event_type, leaves) in layouts() {
        let mut closed = std::collections::HashSet::new();
        let mut open: Vec<String> = vec![];
        for leaf in &leaves {
            let mut parents: Vec<String> =
                leaf.path.match_indices('.').map(|(at, _)| leaf.path[..at].to_owned()).collect();
            closed.extend(open.iter().filter(|p| !parents.contains(p)).cloned());
            assert!(parents.iter().all(|p| !closed.contains(p)), "{event_type:?} {}", leaf.path);
            open = std::mem::take(&mut parents);
        }
    }
}

#[test]
fn every_path_is_an_ecs_field_of_that_type_or_mimecasts_own() {
    let fields = fields();
    for (event_type, leaves) in layouts() {
        for leaf in leaves.iter().filter(|l| !l.path.starts_with("mimecast.")) {
            let field = fields.get(&*leaf.path).unwrap_or_else(|| panic!("{event_type:?} {}", leaf.path));
            agree(&leaf.path, leaf.kind, *field);
            if let LeafKind::Structs(members) = leaf.kind {
                for member in members {
                    let path = format!("{}.{}", leaf.path, member.path);
                    agree(&path, member.kind, fields[path.as_str()]);
                }
            }
        }
    }
}

#[track_caller]
fn agree(path: &str, kind: LeafKind, field: EcsField) {
    let expected = match (field.kind, field.is_array) {
        ("keyword" | "wildcard" | "match_only_text" | "ip", false) => LeafKind::Text,
        ("keyword" | "ip", true) => LeafKind::TextList,
        ("long", false) => LeafKind::Int,
        ("boolean", false) => LeafKind::Bool,
        ("date", false) => LeafKind::Time,
        ("nested", true) => {
            assert!(matches!(kind, LeafKind::Structs(_)), "{path} {kind:?}");
            return;
        }
        other => panic!("{path}: {other:?}"),
    };
    assert_eq!(kind, expected, "{path}");
}

#[test]
fn the_list_has_only_what_is_written() {
    let mut written: Vec<String> = vec![];
    for (_, leaves) in layouts() {
        for leaf in leaves {
            if let LeafKind::Structs(members) = leaf.kind {
                written.extend(members.iter().map(|m| format!("{}.{}", leaf.path, m.path)));
            }
            written.push(leaf.path.into_owned());
        }
    }
    for name in fields().keys() {
        assert!(written.iter().any(|w| w == name), "{name}");
    }
}

#[test]
fn every_column_goes_somewhere() {
    for (event_type, leaves) in layouts() {
        for field in event_type.columns() {
            let copied = leaves.iter().any(|l| l.column == Some(*field));
            let made = Part::ALL.iter().any(|p| p.row().of.contains(field));
            let paths = field.row().ecs;
            let in_place = !paths.is_empty()
                && paths
                    .iter()
                    .all(|p| leaves.iter().any(|l| *p == l.path || p.starts_with(&format!("{}.", l.path))));
            assert!(copied || made || in_place, "{event_type:?} {field:?}");
            assert!(paths.is_empty() || in_place, "{event_type:?} {field:?}");
        }
    }
}

#[test]
fn columns_without_an_ecs_field_are_mimecasts() {
    let (_, leaves) = layouts().find(|(t, _)| *t == EventType::Receipt).unwrap();
    let kind = |path: &str| leaves.iter().find(|l| l.path == path).map(|l| l.kind);
    assert_eq!(kind("mimecast.spam_score"), Some(LeafKind::Int));
    assert_eq!(kind("mimecast.spam_detail"), Some(LeafKind::Verdicts));
    assert_eq!(kind("mimecast.extra"), Some(LeafKind::Pairs));
    assert_eq!(kind("mimecast.flags"), Some(LeafKind::TextList));
    assert_eq!(kind("mimecast.subject"), None);
}

#[test]
fn the_timestamp_is_first_and_the_record_itself_comes_on_request() {
    for event_type in EventType::ALL {
        let (with, without) = (Document::ecs(*event_type, true), Document::ecs(*event_type, false));
        assert_eq!(with.layout().leaves()[0].path, "@timestamp");
        assert!(with.layout().position("event.original").is_some());
        assert!(without.layout().position("event.original").is_none());
    }
}

#[test]
fn native_leaves_are_the_columns() {
    for event_type in EventType::ALL {
        let document = Document::native(*event_type, true);
        let paths: Vec<_> = document.layout().leaves().iter().map(|l| &*l.path).collect();
        let columns = event_type.columns().iter().map(|f| f.column()).chain(["original"]);
        assert_eq!(paths, columns.collect::<Vec<_>>());
        for (leaf, field) in document.layout().leaves().iter().zip(event_type.columns()) {
            assert_eq!(leaf.kind == LeafKind::Int, field.row().kind == Kind::Int);
        }
    }
}
