//! API 1.0, behaving.

use std::collections::HashSet;
use std::io::{Cursor, Read};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use mimelake_mock::credentials::{ACCESS_KEY, APP_ID, CLOUD_PASSWORD, DOMAIN_PASSWORD, EMAIL, SECRET_KEY};
use mimelake_mock::{
    AuditEvent, AuditNext, Content, Endpoint, FileFormat, Generate, Limit, LimitForm, Mock, Options, Sequence,
};
use serde_json::{Value, json};

use crate::client::{Reply, all_zips, new_id, now, send, siem, signed, signed_headers};

const SIEM: &str = "/api/audit/get-siem-logs";

fn mock() -> Mock {
    Mock::start(Options::default()).unwrap()
}

#[test]
fn all_zips_come_once_and_in_order() {
    let mock = mock();
    let expected: Vec<_> =
        mock.expected(Sequence::Zips(FileFormat::KeyValue)).map(|f| (f.name, f.bytes)).collect();
    assert_eq!(expected.len(), 10);
    assert_eq!(all_zips(&mock), expected);
    let names: HashSet<_> = expected.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), expected.len());
    assert_eq!(mock.requests().len(), 11);
    assert!(mock.requests().iter().all(|r| r.endpoint == Endpoint::Siem1 && r.status == 200));
}

#[test]
fn zips_hold_the_logs_that_come_one_by_one_otherwise() {
    let mock = mock();
    for (format, spelling, ending) in
        [(FileFormat::KeyValue, "key_value", ".siem"), (FileFormat::Json, "json", ".json")]
    {
        let mut members = Vec::new();
        for file in mock.expected(Sequence::Zips(format)) {
            let mut zip = zip::ZipArchive::new(Cursor::new(file.bytes)).unwrap();
            for index in 0..zip.len() {
                let mut member = zip.by_index(index).unwrap();
                let mut bytes = Vec::new();
                member.read_to_end(&mut bytes).unwrap();
                members.push((member.name().unwrap().into_owned(), bytes));
            }
        }
        let (mut logs, mut token) = (Vec::new(), Value::Null);
        loop {
            let body =
                json!({"data": [{"type": "MTA", "fileFormat": spelling, "compress": false, "token": token}]});
            let reply = signed(&mock, SIEM, &body).unwrap();
            if reply.header("content-type") == Some("application/json") {
                break;
            }
            token = reply.header("mc-siem-token").into();
            logs.push((reply.file_name().to_owned(), reply.body));
        }
        assert_eq!(logs.len(), 40);
        assert_eq!(logs, members);
        assert!(logs.iter().all(|(name, bytes)| name.ends_with(ending) && !bytes.is_empty()));
    }
}

#[test]
fn the_token_moves_only_by_being_sent() {
    let mock = mock();
    let first = siem(&mock, None).unwrap();
    let again = siem(&mock, None).unwrap();
    assert_eq!(first.body, again.body);
    let token = first.header("mc-siem-token").unwrap();
    assert_eq!(again.header("mc-siem-token"), Some(token));
    let second = siem(&mock, Some(token)).unwrap();
    assert_ne!(second.body, first.body);
    assert_eq!(siem(&mock, Some(token)).unwrap().body, second.body);
}

#[test]
fn what_is_published_later_comes_later() {
    let mock = Mock::start(Options { out: Some(2), ..Options::default() }).unwrap();
    assert_eq!(all_zips(&mock).len(), 2);
    mock.publish(3);
    assert_eq!(all_zips(&mock).len(), 3);
    assert_eq!(mock.expected(Sequence::Zips(FileFormat::KeyValue)).count(), 3);
}

#[test]
fn requests_that_are_not_as_documented_are_refused() {
    let mock = mock();
    let cases = [
        (json!({"data": [{"type": "XYZ"}]}), "err_validation_invalid_json"),
        (json!({"data": []}), "err_validation_invalid_json"),
        (json!({}), "err_validation_invalid_json"),
        (json!({"data": [{"type": "MTA", "compress": "yes"}]}), "err_validation_invalid_json"),
        (json!({"data": [{"type": "MTA", "fileFormat": "xml"}]}), "err_validation_invalid_json"),
        (json!({"data": [{"type": "MTA", "token": "bm9uZSBvZiBvdXJz"}]}), "err_audit_siem_invalid_token"),
    ];
    for (body, code) in cases {
        let reply = signed(&mock, SIEM, &body).unwrap();
        assert_eq!((reply.status, reply.code().as_str()), (400, code), "{body}");
    }
    assert_eq!(signed(&mock, "/api/none", &json!({})).unwrap().status, 404);
}

#[test]
fn what_is_no_request_is_told_so_and_one_connection_takes_several() {
    let mock = mock();
    for bad in ["nonsense\r\n", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"] {
        assert_eq!(send(&mock, bad, "").unwrap().status, 400, "{bad}");
    }
    let twice = crate::client::raw(&mock, "GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n", "");
    assert_eq!(String::from_utf8(twice).unwrap().matches("HTTP/1.1 404").count(), 2);
    let targets: Vec<_> = mock.take_requests().into_iter().map(|r| r.target).collect();
    assert_eq!(targets, ["/a", "/b"]);
    assert!(mock.requests().is_empty());
}

#[test]
fn the_configuration_names_both_apis() {
    let mock = mock();
    let config: toml::Table = mock.config().parse().unwrap();
    for (name, api) in [("first", "1.0"), ("second", "2.0")] {
        let source = &config["source"][name];
        assert_eq!((source["api"].as_str(), source["base_url"].as_str()), (Some(api), Some(mock.base_url())));
    }
    assert_eq!(
        config["source"]["second"]["client_secret"].as_str(),
        Some(mimelake_mock::credentials::CLIENT_SECRET)
    );
}

#[test]
fn signatures_are_checked() {
    let mock = mock();
    let body = json!({"data": [{"type": "MTA"}]}).to_string();
    let call = |headers: &str| {
        let reply = send(&mock, &format!("POST {SIEM} HTTP/1.1\r\n{headers}"), &body).unwrap();
        (reply.status, if reply.status == 200 { String::new() } else { reply.code() })
    };
    let id = new_id();
    let good = signed_headers(SIEM, &now(), &id, ACCESS_KEY, SECRET_KEY);
    assert_eq!(call(&good), (200, String::new()));
    let invalid = (401, "err_xdk_invalid_signature".to_owned());
    assert_eq!(call(&good), invalid, "the same request id twice");
    let late = |minutes| {
        let at = Timestamp::now() - SignedDuration::from_mins(minutes);
        at.strftime("%a, %d %b %Y %H:%M:%S UTC").to_string()
    };
    assert_eq!(call(&signed_headers(SIEM, &late(16), &new_id(), ACCESS_KEY, SECRET_KEY)), invalid);
    assert_eq!(call(&signed_headers(SIEM, &late(-16), &new_id(), ACCESS_KEY, SECRET_KEY)), invalid);
    assert_eq!(call(&signed_headers(SIEM, &late(14), &new_id(), ACCESS_KEY, SECRET_KEY)).0, 200);
    assert_eq!(call(&signed_headers(SIEM, &now(), "42", ACCESS_KEY, SECRET_KEY)), invalid);
    assert_eq!(call(&signed_headers("/api/other", &now(), &new_id(), ACCESS_KEY, SECRET_KEY)), invalid);
    assert_eq!(call(&signed_headers(SIEM, &now(), &new_id(), ACCESS_KEY, "AAAA")), invalid);
    let expired = (418, "err_xdk_binding_expired".to_owned());
    assert_eq!(call(&signed_headers(SIEM, &now(), &new_id(), "someone else", SECRET_KEY)), expired);
    assert_eq!(call(""), (401, "err_developer_key".to_owned()));
}

#[test]
fn a_server_whose_clock_is_wrong_refuses_signatures_and_says_its_time() {
    let skew = SignedDuration::from_mins(20);
    let mock = Mock::start(Options { clock_skew: skew, ..Options::default() }).unwrap();
    let reply = siem(&mock, None).unwrap();
    assert_eq!((reply.status, reply.code().as_str()), (401, "err_xdk_invalid_signature"));
    let date = jiff::fmt::rfc2822::parse(reply.header("date").unwrap()).unwrap().timestamp();
    assert!(date.duration_since(Timestamp::now()) > SignedDuration::from_mins(19));
}

fn login(mock: &Mock, scheme: &str, password: &str) -> Reply {
    let pair = STANDARD.encode(format!("{EMAIL}:{password}"));
    let head = format!(
        "POST /api/login/login HTTP/1.1\r\nAuthorization: {scheme} {pair}\r\nx-mc-app-id: {APP_ID}\r\n"
    );
    send(mock, &head, &json!({"data": [{"userName": EMAIL}]}).to_string()).unwrap()
}

#[test]
fn discover_knows_where_an_account_lives() {
    let mock = mock();
    let discover = |email: &str, app: &str| {
        let head = format!("POST /api/login/discover-authentication HTTP/1.1\r\nx-mc-app-id: {app}\r\n");
        send(&mock, &head, &json!({"data": [{"emailAddress": email}]}).to_string()).unwrap()
    };
    let found = discover(EMAIL, APP_ID).json();
    assert_eq!(found["data"][0]["region"]["api"], mock.base_url());
    assert_eq!(found["data"][0]["authenticate"], json!(["Basic-Cloud", "Basic-AD"]));
    assert!(discover("nobody@example.com", APP_ID).json()["data"][0]["region"].is_null());
    assert_eq!(discover(EMAIL, "another").code(), "err_developer_key");
}

#[test]
fn login_gives_a_key_pair_that_signs() {
    let mock = mock();
    for (scheme, password) in [("Basic-Cloud", CLOUD_PASSWORD), ("Basic-AD", DOMAIN_PASSWORD)] {
        let reply = login(&mock, scheme, password);
        assert!(String::from_utf8(reply.body.clone()).unwrap().contains("\\u003d"));
        let pair = reply.json()["data"][0].clone();
        let (access, secret) = (pair["accessKey"].as_str().unwrap(), pair["secretKey"].as_str().unwrap());
        let headers = signed_headers(SIEM, &now(), &new_id(), access, secret);
        let body = json!({"data": [{"type": "MTA"}]}).to_string();
        assert_eq!(send(&mock, &format!("POST {SIEM} HTTP/1.1\r\n{headers}"), &body).unwrap().status, 200);
    }
    for (scheme, password) in [("Basic-Cloud", DOMAIN_PASSWORD), ("Basic-AD", CLOUD_PASSWORD), ("Basic", "x")]
    {
        assert_eq!(login(&mock, scheme, password).status, 401);
    }
    mock.expire_bindings();
    assert_eq!(siem(&mock, None).unwrap().status, 418);
}

fn step() -> SignedDuration {
    SignedDuration::from_mins(1)
}

fn newest() -> Timestamp {
    "2026-03-02T10:00:00Z".parse().unwrap()
}

fn events(mock: &Mock, start: &str, end: &str, categories: &Value) -> (Vec<Value>, Vec<usize>) {
    let (mut events, mut pages, mut token) = (Vec::new(), Vec::new(), Value::Null);
    loop {
        let body = json!({"meta": {"pagination": {"pageSize": 3, "pageToken": token}},
            "data": [{"startDateTime": start, "endDateTime": end, "categories": categories}]});
        let reply = signed(mock, "/api/audit/get-audit-events", &body).unwrap();
        assert_eq!(reply.status, 200);
        let page = reply.json();
        let data = page["data"].as_array().unwrap().clone();
        pages.push(data.len());
        events.extend(data);
        token = page["meta"]["pagination"]["next"].clone();
        if token.is_object() {
            token = token["pageToken"].clone();
        }
        if token.is_null() {
            return (events, pages);
        }
    }
}

#[test]
fn audit_events_come_newest_first_with_both_edges_of_the_window() {
    for (next, pages) in
        [(AuditNext::Text, vec![3, 3]), (AuditNext::Object, vec![3, 3]), (AuditNext::EmptyEnd, vec![3, 3, 0])]
    {
        let audit = AuditEvent::made_up(40, newest(), step());
        let mock = Mock::start(Options { audit, audit_next: next, ..Options::default() }).unwrap();
        let all = json!(null);
        let found = events(&mock, "2026-03-02T09:55:00+0000", "2026-03-02T10:00:00+0000", &all);
        let times: Vec<_> = found.0.iter().map(|e| e["eventTime"].as_str().unwrap().to_owned()).collect();
        assert_eq!(times.first().unwrap(), "2026-03-02T10:00:00+0000");
        assert_eq!(times.last().unwrap(), "2026-03-02T09:55:00+0000");
        assert!(times.is_sorted_by(|a, b| a > b));
        assert_eq!(found.1, pages);
    }
}

#[test]
fn audit_events_of_one_category_and_those_that_come_late() {
    let audit = AuditEvent::made_up(8, newest(), step());
    let mock = Mock::start(Options { audit: audit.clone(), ..Options::default() }).unwrap();
    let window = ("2026-03-02T09:00:00+0100", "2026-03-02T11:00:00+0100");
    let only = json!(["mimecast_access_logs"]);
    assert_eq!(events(&mock, window.0, window.1, &only).0.len(), 2);
    mock.add_audit_event(AuditEvent { id: "late".to_owned(), ..audit[4].clone() });
    assert_eq!(events(&mock, window.0, window.1, &only).0.len(), 3);
    let bad = json!({"data": [{"startDateTime": "2026-03-02", "endDateTime": window.1}]});
    let reply = signed(&mock, "/api/audit/get-audit-events", &bad).unwrap();
    assert_eq!(reply.code(), "err_validation_date_time");
}

#[test]
fn categories_are_listed() {
    let reply = signed(&mock(), "/api/audit/get-categories", &json!({"data": []})).unwrap();
    let categories = reply.json()["data"][0]["categories"].clone();
    assert!(categories.as_array().unwrap().contains(&json!("mimecast_access_logs")));
}

#[test]
fn a_limit_refuses_and_says_when_to_come_back() {
    let window = std::time::Duration::from_hours(1);
    let limit = Limit { calls: 2, window, form: LimitForm::ResetMillis };
    let mock = Mock::start(Options { limit: Some(limit), ..Options::default() }).unwrap();
    assert_eq!([200, 200], [0, 1].map(|_| siem(&mock, None).unwrap().status));
    let refused = siem(&mock, None).unwrap();
    assert_eq!(refused.status, 429);
    let wait: u64 = refused.header("X-RateLimit-Reset").unwrap().parse().unwrap();
    assert!((1..=3_600_001).contains(&wait));
}

#[test]
fn a_folder_is_served_by_what_is_in_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    write("receipt_20260302090000001.siem", b"datetime=2026-03-02T09:00:00+0000|Act=Acc\r\n");
    write("process_20260302090000002.log", b"datetime=2026-03-02T09:00:00+0000|MsgSize=1\r\n");
    write("delivery_20260302090000003.json", b"{\"type\":\"MTA\",\"data\":[]}");
    write("url_protect_20260302090000004.json", b"{\"processingId\":\"1\",\"type\":\"url protect\"}\n");
    write("x.zip", b"PK\x05\x06whatever");
    let mock =
        Mock::start(Options { content: Content::folder(folder.path(), 1).unwrap(), ..Options::default() })
            .unwrap();
    let names = |sequence| mock.expected(sequence).map(|f| f.name).collect::<Vec<_>>();
    assert_eq!(
        names(Sequence::Logs(FileFormat::KeyValue)),
        ["process_20260302090000002.log", "receipt_20260302090000001.siem"]
    );
    assert_eq!(names(Sequence::Logs(FileFormat::Json)), ["delivery_20260302090000003.json"]);
    assert_eq!(names(Sequence::Batches), ["url_protect_20260302090000004.json.gz"]);
    assert_eq!(names(Sequence::Zips(FileFormat::KeyValue))[0], "x.zip");
    assert_eq!(all_zips(&mock).len(), 3);
}

#[test]
fn ten_thousand_files_are_made_one_by_one_and_none_twice() {
    let content = Content::generated(Generate { files: 10_000, lines: 1, ..Generate::default() });
    for sequence in [Sequence::Logs(FileFormat::KeyValue), Sequence::Batches] {
        let names: HashSet<_> = (0..10_000).map(|index| content.name(sequence, index).unwrap()).collect();
        assert_eq!(names.len(), 10_000);
    }
    assert_eq!(content.name(Sequence::Batches, 10_000), None);
    let last = content.file(Sequence::Batches, 9_999).unwrap();
    assert_eq!(last, content.file(Sequence::Batches, 9_999).unwrap());
}
