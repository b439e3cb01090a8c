//! The one shape that every sink takes: a layout of leaves, and rows with one cell for each leaf.
//!
//! A [`Layout`] is a tree written down as its leaves, in tree order: leaves that share a parent stand
//! together, so that a writer opens every object once. A *row* is a slice of [`Cell`]s of the same
//! length. Sinks know layouts and cells only; what stands behind a cell, a column as it is or an ECS
//! field, is decided by the [`Document`].
//!
//! ```
//! use mimelake_columns::document::Document;
//! use mimelake_schema::EventType;
//!
//! let ecs = Document::ecs(EventType::Receipt, false);
//! assert!(ecs.layout().position("email.from.address").is_some());
//! let native = Document::native(EventType::Receipt, true);
//! assert_eq!(native.layout().leaves()[0].path, "timestamp");
//! ```

use std::borrow::Cow;
use std::sync::LazyLock;

use bumpalo::Bump;
use mimelake_parse::Event;
use mimelake_schema::{EventType, Field, Kind};

use crate::{ecs, native};

/// What kind of value a leaf holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LeafKind {
    /// Text.
    Text,
    /// A signed 64 bit integer.
    Int,
    /// A boolean.
    Bool,
    /// Microseconds since 1970 in UTC.
    Time,
    /// A list of text.
    TextList,
    /// The verdicts of a spam scan: one object for each of [`mimelake_schema::VERDICTS`] with `allow`
    /// (boolean) and `info` (text), and the boolean `grey_email`.
    Verdicts,
    /// Keys and their text; a key can come more than once.
    Pairs,
    /// A struct with these members; their paths are relative to the struct.
    Struct(&'static [Leaf]),
    /// A list of structs with these members; their paths are relative to the struct.
    Structs(&'static [Leaf]),
}

impl From<Kind> for LeafKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Text | Kind::Word | Kind::Json => Self::Text,
            Kind::Int => Self::Int,
            Kind::Bool | Kind::Hit => Self::Bool,
            Kind::Time => Self::Time,
            Kind::Addresses | Kind::FileNames | Kind::Flags | Kind::Words => Self::TextList,
            Kind::Verdicts => Self::Verdicts,
            Kind::Pairs => Self::Pairs,
            Kind::Struct(fields) => Self::Struct(members(fields)),
            Kind::Structs(fields) => Self::Structs(members(fields)),
        }
    }
}

/// The leaves of records inside a message; made once for each list of fields.
fn members(fields: &'static [Field]) -> &'static [Leaf] {
    type Made = Vec<(&'static [Field], Vec<Leaf>)>;
    static MEMBERS: LazyLock<Made> = LazyLock::new(|| {
        let kinds = Field::ALL.iter().map(|field| field.row().kind.members()).filter(|m| !m.is_empty());
        kinds.map(|fields| (fields, fields.iter().copied().map(Leaf::of).collect())).collect()
    });
    MEMBERS.iter().find(|(known, _)| *known == fields).map_or(&[], |(_, leaves)| leaves)
}

/// One leaf of a layout.
#[derive(Clone, Debug, PartialEq)]
pub struct Leaf {
    /// Where it stands: names joined by dots.
    pub path: Cow<'static, str>,
    /// What it holds.
    pub kind: LeafKind,
    /// The column whose value it repeats as it is, if it does.
    pub column: Option<Field>,
    /// The text it holds in every row, if it is always the same.
    pub constant: Option<Cow<'static, str>>,
}

impl Leaf {
    /// A leaf that is neither a column nor constant.
    pub const fn new(path: &'static str, kind: LeafKind) -> Self {
        Self { path: Cow::Borrowed(path), kind, column: None, constant: None }
    }

    /// The leaf of a column as it is, under its own name.
    pub fn of(field: Field) -> Self {
        Self { column: Some(field), ..Self::new(field.column(), field.row().kind.into()) }
    }

    /// The names that the path is made of, from the root.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.path.split('.')
    }
}

/// The value of one leaf in one row: what a column of an event holds, too.
pub use mimelake_parse::Value as Cell;

/// The leaves of a document, in tree order.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    leaves: Vec<Leaf>,
}

impl Layout {
    /// A layout of these leaves: in the order given, but leaves of one parent brought together.
    ///
    /// No path may stand twice or be the beginning of another; the tests of each layout see to that.
    pub fn new(mut leaves: Vec<Leaf>) -> Self {
        let paths: Vec<_> = leaves.iter().map(|l| l.path.clone()).collect();
        leaves.sort_by_cached_key(|leaf| place_in_tree(&leaf.path, &paths));
        Self { leaves }
    }

    /// The leaves, in the order of a row's cells.
    pub fn leaves(&self) -> &[Leaf] {
        &self.leaves
    }

    /// The place of the leaf with this path.
    pub fn position(&self, path: &str) -> Option<usize> {
        self.leaves.iter().position(|l| l.path == path)
    }
}

/// For each beginning of the path, the first leaf that shares it.
fn place_in_tree(path: &str, paths: &[Cow<'static, str>]) -> Vec<usize> {
    let ends = path.match_indices('.').map(|(at, _)| at).chain([path.len()]);
    let shares = |other: &str, end: usize| {
        other.get(..end) == path.get(..end) && matches!(other.as_bytes().get(end), None | Some(b'.'))
    };
    ends.filter_map(|end| paths.iter().position(|other| shares(other, end))).collect()
}

/// How events of one type are turned into rows of one layout.
#[derive(Debug)]
pub struct Document {
    event_type: EventType,
    layout: Layout,
    maker: Maker,
}

#[derive(Debug)]
enum Maker {
    Native { original: bool },
    Ecs(Box<ecs::Mapping>),
}

impl Document {
    /// The columns of the event type's table as they are, and `original` on request.
    pub fn native(event_type: EventType, original: bool) -> Self {
        Self { event_type, layout: native::layout(event_type, original), maker: Maker::Native { original } }
    }

    /// The event type's fields of the Elastic Common Schema (see [`crate::ecs`]), and `event.original`
    /// on request.
    pub fn ecs(event_type: EventType, original: bool) -> Self {
        let (layout, mapping) = ecs::Mapping::new(event_type, original);
        Self { event_type, layout, maker: Maker::Ecs(Box::new(mapping)) }
    }

    /// The type of the events it takes.
    pub fn event_type(&self) -> EventType {
        self.event_type
    }

    /// What the rows look like.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The row of an event of this document's type; what is made for it lives in `bump`.
    ///
    /// An event of another type gives a row of the right length with values in the wrong places.
    #[inline]
    pub fn row<'a>(&'a self, event: &Event<'a>, bump: &'a Bump) -> &'a [Cell<'a>] {
        debug_assert_eq!(event.event_type, self.event_type, "the event is of another table");
        match &self.maker {
            Maker::Native { original } => native::row(event, *original, bump),
            Maker::Ecs(mapping) => mapping.row(&self.layout, event, bump),
        }
    }
}
