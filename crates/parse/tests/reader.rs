//! Whole sources through the reader: types, columns, flags, rejects, and the account.

use mimelake_parse::{Collected, Collector, Format, MAX_PAIRS, Reader, Reason};
use mimelake_schema::EventType;
use proptest::prelude::*;

/// Reads a source in windows of `step` bytes at the least.
fn read_in_steps(format: Format, name: &str, bytes: &[u8], step: usize) -> (Reader, Collector) {
    read_with(Reader::new(format, name), bytes, step)
}

fn read_with(reader: Reader, bytes: &[u8], step: usize) -> (Reader, Collector) {
    let mut reader = reader.max_record(1 << 12);
    let mut collector = Collector::default();
    let (mut start, mut end) = (0, 0);
    loop {
        end = (end + step.max(1)).min(bytes.len());
        let at_end = end == bytes.len();
        start += reader.read(&bytes[start..end], start as u64, at_end, &mut collector).unwrap();
        if at_end {
            assert_eq!(start, end, "something was left at the end");
            assert!(reader.account().holds(), "{:?}", reader.account());
            assert_eq!(reader.account().events.iter().sum::<u64>(), collector.events.len() as u64);
            return (reader, collector);
        }
    }
}

fn read(format: Format, name: &str, text: &str) -> (Reader, Collector) {
    read_in_steps(format, name, text.as_bytes(), usize::MAX >> 1)
}

fn kv(text: &str) -> (Reader, Collector) {
    read(Format::KeyValue, "x.log", text)
}

fn json(text: &str) -> (Reader, Collector) {
    read(Format::Json, "x.json", text)
}

fn reasons(collector: &Collector) -> Vec<Reason> {
    collector.rejects.iter().map(|r| r.2).collect()
}

fn column<'a>(event: &'a Collected, name: &str) -> Option<&'a str> {
    event.columns.get(name).map(String::as_str)
}

#[test]
fn mimecasts_own_samples() {
    use EventType::{
        AttachmentProtect, Av, Delivery, ImpersonationProtect, InternalEmailProtect, Process, Receipt, Spam,
        UrlProtect,
    };
    let text = include_str!("../../../testdata/seeds.log");
    let (reader, collector) = kv(text);
    let types: Vec<_> = collector.events.iter().map(|e| e.event_type).collect();
    assert_eq!(
        types,
        [
            Receipt,
            Receipt,
            Process,
            Process,
            Process,
            Delivery,
            Delivery,
            Av,
            Spam,
            InternalEmailProtect,
            ImpersonationProtect,
            UrlProtect,
            AttachmentProtect
        ]
    );
    assert_eq!(reader.account().rejected, 0);
    assert!(reader.account().unknown_keys.is_empty(), "{:?}", reader.account().unknown_keys);
    let delivered = &collector.events[5];
    assert_eq!(column(delivered, "route_name"), Some("Mimecast Exchange Route"));
    assert_eq!(column(delivered, "flags"), Some("unterminated_quote"));
    assert_eq!(column(delivered, "destination_ip"), Some("123.123.123.123"));
    assert_eq!(column(delivered, "tls_used"), Some("true"));
    assert_eq!(column(&collector.events[2], "attachment_names"), Some("filename.docx & filename2.xlsx"));
    assert_eq!(column(&collector.events[6], "receipt_ack"), None);
    assert_eq!(column(&collector.events[10], "recipients"), Some("recipient@domain"));
    let spf = "spf:Some(true):SPF_FAIL dkim:Some(true):DKIM_UNKNOWN grey:None";
    assert_eq!(column(&collector.events[0], "spam_detail"), Some(spf));
    assert_eq!(column(&collector.events[0], "timestamp"), Some("1495813661000000"));
}

#[test]
fn flags_and_extra() {
    let cases = [
        ("Act=Acc|Rcpt=a|Act=Rej", "duplicate_key", "Act=Rej"),
        ("Act=Acc|Rcpt=a|aCt=", "duplicate_key", "aCt=null"),
        ("SpamScore=high|Act=Acc|Rcpt=a", "bad_value", "SpamScore=high"),
        ("Foo=1|Act=Acc|Rcpt=a|Foo=2", "duplicate_key", "Foo=1 & Foo=2"),
        ("datetime=2017-05-26T16:47:41|SpamScore=1", "no_offset", ""),
        ("datetime=yesterday|SpamScore=1", "bad_value", "datetime=yesterday"),
        ("Receipient=a|Recipient=b|Hits=1", "duplicate_key", "Recipient=b"),
        ("Act=Acc|Rcpt=a|Bar=null|Baz=x", "", "Bar=null & Baz=x"),
    ];
    for (line, flags, extra) in cases {
        let (_, collector) = kv(line);
        assert_eq!(column(&collector.events[0], "flags"), Some(flags), "{line}");
        assert_eq!(column(&collector.events[0], "extra"), Some(extra), "{line}");
    }
}

#[test]
fn the_name_settles_what_the_keys_leave_open() {
    let cases = [
        ("a/receipt_2017.log", "Act=Acc|Sender=x", EventType::Receipt, ""),
        ("u.zip!process_2017.siem", "Act=Acc|Sender=x", EventType::Process, ""),
        ("x.log", "Act=Acc|Sender=x", EventType::Unknown, ""),
        ("receipt_2017.log", "Delivered=true", EventType::Delivery, "type_mismatch"),
        ("delivery_2017.log", "Delivered=true", EventType::Delivery, ""),
    ];
    for (name, line, event_type, flags) in cases {
        let (_, collector) = read(Format::KeyValue, name, line);
        assert_eq!(collector.events[0].event_type, event_type, "{name}");
        assert_eq!(column(&collector.events[0], "flags"), Some(flags), "{name}");
    }
}

#[test]
fn a_reader_that_turns_to_another_source_is_as_new() {
    use Format::{Json, KeyValue};
    let too_long = format!("datetime=1|a={}", "x".repeat(9000));
    let sources = [
        (KeyValue, "a/receipt_2017.log", include_str!("../../../testdata/seeds.log")),
        (Json, "seeds.json", include_str!("../../../testdata/seeds.json")),
        (KeyValue, "a/receipt_2017.log", "Act=Acc|Sender=x|Unheard=1"),
        (KeyValue, "process_2017.log", "Act=Acc|Sender=x|Unheard=1\nAct=\\open"),
        (Json, "receipt.json", "[{\"Act\":\"Acc\"},{\"type\":\"new\",\"eventType\":\"x\"}, {\"a\""),
        (KeyValue, "x.log", &too_long),
        (KeyValue, "x.log", "datetime=1|Act=Acc|Rcpt=a"),
    ];
    for step in [usize::MAX >> 1, 700] {
        let mut used = Reader::new(KeyValue, "");
        for (format, name, text) in sources.iter().chain(&sources) {
            let (fresh, expected) = read_in_steps(*format, name, text.as_bytes(), step);
            let (turned, found) = read_with(used.turned_to(*format, name), text.as_bytes(), step);
            assert_eq!(found.events, expected.events, "{name}");
            assert_eq!(found.rejects, expected.rejects, "{name}");
            assert_eq!(turned.account(), fresh.account(), "{name}");
            used = turned;
        }
    }
}

#[test]
fn every_line_is_a_record_rejected_or_blank() {
    let (reader, collector) = kv("\u{FEFF}Act=1|Rcpt=a\r\n\r\n  \nno record\n|||\nAct=2|Rcpt=b");
    let account = reader.account();
    assert_eq!((account.lines, account.records, account.rejected, account.blank), (6, 2, 2, 2));
    assert_eq!(reasons(&collector), [Reason::NoKey, Reason::NoKey]);
    assert_eq!(collector.rejects[0].0, 22);
    assert_eq!(collector.rejects[0].3, b"no record");
    assert_eq!(collector.events[0].offset, 3);
}

#[test]
fn quotes_that_span_lines() {
    let one = "datetime=1|Subject=\\two\r\nlines\\|Act=Acc|Rcpt=a\ndatetime=2|Act=Acc|Rcpt=b\n";
    let (reader, collector) = kv(one);
    assert_eq!(column(&collector.events[0], "subject"), Some("two\nlines"));
    assert_eq!(column(&collector.events[0], "action"), Some("Acc"));
    assert_eq!((reader.account().lines, reader.account().records, reader.account().continued), (3, 3, 1));
    assert_eq!(collector.events.len(), 2);

    let none = "Act=1|Subject=\\open|Rcpt=a\nstray\\x\ndatetime=2|Subject=\\x\\\n";
    let (_, collector) = kv(none);
    assert_eq!(column(&collector.events[0], "flags"), Some("unterminated_quote"));
    assert_eq!(column(&collector.events[0], "subject"), Some("open"));
    assert_eq!(reasons(&collector), [Reason::NoKey]);
    assert_eq!(collector.events.len(), 2);
}

#[test]
fn what_damage_cuts_is_no_record() {
    let (whole, open) = ("datetime=1|Act=Acc|Rcpt=a\n", "datetime=2|Subject=\\two\n");
    for (rest, events, expected) in [
        ("", 1, None),
        ("\n", 1, None),
        ("datetime=2|Act=Acc|Rcpt=b\n", 2, None),
        ("datetime=2|Act=Acc|Rcpt=b", 1, Some(&[Reason::CutRecord][..])),
        ("date", 1, Some(&[Reason::CutRecord])),
        ("  ", 1, None),
        (&format!("{open}lines\\|Act=Acc\n"), 2, None),
        // The first line stands alone, as where no line closes the quote.
        (&format!("{open}lines\\|Act=Acc"), 2, Some(&[Reason::CutRecord])),
        (&format!("{open}lines\\|X=\\more\nlines\\"), 2, Some(&[Reason::CutRecord])),
        (&format!("{open}li"), 2, Some(&[Reason::CutRecord])),
    ] {
        let text = format!("{whole}{rest}");
        for step in [1, 1 << 20] {
            let mut reader = Reader::new(Format::KeyValue, "x");
            reader.cut_short();
            let (reader, collector) = read_with(reader, text.as_bytes(), step);
            assert_eq!(collector.events.len(), events, "{text}");
            assert_eq!(reasons(&collector), expected.unwrap_or_default(), "{text}");
            if let Some(reject) = collector.rejects.last() {
                assert!(text.as_bytes().ends_with(&reject.3), "{text}");
            }
            let (undamaged, _) = read_in_steps(Format::KeyValue, "x", text.as_bytes(), step);
            assert_eq!(undamaged.account().lines, reader.account().lines, "{text}");
        }
    }
}

#[test]
fn a_close_is_looked_for_in_63_lines() {
    let text = |lines| format!("Act=1|Rcpt=b|Subject=\\a{}z\\\n", "\nx".repeat(lines));
    let (reader, _) = kv(&text(63));
    assert_eq!((reader.account().records, reader.account().continued), (64, 63));
    let (reader, _) = kv(&text(64));
    assert_eq!((reader.account().records, reader.account().rejected), (1, 64));
}

#[test]
fn invalid_utf8_is_kept_and_quarantined() {
    let (reader, collector) =
        read_in_steps(Format::KeyValue, "x", b"Act=\xff1|Rcpt=a\nAct=2|Rcpt=b\n", 1 << 20);
    assert_eq!(column(&collector.events[0], "action"), Some("\u{FFFD}1"));
    assert_eq!(column(&collector.events[0], "flags"), Some("invalid_utf8"));
    assert_eq!(reasons(&collector), [Reason::InvalidUtf8]);
    assert_eq!(collector.rejects[0].3, b"Act=\xff1|Rcpt=a");
    assert_eq!((reader.account().records, reader.account().rejected), (2, 0));
}

#[test]
fn records_that_are_too_long() {
    let long = format!("Act=1|Rcpt=b\nAct={}\r\nAct=2|Rcpt=c\n", "x".repeat(20_000));
    for step in [100, 5000, 1 << 20] {
        let (_, collector) = read_in_steps(Format::KeyValue, "x", long.as_bytes(), step);
        assert_eq!(reasons(&collector), [Reason::TooLong], "step {step}");
        assert_eq!((collector.rejects[0].0, collector.rejects[0].1), (13, 20_004));
        assert_eq!(collector.events.len(), 2);
    }
    let long =
        format!("{{\"Act\":1,\"Rcpt\":2}}\n{{\"a\":\"{}\"}}\n{{\"Act\":1,\"Rcpt\":2}}", "x".repeat(20_000));
    for step in [100, 5000, 1 << 20] {
        let (_, collector) = read_in_steps(Format::Json, "x", long.as_bytes(), step);
        assert_eq!(reasons(&collector), [Reason::TooLong], "step {step}");
        assert_eq!(collector.events.len(), 2);
    }
}

#[test]
fn an_open_quote_holds_no_more_than_a_record() {
    let open = "Act=1|Subject=\\open\n";
    let mut reader = Reader::new(Format::KeyValue, "x").max_record(1 << 10);
    let mut collector = Collector::default();
    let endless = open.to_owned() + &"x".repeat(100_000);
    let done = reader.read(endless.as_bytes(), 0, false, &mut collector).unwrap();
    assert!(endless.len() - done <= 2 << 10, "{} bytes are left", endless.len() - done);
    // A record of 4096 bytes is taken, and one byte more is too much.
    for (more, lines) in [(0, 2), (1, 1)] {
        let text = format!("{open}{}\\\n", "x".repeat((1 << 12) - open.len() - 1 + more));
        for step in [1, 100, 1 << 20] {
            let (reader, _) = read_in_steps(Format::KeyValue, "x", text.as_bytes(), step);
            let continued = reader.account().continued;
            assert_eq!(continued + 1, lines, "{more} more, step {step}");
        }
    }
}

#[test]
fn blank_lines_may_be_too_long() {
    let text = format!("{}\nAct=1|Rcpt=b\n", " ".repeat(20_000));
    for step in [100, 1 << 20] {
        let (_, collector) = read_in_steps(Format::KeyValue, "x", text.as_bytes(), step);
        assert_eq!((reasons(&collector), collector.events.len()), (vec![Reason::TooLong], 1));
    }
}

/// A whole file may stand on one line, longer than any record.
#[test]
fn a_broken_record_does_not_cost_the_rest_of_its_line() {
    let record = r#"{"Act":"Acc","Rcpt":"a"}"#;
    let rest = vec![record; 1000].join(",");
    for (broken, reason) in [(r#"{"Act" 1}"#, Reason::BadJson), ("7", Reason::NotAnObject)] {
        let text = format!("[{record},{broken},{rest}]");
        for step in [1, 100, 1 << 20] {
            let (_, collector) = read_in_steps(Format::Json, "x", text.as_bytes(), step);
            assert_eq!((collector.events.len(), reasons(&collector)), (1001, vec![reason]), "step {step}");
        }
    }
}

/// Four megabytes of each, most on one line: with quadratic time this would take minutes.
#[test]
fn hostile_json_takes_linear_time() {
    let size = 4 << 20;
    for unit in [
        "1,",
        "{\"a\" 1},",
        "{\"Act\" 1},",
        "{\"Act\":\"1\" x\"},{\"Act\":1},",
        "},",
        "[",
        "\"",
        "{\"a\":[1,\n",
    ] {
        read(Format::Json, "x", &("[".to_owned() + &unit.repeat(size / unit.len())));
    }
}

#[test]
fn json_in_every_shape() {
    let a = r#"{"acc":"C0A0","Act":"Acc","Rcpt":"a@x.org","datetime":"2017-05-26T19:24:18+0100"}"#;
    let pretty = a.replace(',', ",\n  ").replace('{', "{\n  ");
    let shapes = [
        a.to_owned(),
        format!("{a}\n{a}\n"),
        format!("{a},{a}\r\n"),
        format!("[{a},{a}]"),
        format!("[\n{pretty},\n{pretty}\n]\n"),
        format!(r#"{{"type":"MTA","data":[{a},{a}]}}"#),
        format!(r#"{{"meta":{{"isLastToken":true}},"data":[{a}],"fail":[]}}"#),
        format!("{{\"data\":[{a}],\"meta\":{{\"x\":[1]}}}}\n{{\"data\":[],\"fail\":[]}}\n{{\"data\":[{a}]}}"),
        "{\"meta\":{},\"data\":[],\"fail\":[]}".to_owned(),
    ];
    let counts = [1, 2, 2, 2, 2, 2, 1, 2, 0];
    for (shape, count) in shapes.iter().zip(counts) {
        for step in [1, 7, 1 << 20] {
            let (_, collector) = read_in_steps(Format::Json, "x", shape.as_bytes(), step);
            assert_eq!(collector.events.len(), count, "{shape}");
            assert!(collector.rejects.is_empty(), "{shape} {:?}", collector.rejects);
            assert!(
                collector
                    .events
                    .iter()
                    .all(|e| e.event_type == EventType::Receipt && column(e, "dialect") == Some("json1"))
            );
        }
    }
}

#[test]
fn broken_json_costs_itself_only() {
    let a = r#"{"Act":"Acc","Rcpt":"a"}"#;
    let cases = [
        (format!("[{a},{a},{{\"Act\":\"Ac"), 2, vec![Reason::CutJson]),
        (format!("{a}\n{{\"Act\":\"Ac\n{a}\n"), 2, vec![Reason::BadJson]),
        (format!("{a}\n{{\"Act\":\n{a}\n"), 2, vec![Reason::CutJson]),
        (format!("[{a},{{\"Act\" 1}},{a}]"), 2, vec![Reason::BadJson]),
        (format!("{a}\nhello\n{a}"), 2, vec![Reason::BadJson]),
        (format!("[{a},7,\"x\",{a}]"), 2, vec![Reason::NotAnObject, Reason::NotAnObject]),
        (format!("{{\"type\":\"MTA\",\"data\":[{a},{{\"Act\":"), 1, vec![Reason::CutJson]),
        (format!("{{\"data\":[{a}],\"fail\":[}},\n{a}"), 2, vec![Reason::BadJson]),
    ];
    for (text, events, expected) in cases {
        for step in [1, 1 << 20] {
            let (_, collector) = read_in_steps(Format::Json, "x", text.as_bytes(), step);
            assert_eq!((collector.events.len(), reasons(&collector)), (events, expected.clone()), "{text}");
        }
    }
}

#[test]
fn an_inner_quote_costs_one_record_of_a_line() {
    let good = r#"{"Act":"Acc","Rcpt":"a"}"#;
    let text = format!(r#"[{good},{{"Act":"5" tv"}},{good}, {good}]"#);
    for step in [1, 9, 1 << 20] {
        let (_, collector) = read_in_steps(Format::Json, "x", text.as_bytes(), step);
        assert_eq!((collector.events.len(), reasons(&collector)), (3, vec![Reason::BadJson]), "{step}");
        assert_eq!(collector.rejects[0].3, br#"{"Act":"5" tv"}"#);
    }
}

#[test]
fn an_object_that_is_too_long_costs_itself_only() {
    let good = r#"{"Act":"Acc","Rcpt":"a"}"#;
    let long = format!(r#"{{"Act":"}}\\\"]","x":[{{"y":"{}"}}],"Rcpt":"b"}}"#, "]".repeat(20_000));
    let cut = &long[..long.len() - 5];
    let cases = [
        (format!("[{good},{long},{good},{good}]\n{good}"), 4),
        (format!("{{\"type\":\"MTA\",\"data\":[{long},{good}]}}\n"), 1),
        (format!("{good},{long},{good}\n{good}\n"), 3),
        (format!("{good}\n{cut}\n{good}\n"), 2),
    ];
    for (text, events) in cases {
        for step in [97, 4096, 1 << 20] {
            let (_, collector) = read_in_steps(Format::Json, "x", text.as_bytes(), step);
            assert_eq!((collector.events.len(), collector.rejects.len()), (events, 1), "{step}");
            let (_, length, reason, _) = collector.rejects[0];
            let is_cut = text.contains(&format!("{cut}\n"));
            let expected = if is_cut { cut.len() } else { long.len() };
            assert!(
                length == expected as u64 && (reason == Reason::TooLong || is_cut),
                "{length} {reason:?}"
            );
        }
    }
}

#[test]
fn members_are_capped() {
    let members = |n: usize| format!("{{{}}}", vec![r#""a":1"#; n].join(","));
    for (count, rejects) in [(MAX_PAIRS, vec![]), (MAX_PAIRS + 1, vec![Reason::TooManyPairs])] {
        let text = format!("[{},{}]", members(count), r#"{"Act":"Acc"}"#);
        let mut reader = Reader::new(Format::Json, "x");
        let mut collector = Collector::default();
        reader.read(text.as_bytes(), 0, true, &mut collector).unwrap();
        assert_eq!((collector.events.len(), reasons(&collector)), (2 - rejects.len(), rejects));
    }
}

#[test]
fn a_list_without_end_is_no_list() {
    for (count, list) in [(MAX_PAIRS, true), (MAX_PAIRS + 1, false)] {
        let recipients = "a;".repeat(count);
        let mut reader = Reader::new(Format::KeyValue, "x");
        let mut collector = Collector::default();
        let text = format!("Act=Acc|Rcpt={recipients}\n");
        reader.read(text.as_bytes(), 0, true, &mut collector).unwrap();
        let event = &collector.events[0];
        assert_eq!(column(event, "recipients").is_some(), list);
        let expected = if list { String::new() } else { format!("Rcpt={recipients}") };
        assert_eq!(column(event, "extra"), Some(&*expected));
    }
}

#[test]
fn a_quote_over_lines_is_no_way_past_the_cap() {
    let text = format!("{}b=\\x\nclose\\|{}\na=1\n", "a=1|".repeat(MAX_PAIRS - 1), "c=1|c=2");
    let mut reader = Reader::new(Format::KeyValue, "x");
    let mut collector = Collector::default();
    reader.read(text.as_bytes(), 0, true, &mut collector).unwrap();
    assert_eq!((collector.events.len(), reasons(&collector)), (2, vec![Reason::NoKey]));
    assert!(column(&collector.events[0], "flags").unwrap().contains("unterminated_quote"));
}

#[test]
fn only_an_envelope_is_an_envelope() {
    for (text, events, rejected) in [
        (r#"{"aggregateId":"a","type":"receipt","data":[],"subject":"x"}"#, 1, 0),
        (r#"{"aggregateId":"a","type":"receipt","value":["x"]}"#, 1, 0),
        (r#"{"type":"MTA","data":["x"]}"#, 1, 0),
        (r#"{"type":"MTA","data":[{"Act":"Acc"}],"data":[{"Act":"Acc"}]}"#, 1, 1),
        (r#"{"value":[{"Act":"Acc"}],"@nextPage":"t","isCaughtUp":true}"#, 1, 0),
    ] {
        let (reader, collector) = json(text);
        assert_eq!((collector.events.len(), reader.account().rejected), (events, rejected), "{text}");
    }
}

#[test]
fn escaped_keys_are_keys_and_null_is_null() {
    let (_, collector) = json(
        r#"{"accountId":"c","type":"process","s\u0075bject":"esc","subject":"plain","attachments":"null"}"#,
    );
    assert_eq!(column(&collector.events[0], "subject"), Some("esc"));
    assert_eq!(column(&collector.events[0], "flags"), Some("duplicate_key"));
    assert_eq!(column(&collector.events[0], "attachment_names"), None);
    let (_, collector) = json(r#"{"acc":"c","Act":"Acc","Rcpt":"a","datetime":"20260302"}"#);
    assert_eq!(column(&collector.events[0], "flags"), Some("bad_value"));
}

#[test]
fn blank_lines_of_ndjson_are_counted() {
    let (reader, _) = json("\n{\"Act\":\"Acc\"}\n\n{\"Act\":\"Acc\"}\n\n\n");
    assert_eq!((reader.account().lines, reader.account().blank), (6, 4));
}

#[test]
fn api_2() {
    let line = r#"{"processingId":"p","aggregateId":"abc_1732724425","accountId":"C0A0","timestamp":1732724425453,"type":"receipt","subtype":"Acc","action":"Acc","senderEnvelope":"s@x.org","recipients":["a@x.org","b@x.org"],"numberAttachments":"2","tlsVersion":"","spamScore":"","subject":"caf\u00e9 \"q\"","spamProcessingDetail":"{\"spf\":{\"info\":\"PASS\",\"allow\":true},\"greyEmail\":false}","direction":"INBOUND","_offset":1,"_partition":2,"virusFound":null}"#;
    let (reader, collector) = json(line);
    let event = &collector.events[0];
    let expected = [
        ("timestamp", Some("1732724425453000")),
        ("acode", Some("abc_1732724425")),
        ("processing_id", Some("p")),
        ("action", Some("Acc")),
        ("sender", Some("s@x.org")),
        ("recipients", Some("a@x.org & b@x.org")),
        ("attachment_count", Some("2")),
        ("tls_version", Some("")),
        ("spam_score", None),
        ("subject", Some("café \"q\"")),
        ("direction", Some("inbound")),
        ("virus", None),
        ("dialect", Some("json2")),
        ("flags", Some("")),
        ("spam_detail", Some("spf:Some(true):PASS grey:Some(false)")),
        ("extra", Some("type=receipt & subtype=Acc & _offset=1 & _partition=2")),
    ];
    assert_eq!(event.event_type, EventType::Receipt);
    for (name, value) in expected {
        assert_eq!(column(event, name), value, "{name}");
    }
    assert!(reader.account().unknown_keys.is_empty());
    for (spelled, expected) in [
        ("url protect", EventType::UrlProtect),
        ("entities", EventType::Unknown),
        ("Delivery", EventType::Delivery),
    ] {
        let (_, collector) =
            json(&format!(r#"{{"accountId":"C","eventType":"{spelled}","subject":"null","url":"null"}}"#));
        assert_eq!(collector.events[0].event_type, expected);
    }
}

#[test]
fn audit_events() {
    let text = r#"{"meta":{"status":200},"data":[{"id":"e1","auditType":"Mimecast Support Login","user":"u@x.org","eventTime":"2023-03-08T2:37:36+0000","eventInfo":"u@x.org logged on. Date: 2023-03-09 IP: 192.0.2.1 Application: Console","category":"mimecast_access_logs"}],"fail":[]}"#;
    let (_, collector) = json(text);
    let event = &collector.events[0];
    assert_eq!(event.event_type, EventType::Audit);
    assert_eq!(column(event, "client_ip"), Some("192.0.2.1"));
    assert_eq!(column(event, "application"), Some("Console"));
    assert_eq!(column(event, "timestamp"), Some("1678243056000000"));
    assert_eq!(column(event, "audit_id"), Some("e1"));
}

/// Lines of every kind, joined by line ends of every kind.
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
