//! Log text to Parquet, all stages of it, and how large the files are. Ids are `parquet/input/schema/compression`.
//!
//! `cargo bench -p mimelake-bench --bench parquet`; the allocator's own clearing of memory shows here:
//! compare with `MIMALLOC_PURGE_DELAY=-1` before it.

use std::io::{self, Write};

use bumpalo::Bump;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use mimelake_bench::generate::{self, Dialect};
use mimelake_columns::document::Document;
use mimelake_parse::{Event, Format, Reader, Reject, Sink};
use mimelake_schema::EventType;
use mimelake_write::parquet::{Compression, ParquetPart, ParquetPartError, PartLabels};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SIZE: usize = 64 << 20;
const SEED: u64 = 1;
/// What the reader is given at once.
const WINDOW: usize = 1 << 20;

type MakeDocument = fn(EventType, bool) -> Document;
const SCHEMAS: [(&str, MakeDocument); 2] = [("native", Document::native), ("ecs", Document::ecs)];

/// One part for each table that has rows.
struct Parts<'d> {
    documents: &'d [Document],
    schema: &'static str,
    compression: Compression,
    open: Vec<Option<ParquetPart<io::Sink>>>,
}

impl<'d> Parts<'d> {
    fn new(documents: &'d [Document], schema: &'static str, compression: Compression) -> Self {
        let open = documents.iter().map(|_| None).collect();
        Self { documents, schema, compression, open }
    }

    /// Ends all parts; their rows and bytes.
    fn finish(self) -> Result<(u64, u64), ParquetPartError> {
        let mut total = (0, 0);
        for part in self.open.into_iter().flatten() {
            let written = part.finish()?;
            total = (total.0 + written.rows, total.1 + written.bytes);
        }
        Ok(total)
    }
}

impl Sink for Parts<'_> {
    type Error = ParquetPartError;

    fn event(&mut self, event: &Event<'_>, bump: &Bump) -> Result<(), ParquetPartError> {
        let place = event.event_type as usize;
        let document = &self.documents[place];
        let part = match &mut self.open[place] {
            Some(part) => part,
            none => {
                let labels = PartLabels { table: event.event_type.table(), schema: self.schema };
                none.insert(ParquetPart::new(io::sink(), document.layout(), labels, self.compression)?)
            }
        };
        part.push(document.row(event, bump))
    }

    fn reject(&mut self, _: &Reject<'_>) -> Result<(), ParquetPartError> {
        Ok(())
    }
}

fn convert(format: Format, bytes: &[u8], mut parts: Parts<'_>) -> Result<(u64, u64), ParquetPartError> {
    let mut reader = Reader::new(format, "bench");
    let mut start = 0;
    while start < bytes.len() {
        let end = bytes.len().min(start + WINDOW);
        start += reader.read(&bytes[start..end], start as u64, end == bytes.len(), &mut parts)?;
    }
    parts.finish()
}

fn parquet(criterion: &mut Criterion) {
    let inputs = [("kv", Format::KeyValue, Dialect::Kv), ("json2", Format::Json, Dialect::Json2)];
    for (name, format, dialect) in inputs {
        let bytes = generate::bytes(dialect, None, SIZE, SEED);
        let expected = bytes.split(|&b| b == b'\n').filter(|line| !line.is_empty()).count() as u64;
        for (schema, make) in SCHEMAS {
            let documents: Vec<_> =
                EventType::ALL.iter().map(|event_type| make(*event_type, false)).collect();
            let mut group = criterion.benchmark_group(format!("parquet/{name}/{schema}"));
            group.throughput(Throughput::Bytes(bytes.len() as u64)).sample_size(10);
            for compression in [Compression::default(), Compression::Snappy, Compression::None] {
                let mut size = 0;
                group.bench_function(compression.to_string(), |bencher| {
                    let parts = || Parts::new(&documents, schema, compression);
                    let run = |parts| {
                        let written = convert(format, &bytes, parts);
                        assert!(written.as_ref().is_ok_and(|(rows, _)| *rows == expected), "{written:?}");
                        size = written.map_or(0, |(_, bytes)| bytes);
                    };
                    bencher.iter_batched(parts, run, BatchSize::PerIteration);
                });
                let share = size as f64 * 100.0 / bytes.len() as f64;
                let _ = writeln!(io::stderr(), "{size} bytes, {share:.1} % of the input\n");
            }
        }
    }
}

criterion_group!(benches, parquet);
criterion_main!(benches);
