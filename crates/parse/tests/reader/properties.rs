//! What holds for all sources.

use mimelake_parse::{Collected, Collector, Format, Reader};
use proptest::prelude::*;

use crate::{read, read_in_steps};

/// Records of few shapes, scans and dates, and of many: what the reader remembers is right for some of them.
fn records() -> impl Strategy<Value = Vec<Vec<(&'static str, String)>>> {
    const SCANS: [&str; 6] = [
        r#"{"spf":{"info":"SPF_PASS","allow":true}}"#,
        r#"{"spf":{"info":"SPF_FAIL","allow":true},"greyEmail":true}"#,
        r#"{"rbl":{"info":"a|Act=b"}}"#,
        r#"{"spf":{"info":"x\\n"}}"#,
        r#"{"spf":1,}"#,
        "[]",
    ];
    let key =
        prop::sample::select(vec!["aCode", "Act", "Subject", "Rcpt", "SpamScore", "Novel", "aggregateId"]);
    let pair = prop_oneof![
        (key, "[a-z0-9]{0,3}".prop_map(String::from)),
        prop::sample::select(&SCANS[..]).prop_map(|scan| ("SpamProcessingDetail", scan.to_owned())),
        (0..4_u32).prop_map(|day| ("datetime", format!("2026-03-0{day}T10:00:00+0000"))),
    ];
    let shapes = prop::collection::vec(prop::collection::vec(pair, 1..6), 1..24);
    (shapes, prop::collection::vec(any::<prop::sample::Index>(), 1..60))
        .prop_map(|(shapes, order)| order.iter().map(|at| at.get(&shapes).clone()).collect())
}

/// Lines of every kind, joined by line ends of every kind.
fn source() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        Just("datetime=2026-03-02T10:00:00+0000|aCode=x|Act=Acc|Rcpt=a@x.org".to_owned()),
        Just(r"datetime=2026-03-02T10:00:00+0000|Subject=\open|Act=Acc|Rcpt=b".to_owned()),
        Just(r"close\|Act=Acc".to_owned()),
        Just(r#"{"Act":"Acc","Rcpt":"a"}"#.to_owned()),
        Just("{\"Act\":".to_owned()),
        "[a-z=|\\\\\\[\\]{}\",é]{0,20}",
        Just(String::new()),
    ];
    let end = prop::sample::select(vec!["\n", "\r\n", "\r", ","]);
    prop::collection::vec((line, end), 0..24)
        .prop_map(|lines| lines.into_iter().flat_map(|(l, e)| (l + e).into_bytes()).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn windows_change_nothing(bytes in source(), step in 1..64_usize) {
        for format in [Format::KeyValue, Format::Json] {
            let (whole_reader, whole) = read_in_steps(format, "x", &bytes, usize::MAX >> 1);
            let (reader, collector) = read_in_steps(format, "x", &bytes, step);
            prop_assert_eq!(&collector.events, &whole.events);
            prop_assert_eq!(&collector.rejects, &whole.rejects);
            prop_assert_eq!(reader.account(), whole_reader.account());
        }
    }

    #[test]
    fn pieces_change_nothing(bytes in source(), piece in 16..256_usize) {
        let (_, whole) = read_in_steps(Format::KeyValue, "x", &bytes, usize::MAX >> 1);
        let mut events = Vec::new();
        let mut rejects = Vec::new();
        for start in (0..bytes.len()).step_by(piece) {
            let sure = if start == 0 { Some(0) } else { mimelake_parse::kv::sure_start(&bytes, start) };
            let Some(sure) = sure.filter(|&sure| sure < start + piece) else { continue };
            let mut reader = Reader::new(Format::KeyValue, "x").max_record(1 << 12).stop_at((start + piece) as u64);
            let mut collector = Collector::default();
            reader.read(&bytes[sure..], sure as u64, true, &mut collector).unwrap();
            events.extend(collector.events);
            rejects.extend(collector.rejects);
        }
        prop_assert_eq!(events, whole.events);
        prop_assert_eq!(rejects, whole.rejects);
    }

    #[test]
    fn any_bytes_are_accounted_for(bytes in prop::collection::vec(any::<u8>(), 0..256), step in 1..300_usize) {
        for format in [Format::KeyValue, Format::Json] {
            read_in_steps(format, "x", &bytes, step);
        }
    }

    #[test]
    fn no_record_is_read_otherwise_for_those_before_it(records in records()) {
        let kv_line = |record: &Vec<(&str, String)>| {
            record.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join("|")
        };
        let json_line = |record: &Vec<(&str, String)>| {
            let members: Vec<_> = record.iter().map(|(key, value)| format!("\"{key}\":{value:?}")).collect();
            format!("{{{}}}", members.join(","))
        };
        for (format, lines) in [
            (Format::KeyValue, records.iter().map(kv_line).collect::<Vec<_>>()),
            (Format::Json, records.iter().map(json_line).collect::<Vec<_>>()),
        ] {
            let all = read(format, "x.log", &lines.join("\n")).1;
            let alone: Vec<_> = lines.iter().flat_map(|line| read(format, "x.log", line).1.events).collect();
            let without_offsets = |events: &[Collected]| -> Vec<_> {
                let columns = |event: &Collected| {
                    let mut columns = event.columns.clone();
                    columns.remove("source_offset");
                    (event.event_type, columns)
                };
                events.iter().map(columns).collect()
            };
            prop_assert_eq!(without_offsets(&all.events), without_offsets(&alone));
        }
    }
}
