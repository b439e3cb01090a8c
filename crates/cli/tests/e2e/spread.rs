//! How records are spread over files does not change the rows.

use proptest::prelude::*;

use crate::lake::{rows, without_source};
use crate::runs::Place;
use crate::sample::{delivery, gzip, receipt, zip};

/// How one of several files is packed.
#[derive(Clone, Copy, Debug)]
enum Packing {
    Plain,
    Gzip,
    Zip,
}

fn record(n: usize) -> String {
    match n % 4 {
        0 => delivery(n),
        1 => format!("datetime=2026-03-0{}T09:00:00Z|aCode=X{n}|acc=C0A0|Odd{n}=a | b\n", n % 9 + 1),
        2 => format!(
            "datetime=2026-03-01T09:00:{:02}Z|aCode=S{n}|Act=Acc|Rcpt=a@b.example|Subject=\\a\nb|c\\\n",
            n % 60
        ),
        _ => receipt(n),
    }
}

fn spread() -> impl Strategy<Value = Vec<(Vec<usize>, Packing)>> {
    let packing = prop_oneof![Just(Packing::Plain), Just(Packing::Gzip), Just(Packing::Zip)];
    let records = Just((0..120).collect::<Vec<usize>>()).prop_shuffle();
    (records, prop::collection::vec((1..40_usize, packing), 1..8)).prop_map(|(mut records, files)| {
        let mut out = Vec::new();
        let last = files.len() - 1;
        for (at, (count, packing)) in files.into_iter().enumerate() {
            let count = if at == last { records.len() } else { count.min(records.len()) };
            out.push((records.drain(..count).collect(), packing));
        }
        out
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_rows_do_not_depend_on_the_files(files in spread(), threads in 1..4) {
        let place = Place::new();
        let all: String = (0..120).map(record).collect();
        place.write("all.log", all);
        for (at, (records, packing)) in files.iter().enumerate() {
            let text: String = records.iter().map(|n| record(*n)).collect();
            let half = records.len() / 2;
            let halves = [&records[..half], &records[half..]]
                .map(|some| some.iter().map(|n| record(*n)).collect::<String>());
            match packing {
                Packing::Plain => place.write(&format!("in/{at}"), text),
                Packing::Gzip => place.write(&format!("in/{at}"), gzip(text)),
                Packing::Zip => place.write(&format!("in/{at}"), zip(&[("a", &halves[0]), ("b", &halves[1])])),
            }
        }
        place.run("convert all.log -o one").exits(0);
        place.run(&format!("convert in -o many --threads {threads}")).exits(0);
        let one = without_source(rows(&place.path("one")));
        prop_assert_eq!(one.len(), 120);
        prop_assert_eq!(without_source(rows(&place.path("many"))), one);
    }
}
