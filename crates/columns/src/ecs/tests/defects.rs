//! Each known defect of other mappings has a test that it is not here.

use mimelake_parse::Value::{Bool, Int, List, Text};
use mimelake_schema::{Dialect, EventType, Field};
use serde_json::json;

use super::{ecs, ecs_of, says};

#[test]
fn a_boolean_is_no_source_domain() {
    for text in ["false", "True"] {
        let json = ecs(EventType::Av, &[(Field::SenderDomain, Text(text))]);
        says(&json, "source", json!(null));
        says(&json, "related", json!(null));
        says(&json, "mimecast.sender_domain", json!(text));
    }
    let json = ecs(EventType::ImpersonationProtect, &[(Field::NewDomain, Bool(false))]);
    says(&json, "source", json!(null));
    says(&json, "mimecast.new_domain", json!(false));
}

#[test]
fn every_dialect_has_an_outcome() {
    for dialect in [Dialect::Kv, Dialect::Json1, Dialect::Json2] {
        let outcome = |event_type, field, value, expected: &str| {
            says(&ecs_of(event_type, dialect, &[(field, value)]), "event.outcome", json!(expected));
        };
        outcome(EventType::Delivery, Field::Delivered, Bool(true), "success");
        outcome(EventType::Delivery, Field::Delivered, Bool(false), "failure");
        outcome(EventType::Receipt, Field::Action, Text("Acc"), "success");
        outcome(EventType::Receipt, Field::Action, Text("Rej"), "failure");
        outcome(EventType::Process, Field::Action, Text("Hld"), "unknown");
        outcome(EventType::ImpersonationProtect, Field::Action, Text("none"), "success");
        outcome(EventType::UrlProtect, Field::Action, Text("Block"), "failure");
    }
}

#[test]
fn numbers_are_numbers() {
    let json = ecs(
        EventType::Process,
        &[
            (Field::MessageSize, Int(1 << 60)),
            (Field::AttachmentCount, Int(0)),
            (Field::AttachmentsSize, Int(0)),
        ],
    );
    says(&json, "mimecast.message_size", json!(1_i64 << 60));
    says(&json, "mimecast.attachment_count", json!(0));
}

#[test]
fn no_attachment_is_made_up() {
    for event_type in EventType::ALL {
        says(&ecs(*event_type, &[]), "email.attachments", json!(null));
    }
    let json =
        ecs(EventType::Delivery, &[(Field::AttachmentCount, Int(2)), (Field::AttachmentsSize, Int(9))]);
    says(&json, "email", json!(null));
    let json = ecs(EventType::Av, &[(Field::ScannedSize, Int(9))]);
    says(&json, "email", json!(null));
    says(&json, "mimecast.size", json!(9));
}

#[test]
fn each_attachment_name_is_an_attachment() {
    let names = ["a.docx", "b, c.xlsx"];
    let json = ecs(EventType::Process, &[(Field::AttachmentNames, List(&names))]);
    let expected = json!([{"file": {"name": "a.docx"}}, {"file": {"name": "b, c.xlsx"}}]);
    says(&json, "email.attachments", expected);
}

#[test]
fn held_email_and_spam_are_alerts() {
    let kind = |event_type, columns: &[_], expected: &str| {
        says(&ecs(event_type, columns), "event.kind", json!(expected));
    };
    kind(EventType::Process, &[(Field::Action, Text("Hld"))], "alert");
    kind(EventType::Process, &[(Field::Action, Text("Acc")), (Field::HoldReason, Text("Spm"))], "alert");
    kind(EventType::Process, &[(Field::Action, Text("Acc"))], "event");
    kind(EventType::Spam, &[], "alert");
    kind(EventType::Receipt, &[(Field::Action, Text("Rej"))], "alert");
    kind(EventType::Receipt, &[(Field::RejectionType, Text("x"))], "alert");
    kind(EventType::Receipt, &[(Field::Action, Text("Acc")), (Field::Virus, Text("x"))], "alert");
    kind(EventType::Receipt, &[(Field::Action, Text("Acc"))], "event");
    kind(EventType::Delivery, &[(Field::Delivered, Bool(false))], "event");
    kind(EventType::UrlProtect, &[(Field::Action, Text("Continue"))], "event");
    kind(EventType::UrlProtect, &[(Field::UrlCategory, Text("Phishing & Fraud"))], "alert");
    kind(EventType::UrlProtect, &[(Field::Reason, Text("url category"))], "alert");
    for event_type in [
        EventType::Av,
        EventType::AttachmentProtect,
        EventType::InternalEmailProtect,
        EventType::ImpersonationProtect,
    ] {
        kind(event_type, &[], "alert");
    }
}

#[test]
fn the_remote_server_of_a_delivery_is_the_destination() {
    let json = ecs(
        EventType::Delivery,
        &[(Field::DestinationIp, Text("198.51.100.18")), (Field::DestinationHost, Text("mx3.example.net"))],
    );
    says(&json, "destination", json!({"ip": "198.51.100.18", "domain": "mx3.example.net"}));
    says(&json, "source", json!(null));
    says(&json, "related", json!({"ip": ["198.51.100.18"], "hosts": ["mx3.example.net"]}));
}

#[test]
fn rows_that_differ_in_recipient_or_file_or_type_have_different_ids() {
    let id = |json: serde_json::Value| json["event"]["id"].as_str().unwrap().to_owned();
    let receipt = |to: &str| id(ecs(EventType::Receipt, &[(Field::Recipients, List(&[to]))]));
    assert_ne!(receipt("a@example.com"), receipt("b@example.com"));
    assert_eq!(receipt("a@example.com"), receipt("a@example.com"));
    assert_eq!(receipt("a@example.com").len(), 32);
    let av = |name| id(ecs(EventType::Av, &[(Field::FileName, Text(name))]));
    assert_ne!(av("a"), av("b"));
    assert_ne!(id(ecs(EventType::Spam, &[])), id(ecs(EventType::Journal, &[])));
}

#[test]
fn the_time_is_the_records_own() {
    let json = ecs(
        EventType::Audit,
        &[
            (Field::Timestamp, mimelake_parse::Value::Time(1_772_611_200_000_000)),
            (Field::EventInfo, Text("Date: 2026-03-04, Time: 09:15:02 CET")),
        ],
    );
    says(&json, "@timestamp", json!("2026-03-04T08:00:00.000Z"));
    says(&ecs(EventType::Audit, &[]), "@timestamp", json!(null));
}
