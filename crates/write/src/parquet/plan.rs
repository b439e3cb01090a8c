//! How each column is encoded.

use mimelake_columns::document::{Layout, Leaf, LeafKind};
use mimelake_schema::{Field, VERDICTS};
use parquet::basic::{Compression as Codec, Encoding};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;

use super::PartLabels;

/// The largest row group. On 700 MB of log text, groups of 128 Ki and 256 Ki rows were the smallest and the
/// fastest: larger ones outgrow their dictionaries, and the tables and filters of each column outgrow the caches. Of the
/// two, the smaller takes a third less memory.
pub(super) const GROUP_ROWS: usize = 1 << 17;
pub(super) const GROUP_BYTES: usize = 128 << 20;
/// Half of this made files 0.4 % larger, a quarter 1.3 %.
pub(super) const PAGE_BYTES: usize = 1 << 20;
/// A dictionary column holds 8 bytes a row until its page is full.
pub(super) const PAGE_ROWS: usize = 1 << 15;
/// Bounds in statistics and indexes are cut here.
pub(super) const BOUND_BYTES: usize = 32;
/// How many of the values that are not there a bloom filter says may be there.
pub(super) const FALSE_POSITIVES: f64 = 0.05;

/// What is chosen for the columns of one leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// Whether values are numbered and each is stored once.
    pub(super) dictionary: bool,
    /// How they are stored otherwise, and where the dictionary grows too large.
    encoding: Encoding,
    pub(super) statistics: EnabledStatistics,
    pub(super) bloom: bool,
}

const TEXT: Plan = Plan {
    dictionary: true,
    encoding: Encoding::DELTA_LENGTH_BYTE_ARRAY,
    statistics: EnabledStatistics::None,
    bloom: false,
};
const NUMBER: Plan = Plan {
    dictionary: false,
    encoding: Encoding::DELTA_BINARY_PACKED,
    statistics: EnabledStatistics::Page,
    bloom: false,
};
const BIT: Plan = Plan { encoding: Encoding::PLAIN, ..NUMBER };

/// What is chosen for a leaf; for one that becomes several columns, what they have in common.
pub(super) fn plan(leaf: &Leaf) -> Plan {
    match leaf.kind {
        LeafKind::Int => Plan { dictionary: is_small(leaf), ..NUMBER },
        LeafKind::Time => NUMBER,
        LeafKind::Bool => BIT,
        LeafKind::TextList => Plan { dictionary: !is_nearly_unique(leaf), ..TEXT },
        LeafKind::Text => Plan {
            dictionary: !is_nearly_unique(leaf),
            statistics: if prunes(leaf) { EnabledStatistics::Page } else { EnabledStatistics::None },
            bloom: is_looked_up(leaf),
            ..TEXT
        },
        LeafKind::Pairs | LeafKind::Verdicts | LeafKind::Struct(_) | LeafKind::Structs(_) => TEXT,
    }
}

/// Whether nearly every row has a text of its own, so that numbering them is work for nothing.
fn is_nearly_unique(leaf: &Leaf) -> bool {
    let unique_column = leaf.column.is_some_and(|field| {
        matches!(
            field,
            Field::Acode
                | Field::ProcessingId
                | Field::MessageId
                | Field::Subject
                | Field::ReceiptAck
                | Field::AttachmentNames
                | Field::Analysis
                | Field::AuditId
                | Field::EventInfo
                | Field::Original
        )
    });
    unique_column || matches!(&*leaf.path, "event.id" | "email.message_id" | "mimecast.message_id")
}

/// Whether the integers are few and small. Numbered, they take half as much.
fn is_small(leaf: &Leaf) -> bool {
    let small = [Field::AttachmentCount, Field::Attempt, Field::Hits, Field::SpamScore, Field::SpamLimit];
    leaf.column.is_some_and(|field| small.contains(&field))
}

/// Whether readers look for single values of it.
fn is_looked_up(leaf: &Leaf) -> bool {
    let looked_up = leaf.column.is_some_and(|f| matches!(f, Field::Acode | Field::MessageId | Field::Sha256));
    looked_up || leaf.path == "email.message_id"
}

/// Whether the bounds of a page can tell a reader to skip it: only where neighbours are alike. Words like
/// actions and directions come on every page, and ids and addresses lie anywhere.
fn prunes(leaf: &Leaf) -> bool {
    leaf.column.is_some_and(|f| matches!(f, Field::Account | Field::SourceFile))
}

/// The writer's properties for the files of a layout.
pub(super) fn properties(layout: &Layout, labels: PartLabels<'_>, codec: Codec) -> WriterProperties {
    let version = env!("CARGO_PKG_VERSION");
    let label = |key: &str, value: &str| KeyValue::new(format!("mimelake.{key}"), value.to_owned());
    let builder = WriterProperties::builder()
        .set_created_by(format!("mimelake version {version}"))
        .set_key_value_metadata(Some(vec![
            label("version", version),
            label("table", labels.table),
            label("schema", labels.schema),
        ]))
        .set_compression(codec)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_max_row_group_bytes(Some(GROUP_BYTES))
        .set_data_page_size_limit(PAGE_BYTES)
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_dictionary_page_size_limit(PAGE_BYTES)
        .set_column_index_truncate_length(Some(BOUND_BYTES))
        .set_statistics_truncate_length(Some(BOUND_BYTES));
    columns_of(layout).fold(builder, |builder, (path, plan)| set(builder, path, plan)).build()
}

/// The Parquet columns of a layout, each with what is chosen for it.
pub(super) fn columns_of(layout: &Layout) -> impl Iterator<Item = (Vec<String>, Plan)> {
    layout.leaves().iter().flat_map(columns)
}

fn set(builder: WriterPropertiesBuilder, path: Vec<String>, plan: Plan) -> WriterPropertiesBuilder {
    let path = ColumnPath::new(path);
    let builder = builder
        .set_column_dictionary_enabled(path.clone(), plan.dictionary)
        .set_column_encoding(path.clone(), plan.encoding)
        .set_column_statistics_enabled(path.clone(), plan.statistics);
    if plan.bloom {
        return builder
            .set_column_bloom_filter_fpp(path.clone(), FALSE_POSITIVES)
            .set_column_bloom_filter_max_ndv(path, GROUP_ROWS as u64);
    }
    builder
}

/// The Parquet columns that a leaf becomes, each with what is chosen for it.
pub(super) fn columns(leaf: &Leaf) -> Vec<(Vec<String>, Plan)> {
    let path =
        |more: &[&str]| leaf.segments().chain(more.iter().copied()).map(str::to_owned).collect::<Vec<_>>();
    let chosen = plan(leaf);
    match leaf.kind {
        LeafKind::Text | LeafKind::Int | LeafKind::Bool | LeafKind::Time => vec![(path(&[]), chosen)],
        LeafKind::TextList => vec![(path(&["list", "element"]), chosen)],
        LeafKind::Pairs => vec![
            (path(&["key_value", "key"]), TEXT),
            // A third faster and smaller than with a dictionary.
            (path(&["key_value", "value"]), Plan { dictionary: false, ..TEXT }),
        ],
        LeafKind::Verdicts => verdicts(&path),
        LeafKind::Struct(members) => within(&path(&[]), members),
        LeafKind::Structs(members) => within(&path(&["list", "element"]), members),
    }
}

/// The columns of records inside a message: readers prune by the message's own.
fn within(path: &[String], members: &[Leaf]) -> Vec<(Vec<String>, Plan)> {
    let plain = |plan| Plan { statistics: EnabledStatistics::None, bloom: false, ..plan };
    let inner = members.iter().flat_map(columns);
    inner.map(|(inner, plan)| ([path, &inner].concat(), plain(plan))).collect()
}

fn verdicts(path: &impl Fn(&[&str]) -> Vec<String>) -> Vec<(Vec<String>, Plan)> {
    let bit = Plan { statistics: EnabledStatistics::None, ..BIT };
    let each =
        VERDICTS.iter().flat_map(|(name, _)| [(path(&[name, "allow"]), bit), (path(&[name, "info"]), TEXT)]);
    each.chain([(path(&["grey_email"]), bit)]).collect()
}
