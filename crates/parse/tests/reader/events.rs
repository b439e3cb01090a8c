//! What becomes of a record, whatever it was written in.

use mimelake_parse::{Format, Reader};
use mimelake_schema::EventType;

use crate::{column, kv, read, read_in_steps, read_with};

#[test]
fn mimecasts_own_samples() {
    use EventType::{
        AttachmentProtect, Av, Delivery, ImpersonationProtect, InternalEmailProtect, Process, Receipt, Spam,
        UrlProtect,
    };
    let text = include_str!("../../../../testdata/seeds.log");
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
        (KeyValue, "a/receipt_2017.log", include_str!("../../../../testdata/seeds.log")),
        (Json, "seeds.json", include_str!("../../../../testdata/seeds.json")),
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
