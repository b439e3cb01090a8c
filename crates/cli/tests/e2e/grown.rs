//! Messages of logs that come bit by bit, in any order, are those of one run over all of them.

use proptest::prelude::*;

use crate::lake::{Row, rows};
use crate::runs::Place;

const ACODES: [&str; 5] = [
    "n97bxRqOImbxg5wuRyFFuQ",
    "-x3QjKyRgBA0-qVsF0VCiQ",
    "8wfZtt45ME00O9nGoc4aIg",
    "lmoaEES9ce7PMWVVdZjloA",
    "",
];
const IDS: [&str; 6] =
    ["<one@a.example>", "<one@a.exa", "<two@a.example>", "three@a.example", "<three@a.ex", ""];
const PEOPLE: [&str; 3] = ["ann@a.example", "bob@a.example", "ann@a.example;cy@b.example"];
const SAYS: [&str; 7] = [
    "Act=Acc|SpamScore=1",
    "Act=Rej|RejType=x|SpamScore=2",
    "Act=Acc|MsgSize=10|AttNames=",
    "Hld=Spm|MsgSize=10",
    "Delivered=true|Attempt=1",
    "Delivered=false|Err=busy|Attempt=2",
    "url=http://a.example|reason=malicious",
];

/// A line, from small pools so that lines meet, and the run that it is there for.
fn line() -> impl Strategy<Value = (usize, String)> {
    let keys = (0..ACODES.len(), 0..IDS.len(), 0..PEOPLE.len(), 0..SAYS.len());
    (0..4_usize, keys, 1..29_u32, 0..3_u32).prop_map(|(run, (acode, id, person, says), day, hour)| {
        let line = format!(
            "datetime=2026-02-{day:02}T{hour:02}:00:00+0000|aCode={}|acc=C0A0|MsgId={}|{}|Rcpt={}\n",
            ACODES[acode], IDS[id], SAYS[says], PEOPLE[person]
        );
        (run, line)
    })
}

fn messages(place: &Place) -> Vec<Row> {
    rows(&place.path("out")).into_iter().filter(|row| row.table == "messages").collect()
}

/// The rows after these runs, each over what it adds and all before.
fn in_runs(lines: &[(usize, String)], runs: impl Iterator<Item = usize>, arguments: &str) -> Vec<Row> {
    let place = Place::new();
    for run in runs {
        let added: String =
            lines.iter().filter(|(of, _)| *of == run).map(|(_, line)| line.as_str()).collect();
        place.write(&format!("in/{run}.log"), added);
        place.run(&format!("correlate in -o out -q {arguments}")).exits(0);
    }
    messages(&place)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn runs_that_add_end_where_one_run_ends(
        lines in prop::collection::vec(line(), 1..40),
        window in prop::sample::select(vec!["", "--window 1d", "--window 8d"]),
        memory in prop::sample::select(vec!["", "--memory 100KB", "--memory 1"]),
        to in prop::sample::select(vec!["", "--to ndjson --schema native", "--to ndjson"]),
    ) {
        let together: Vec<_> = lines.iter().map(|(_, line)| (0, line.clone())).collect();
        let wanted = in_runs(&together, 0..1, to);
        let arguments = format!("{window} {memory} {to}");
        let grown = in_runs(&lines, 0..4, &arguments);
        prop_assert!(grown == wanted, "{arguments}: {grown:#?}\n{wanted:#?}");
        let backwards = in_runs(&lines, (0..4).rev(), &arguments);
        prop_assert!(backwards == wanted, "{arguments}, backwards: {backwards:#?}\n{wanted:#?}");
    }
}
