//! Each stage on made-up logs: pairs, events, columns, NDJSON. Ids are `stage/input/implementation`.
//!
//! `cargo bench -p mimelake-bench --bench stages`

use std::convert::Infallible;
use std::hint::black_box;

use bumpalo::Bump;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mimelake_bench::generate::{self, Dialect};
use mimelake_columns::batch::Batches;
use mimelake_columns::document::{Cell, Document};
use mimelake_parse::{Event, Format, Pair, Reader, Reject, Sink, kv};
use mimelake_schema::EventType;
use mimelake_write::ndjson::RowWriter;

const SIZE: usize = 4 << 20;
const SEED: u64 = 1;

/// Hands each row of one schema to `take`, and counts the events.
struct Rows<'d, F> {
    documents: &'d [Document],
    take: F,
    events: u64,
}

impl<F: FnMut(EventType, &[Cell<'_>])> Sink for Rows<'_, F> {
    type Error = Infallible;

    fn event(&mut self, event: &Event<'_>, bump: &Bump) -> Result<(), Infallible> {
        let document = &self.documents[event.event_type as usize];
        (self.take)(event.event_type, document.row(event, bump));
        self.events += 1;
        Ok(())
    }

    fn reject(&mut self, _: &Reject<'_>) -> Result<(), Infallible> {
        Ok(())
    }
}

/// Only counts.
struct Count(u64);

impl Sink for Count {
    type Error = Infallible;

    fn event(&mut self, event: &Event<'_>, _: &Bump) -> Result<(), Infallible> {
        black_box(event.values);
        self.0 += 1;
        Ok(())
    }

    fn reject(&mut self, _: &Reject<'_>) -> Result<(), Infallible> {
        Ok(())
    }
}

fn read<S: Sink<Error = Infallible>>(format: Format, bytes: &[u8], sink: &mut S) {
    let Ok(done) = Reader::new(format, "bench").read(bytes, 0, true, sink);
    assert_eq!(done, bytes.len());
}

fn lines(bytes: &[u8]) -> u64 {
    bytes.split(|&b| b == b'\n').filter(|line| !line.is_empty()).count() as u64
}

fn inputs() -> [(&'static str, Format, Vec<u8>); 2] {
    let made = |dialect| generate::bytes(dialect, None, SIZE, SEED);
    [("kv", Format::KeyValue, made(Dialect::Kv)), ("json2", Format::Json, made(Dialect::Json2))]
}

fn pairs(criterion: &mut Criterion) {
    let bytes = generate::bytes(Dialect::Kv, None, SIZE, SEED);
    let mut group = criterion.benchmark_group("pairs/kv");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    let mut split = |name: &str, scan: &mut dyn FnMut(&[u8]) -> usize| {
        let expected: usize =
            bytes.split(|&b| b == b'\n').map(|line| kv::grammar::record(line).map_or(0, |p| p.len())).sum();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let found: usize = bytes.split(|&b| b == b'\n').map(&mut *scan).sum();
                assert_eq!(found, expected);
            });
        });
    };
    let mut found: Vec<Pair> = Vec::new();
    let mut scanner = kv::Scanner::default();
    split("scan", &mut |line| scanner.scan(line, &mut found).map_or(0, |_| found.len()));
    split("grammar", &mut |line| kv::grammar::record(line).map_or(0, |pairs| pairs.len()));
}

fn events(criterion: &mut Criterion) {
    for (name, format, bytes) in inputs() {
        let expected = lines(&bytes);
        let mut group = criterion.benchmark_group(format!("event/{name}"));
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function("reader", |bencher| {
            bencher.iter(|| {
                let mut sink = Count(0);
                read(format, &bytes, &mut sink);
                assert_eq!(sink.0, expected);
            });
        });
    }
}

type MakeDocument = fn(EventType, bool) -> Document;

fn documents(make: MakeDocument) -> Vec<Document> {
    EventType::ALL.iter().map(|event_type| make(*event_type, false)).collect()
}

fn columns(criterion: &mut Criterion) {
    let documents = documents(Document::native);
    for (name, format, bytes) in inputs() {
        let expected = lines(&bytes);
        let mut group = criterion.benchmark_group(format!("columns/{name}"));
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        let mut tables: Vec<Batches> = documents.iter().map(|d| Batches::new(d.layout())).collect();
        group.bench_function("batches", |bencher| {
            bencher.iter(|| {
                let take = |event_type: EventType, row: &[Cell<'_>]| {
                    let table = &mut tables[event_type as usize];
                    table.push(row);
                    if table.rows() == 4096 {
                        assert!(black_box(table.finish()).is_ok());
                    }
                };
                let mut sink = Rows { documents: &documents, take, events: 0 };
                read(format, &bytes, &mut sink);
                assert_eq!(sink.events, expected);
            });
        });
    }
}

fn ndjson(criterion: &mut Criterion) {
    let schemas: [(&str, MakeDocument); 2] = [("native", Document::native), ("ecs", Document::ecs)];
    for (schema, make) in schemas {
        let documents = documents(make);
        let writers: Vec<RowWriter> = documents.iter().map(|d| RowWriter::new(d.layout())).collect();
        for (name, format, bytes) in inputs() {
            let expected = lines(&bytes);
            let mut group = criterion.benchmark_group(format!("ndjson/{name}"));
            group.throughput(Throughput::Bytes(bytes.len() as u64));
            let mut out = Vec::new();
            group.bench_function(schema, |bencher| {
                bencher.iter(|| {
                    let take = |event_type: EventType, row: &[Cell<'_>]| {
                        if out.len() > 64 << 10 {
                            out.clear();
                        }
                        writers[event_type as usize].write_row(row, &mut out);
                    };
                    let mut sink = Rows { documents: &documents, take, events: 0 };
                    read(format, &bytes, &mut sink);
                    assert_eq!(sink.events, expected);
                });
            });
        }
    }
}

criterion_group!(stages, pairs, events, columns, ndjson);
criterion_main!(stages);
