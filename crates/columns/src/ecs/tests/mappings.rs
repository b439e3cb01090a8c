use mimelake_parse::{
    ExtraPair,
    Value::{Bool, Int, List, Null, Pairs, Text, Verdicts},
    Verdict,
};
use mimelake_schema::{Dialect, EventType, Field};
use serde_json::json;

use super::{ecs, ecs_of, says};

#[test]
fn a_rejected_receipt() {
    let json = ecs(
        EventType::Receipt,
        &[
            (Field::Account, Text("C0A0")),
            (Field::Acode, Text("zHX2NthQmQlaowAWWmcDbw")),
            (Field::MessageId, Text("<a@b.example>")),
            (Field::Action, Text("Rej")),
            (Field::Direction, Text("inbound")),
            (Field::SourceIp, Text("198.51.100.4:2525")),
            (Field::Sender, Text("jo@b.example")),
            (Field::HeaderFrom, Text("boss@c.example")),
            (Field::Recipients, List(&["anna@example.com", "jo@b.example"])),
            (Field::Error, Text("Failed Known address verification")),
            (Field::RejectionType, Text("Invalid Recipient Address")),
            (Field::RejectionCode, Text("550")),
            (Field::RejectionInfo, Text("Invalid Recipient")),
            (Field::TlsVersion, Text("TLSv1.3")),
            (Field::Dialect, Text("kv")),
        ],
    );
    says(
        &json,
        "email",
        json!({
            "local_id": "zHX2NthQmQlaowAWWmcDbw",
            "message_id": "a@b.example",
            "direction": "inbound",
            "sender": {"address": "jo@b.example"},
            "from": {"address": ["boss@c.example", "jo@b.example"]},
            "to": {"address": ["anna@example.com", "jo@b.example"]},
        }),
    );
    says(&json, "source", json!({"ip": "198.51.100.4", "port": 2525}));
    says(
        &json,
        "error",
        json!({"code": "550", "type": "Invalid Recipient Address", "message": "Failed Known address verification"}),
    );
    says(&json, "event.reason", json!("Invalid Recipient"));
    says(&json, "event.action", json!("Rej"));
    says(&json, "event.category", json!(["email", "network"]));
    says(&json, "event.type", json!(["info", "denied"]));
    says(&json, "event.dataset", json!("mimecast.receipt"));
    says(&json, "tls", json!({"version": "1.3", "version_protocol": "tls"}));
    says(
        &json,
        "related",
        json!({"user": ["boss@c.example", "jo@b.example", "anna@example.com"], "ip": ["198.51.100.4"]}),
    );
    says(&json, "mimecast", json!({"account": "C0A0", "dialect": "kv"}));
}

#[test]
fn a_virus() {
    let json = ecs(
        EventType::Av,
        &[
            (Field::FileName, Text("eicar.com")),
            (Field::FileExtension, Text("com")),
            (Field::ScannedSize, Int(68)),
            (Field::Md5, Text("aa")),
            (Field::Sha1, Text("aa")),
            (Field::Sha256, Text("")),
            (Field::Virus, Text("Eicar")),
            (Field::SenderDomain, Text("b.example")),
            (Field::CustomerIp, Bool(true)),
        ],
    );
    let file = json!({"file": {"name": "eicar.com", "extension": "com", "size": 68, "hash": {"md5": "aa", "sha1": "aa"}}});
    says(&json, "email", json!({"attachments": [file]}));
    says(&json, "event.category", json!(["email", "malware", "threat"]));
    says(&json, "event.type", json!(["info", "indicator"]));
    says(
        &json,
        "threat.indicator",
        json!({"type": "file", "file": {"name": "eicar.com", "hash": {"md5": "aa", "sha1": "aa"}}}),
    );
    says(&json, "related", json!({"hash": ["aa"], "hosts": ["b.example"]}));
    says(&json, "mimecast", json!({"virus": "Eicar", "customer_ip": true}));
}

#[test]
fn the_size_of_an_email_is_not_its_attachments() {
    let columns = [(Field::FileName, Text("a")), (Field::ScannedSize, Int(68))];
    let json = ecs_of(EventType::Av, Dialect::Json2, &columns);
    says(&json, "email.attachments", json!([{"file": {"name": "a"}}]));
    says(&json, "mimecast.size", json!(68));
    let columns = [(Field::FileName, Text("a")), (Field::Size, Int(68))];
    let json = ecs_of(EventType::AttachmentProtect, Dialect::Json2, &columns);
    says(&json, "email.attachments", json!([{"file": {"name": "a", "size": 68}}]));
    says(&json, "mimecast", json!(null));
}

#[test]
fn the_null_sender_is_nobody() {
    let json =
        ecs(EventType::Receipt, &[(Field::Sender, Text("<>")), (Field::HeaderFrom, Text("a@b.example"))]);
    says(&json, "email", json!({"from": {"address": ["a@b.example"]}}));
    says(&json, "related.user", json!(["a@b.example"]));
    says(&json, "mimecast.sender", json!("<>"));
    says(&ecs(EventType::Process, &[(Field::Sender, Text("<>"))]), "email", json!(null));
}

#[test]
fn what_does_not_fit_stays_mimecasts() {
    let json = ecs(
        EventType::Receipt,
        &[
            (Field::SourceIp, Text("mx.example.net")),
            (Field::TlsVersion, Text("none")),
            (Field::MessageId, Text("<>")),
        ],
    );
    says(
        &json,
        "mimecast",
        json!({"source_ip": "mx.example.net", "tls_version": "none", "message_id": "<>"}),
    );
    for path in ["source", "tls", "related", "email"] {
        says(&json, path, json!(null));
    }
}

#[test]
fn a_cut_message_id_loses_its_bracket_too() {
    let json = ecs(EventType::Spam, &[(Field::MessageId, Text("<cut@exam"))]);
    says(&json, "email.message_id", json!("cut@exam"));
}

#[test]
fn links() {
    let json = ecs(
        EventType::UrlProtect,
        &[
            (Field::Url, Text("HTTPS://Unlock.Example.ORG:8443/a?b=c#d")),
            (Field::SenderDomain, Text("b.example")),
            (Field::Reason, Text("malicious")),
        ],
    );
    says(
        &json,
        "url",
        json!({
            "full": "HTTPS://Unlock.Example.ORG:8443/a?b=c#d", "scheme": "https", "domain": "unlock.example.org",
            "port": 8443, "path": "/a", "query": "b=c", "fragment": "d",
        }),
    );
    says(&json, "related.hosts", json!(["b.example", "unlock.example.org"]));
    says(&json, "event.reason", json!("malicious"));
    says(&json, "event.type", json!(["info", "denied"]));
    let json = ecs(EventType::UrlProtect, &[(Field::Url, Text("http://[2001:db8::1]:8443/"))]);
    says(&json, "related", json!({"ip": ["2001:db8::1"]}));
    says(&json, "url.domain", json!("[2001:db8::1]"));
    let json = ecs(EventType::InternalEmailProtect, &[(Field::Url, Text("not a url"))]);
    says(&json, "url", json!({"full": "not a url"}));
}

#[test]
fn audits() {
    let cases: [(&str, &str, &str, [&str; 3]); 11] = [
        ("User Logged On", "Successful authentication", "", ["authentication", "start", "success"]),
        ("Logon Authentication Failed", "Failed authentication", "", ["authentication", "info", "failure"]),
        ("User Logged Off", "", "", ["authentication", "end", "success"]),
        ("Mimecast Support Login", "Action Performed", "", ["authentication", "start", "success"]),
        ("Something", "", "authentication_logs", ["authentication", "info", "unknown"]),
        ("Policy Changed", "Blocked Senders changed", "policy_logs", ["configuration", "change", "success"]),
        ("New Policy", "", "", ["configuration", "creation", "success"]),
        ("Existing Role Edited", "", "account_logs", ["iam", "admin change", "success"]),
        ("User Deleted", "", "", ["iam", "user deletion", "success"]),
        ("Group Viewed", "", "", ["iam", "group info", "success"]),
        ("", "", "", ["configuration", "info", "unknown"]),
    ];
    for (audit_type, info, category, [expected, types, outcome]) in cases {
        let columns = [
            (Field::AuditType, Text(audit_type)),
            (Field::EventInfo, Text(info)),
            (Field::Category, Text(category)),
        ];
        let json = ecs(EventType::Audit, &columns);
        says(&json, "event.category", json!([expected]));
        says(&json, "event.type", json!(types.split(' ').collect::<Vec<_>>()));
        says(&json, "event.outcome", json!(outcome));
        says(&json, "event.kind", json!("event"));
    }
}

#[test]
fn users() {
    let user =
        |text| ecs(EventType::Audit, &[(Field::User, Text(text)), (Field::ClientIp, Text("203.0.113.52"))]);
    says(&user("a@example.com"), "user", json!({"email": "a@example.com"}));
    says(&user("Case Reviewer"), "user", json!({"name": "Case Reviewer"}));
    says(&user("a@example.com"), "client", json!({"ip": "203.0.113.52"}));
    says(&user("a@example.com"), "related", json!({"user": ["a@example.com"], "ip": ["203.0.113.52"]}));
}

#[test]
fn pairs_that_say_nothing_are_left_out() {
    let pair = |key, value| ExtraPair { key, value };
    let pairs = [pair("A", None), pair("B", Some("")), pair("C", Some("c")), pair("C", Some("d"))];
    let json = ecs(EventType::Unknown, &[(Field::Extra, Pairs(&pairs))]);
    says(&json, "mimecast", json!({"extra": {"C": ["c", "d"]}}));
    says(&ecs(EventType::Unknown, &[(Field::Extra, Pairs(&pairs[..2]))]), "mimecast", json!(null));
}

#[test]
fn verdicts_that_say_nothing_are_left_out() {
    let verdict = |allow, info| Some(Verdict { allow, info });
    let each =
        [verdict(Some(true), Some("")), verdict(None, Some("")), verdict(None, Some("x")), None, None, None];
    let verdicts = mimelake_parse::Verdicts { each, grey_email: None };
    let json = ecs(EventType::Receipt, &[(Field::SpamDetail, Verdicts(&verdicts))]);
    says(&json, "mimecast", json!({"spam_detail": {"spf": {"allow": true}, "dmarc": {"info": "x"}}}));
}

#[test]
fn actions_without_a_word_of_their_own() {
    let action = |event_type, columns: &[_], expected: &str| {
        says(&ecs(event_type, columns), "event.action", json!(expected));
    };
    action(EventType::Delivery, &[(Field::Delivered, Bool(true))], "delivered");
    action(EventType::Delivery, &[(Field::Delivered, Bool(false))], "delivery-failed");
    action(EventType::Delivery, &[(Field::Delivered, Null)], "delivery-attempted");
    action(EventType::Audit, &[(Field::AuditType, Text("Policy Changed"))], "Policy Changed");
    action(EventType::Spam, &[], "spam-detected");
    action(EventType::Receipt, &[(Field::Action, Text(""))], "received");
}
