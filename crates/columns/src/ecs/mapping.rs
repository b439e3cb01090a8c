//! Which leaf is filled from where.

use std::borrow::Cow;

use bumpalo::Bump;
use mimelake_parse::{Event, ExtraPair, Value, Verdict, Verdicts};
use mimelake_schema::{ECS_VERSION, EventType, Field};

use super::{
    derive, id,
    part::{Part, PartPlaces, Parts},
    record::{Places, Record},
};
use crate::document::{Cell, Layout, Leaf};

/// Where a leaf's cell comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// The same text in every row.
    Constant,
    /// The column at this place.
    Column(u8),
    /// The record itself.
    Original,
    /// A made field.
    Part(Part),
}

/// Fills the ECS layout of one event type.
#[derive(Debug)]
pub(crate) struct Mapping {
    /// Leaves that are the same in every row.
    constants: Vec<usize>,
    /// Leaves and the places of the columns that they repeat.
    columns: Vec<(usize, usize)>,
    original: Option<usize>,
    parts: PartPlaces,
    places: Places,
    seed: u64,
}

/// Further fields that columns are copied to.
const ALSO: &[(Field, &str)] = &[
    (Field::FileName, "threat.indicator.file.name"),
    (Field::Md5, "threat.indicator.file.hash.md5"),
    (Field::Sha1, "threat.indicator.file.hash.sha1"),
    (Field::Sha256, "threat.indicator.file.hash.sha256"),
];

impl Mapping {
    /// The layout of an event type and what fills it.
    pub(crate) fn new(event_type: EventType, original: bool) -> (Layout, Self) {
        let mut planned = vec![];
        columns(event_type, original, &mut planned);
        let (mut planned, mimecast): (Vec<_>, Vec<_>) =
            planned.into_iter().partition(|(leaf, _)| !leaf.path.starts_with("mimecast."));
        // Behind the timestamp, the first column of every table.
        planned.splice(1..1, constants(event_type));
        planned.extend(parts(event_type));
        planned.extend(mimecast);
        let layout = Layout::new(planned.iter().map(|(leaf, _)| leaf.clone()).collect());
        let mut mapping = Self {
            constants: vec![],
            columns: vec![],
            original: None,
            parts: [u8::MAX; Part::ALL.len()],
            places: Places::new(event_type),
            seed: id::seed(event_type),
        };
        for (leaf, source) in planned {
            let Some(place) = layout.position(&leaf.path) else { continue };
            match source {
                Source::Constant => mapping.constants.push(place),
                Source::Column(column) => mapping.columns.push((place, usize::from(column))),
                Source::Original => mapping.original = Some(place),
                Source::Part(part) => mapping.parts[part as usize] = place as u8,
            }
        }
        (layout, mapping)
    }

    /// One cell for each leaf.
    pub(crate) fn row<'a>(&self, layout: &'a Layout, event: &Event<'a>, bump: &'a Bump) -> &'a [Cell<'a>] {
        let leaves = layout.leaves();
        let row = bump.alloc_slice_fill_copy(leaves.len(), Cell::Null);
        for place in &self.constants {
            row[*place] = leaves[*place].constant.as_deref().map_or(Cell::Null, Cell::Text);
        }
        for (place, column) in &self.columns {
            // Most say nothing, and nothing is there already.
            if let Some(value) = event.values.get(*column).filter(|value| says(value)) {
                row[*place] = if is_nested(value) { nested_cell(*value, bump) } else { *value };
            }
        }
        if let Some(place) = self.original {
            row[place] = Cell::Text(event.text);
        }
        let record = Record { event, places: &self.places };
        derive::fill(&record, self.seed, &mut Parts { row, places: &self.parts }, bump);
        row
    }
}

/// Whether a value is more than nothing.
#[inline]
fn says(value: &Value<'_>) -> bool {
    !matches!(value, Cell::Null | Cell::Text("") | Cell::List([]))
}

/// Whether there are parts in a value that may say nothing.
#[inline]
fn is_nested(value: &Value<'_>) -> bool {
    matches!(value, Cell::Verdicts(_) | Cell::Pairs(_) | Cell::Struct(_) | Cell::Structs(_))
}

// Apart, so that the loop over the columns stays small.
#[inline(never)]
fn nested_cell<'a>(value: Value<'a>, bump: &'a Bump) -> Cell<'a> {
    match value {
        Cell::Verdicts(verdicts) => given(verdicts, bump),
        Cell::Pairs(pairs) => said(pairs, bump),
        Cell::Struct(record) => filled(record, bump).map_or(Cell::Null, Cell::Struct),
        Cell::Structs(records) => {
            let filled = records.iter().filter_map(|record| filled(record, bump));
            let filled = bumpalo::collections::Vec::from_iter_in(filled, bump).into_bump_slice();
            if filled.is_empty() { Cell::Null } else { Cell::Structs(filled) }
        }
        cell => cell,
    }
}

/// A record inside a message, without what says nothing; none if that is all of it.
fn filled<'a>(record: &'a [Cell<'a>], bump: &'a Bump) -> Option<&'a [Cell<'a>]> {
    let cell = |value: &Value<'a>| if says(value) { nested_cell(*value, bump) } else { Cell::Null };
    let filled = bump.alloc_slice_fill_iter(record.iter().map(cell));
    filled.iter().any(|cell| !cell.is_null()).then_some(filled)
}

/// The verdicts that say something.
fn given<'a>(verdicts: &'a Verdicts<'a>, bump: &'a Bump) -> Cell<'a> {
    let mut given = *verdicts;
    for verdict in &mut given.each {
        let said = verdict.map(|v| Verdict { info: v.info.filter(|info| !info.is_empty()), ..v });
        *verdict = said.filter(|v| *v != Verdict::default());
    }
    if given == Verdicts::default() { Cell::Null } else { Cell::Verdicts(bump.alloc(given)) }
}

/// The pairs that say something.
fn said<'a>(pairs: &'a [ExtraPair<'a>], bump: &'a Bump) -> Cell<'a> {
    let says = |pair: &ExtraPair<'_>| pair.value.is_some_and(|v| !v.is_empty());
    let pairs = if pairs.iter().all(says) {
        pairs
    } else {
        let said = pairs.iter().copied().filter(says);
        bumpalo::collections::Vec::from_iter_in(said, bump).into_bump_slice()
    };
    if pairs.is_empty() { Cell::Null } else { Cell::Pairs(pairs) }
}

type Planned = (Leaf, Source);

fn constants(event_type: EventType) -> impl Iterator<Item = Planned> {
    let dataset = Cow::Owned(format!("mimecast.{}", event_type.table()));
    let texts = [
        ("ecs.version", Cow::Borrowed(ECS_VERSION)),
        ("event.module", Cow::Borrowed("mimecast")),
        ("event.dataset", dataset),
        ("observer.vendor", Cow::Borrowed("Mimecast")),
        ("observer.product", Cow::Borrowed("Mimecast Email Security")),
        ("observer.type", Cow::Borrowed("email-gateway")),
    ];
    texts.into_iter().map(|(path, text)| {
        let leaf = Leaf { constant: Some(text), ..Leaf::new(path, crate::document::LeafKind::Text) };
        (leaf, Source::Constant)
    })
}

fn parts(event_type: EventType) -> impl Iterator<Item = Planned> {
    let has = move |field: &Field| event_type.columns().contains(field);
    let apply = move |part: &&Part| part.row().of.is_empty() || part.row().of.iter().any(has);
    let planned = |part: &Part| (Leaf::new(part.row().path, part.row().kind), Source::Part(*part));
    Part::ALL.iter().filter(apply).map(planned)
}

/// The columns that are copied.
fn columns(event_type: EventType, original: bool, planned: &mut Vec<Planned>) {
    let places = Places::new(event_type);
    for field in event_type.columns() {
        let Some(place) = places.get(*field) else { continue };
        let source = Source::Column(place as u8);
        for path in paths(*field).filter(|path| !is_made(path)) {
            let leaf = Leaf { path, kind: field.row().kind.into(), column: Some(*field), constant: None };
            planned.push((leaf, source));
        }
    }
    if original {
        let leaves = Field::Original.row().ecs.iter().copied().map(|path| {
            let kind = Field::Original.row().kind.into();
            (Leaf { column: Some(Field::Original), ..Leaf::new(path, kind) }, Source::Original)
        });
        planned.extend(leaves);
    }
}

/// The fields that a column is written to.
fn paths(field: Field) -> impl Iterator<Item = Cow<'static, str>> {
    let own = field.row().ecs.iter().copied().map(Cow::Borrowed);
    let other = field.row().ecs.is_empty().then(|| Cow::Owned(format!("mimecast.{}", field.column())));
    let also = ALSO.iter().filter(move |(f, _)| *f == field).map(|(_, path)| Cow::Borrowed(*path));
    own.chain(other).chain(also)
}

/// Whether a field, or the list that it is a member of, is made.
fn is_made(path: &str) -> bool {
    let within =
        |whole: &str| path.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    Part::ALL.iter().any(|part| within(part.row().path))
}
