//! What is read back is what was pushed.

use bumpalo::Bump;
use mimelake_columns::document::{Cell, Document, Layout, Leaf, LeafKind};
use mimelake_schema::{EventType, VERDICTS};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::read::{Owned, cells, rows};
use super::{LABELS, part};
use crate::parquet::{Compression, ParquetPart};

fn words() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[a-c]{1,3}", any::<String>(), Just("é🦀\0\"|=".to_owned())]
}

fn numbers() -> impl Strategy<Value = i64> {
    prop_oneof![
        Just(i64::MIN),
        Just(i64::MAX),
        Just(0_i64),
        any::<i64>(),
        1_772_000_000_000_000_i64..1_772_000_000_100_000
    ]
}

fn value(kind: LeafKind) -> BoxedStrategy<Owned> {
    match kind {
        LeafKind::Text => words().prop_map(Owned::Text).boxed(),
        LeafKind::Int => numbers().prop_map(Owned::Int).boxed(),
        LeafKind::Bool => any::<bool>().prop_map(Owned::Bool).boxed(),
        LeafKind::Time => numbers().prop_map(Owned::Time).boxed(),
        LeafKind::TextList => vec(words(), 0..4).prop_map(Owned::List).boxed(),
        LeafKind::Verdicts => {
            let verdict = option::of((any::<Option<bool>>(), option::of(words())));
            let each = vec(verdict, VERDICTS.len());
            (each, any::<Option<bool>>()).prop_map(|(each, grey)| Owned::Verdicts(each, grey)).boxed()
        }
        LeafKind::Pairs => vec((words(), option::of(words())), 0..5).prop_map(Owned::Pairs).boxed(),
        LeafKind::Struct(members) => row(members).prop_map(Owned::Struct).boxed(),
        LeafKind::Structs(members) => vec(row(members), 0..3).prop_map(Owned::Structs).boxed(),
    }
}

fn row(leaves: &[Leaf]) -> impl Strategy<Value = Vec<Owned>> + use<> {
    let cell = |leaf: &Leaf| prop_oneof![1 => Just(Owned::Null), 2 => value(leaf.kind)];
    leaves.iter().map(cell).collect::<Vec<_>>()
}

/// Structs in lists in structs in lists, which no table has.
static DEEP: [Leaf; 3] = [
    Leaf::new("word", LeafKind::Text),
    Leaf::new("inner", LeafKind::Struct(&INNER)),
    Leaf::new("verdicts", LeafKind::Verdicts),
];
static INNER: [Leaf; 1] = [Leaf::new("list", LeafKind::Structs(&INNERMOST))];
static BIT: [Leaf; 1] = [Leaf::new("bit", LeafKind::Bool)];
static INNERMOST: [Leaf; 3] = [
    Leaf::new("number", LeafKind::Int),
    Leaf::new("texts", LeafKind::TextList),
    Leaf::new("one", LeafKind::Struct(&BIT)),
];

fn layouts() -> impl Strategy<Value = Layout> {
    let table = (proptest::sample::select(EventType::ALL), any::<bool>(), any::<bool>());
    let table = table.prop_map(|(table, ecs, original)| {
        let document = if ecs { Document::ecs(table, original) } else { Document::native(table, original) };
        document.layout().clone()
    });
    let deep = vec![Leaf::new("deep", LeafKind::Structs(&DEEP)), Leaf::new("last", LeafKind::Text)];
    prop_oneof![3 => table, 1 => Just(Layout::new(deep))]
}

/// A layout and rows of it.
fn tables() -> impl Strategy<Value = (Layout, Vec<Vec<Owned>>)> {
    layouts().prop_flat_map(|layout| (Just(layout.clone()), vec(row(layout.leaves()), 0..12)))
}

/// The pairs as a map can hold them, naively: the next free number behind a key that is there already.
fn numbered(mut owned: Owned) -> Owned {
    if let Owned::Pairs(pairs) = &mut owned {
        for at in 0..pairs.len() {
            let key = pairs[at].0.clone();
            let taken = |wanted: &str| pairs[..at].iter().any(|(earlier, _)| earlier == wanted);
            let free = std::iter::once(key.clone())
                .chain((2..100).map(|n| format!("{key}#{n}")))
                .find(|k| !taken(k));
            pairs[at].0 = free.unwrap();
        }
    }
    owned
}

/// The cells of a row without the nulls at its end.
fn said<'a>(cells: &'a [Cell<'a>]) -> &'a [Cell<'a>] {
    let end = cells.iter().rposition(|cell| *cell != Cell::Null);
    &cells[..end.map_or(0, |end| end + 1)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn rows_are_read_as_they_were_pushed(
        (layout, pushed) in tables(),
        together in 1..6_usize,
        flush_after in 0..12_usize,
    ) {
        let mut part = part(&layout);
        for (at, rows) in pushed.chunks(together).enumerate() {
            let bump = Bump::new();
            let rows: Vec<_> = rows.iter().map(|row| said(cells(row, &bump))).collect();
            part.push_all(&rows).unwrap();
            if at == flush_after {
                part.flush_group().unwrap();
            }
        }
        prop_assert_eq!(part.rows(), pushed.len() as u64);
        let written = part.finish().unwrap();
        prop_assert_eq!((written.rows, written.bytes), (pushed.len() as u64, written.out.len() as u64));
        let wanted: Vec<Vec<_>> =
            pushed.into_iter().map(|row| row.into_iter().map(numbered).collect()).collect();
        prop_assert_eq!(rows(&written.out, &layout), wanted);
    }

    #[test]
    fn a_file_is_the_same_in_the_room_of_another((layout, pushed) in tables(), split in 0..12_usize) {
        let (before, after) = pushed.split_at(split.min(pushed.len()));
        let mut first = part(&layout);
        let mut alone = part(&layout);
        let bump = Bump::new();
        for row in before {
            first.push(cells(row, &bump)).unwrap();
        }
        let (_, room) = first.finish_with_room().unwrap();
        let mut second =
            ParquetPart::in_room(Vec::new(), &layout, LABELS, Compression::default(), Some(room)).unwrap();
        for row in after {
            second.push(cells(row, &bump)).unwrap();
            alone.push(cells(row, &bump)).unwrap();
        }
        prop_assert_eq!(second.finish().unwrap().out, alone.finish().unwrap().out);
    }
}
