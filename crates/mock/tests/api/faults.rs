//! Every fault, once.

use std::io::{Cursor, Read, Write};
use std::net::TcpStream;

use mimelake_mock::{
    At, Endpoint, ErrorShape, Fault, FileFormat, LimitForm, Mock, Options, Rule, Script, Sequence,
};
use serde_json::{Value, json};

use crate::client::{Reply, all_zips, batch, download, raw, siem, token};

fn with(rules: Vec<Rule>) -> Mock {
    Mock::start(Options { script: rules.into(), ..Options::default() }).unwrap()
}

/// The first answer of get-siem-logs under a fault, and the server.
fn siem_with(fault: Fault) -> (Mock, Option<Reply>) {
    let mock = with(vec![Rule::new(Endpoint::Siem1, fault)]);
    let reply = siem(&mock, None);
    (mock, reply)
}

fn zips(mock: &Mock) -> Vec<(String, Vec<u8>)> {
    mock.expected(Sequence::Zips(FileFormat::KeyValue)).map(|f| (f.name, f.bytes)).collect()
}

fn opens(bytes: &[u8]) -> bool {
    let Ok(mut zip) = zip::ZipArchive::new(Cursor::new(bytes)) else { return false };
    (0..zip.len()).all(|index| {
        zip.by_index(index).is_ok_and(|mut m| std::io::copy(&mut m, &mut std::io::sink()).is_ok())
    })
}

#[test]
fn statuses_with_headers_and_bodies() {
    for code in [401, 500, 502, 503, 504, 509] {
        let headers =
            vec![("X-Note".to_owned(), "a".to_owned()), ("content-type".to_owned(), "text/x".to_owned())];
        let (mock, reply) = siem_with(Fault::Status { code, headers, body: "b".to_owned() });
        let reply = reply.unwrap();
        assert_eq!(
            (reply.status, reply.header("x-note"), reply.body.as_slice()),
            (code, Some("a"), &b"b"[..])
        );
        assert_eq!(reply.header("content-type"), Some("text/x"));
        assert_eq!(mock.requests()[0].status, code);
        assert_eq!(siem(&mock, None).unwrap().status, 200, "only the first");
    }
}

#[test]
fn a_limit_in_each_form() {
    let now = jiff::Timestamp::now().as_second();
    let header = |form, name: &str| {
        let (_mock, reply) = siem_with(Fault::Limited { form, milliseconds: 90_000 });
        let reply = reply.unwrap();
        assert_eq!(reply.status, 429);
        reply.header(name).map(str::to_owned)
    };
    assert_eq!(header(LimitForm::Silent, "Retry-After"), None);
    assert_eq!(header(LimitForm::Silent, "X-RateLimit-Reset"), None);
    assert_eq!(header(LimitForm::RetryAfter, "Retry-After").unwrap(), "90");
    assert_eq!(header(LimitForm::ResetMillis, "X-RateLimit-Reset").unwrap(), "90000");
    let date = header(LimitForm::RetryAfterDate, "Retry-After").unwrap();
    let date = jiff::fmt::rfc2822::parse(&date).unwrap().timestamp().as_second();
    let seconds: i64 = header(LimitForm::ResetEpoch, "X-RateLimit-Reset").unwrap().parse().unwrap();
    let millis: i64 = header(LimitForm::ResetEpochMillis, "X-RateLimit-Reset").unwrap().parse().unwrap();
    for then in [date, seconds, millis / 1000] {
        assert!(then >= now + 90, "{then} is not {now} and 90");
    }
}

#[test]
fn errors_in_three_shapes_and_under_200() {
    for shape in [ErrorShape::Errors, ErrorShape::Fail, ErrorShape::Error] {
        for http in [None, Some(200)] {
            let fault = Fault::Error { code: "err_x".to_owned(), status: 418, http, shape };
            let reply = siem_with(fault).1.unwrap();
            assert_eq!((reply.status, reply.code().as_str()), (http.unwrap_or(418), "err_x"));
        }
    }
    let hidden = siem_with(Fault::hidden_error("internal_server_error_1", 500)).1.unwrap();
    assert_eq!((hidden.status, hidden.json()["meta"]["status"].as_u64()), (200, Some(500)));
    assert_eq!(hidden.json()["fail"][0]["errors"][0]["retryable"], true);
}

#[test]
fn errors_that_have_a_name() {
    for (fault, status, code) in [
        (Fault::binding_expired(), 418, "err_xdk_binding_expired"),
        (Fault::invalid_token(), 400, "err_audit_siem_invalid_token"),
        (Fault::wrong_region(), 400, "err_audit_log_incorrect_region"),
    ] {
        let reply = siem_with(fault).1.unwrap();
        assert_eq!((reply.status, reply.code().as_str()), (status, code));
    }
    let mock = with(vec![Rule::new(Endpoint::Batch, Fault::unlicensed()).about("url").every()]);
    let token = token(&mock);
    let reply = batch(&mock, &token, "url protect", None).unwrap();
    assert_eq!((reply.status, reply.code().as_str()), (403, "app_forbidden"));
    assert_eq!(batch(&mock, &token, "receipt", None).unwrap().status, 200);
}

#[test]
fn connections_close_where_told() {
    let close = |at, chunked| siem_with(Fault::Close { at, chunked }).1;
    assert!(close(At::Start, None).is_none());
    assert!(close(At::Head, None).is_none());
    for chunked in [None, Some(false), Some(true)] {
        let reply = close(At::Body(10), chunked).unwrap();
        assert_eq!((reply.body.len(), reply.whole), (10, false));
        assert_eq!(reply.header("content-length").is_some(), chunked == Some(false));
        let most = close(At::Body(usize::MAX), chunked).unwrap();
        assert!(!most.whole);
    }
    let (mock, reply) = siem_with(Fault::Close { at: At::Body(10), chunked: None });
    assert_eq!(reply.unwrap().body, zips(&mock)[0].1[..10]);
    assert_eq!(all_zips(&mock), zips(&mock), "the token has not moved");
}

#[test]
fn nothing_comes_before_the_first_byte_of_a_dropped_answer() {
    let rule = Rule::new(Endpoint::Other, Fault::Close { at: At::Start, chunked: None });
    assert_eq!(raw(&with(vec![rule]), "GET / HTTP/1.1\r\n", ""), b"");
    let rule = Rule::new(Endpoint::Other, Fault::Close { at: At::Head, chunked: None });
    assert_eq!(raw(&with(vec![rule]), "GET / HTTP/1.1\r\n", ""), b"HTTP/1.1 404");
}

#[test]
fn a_stall_lasts_until_the_client_or_the_server_goes() {
    for (at, expected) in [(At::Start, ""), (At::Head, "HTTP/1.1 404")] {
        let mock = with(vec![Rule::new(Endpoint::Other, Fault::Stall { at })]);
        let mut stream = TcpStream::connect(mock.base_url().strip_prefix("http://").unwrap()).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        let mut head = vec![0; expected.len()];
        stream.read_exact(&mut head).unwrap();
        assert_eq!(head, expected.as_bytes());
        stream.set_nonblocking(true).unwrap();
        let nothing = stream.read(&mut [0]).unwrap_err();
        assert_eq!(nothing.kind(), std::io::ErrorKind::WouldBlock);
        stream.set_nonblocking(false).unwrap();
        while mock.requests().is_empty() {
            std::thread::yield_now();
        }
        drop(mock);
        assert!(matches!(stream.read(&mut [0]), Ok(0) | Err(_)), "a server that is gone holds nobody");
    }
}

#[test]
fn pages_and_json_that_are_none() {
    let page = siem_with(Fault::HtmlPage).1.unwrap();
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let bad = siem_with(Fault::BadJson).1.unwrap();
    assert_eq!((bad.status, bad.whole), (200, true));
    assert!(serde_json::from_slice::<Value>(&bad.body).is_err());
}

#[test]
fn tokens_that_are_missing_or_stand_still() {
    assert_eq!(siem_with(Fault::NoToken).1.unwrap().header("mc-siem-token"), None);
    let mock = with(vec![Rule::new(Endpoint::Siem1, Fault::SameToken).on(2..=2)]);
    let first = siem(&mock, None).unwrap();
    let sent = first.header("mc-siem-token");
    let second = siem(&mock, sent).unwrap();
    assert_eq!(second.header("mc-siem-token"), sent);
    assert_eq!(second.body, zips(&mock)[1].1);
}

#[test]
fn cursors_that_are_missing_stand_still_or_begin_anew() {
    let rule = |fault, on: u64| Rule::new(Endpoint::Batch, fault).on(on..=on);
    let mock = with(vec![rule(Fault::NoToken, 2), rule(Fault::SameToken, 3), rule(Fault::ResetCursor, 4)]);
    let token = token(&mock);
    let page = |cursor| batch(&mock, &token, "receipt", cursor).unwrap().json();
    let first = page(None);
    let cursor = first["@nextPage"].as_str();
    assert!(page(cursor)["@nextPage"].is_null());
    assert_eq!(page(cursor)["@nextPage"].as_str(), cursor);
    let reset = page(cursor)["@nextPage"].as_str().unwrap().to_owned();
    let text = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE, &reset).unwrap();
    assert!(String::from_utf8(text).unwrap().matches("=0-0").count() > 1);
    let anew = page(Some(&reset));
    assert_eq!(anew["@nextPage"], first["@nextPage"]);
}

#[test]
fn an_empty_zip_moves_the_token_and_skips_nothing() {
    let mock = with(vec![Rule::new(Endpoint::Siem1, Fault::EmptyZip).on(2..=3)]);
    let came = all_zips(&mock);
    let extra: Vec<_> = mock.extra().into_iter().map(|f| (f.name, f.bytes)).collect();
    assert_eq!(extra.len(), 2);
    assert_eq!(zip::ZipArchive::new(Cursor::new(&extra[0].1)).unwrap().len(), 0);
    let (beside, rest): (Vec<_>, Vec<_>) = came.into_iter().partition(|file| extra.contains(file));
    assert_eq!((beside, rest), (extra, zips(&mock)));
    let tokens: Vec<_> = mock.requests().iter().map(|r| r.body.clone()).collect();
    assert!(tokens.windows(2).all(|pair| pair[0] != pair[1]));
}

#[test]
fn names_that_leave_the_folder() {
    let (mock, reply) = siem_with(Fault::HostileMembers);
    let mut zip = zip::ZipArchive::new(Cursor::new(reply.unwrap().body)).unwrap();
    let names: Vec<_> =
        (0..zip.len()).map(|i| zip.by_index(i).unwrap().name().unwrap().into_owned()).collect();
    assert!(
        names[0].starts_with("../") && names[1].starts_with('/') && names[2].starts_with("C:\\"),
        "{names:?}"
    );
    assert_eq!(mock.extra().len(), 1);
    let (mock, reply) = siem_with(Fault::HostileName);
    let reply = reply.unwrap();
    assert_eq!(reply.file_name(), format!("../../../{}", zips(&mock)[0].0));
    assert_eq!(reply.body, zips(&mock)[0].1);
    let mock = with(vec![Rule::new(Endpoint::Batch, Fault::HostileName)]);
    let page = batch(&mock, &token(&mock), "receipt", None).unwrap().json();
    let url = page["value"][0]["url"].as_str().unwrap();
    assert!(url.contains("..%2f"), "{url}");
    assert_eq!(download(&mock, url).unwrap().status, 200);
}

#[test]
fn files_that_are_damaged() {
    let right = zips(&with(vec![]))[0].1.clone();
    assert!(opens(&right));
    for (fault, directory) in [(Fault::Corrupt, false), (Fault::CorruptMember, true)] {
        let mock = with(vec![Rule::new(Endpoint::Siem1, fault).file(0).on(1..=2)]);
        let bad = siem(&mock, None).unwrap().body;
        assert_eq!(bad.len(), right.len());
        assert!(!opens(&bad));
        assert_eq!(zip::ZipArchive::new(Cursor::new(&bad)).is_ok_and(|zip| zip.len() == 4), directory);
        assert_eq!(siem(&mock, None).unwrap().body, bad, "the same on every try");
        assert_eq!(siem(&mock, None).unwrap().body, right, "until the rule ends");
    }
    let short = siem_with(Fault::Shorten { bytes: 30 }).1.unwrap();
    assert_eq!((short.body.as_slice(), short.whole), (&right[..right.len() - 30], true));
    let mock = with(vec![Rule::new(Endpoint::Presigned, Fault::Shorten { bytes: 9 }).about("receipt_")]);
    let page = batch(&mock, &token(&mock), "receipt", None).unwrap().json();
    let file = download(&mock, page["value"][0]["url"].as_str().unwrap()).unwrap();
    assert!(file.whole);
    assert!(flate2::read::MultiGzDecoder::new(&file.body[..]).read_to_end(&mut Vec::new()).is_err());
}

#[test]
fn pages_that_repeat_and_links_that_are_too_late() {
    let mock = with(vec![
        Rule::new(Endpoint::Batch, Fault::Repeat),
        Rule::new(Endpoint::Batch, Fault::ExpiredLinks).on(2..=2),
        Rule::new(Endpoint::Presigned, Fault::status(404)).on(5..=5),
        Rule::new(Endpoint::Presigned, Fault::expired()).on(6..=6),
    ]);
    let token = token(&mock);
    let urls = || {
        let page = batch(&mock, &token, "receipt", None).unwrap().json();
        let urls = page["value"].as_array().unwrap().clone();
        urls.iter().map(|e| e["url"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let twice = urls();
    let bare: Vec<_> = twice.iter().map(|url| url.split('?').next().unwrap()).collect();
    assert_eq!((bare[0], bare[1]), (bare[2], bare[3]));
    assert_ne!(twice[0], twice[2]);
    let late = urls();
    let statuses =
        |urls: &[String]| urls.iter().map(|u| download(&mock, u).unwrap().status).collect::<Vec<_>>();
    assert_eq!(statuses(&twice[..2]), [200, 200]);
    assert_eq!(statuses(&late), [403, 403]);
    assert_eq!(statuses(&urls()), [404, 403]);
    assert_eq!(statuses(&urls()), [200, 200]);
}

#[test]
fn gathering_waits_for_requests_at_once() {
    let mock = with(vec![Rule::new(Endpoint::Other, Fault::Gather { requests: 3 }).every()]);
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..6).map(|_| scope.spawn(|| raw(&mock, "GET / HTTP/1.1\r\n", ""))).collect();
        for one in all {
            assert!(one.join().unwrap().starts_with(b"HTTP/1.1 404"));
        }
    });
}

#[test]
fn audit_and_login_misbehave_too() {
    let mock = with(vec![
        Rule::new(Endpoint::Audit, Fault::error("err_xdk_invalid_signature", 401)),
        Rule::new(Endpoint::Token, Fault::NoToken),
    ]);
    let body = json!({"data": [{}]});
    let reply = crate::client::signed(&mock, "/api/audit/get-audit-events", &body).unwrap();
    assert_eq!(reply.status, 401);
    assert!(
        crate::client::token_call(&mock, mimelake_mock::credentials::CLIENT_SECRET).json()["access_token"]
            .is_null()
    );
}

#[test]
fn scripts_are_read_from_toml_and_mistakes_are_named() {
    let text = r#"
        [[rule]]
        endpoint = "siem1"
        on = 2
        fault = { limited = { form = "reset_millis", milliseconds = 1500 } }
        [[rule]]
        endpoint = "presigned"
        about = "receipt_"
        on = "4-"
        fault = { close = { at = { body = 100 }, chunked = true } }
        [[rule]]
        endpoint = "batch"
        file = 3
        on = "every"
        fault = "reset_cursor"
        [[rule]]
        endpoint = "login"
        fault = { status = { code = 503, headers = [["Retry-After", "5"]], body = "later" } }
        [[rule]]
        endpoint = "token"
        on = "2-3"
        fault = { stall = { at = "head" } }
    "#;
    let limited = Fault::Limited { form: LimitForm::ResetMillis, milliseconds: 1500 };
    let status = Fault::Status {
        code: 503,
        headers: vec![("Retry-After".to_owned(), "5".to_owned())],
        body: "later".to_owned(),
    };
    let rules = vec![
        Rule::new(Endpoint::Siem1, limited).on(2..=2),
        Rule::new(Endpoint::Presigned, Fault::Close { at: At::Body(100), chunked: Some(true) })
            .about("receipt_")
            .on(4..=u64::MAX),
        Rule::new(Endpoint::Batch, Fault::ResetCursor).file(3).every(),
        Rule::new(Endpoint::Login, status),
        Rule::new(Endpoint::Token, Fault::Stall { at: At::Head }).on(2..=3),
    ];
    assert_eq!(Script::from_toml(text).unwrap(), Script::from(rules));
    for (text, part) in [
        ("[[rule]]\nendpoint = \"siem1\"\non = 0\nfault = \"corrupt\"", "counted from 1"),
        ("[[rule]]\nendpoint = \"siem1\"\non = \"3-2\"\nfault = \"corrupt\"", "counted from 1"),
        ("[[rule]]\nendpoint = \"nowhere\"\nfault = \"corrupt\"", "nowhere"),
        ("[[rule]]\nendpoint = \"siem1\"\nfault = \"boom\"", "boom"),
        ("[[rule]]\nendpoint = \"siem1\"\nfault = \"corrupt\"\nwhen = 1", "when"),
        ("rules = []", "rules"),
    ] {
        let error = Script::from_toml(text).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn the_script_in_the_readme_is_one() {
    let readme = include_str!("../../README.md");
    let script = readme.split("```toml").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(Script::from_toml(script).unwrap().rules.len(), 6);
    for row in readme.lines().filter(|line| line.starts_with("| `\"")) {
        for name in row.split('|').nth(1).unwrap().split(", ").filter_map(|cell| cell.split('"').nth(1)) {
            let rule = format!("[[rule]]\nendpoint = \"siem1\"\nfault = \"{name}\"");
            Script::from_toml(&rule).unwrap();
        }
    }
}

#[test]
fn cursors_that_go_back() {
    let mock = with(vec![
        Rule::new(Endpoint::Siem1, Fault::Back).file(2).every(),
        Rule::new(Endpoint::Batch, Fault::Back).about("receipt").file(0),
    ]);
    let tokens: Vec<_> = (0..5)
        .scan(None::<String>, |token, _| {
            let reply = siem(&mock, token.as_deref())?;
            *token = reply.header("mc-siem-token").map(str::to_owned);
            token.clone()
        })
        .collect();
    assert!(tokens[0] == tokens[2] && tokens[2] == tokens[4] && tokens[1] == tokens[3], "{tokens:?}");
    let bearer = token(&mock);
    let page = || batch(&mock, &bearer, "receipt", None).unwrap().json();
    assert_ne!(page()["@nextPage"], page()["@nextPage"], "the first page, once");
}

#[test]
fn pages_that_are_empty_or_the_first_again_move_the_cursor() {
    for (fault, is_empty) in [(Fault::EmptyPage, true), (Fault::SamePage, false)] {
        let mock = with(vec![Rule::new(Endpoint::Batch, fault).on(2..=3)]);
        let bearer = token(&mock);
        let mut cursor: Option<String> = None;
        let mut page = || {
            let page = batch(&mock, &bearer, "receipt", cursor.as_deref()).unwrap().json();
            assert_ne!(cursor.as_deref(), page["@nextPage"].as_str());
            cursor = Some(page["@nextPage"].as_str().unwrap().to_owned());
            let link = page["value"][0]["url"].as_str().unwrap_or_default();
            link.split('?').next().unwrap().to_owned()
        };
        let first = page();
        let expected = if is_empty { "" } else { &first };
        assert_eq!([page(), page()], [expected, expected]);
        let next = page();
        assert!(next != first && !next.is_empty(), "nothing is skipped");
    }
}

#[test]
fn zips_cut_otherwise_hold_the_same_members() {
    let mock = with(vec![Rule::new(Endpoint::Siem1, Fault::OtherCut).every()]);
    let members = |bytes: &[u8]| {
        let zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        zip.file_names().map(|name| name.unwrap().into_owned()).collect::<Vec<_>>()
    };
    let (mut cut, mut token) = (Vec::new(), None::<String>);
    while let Some(reply) =
        siem(&mock, token.as_deref()).filter(|r| r.header("content-disposition").is_some())
    {
        assert!(zips(&mock).iter().all(|(name, _)| name != reply.file_name()));
        cut.extend(members(&reply.body));
        token = reply.header("mc-siem-token").map(str::to_owned);
    }
    let mut whole: Vec<_> = zips(&mock).iter().flat_map(|(_, bytes)| members(bytes)).collect();
    cut.sort();
    whole.sort();
    assert_eq!(cut, whole);
    assert!(mock.requests().len() < zips(&mock).len());
}

#[test]
fn a_trickle_goes_on_until_the_client_goes() {
    let mock = with(vec![Rule::new(Endpoint::Other, Fault::Trickle { at: At::Body(0) })]);
    let mut stream = TcpStream::connect(mock.base_url().trim_start_matches("http://")).unwrap();
    stream.write_all(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut text = Vec::new();
    let mut block = [0; 256];
    while text.windows(6).filter(|end| end == b"1\r\nx\r\n").count() < 3 {
        let n = stream.read(&mut block).unwrap();
        assert!(n > 0, "it does not end");
        text.extend_from_slice(&block[..n]);
    }
    assert_eq!(mock.requests()[0].about, "", "no body was sent");
}

#[test]
fn a_made_up_script_passes_and_nothing_is_lost() {
    for seed in 0..20 {
        let script = Script::passing(seed, 6);
        assert_eq!(script, Script::passing(seed, 6));
        let mock = Mock::start(Options { script, ..Options::default() }).unwrap();
        let mut held = std::collections::BTreeMap::new();
        // Each round ends at the first fault; a rule fires at most twice.
        let expected = zips(&mock);
        for _ in 0..20 {
            if expected.iter().all(|(name, _)| held.contains_key(name)) {
                break;
            }
            let mut token = None::<String>;
            while let Some(reply) = siem(&mock, token.as_deref()) {
                let next = reply.header("mc-siem-token").map(str::to_owned);
                let file = reply.header("content-disposition").is_some() && reply.whole;
                if !file || next.is_none() || next == token {
                    break;
                }
                held.insert(reply.file_name().to_owned(), reply.body);
                token = next;
            }
        }
        for (name, bytes) in &expected {
            assert_eq!(held.get(name), Some(bytes), "seed {seed}");
        }
    }
}
