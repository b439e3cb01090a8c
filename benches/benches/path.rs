//! The way of a file: opened and inflated, cut into records, converted to a file. Ids are `stage/input/implementation`;
//! throughput is in bytes of log text.
//!
//! `cargo bench -p mimelake-bench --bench path`

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use bumpalo::Bump;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use flate2::write::GzEncoder;
use mimelake_bench::generate::{self, Dialect};
use mimelake_columns::document::Document;
use mimelake_landing::{self as landing, BLOCK, Limits, Opener, UnitReader, Window};
use mimelake_parse::{Event, Format, Reader, Reject, Sink, kv};
use mimelake_schema::EventType;
use mimelake_write::ndjson::RowWriter;
use mimelake_write::parquet::{Compression, ParquetPart, PartLabels};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SIZE: usize = 16 << 20;
const SEED: u64 = 1;

/// Log text as files of a directory: plain, and packed by gzip.
fn files(directory: &Path) -> io::Result<Vec<u8>> {
    let bytes = generate::bytes(Dialect::Kv, None, SIZE, SEED);
    fs::write(directory.join("plain.log"), &bytes)?;
    let mut packed =
        GzEncoder::new(File::create(directory.join("packed.gz"))?, flate2::Compression::default());
    packed.write_all(&bytes)?;
    packed.finish()?;
    Ok(bytes)
}

/// A window over the only unit of a file.
fn open(path: &Path) -> Window<UnitReader> {
    let limits = Limits::default();
    let found = landing::find(&[path.to_string_lossy().into_owned()]).into_iter().flatten();
    let mut units =
        found.flat_map(|found| landing::units(&found, &limits).map(|l| l.units).unwrap_or_default());
    let unit = units.next().unwrap_or_else(|| unreachable!("{} is one unit", path.display()));
    let reader = Opener::new(limits).open(&unit).unwrap_or_else(|error| unreachable!("{error}"));
    Window::new(reader, BLOCK)
}

fn lines(bytes: &[u8]) -> usize {
    bytes.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).count()
}

fn opened(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().unwrap_or_else(|error| unreachable!("{error}"));
    let bytes = files(directory.path()).unwrap_or_else(|error| unreachable!("{error}"));
    let mut group = criterion.benchmark_group("open/kv");
    group.throughput(Throughput::Bytes(bytes.len() as u64)).sample_size(10);
    for (name, file) in [("plain", "plain.log"), ("gzip", "packed.gz")] {
        let path = directory.path().join(file);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut window = open(&path);
                let mut read = 0;
                while window.fill().is_ok_and(|added| added > 0) {
                    let whole = window.bytes().len();
                    assert_eq!(window.bytes(), &bytes[read..read + whole]);
                    read += whole;
                    window.consume(whole);
                }
                assert_eq!(read, bytes.len());
            });
        });
    }
}

fn records(criterion: &mut Criterion) {
    let bytes = generate::bytes(Dialect::Kv, None, SIZE, SEED);
    let expected = lines(&bytes);
    let mut group = criterion.benchmark_group("records/kv");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("cut", |bencher| {
        bencher.iter(|| {
            let (mut at, mut found) = (0, 0);
            while let Some(line) = kv::cut(&bytes, at, true) {
                (at, found) = (line.next, found + 1);
            }
            assert_eq!((at, found), (bytes.len(), expected));
        });
    });
}

/// One file for each table that has rows.
struct Tables<'d, P> {
    documents: &'d [Document],
    open: Vec<Option<P>>,
    create: &'d dyn Fn(&Document) -> P,
    write: &'d dyn Fn(&mut P, &Document, &Event<'_>, &Bump),
    rows: u64,
}

impl<P> Sink for Tables<'_, P> {
    type Error = io::Error;

    fn event(&mut self, event: &Event<'_>, bump: &Bump) -> io::Result<()> {
        let place = event.event_type as usize;
        let document = &self.documents[place];
        let part = self.open[place].get_or_insert_with(|| (self.create)(document));
        (self.write)(part, document, event, bump);
        self.rows += 1;
        Ok(())
    }

    fn reject(&mut self, reject: &Reject<'_>) -> io::Result<()> {
        unreachable!("rejected at {}", reject.offset)
    }
}

fn read<P>(path: &Path, tables: &mut Tables<'_, P>) -> io::Result<()> {
    let mut window = open(path);
    let mut reader = Reader::new(Format::KeyValue, "plain.log");
    while window.fill()? > 0 {
        let done = reader.read(window.bytes(), window.offset(), window.at_end(), tables)?;
        window.consume(done);
    }
    let rest = window.bytes().len();
    reader.read(window.bytes(), window.offset(), true, tables).map(|done| assert_eq!(done, rest))
}

fn convert(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().unwrap_or_else(|error| unreachable!("{error}"));
    let bytes = files(directory.path()).unwrap_or_else(|error| unreachable!("{error}"));
    let expected = lines(&bytes) as u64;
    let input = directory.path().join("plain.log");
    let create = |document: &Document, ending: &str| {
        let path = directory.path().join(document.event_type().table()).with_extension(ending);
        BufWriter::new(File::create(path).unwrap_or_else(|error| unreachable!("{error}")))
    };
    let mut group = criterion.benchmark_group("convert/kv");
    group.throughput(Throughput::Bytes(bytes.len() as u64)).sample_size(10);
    let native: Vec<_> = EventType::ALL.iter().map(|table| Document::native(*table, false)).collect();
    let labels = PartLabels { table: "bench", schema: "native" };
    group.bench_function("parquet", |bencher| {
        bencher.iter(|| {
            let part = |document: &Document| {
                let out = create(document, "parquet");
                ParquetPart::new(out, document.layout(), labels, Compression::default()).ok()
            };
            let write =
                |part: &mut Option<ParquetPart<_>>, document: &Document, event: &Event<'_>, bump: &Bump| {
                    let row = document.row(event, bump);
                    assert!(part.as_mut().is_some_and(|part| part.push(row).is_ok()));
                };
            let open = native.iter().map(|_| None).collect();
            let mut tables = Tables { documents: &native, open, create: &part, write: &write, rows: 0 };
            assert!(read(&input, &mut tables).is_ok());
            let parts = tables.open.into_iter().flatten().flatten();
            let rows: u64 = parts.map(|part| part.finish().map_or(0, |written| written.rows)).sum();
            assert_eq!((tables.rows, rows), (expected, expected));
        });
    });
    let ecs: Vec<_> = EventType::ALL.iter().map(|table| Document::ecs(*table, false)).collect();
    group.bench_function("ndjson-ecs", |bencher| {
        bencher.iter(|| {
            let part = |document: &Document| {
                (RowWriter::new(document.layout()), create(document, "ndjson"), Vec::new(), 0_u64)
            };
            let write = |(writer, out, line, rows): &mut (RowWriter, BufWriter<File>, Vec<u8>, u64),
                         document: &Document,
                         event: &Event<'_>,
                         bump: &Bump| {
                line.clear();
                writer.write_row(document.row(event, bump), line);
                assert!(out.write_all(line).is_ok());
                *rows += 1;
            };
            let open = ecs.iter().map(|_| None).collect();
            let mut tables = Tables { documents: &ecs, open, create: &part, write: &write, rows: 0 };
            assert!(read(&input, &mut tables).is_ok());
            let parts = tables.open.into_iter().flatten();
            let rows: u64 = parts.map(|(_, mut out, _, rows)| out.flush().map_or(0, |()| rows)).sum();
            assert_eq!((tables.rows, rows), (expected, expected));
        });
    });
}

criterion_group!(benches, opened, records, convert);
criterion_main!(benches);
