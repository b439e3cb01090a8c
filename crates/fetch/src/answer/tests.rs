use reqwest::header::{HeaderMap, HeaderName};

use super::*;

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap())).collect()
}

fn now() -> Timestamp {
    "2026-03-02T10:00:00Z".parse().unwrap()
}

fn fault(api: Api, status: u16, pairs: &[(&str, &str)], body: &str) -> Fault {
    let headers = headers(pairs);
    Head { api, is_signed: true, status, headers: &headers, now: now(), secrets: Vec::new() }
        .check(body.as_bytes())
        .unwrap_err()
}

fn verdict(api: Api, status: u16, body: &str) -> Verdict {
    fault(api, status, &[], body).verdict
}

fn errors(code: &str, status: u16) -> String {
    format!(
        r#"{{"meta":{{"status":{status}}},"data":[],"fail":[{{"errors":[{{"code":"{code}","message":"m","retryable":false}}]}}]}}"#
    )
}

#[test]
fn an_answer_is_a_success_if_all_of_it_says_so() {
    let headers = HeaderMap::new();
    let head = Head {
        api: Api::V1,
        is_signed: true,
        status: 200,
        headers: &headers,
        now: now(),
        secrets: Vec::new(),
    };
    for body in [
        r#"{"meta":{"isLastToken":true,"status":200},"data":[],"fail":[]}"#,
        r#"{"value":[]}"#,
        "{}",
        r#"{"meta":null,"error":null,"fail":null,"data":[{"error":"x","fail":[{}]}]}"#,
        r#"{"meta":"x"}"#,
        r#" {"fail":{}}"#,
    ] {
        head.check(body.as_bytes()).unwrap();
    }
    for body in [
        "",
        "[]",
        "[{},null,null,null]",
        "null",
        "{",
        "<html>",
        r#"{"fail":[{}]}"#,
        r#"{"meta":{"status":500}}"#,
        r#"{"error":{}}"#,
    ] {
        assert!(matches!(head.check(body.as_bytes()).unwrap_err().verdict, Verdict::Retry(_)), "{body}");
    }
}

#[test]
fn the_code_tells_more_than_the_status() {
    use Verdict::{Renew, Retry, StartOver, Unlicensed};
    let cases = [
        (Api::V1, 400, errors("err_audit_siem_invalid_token", 400), StartOver),
        (Api::V1, 200, errors("err_audit_siem_invalid_token", 400), StartOver),
        (Api::V1, 500, errors("internal_server_error_1", 500), Retry(None)),
        (Api::V1, 400, r#"{"fail":[{"errors":[{"code":"x","retryable":true}]}]}"#.to_owned(), Retry(None)),
        (Api::V1, 429, "{}".to_owned(), Verdict::Limited(Duration::from_mins(10))),
        (
            Api::V2,
            401,
            r#"{"fail":[{"code":"unauthorized","message":"m"}]}"#.to_owned(),
            Renew { passes: false },
        ),
        (
            Api::V2,
            401,
            r#"{"error":{"code":"token_verification_failed"}}"#.to_owned(),
            Renew { passes: true },
        ),
        (Api::V2, 403, r#"{"fail":[{"code":"app_forbidden"}]}"#.to_owned(), Unlicensed),
        (Api::V2, 403, errors("app_forbidden", 403), Unlicensed),
        (Api::V2, 401, "<html>".to_owned(), Renew { passes: false }),
        (Api::V2, 401, String::new(), Renew { passes: false }),
        (Api::V2, 403, "<html>".to_owned(), Retry(None)),
        (Api::V2, 509, "{}".to_owned(), Retry(None)),
    ];
    for (api, status, body, expected) in cases {
        assert_eq!(verdict(api, status, &body), expected, "{status} {body}");
    }
}

#[test]
fn what_a_person_must_mend_comes_with_a_hint() {
    let cases = [
        (Api::V1, 418, "{}".to_owned(), "mimelake login"),
        (Api::V1, 418, "<html>".to_owned(), "mimelake login"),
        (Api::V1, 401, String::new(), "check app_key"),
        (Api::V1, 200, errors("err_validation_null", 200), "configuration"),
        (Api::V1, 500, errors("err_validation_null", 500), "configuration"),
        (Api::V1, 200, errors("unheard_of", 200), "configuration"),
        (Api::V1, 200, errors("err_xdk_binding_expired", 418), "mimelake login"),
        (Api::V1, 400, errors("err_audit_log_incorrect_region", 400), "region"),
        (Api::V1, 400, errors("err_developer_key", 400), "app_id"),
        (Api::V1, 403, "{}".to_owned(), "Gateway | Tracking | Read"),
        (Api::V2, 401, r#"{"error":"invalid_client","error_description":"d"}"#.to_owned(), "client_secret"),
        (Api::V1, 404, "<html>".to_owned(), "base_url"),
        (Api::V1, 407, String::new(), "HTTPS_PROXY"),
        (Api::V1, 400, "<html>".to_owned(), "base_url"),
        (Api::V2, 413, "<html>".to_owned(), "proxy"),
    ];
    for (api, status, body, hint) in cases {
        let verdict = verdict(api, status, &body);
        assert!(
            matches!(&verdict, Verdict::Stop(said) | Verdict::Denied(said) if said.contains(hint)),
            "{status} {body}: {verdict:?}"
        );
    }
}

#[test]
fn a_refused_signature_with_a_clock_that_is_off_is_the_clocks_fault() {
    for (date, hint) in [
        ("Mon, 02 Mar 2026 10:00:30 GMT", "check app_key"),
        ("Mon, 02 Mar 2026 11:00:00 GMT", "3600 s behind"),
        ("Mon, 02 Mar 2026 08:00:00 GMT", "7200 s ahead"),
        ("nonsense", "check app_key"),
    ] {
        let fault = fault(Api::V1, 401, &[("date", date)], &errors("err_xdk_invalid_signature", 401));
        assert!(
            matches!(&fault.verdict, Verdict::Stop(said) | Verdict::Denied(said) if said.contains(hint)),
            "{date}: {fault:?}"
        );
    }
}

#[test]
fn says_what_the_server_said_and_the_request_id() {
    let fault =
        fault(Api::V2, 400, &[("x-request-id", "abc-1")], r#"{"fail":[{"code":"c","message":"bad page"}]}"#);
    assert_eq!(fault.what, "400 c: bad page (request id abc-1)");
    let long = format!(r#"{{"fail":[{{"code":"c","message":"{}"}}]}}"#, "x".repeat(5000));
    assert!(
        Head {
            api: Api::V2,
            is_signed: true,
            status: 400,
            headers: &HeaderMap::new(),
            now: now(),
            secrets: Vec::new()
        }
        .check(long.as_bytes())
        .unwrap_err()
        .what
        .len()
            < 400
    );
}

#[test]
fn a_secret_is_masked_before_the_text_is_cut() {
    let headers = headers(&[("x-request-id", "hunter2")]);
    let head = Head {
        api: Api::V2,
        is_signed: true,
        status: 400,
        headers: &headers,
        now: now(),
        secrets: vec![Secret::new("hunter2")],
    };
    for before in [0, 294, 298] {
        let message = "x".repeat(before) + "hunter2";
        let body = format!(r#"{{"fail":[{{"code":"hunter2","message":"{message}"}}]}}"#);
        let what = head.check(body.as_bytes()).unwrap_err().what;
        assert!(!what.contains("hu"), "{what}");
    }
}
