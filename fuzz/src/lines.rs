//! NDJSON lines: they are JSON, what `serde_json` writes of the same rows, and as ECS asks.
//!
//! The input's first byte chooses how the rest is read.

use std::sync::LazyLock;

use bumpalo::Bump;
use mimelake_columns::document::Document;
use mimelake_columns::{ecs, oracle};
use mimelake_parse::{Event, Format, Reader, Reject, Sink};
use mimelake_schema::EventType;
use mimelake_write::ndjson::RowWriter;

/// Every event that can be read is written as a line of its own, native and ECS.
///
/// # Panics
/// It is not so.
pub fn are_json(input: &[u8]) {
    let Some((choice, source)) = input.split_first() else { return };
    let format = if choice & 1 == 0 { Format::KeyValue } else { Format::Json };
    let Ok(_) = Reader::new(format, "fuzz").read(source, 0, true, &mut Check);
}

struct Check;

impl Sink for Check {
    type Error = std::convert::Infallible;

    fn event(&mut self, event: &Event<'_>, bump: &Bump) -> Result<(), Self::Error> {
        for table in &TABLES[event.event_type as usize] {
            let line = table.line(event, bump);
            if table.is_ecs {
                assert_eq!(ecs::validate(&line), Ok(()), "{line}");
            }
        }
        Ok(())
    }

    fn reject(&mut self, _: &Reject<'_>) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// How events of one type are written in one schema.
struct Table {
    is_ecs: bool,
    document: Document,
    writer: RowWriter,
}

static TABLES: LazyLock<Vec<[Table; 2]>> = LazyLock::new(|| {
    let both =
        |event_type: &EventType| [Document::native(*event_type, true), Document::ecs(*event_type, true)];
    EventType::ALL.iter().map(|event_type| both(event_type).map(Table::new)).collect()
});

impl Table {
    fn new(document: Document) -> Self {
        let is_ecs = document.layout().position("@timestamp").is_some();
        Self { is_ecs, writer: RowWriter::new(document.layout()), document }
    }

    fn line<'a>(&'a self, event: &Event<'a>, bump: &'a Bump) -> String {
        let row = self.document.row(event, bump);
        let mut line = Vec::new();
        self.writer.write_row(row, &mut line);
        let line = String::from_utf8(line).unwrap_or_default();
        let content = line.strip_suffix('\n').unwrap_or_default();
        assert!(!content.contains('\n'), "{line:?}");
        let read = serde_json::from_str(content).ok();
        assert_eq!(read, Some(oracle::object(self.document.layout().leaves(), row)), "{line:?}");
        line
    }
}
