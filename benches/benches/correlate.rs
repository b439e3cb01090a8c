//! The join of made-up logs: events to emails and messages. Ids are `correlate/input/way`.
//!
//! `cargo bench -p mimelake-bench --bench correlate`

use std::convert::Infallible;
use std::hint::black_box;

use bumpalo::Bump;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mimelake_bench::generate::{self, Dialect};
use mimelake_correlate::budget::{Budget, SpillError};
use mimelake_correlate::email::Email;
use mimelake_correlate::join::{Join, Scatter};
use mimelake_correlate::message::Message;
use mimelake_parse::{Event, Format, Reader, Reject, Sink};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SIZE: usize = 4 << 20;
const SEED: u64 = 1;

struct Take<'s, 'j>(&'s mut Scatter<'j>);

impl Sink for Take<'_, '_> {
    type Error = Infallible;

    fn event(&mut self, event: &Event<'_>, _: &Bump) -> Result<(), Infallible> {
        assert!(self.0.event(event).is_ok());
        Ok(())
    }

    fn reject(&mut self, _: &Reject<'_>) -> Result<(), Infallible> {
        Ok(())
    }
}

/// Reads the logs, and joins them to what `before` holds.
fn join(logs: &[u8], before: &[String], budget: u64, each: &mut dyn FnMut(&Email<'_>)) {
    let join = Join::new(&Budget::new(&std::env::temp_dir(), budget, 1), 16);
    let mut scatter = join.scatter();
    let mut bump = Bump::new();
    for email in before {
        let email = Email::read(email);
        assert!(scatter.event(&Message::of(&email, &bump).event).is_ok());
        bump.reset();
    }
    let Ok(done) = Reader::new(Format::KeyValue, "bench").read(logs, 0, true, &mut Take(&mut scatter));
    assert_eq!(done, logs.len());
    assert!(scatter.finish().is_ok());
    let mut take = |email: &Email<'_>| {
        each(email);
        Ok::<(), SpillError>(())
    };
    for partition in join.acode_partitions() {
        assert!(join.fold(partition, &mut take).is_ok());
    }
    for partition in join.id_partitions() {
        assert!(join.attach(partition, &mut take).is_ok());
    }
}

/// The emails that the logs make, as text.
fn emails(logs: &[u8]) -> Vec<String> {
    let mut emails = Vec::new();
    join(logs, &[], u64::MAX, &mut |email| {
        let mut text = String::new();
        email.write(&mut text);
        emails.push(text);
    });
    emails
}

fn correlate(criterion: &mut Criterion) {
    let logs = generate::bytes(Dialect::Kv, None, SIZE, SEED);
    let before = emails(&logs);
    let mut group = criterion.benchmark_group("correlate/kv");
    group.throughput(Throughput::Bytes(logs.len() as u64));
    let mut run = |name: &str, logs: &[u8], before: &[String], expected: usize, budget: u64| {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let (mut found, mut bump) = (0, Bump::new());
                join(logs, before, budget, &mut |email| {
                    black_box(Message::of(email, &bump));
                    bump.reset();
                    found += 1;
                });
                assert_eq!(found, expected);
            });
        });
    };
    run("fold", &logs, &[], before.len(), u64::MAX);
    run("spill", &logs, &[], before.len(), 0);
    run("known", &[], &before, before.len(), u64::MAX);
}

criterion_group!(benches, correlate);
criterion_main!(benches);
