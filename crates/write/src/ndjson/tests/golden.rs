//! Every record of the golden inputs, as lines.

use std::{fs, path::Path};

use bumpalo::Bump;
use mimelake_columns::{document::Document, ecs, oracle};
use mimelake_parse::{Event, Format, Reader, Reject, Sink};
use serde_json::Value as Json;

use super::line;

/// Checks the lines of each event.
#[derive(Default)]
struct Checked {
    events: usize,
}

impl Sink for Checked {
    type Error = String;

    fn event(&mut self, event: &Event<'_>, bump: &Bump) -> Result<(), String> {
        self.events += 1;
        let ecs = Document::ecs(event.event_type, true);
        let text = line(ecs.layout(), ecs.row(event, bump));
        ecs::validate(&text).map_err(|fault| format!("{fault} in {text}"))?;
        for document in [ecs, Document::native(event.event_type, true)] {
            let row = document.row(event, bump);
            let json: Json =
                serde_json::from_str(&line(document.layout(), row)).map_err(|e| e.to_string())?;
            assert_eq!(json, oracle::object(document.layout().leaves(), row));
        }
        Ok(())
    }

    fn reject(&mut self, _: &Reject<'_>) -> Result<(), String> {
        Ok(())
    }
}

#[test]
fn every_golden_record_is_as_ecs_asks() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/golden");
    let mut files = 0;
    for table in fs::read_dir(root).unwrap() {
        for file in fs::read_dir(table.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let format = match path.file_name().and_then(|name| name.to_str()) {
                Some("kv.log") => Format::KeyValue,
                Some("json1.json" | "json2.ndjson") => Format::Json,
                _ => continue,
            };
            let bytes = fs::read(&path).unwrap();
            let mut checked = Checked::default();
            let read = Reader::new(format, "").read(&bytes, 0, true, &mut checked);
            if let Err(fault) = read {
                panic!("{}: {fault}", path.display());
            }
            assert!(checked.events > 0, "{}", path.display());
            files += 1;
        }
    }
    assert!(files > 30, "{files}");
}
