//! Tests of the tables themselves.

use std::collections::HashSet;

use crate::{Dialect, EventType, Field, Keys, Kind};

#[test]
fn no_column_stands_twice_in_a_table() {
    for event_type in EventType::ALL {
        let names: HashSet<_> = event_type.columns().iter().map(|f| f.column()).collect();
        assert_eq!(names.len(), event_type.columns().len(), "{event_type:?}");
    }
}

#[test]
fn every_field_is_carried_by_a_type() {
    for field in Field::ALL.iter().filter(|f| **f != Field::Original) {
        let carries = |column: &Field| column == field || column.row().kind.members().contains(field);
        assert!(EventType::ALL.iter().any(|t| t.columns().iter().any(carries)), "{field:?}");
    }
}

#[test]
fn every_field_with_keys_is_reached_by_one_of_them() {
    let keys = Keys::get();
    for event_type in EventType::ALL {
        for (place, field) in event_type.columns().iter().enumerate() {
            let row = field.row();
            if row.kind == Kind::Verdicts || row.json2.is_empty() {
                continue;
            }
            let map = keys.columns(*event_type, Dialect::Json2);
            let reached =
                row.json2.iter().any(|k| map.column(keys.find(k.as_bytes()).unwrap()) == Some(place));
            assert!(reached, "{event_type:?} {field:?}");
        }
    }
}

#[test]
fn a_column_has_one_type_wherever_it_stands() {
    for a in Field::ALL {
        for b in Field::ALL {
            let same = a.column() == b.column() && a.column() != "similar_domain";
            assert!(!same || a.row().kind.type_name() == b.row().kind.type_name(), "{a:?} {b:?}");
        }
    }
}

#[test]
fn every_row_says_what_it_is() {
    for field in Field::ALL {
        let doc = field.row().doc;
        assert!(doc.ends_with('.') && doc.len() > 8, "{field:?}: {doc:?}");
        assert_eq!(field.column(), field.column().to_lowercase());
    }
    for event_type in EventType::ALL {
        assert!(event_type.row().doc.ends_with('.'), "{event_type:?}");
    }
}

#[test]
fn told_by_keys() {
    let told = |names: &[&str]| {
        let mut set = crate::KeySet::default();
        for name in names {
            set.insert(Keys::get().find(name.as_bytes()).unwrap());
        }
        Keys::get().event_type(set)
    };
    let cases: [(&[&str], Option<EventType>); 12] = [
        (&["Act", "Rcpt"], Some(EventType::Receipt)),
        (&["Act"], None),
        (&["Act", "AttNames", "MsgSize"], Some(EventType::Process)),
        (&["Delivered", "Rcpt", "Act"], Some(EventType::Delivery)),
        (&["RcptActType", "Rcpt"], Some(EventType::Journal)),
        (&["fileName", "sha256", "Virus"], Some(EventType::Av)),
        (&["fileName", "sha256"], Some(EventType::AttachmentProtect)),
        (&["ScanResultInfo", "URL"], Some(EventType::InternalEmailProtect)),
        (&["reason", "url"], Some(EventType::UrlProtect)),
        (&["Hits", "Sender"], Some(EventType::ImpersonationProtect)),
        (&["SourceIP", "SenderDomain"], Some(EventType::Spam)),
        (&["auditType", "user"], Some(EventType::Audit)),
    ];
    for (keys, expected) in cases {
        assert_eq!(told(keys), expected, "{keys:?}");
    }
}

#[test]
fn told_by_file_name() {
    let cases = [
        ("receipt_20260302090000123.log", Some(EventType::Receipt)),
        ("dir/jrnl_20260302090000123.siem", Some(EventType::Journal)),
        ("av_tse_20260302090000123.siem", Some(EventType::Av)),
        ("../../SPAMEVENTTHREAD_1.siem", Some(EventType::Spam)),
        ("iep_1.siem", Some(EventType::InternalEmailProtect)),
        ("ttp_ip_1.siem", Some(EventType::ImpersonationProtect)),
        ("ttp_ap_1.siem", Some(EventType::AttachmentProtect)),
        ("aver", None),
        ("", None),
    ];
    for (name, expected) in cases {
        assert_eq!(EventType::from_file_name(name), expected, "{name}");
    }
}

#[test]
fn told_by_api_2() {
    assert_eq!(EventType::from_json2("URL Protect"), Some(EventType::UrlProtect));
    assert_eq!(EventType::from_json2("url_protect"), Some(EventType::UrlProtect));
    assert_eq!(EventType::from_json2("entities"), None);
    assert_eq!(EventType::from_json2(""), None);
}
