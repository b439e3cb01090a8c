//! API 2.0, behaving.

use std::io::Read;
use std::time::Duration;

use mimelake_mock::credentials::CLIENT_SECRET;
use mimelake_mock::{Content, File, Generate, Mock, Options, Sequence};
use serde_json::{Value, json};

use crate::client::{RANGE, batch, download, get, send, token, token_call};

fn mock() -> Mock {
    Mock::start(Options::default()).unwrap()
}

/// Every file of a type, by its links, with the number of pages it took.
fn all_of(mock: &Mock, kind: &str) -> (Vec<Vec<u8>>, usize) {
    let token = token(mock);
    let (mut files, mut pages, mut cursor) = (Vec::new(), 0, None::<String>);
    loop {
        let page = batch(mock, &token, kind, cursor.as_deref()).unwrap().json();
        pages += 1;
        for entry in page["value"].as_array().unwrap() {
            let file = download(mock, entry["url"].as_str().unwrap()).unwrap();
            assert_eq!((file.status, entry["size"].as_u64()), (200, Some(file.body.len() as u64)));
            files.push(file.body);
        }
        cursor = page["@nextPage"].as_str().map(str::to_owned);
        if page["isCaughtUp"] == json!(true) {
            return (files, pages);
        }
    }
}

#[test]
fn all_files_of_a_type_come_once_and_in_order() {
    let mock = mock();
    let all: Vec<File> = mock.expected(Sequence::Batches).collect();
    let mut seen = 0;
    for kind in ["receipt", "process", "delivery", "url protect"] {
        let expected: Vec<_> = all
            .iter()
            .filter(|f| f.event_type.is_some_and(|t| t.row().json2.contains(&kind)))
            .map(|f| f.bytes.clone())
            .collect();
        seen += expected.len();
        assert_eq!(all_of(&mock, kind), (expected, 5));
    }
    assert_eq!(seen, all.len());
    assert_eq!(all_of(&mock, "journal"), (vec![], 1));
}

#[test]
fn files_are_gzip_of_ndjson_in_several_members() {
    let file = mock().expected(Sequence::Batches).next().unwrap();
    let mut first = String::new();
    flate2::read::GzDecoder::new(&file.bytes[..]).read_to_string(&mut first).unwrap();
    let mut all = String::new();
    flate2::read::MultiGzDecoder::new(&file.bytes[..]).read_to_string(&mut all).unwrap();
    assert_eq!((first.lines().count(), all.lines().count()), (1, 5));
    for line in all.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        for (key, value) in event.as_object().unwrap() {
            let number = ["timestamp", "_offset", "_partition"].contains(&key.as_str());
            assert!(value.is_string() != number, "{key}: {value}");
        }
    }
}

#[test]
fn a_cursor_lasts_and_picks_up_what_comes_later() {
    let mock = Mock::start(Options { out: Some(4), ..Options::default() }).unwrap();
    let token = token(&mock);
    let first = batch(&mock, &token, "receipt", None).unwrap().json();
    assert_eq!((first["value"].as_array().unwrap().len(), &first["isCaughtUp"]), (1, &json!(true)));
    let cursor = first["@nextPage"].as_str().unwrap();
    let empty = batch(&mock, &token, "receipt", Some(cursor)).unwrap().json();
    assert_eq!((&empty["value"], &empty["isCaughtUp"]), (&json!([]), &json!(true)));
    let cursor = empty["@nextPage"].as_str().unwrap();
    mock.publish(8);
    let later = batch(&mock, &token, "receipt", Some(cursor)).unwrap().json();
    assert_eq!(later["value"].as_array().unwrap().len(), 1);
    assert_eq!(
        batch(&mock, &token, "process", Some(cursor)).unwrap().status,
        400,
        "the cursor of another type"
    );
}

#[test]
fn tokens_are_checked() {
    let mock = mock();
    assert_eq!(token_call(&mock, "wrong").status, 401);
    let reply = token_call(&mock, CLIENT_SECRET).json();
    assert_eq!(reply["expires_in"], 1799);
    let token = reply["access_token"].as_str().unwrap();
    assert_eq!(batch(&mock, token, "receipt", None).unwrap().status, 200);
    assert_eq!(batch(&mock, "another", "receipt", None).unwrap().status, 401);
    mock.revoke_tokens();
    let refused = batch(&mock, token, "receipt", None).unwrap();
    assert_eq!((refused.status, refused.code().as_str()), (401, "token_verification_failed"));
    let short = Mock::start(Options { token_lifetime: Duration::ZERO, ..Options::default() }).unwrap();
    assert_eq!(batch(&short, &self::token(&short), "receipt", None).unwrap().status, 401);
}

#[test]
fn requests_that_are_not_as_documented_are_refused() {
    let mock = mock();
    let token = token(&mock);
    for query in [
        "type=nonsense&dateRangeStartsAt=2026-03-01&dateRangeEndsAt=2026-03-08",
        "type=receipt",
        "type=receipt&dateRangeStartsAt=2026-03-09&dateRangeEndsAt=2026-03-08",
        "type=receipt&dateRangeStartsAt=2026-3-1&dateRangeEndsAt=8",
        "type=receipt&pageSize=0&dateRangeStartsAt=2026-03-01&dateRangeEndsAt=2026-03-08",
        "type=receipt&pageSize=101&dateRangeStartsAt=2026-03-01&dateRangeEndsAt=2026-03-08",
        "type=receipt&nextPage=nonsense",
    ] {
        let reply = get(&mock, &token, &format!("/siem/v1/batch/events/cg?{query}")).unwrap();
        assert_eq!(reply.status, 400, "{query}");
    }
    assert_eq!(get(&mock, &token, "/oauth/token").unwrap().status, 404);
}

#[test]
fn a_link_admits_by_itself_and_not_together_with_a_token() {
    let mock = mock();
    let token = token(&mock);
    let page = batch(&mock, &token, "receipt", None).unwrap().json();
    let url = page["value"][0]["url"].as_str().unwrap();
    let target = url.strip_prefix(mock.base_url()).unwrap();
    assert_eq!(download(&mock, url).unwrap().status, 200);
    assert_eq!(get(&mock, &token, target).unwrap().status, 400);
    let forged = url.replace("/0/", "/4/");
    assert_ne!(forged, url);
    assert_eq!(download(&mock, &forged).unwrap().status, 403);
    let again = batch(&mock, &token, "receipt", None).unwrap().json();
    let same = again["value"][0]["url"].as_str().unwrap();
    assert_ne!(same, url);
    assert_eq!(same.split('?').next(), url.split('?').next());
    let short = Mock::start(Options { link_lifetime: Duration::ZERO, ..Options::default() }).unwrap();
    let page = batch(&short, &self::token(&short), "receipt", None).unwrap().json();
    assert_eq!(download(&short, page["value"][0]["url"].as_str().unwrap()).unwrap().status, 403);
}

#[test]
fn the_stream_has_the_events_of_several_types_inline() {
    let content = Content::generated(Generate { files: 8, ..Generate::default() });
    let mock = Mock::start(Options { content, ..Options::default() }).unwrap();
    let token = token(&mock);
    let (mut events, mut rest) = (Vec::new(), "dateRangeStartsAt=2026-03-02T09:00:00.000Z".to_owned());
    loop {
        let target = format!("/siem/v1/events/cg?types=receipt,url%20protect&pageSize=7&{rest}");
        let page = get(&mock, &token, &target).unwrap().json();
        events.extend(page["value"].as_array().unwrap().clone());
        rest = format!("nextPage={}", page["@nextPage"].as_str().unwrap().replace('=', "%3D"));
        if page["isCaughtUp"] == json!(true) {
            break;
        }
    }
    assert_eq!(events.len(), 20);
    assert!(events.iter().all(|e| e["type"].is_null() && e["eventType"].is_string()));
}

#[test]
fn audit_takes_a_bearer_token_too() {
    let mock = mock();
    let head =
        format!("POST /api/audit/get-categories HTTP/1.1\r\nAuthorization: Bearer {}\r\n", token(&mock));
    assert_eq!(send(&mock, &head, "{\"data\":[]}").unwrap().status, 200);
}

#[test]
fn every_answer_has_a_request_id_of_its_own() {
    let mock = mock();
    let token = token(&mock);
    let ids = [0, 1].map(|_| {
        let reply = get(&mock, &token, &format!("/siem/v1/batch/events/cg?type=receipt&{RANGE}")).unwrap();
        reply.header("x-request-id").unwrap().to_owned()
    });
    assert_ne!(ids[0], ids[1]);
}
