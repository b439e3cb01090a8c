//! JSON in every shape, broken and hostile JSON.

use mimelake_parse::{Collector, Format, MAX_PAIRS, Reader, Reason};
use mimelake_schema::EventType;

use crate::{column, json, read, read_in_steps, reasons};

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
