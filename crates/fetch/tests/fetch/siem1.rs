//! API 1.0.

use mimelake_fetch::FetchError;
use mimelake_mock::{At, Content, Endpoint, Fault, FileFormat, Generate, LimitForm, Options, Rule, Sequence};

use crate::lab::{Lab, ZIPS, seconds, small};

pub fn faulty(rules: Vec<Rule>) -> Options {
    Options { content: small(), script: rules.into(), ..Options::default() }
}

pub fn siem1(fault: Fault) -> Rule {
    Rule::new(Endpoint::Siem1, fault)
}

#[test]
fn lands_every_file_once_byte_for_byte() {
    let lab = Lab::v1(Options::default(), "");
    lab.fetch();
    lab.is_complete("siem-v1", ZIPS);
    let calls = lab.mock.requests().len();
    assert_eq!(
        calls,
        lab.mock.expected(ZIPS).count() + 1,
        "one call a file, and one that says there is no more"
    );
    lab.fetch();
    assert_eq!(lab.mock.requests().len(), calls + 1, "the cursor was kept");
    lab.is_complete("siem-v1", ZIPS);
}

#[test]
fn lands_what_is_asked_for() {
    for (more, sequence) in [
        ("compress = false", Sequence::Logs(FileFormat::KeyValue)),
        ("file_format = \"json\"", Sequence::Zips(FileFormat::Json)),
        ("compress = false\nfile_format = \"json\"", Sequence::Logs(FileFormat::Json)),
    ] {
        let lab = Lab::v1(Options::default(), more);
        lab.fetch();
        lab.is_complete("siem-v1", sequence);
    }
}

#[test]
fn goes_on_where_it_stopped_as_files_come_out() {
    let lab = Lab::v1(Options { out: Some(0), ..Options::default() }, "");
    lab.fetch();
    for out in [8, 20, 40] {
        lab.mock.publish(out);
        lab.fetch();
    }
    lab.is_complete("siem-v1", ZIPS);
}

#[test]
fn what_passes_is_tried_again_and_signed_anew() {
    let body = |n| At::Body(n);
    let cases: Vec<(Fault, Vec<u64>)> = vec![
        (Fault::status(500), vec![1]),
        (Fault::status(502), vec![1]),
        (Fault::status(503), vec![1]),
        (Fault::status(504), vec![1]),
        (Fault::status(509), vec![1]),
        (Fault::error("internal_server_error_1", 500), vec![1]),
        (Fault::hidden_error("internal_server_error_1", 500), vec![1]),
        (Fault::Limited { form: LimitForm::Silent, milliseconds: 0 }, vec![600]),
        (Fault::Limited { form: LimitForm::RetryAfter, milliseconds: 7000 }, vec![7]),
        (Fault::Limited { form: LimitForm::ResetMillis, milliseconds: 9000 }, vec![9]),
        (Fault::Limited { form: LimitForm::ResetMillis, milliseconds: 3 }, vec![1]),
        (Fault::Limited { form: LimitForm::RetryAfter, milliseconds: 1 << 40 }, vec![900]),
        (Fault::Limited { form: LimitForm::ResetEpoch, milliseconds: 1 << 40 }, vec![900]),
        (Fault::Limited { form: LimitForm::ResetEpochMillis, milliseconds: 1 << 40 }, vec![900]),
        (Fault::Limited { form: LimitForm::RetryAfterDate, milliseconds: 1 << 40 }, vec![900]),
        (Fault::HtmlPage, vec![1]),
        (Fault::BadJson, vec![1]),
        (Fault::Corrupt, vec![1]),
        (Fault::Shorten { bytes: 30 }, vec![1]),
        (Fault::Shorten { bytes: 1 << 40 }, vec![1]),
        (Fault::Close { at: At::Start, chunked: None }, vec![1]),
        (Fault::Close { at: At::Head, chunked: None }, vec![1]),
        (Fault::Close { at: body(0), chunked: Some(true) }, vec![1]),
        (Fault::Close { at: body(100), chunked: Some(true) }, vec![1]),
        (Fault::Close { at: body(100), chunked: Some(false) }, vec![1]),
        (Fault::Stall { at: At::Start }, vec![1]),
        (Fault::Stall { at: At::Head }, vec![1]),
        (Fault::Stall { at: body(100) }, vec![1]),
    ];
    for (fault, waits) in cases {
        let lab = Lab::v1(faulty(vec![siem1(fault.clone()).on(2..=2)]), "");
        lab.fetch();
        lab.is_complete("siem-v1", ZIPS);
        assert_eq!(seconds(&lab), waits, "{fault:?}");
        assert!(lab.landed("_quarantine").is_empty(), "{fault:?}");
        let requests = lab.mock.requests();
        let mut ids: Vec<_> = requests.iter().map(|r| r.header("x-mc-req-id").unwrap()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), requests.len(), "{fault:?}: every try has an id of its own");
    }
}

#[test]
fn what_does_not_pass_within_a_run_stops_it_and_keeps_what_landed() {
    let lab = Lab::v1(faulty(vec![siem1(Fault::status(503)).on(3..=8)]), "");
    let error = lab.failure();
    assert!(error.passes() && error.to_string().contains("503"), "{error}");
    assert_eq!(seconds(&lab), [1, 2, 4, 8, 16]);
    assert_eq!(lab.landed("siem-v1").len(), 2);
    lab.fetch();
    lab.is_complete("siem-v1", ZIPS);
}

#[test]
fn what_only_a_person_can_mend_stops_at_once_and_says_how() {
    let cases = [
        (Fault::binding_expired(), "mimelake login"),
        (Fault::hidden_error("err_xdk_binding_expired", 418), "mimelake login"),
        (Fault::error("err_xdk_invalid_signature", 401), "secret_key"),
        (Fault::error("unknown", 401), "secret_key"),
        (Fault::error("err_developer_key", 400), "app_id"),
        (Fault::wrong_region(), "region"),
        (Fault::error("err_validation_null", 400), "configuration"),
        (Fault::error("forbidden", 403), "Gateway | Tracking | Read"),
        (Fault::status(404), "base_url"),
    ];
    for (fault, hint) in cases {
        let lab = Lab::v1(faulty(vec![siem1(fault.clone()).every()]), "");
        let error = lab.failure();
        assert!(matches!(error, FetchError::Refused { .. }) && !error.passes(), "{fault:?}: {error}");
        assert!(error.hint().unwrap().contains(hint), "{fault:?}: {error}: {:?}", error.hint());
        assert!(lab.setting.clock.waits().is_empty(), "{fault:?}");
        assert_eq!(lab.mock.requests().len(), 1, "{fault:?}");
    }
}

#[test]
fn a_wrong_clock_is_told_apart_from_a_wrong_key() {
    for (skew, side) in [(1, "behind"), (-1, "ahead")] {
        let clock_skew = jiff::SignedDuration::from_hours(skew);
        let lab = Lab::v1(Options { clock_skew, ..Options::default() }, "");
        let error = lab.failure();
        let hint = error.hint().unwrap();
        assert!(hint.contains(side) && hint.contains("set the clock"), "{error}: {hint}");
    }
    let wrong_key = "secret_key = \"d3Jvbmc=\"";
    let lab = Lab::v1(Options::default(), "");
    let text = std::fs::read_to_string(&lab.config).unwrap();
    let line = text.lines().find(|line| line.starts_with("secret_key")).unwrap();
    crate::lab::write_private(&lab.config, &text.replace(line, wrong_key));
    assert!(lab.failure().hint().unwrap().contains("check app_key"));
}

#[test]
fn an_unknown_token_starts_over_and_records_the_gap() {
    let lab = Lab::v1(faulty(vec![siem1(Fault::invalid_token()).on(3..=3)]), "");
    lab.fetch();
    lab.is_complete("siem-v1", ZIPS);
    let notes = lab.state("siem-v1.notes.ndjson");
    assert_eq!(notes.lines().count(), 1);
    assert!(notes.contains("\"what\":\"gap\"") && notes.contains("token"), "{notes}");
    // Always unknown: one start a round, and then it is left for later.
    let lab = Lab::v1(
        faulty(vec![siem1(Fault::invalid_token()).on(2..=2), siem1(Fault::invalid_token()).on(4..=4)]),
        "",
    );
    lab.failure();
}

#[test]
fn a_corrupt_file_goes_to_the_quarantine_and_blocks_nothing() {
    for fault in [Fault::Corrupt, Fault::CorruptMember, Fault::Shorten { bytes: 25 }] {
        let bad = 1;
        let lab = Lab::v1(faulty(vec![siem1(fault).file(bad).every()]), "");
        lab.fetch();
        let expected: Vec<_> = lab.mock.expected(ZIPS).map(|file| file.name).collect();
        let landed = lab.landed("siem-v1");
        assert_eq!(landed.len(), expected.len() - 1);
        assert!(!landed.contains_key(&expected[bad]));
        let quarantine = lab.landed("_quarantine");
        let stem = expected[bad].trim_end_matches(".zip");
        assert!(
            quarantine.len() == 1 && quarantine.keys().all(|name| name.starts_with(stem)),
            "{:?}",
            quarantine.keys()
        );
        assert_eq!(seconds(&lab), [1, 2], "three tries");
        let notes = lab.state("siem-v1.notes.ndjson");
        assert!(notes.contains("\"what\":\"quarantine\"") && notes.contains(stem), "{notes}");
    }
}

/// A body that comes as a file, with the next token of the first file.
fn sent_as_file(lab: &Lab, name: &str, body: &str) -> Rule {
    lab.round();
    let cursor = lab.state("siem-v1.cursor.json");
    let token = serde_json::from_str::<serde_json::Value>(&cursor).unwrap()["next"].clone();
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let headers = vec![
        header("Content-Type", "application/octet-stream"),
        header("Content-Disposition", &format!("attachment; filename=\"{name}\"")),
        header("mc-siem-token", &format!("{}x", token.as_str().unwrap_or_default())),
    ];
    siem1(Fault::Status { code: 200, headers, body: body.to_owned() }).every()
}

#[test]
fn an_error_sent_as_a_file_is_no_file() {
    let denied = "{\"meta\":{\"status\":418},\"data\":[],\"fail\":[{\"errors\":[{\"code\":\"err_xdk_binding_expired\"}]}]}";
    for (more, body, passes) in [
        ("", "<html>", true),
        ("", "{\"meta\":{\"status\":200},\"data\":[]}", true),
        ("compress = false", "{\n  \"meta\": {\n    \"status\": 200\n  }\n}", true),
        ("compress = false", "{\"fail\":[{\"code\":\"err_developer_key\"}]}", false),
        ("compress = false", "{ \"error\": {\"code\":\"internal_server_error_1\"}}", true),
        ("", denied, false),
        ("compress = false", "\r\n<html>", true),
        ("compress = false", denied, false),
    ] {
        let lab = Lab::v1(faulty(vec![]), more);
        let rule = sent_as_file(&lab, "a.siem", body);
        let (landed, cursor) = (lab.landed("siem-v1"), lab.state("siem-v1.cursor.json"));
        lab.mock.set_script(vec![rule].into());
        assert_eq!(lab.failure().passes(), passes, "{body}");
        assert!(landed == lab.landed("siem-v1") && cursor == lab.state("siem-v1.cursor.json"), "{body}");
        assert!(lab.landed("_quarantine").is_empty(), "{body}");
    }
}

fn said(body: &str, token: &str) -> Fault {
    let headers = vec![("mc-siem-token".to_owned(), token.to_owned())];
    Fault::Status { code: 200, headers, body: body.to_owned() }
}

#[test]
fn json_that_does_not_say_that_there_is_nothing_moves_no_token() {
    for body in [
        "{}",
        "{\"meta\":{\"status\":200}}",
        "{\"meta\":{\"isLastToken\":true},\"data\":[{\"acc\":\"C0A0\"}]}",
        "{\"data\":{}}",
    ] {
        let lab = Lab::v1(faulty(vec![siem1(said(body, "other")).on(2..=7)]), "");
        assert!(lab.failure().passes(), "{body}");
        lab.fetch();
        lab.is_complete("siem-v1", ZIPS);
        assert!(lab.state("siem-v1.notes.ndjson").is_empty(), "{body}");
    }
}

#[test]
fn nothing_that_is_not_the_last_token_is_gone_on_from() {
    let nothing = |token| said("{\"meta\":{\"isLastToken\":false},\"data\":[]}", token);
    let lab = Lab::v1(faulty(vec![siem1(nothing("a")).on(1..=1), siem1(nothing("a")).on(2..=2)]), "");
    let error = lab.failure();
    assert!(error.passes() && error.to_string().contains("did not move"), "{error}");
    assert_eq!(
        lab.mock.requests().len(),
        2,
        "on with the token that moved, and not with the one that did not"
    );
    let cursor: serde_json::Value = serde_json::from_str(&lab.state("siem-v1.cursor.json")).unwrap();
    assert!(cursor["caught_up"].is_null(), "{cursor}");
}

#[test]
fn a_zip_whose_first_byte_is_damaged_is_no_plain_file() {
    for (more, name) in [("", "a.zip"), ("", "a"), ("compress = false", "a.ZIP")] {
        let lab = Lab::v1(faulty(vec![]), more);
        let mut rule = sent_as_file(&lab, name, "XK\u{3}\u{4}");
        let landed = lab.landed("siem-v1");
        rule.on = 1..=3;
        lab.mock.set_script(vec![rule, siem1(Fault::status(503)).every()].into());
        lab.failure();
        assert!(landed == lab.landed("siem-v1") && lab.landed("_quarantine").len() == 1, "{name}");
    }
}

#[test]
fn ids_that_the_server_repeats_are_not_shown() {
    let id = mimelake_mock::credentials::APP_ID;
    let body = format!("{{\"fail\":[{{\"code\":\"c\",\"message\":\"no {id}\"}}]}}");
    let fault = Fault::Status { code: 400, headers: vec![], body };
    let error = Lab::v1(faulty(vec![siem1(fault).every()]), "").failure();
    assert!(error.to_string().contains("no ***"), "{error}");
}

#[test]
fn a_source_that_is_named_twice_is_one() {
    let lab = Lab::v1(faulty(vec![]), "");
    let config = mimelake_fetch::Config::read(&lab.config).unwrap();
    let twice = ["eu".to_owned(), "eu".to_owned()];
    let scope = mimelake_fetch::Scope::All;
    let fetcher =
        mimelake_fetch::Fetcher::new(&config, lab.land.path(), &twice, scope, lab.setting.clone()).unwrap();
    assert_eq!(fetcher.round().sources, 1);
    lab.is_complete("siem-v1", ZIPS);
}

#[test]
fn zips_cut_otherwise_after_a_start_over_land_nothing_twice() {
    let lab = Lab::v1(Options { out: Some(5), content: Content::default(), ..Options::default() }, "");
    lab.fetch();
    let landed = lab.landed("siem-v1");
    assert_eq!(landed.len(), 5);
    lab.mock.publish(40);
    // From the beginning: what landed in two calls, again, and one zip that holds new logs beside old ones.
    let again = siem1(Fault::OtherCut).on(2..=4);
    lab.mock.set_script(vec![siem1(Fault::invalid_token()), again].into());
    lab.fetch();
    let all = lab.landed("siem-v1");
    let expected = lab.mock.expected(ZIPS).skip(6).map(|file| file.name);
    let new: Vec<_> = all.keys().filter(|name| !landed.contains_key(*name)).cloned().collect();
    let known: Vec<_> = expected.collect();
    assert!(known.iter().all(|name| new.contains(name)));
    assert_eq!(new.len(), known.len() + 1, "the zip with one new member, whole");
}

#[test]
fn an_empty_zip_moves_the_token_and_lands_nothing() {
    let lab = Lab::v1(faulty(vec![siem1(Fault::EmptyZip).on(3..=3)]), "");
    lab.fetch();
    lab.is_complete("siem-v1", ZIPS);
}

#[test]
fn hostile_names_stay_where_they_belong() {
    let lab = Lab::v1(
        faulty(vec![siem1(Fault::HostileName).on(2..=2), siem1(Fault::HostileMembers).on(4..=4)]),
        "",
    );
    lab.fetch();
    let landed = lab.landed("siem-v1");
    assert_eq!(landed.len(), lab.mock.expected(ZIPS).count() + lab.mock.extra().len());
    let bytes: Vec<_> = landed.values().cloned().collect();
    assert!(lab.mock.expected(ZIPS).all(|file| bytes.contains(&file.bytes.clone())));
    let outside = crate::lab::files(lab.land.path());
    assert!(
        outside.keys().all(|name| !name.contains("..") && !name.starts_with('/')),
        "{:?}",
        outside.keys()
    );
}

#[test]
fn a_token_that_does_not_move_ends_the_round() {
    for fault in [Fault::NoToken, Fault::SameToken] {
        let lab = Lab::v1(faulty(vec![siem1(fault.clone()).on(3..=3)]), "");
        // More may lie behind it, so it is no success.
        let error = lab.failure();
        assert!(error.passes() && error.to_string().contains("did not move"), "{fault:?}: {error}");
        assert_eq!((lab.landed("siem-v1").len(), lab.mock.requests().len()), (3, 3), "{fault:?}");
        lab.fetch();
        lab.is_complete("siem-v1", ZIPS);
    }
}

#[test]
fn nothing_new_without_a_token_keeps_the_old_one() {
    let lab = Lab::v1(Options::default(), "");
    lab.fetch();
    let cursor = lab.state("siem-v1.cursor.json");
    lab.mock.set_script(vec![siem1(Fault::NoToken).every()].into());
    lab.fetch();
    let token = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap()["next"].clone();
    assert_eq!(token(&lab.state("siem-v1.cursor.json")), token(&cursor));
}

#[test]
fn a_lost_cursor_fetches_again_and_lands_nothing_twice() {
    let lab = Lab::v1(Options::default(), "");
    lab.fetch();
    std::fs::remove_file(lab.land.path().join("C0A0/_state/siem-v1.cursor.json")).unwrap();
    lab.fetch();
    lab.is_complete("siem-v1", ZIPS);
    std::fs::write(lab.land.path().join("C0A0/_state/siem-v1.cursor.json"), "{").unwrap();
    let error = lab.failure();
    assert!(error.to_string().contains("siem-v1.cursor.json") && error.hint().unwrap().contains("remove it"));
}

#[test]
fn a_stream_left_alone_for_too_long_is_a_gap() {
    let lab = Lab::v1(Options::default(), "");
    lab.fetch();
    let path = lab.land.path().join("C0A0/_state/siem-v1.cursor.json");
    let mut cursor: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    cursor["caught_up"] =
        (jiff::Timestamp::now() - jiff::SignedDuration::from_hours(8 * 24)).to_string().into();
    std::fs::write(&path, cursor.to_string()).unwrap();
    lab.fetch();
    assert!(lab.state("siem-v1.notes.ndjson").contains("7 days"));
    lab.fetch();
    assert_eq!(lab.state("siem-v1.notes.ndjson").lines().count(), 1, "said once");
}

#[test]
fn a_stream_that_first_comes_to_its_end_too_late_is_a_gap() {
    for moved in [false, true] {
        let rule = siem1(Fault::status(503)).on(if moved { 2 } else { 1 }..=u64::MAX);
        let lab = Lab::v1(faulty(vec![rule]), "");
        lab.failure();
        assert_eq!(lab.landed("siem-v1").len(), usize::from(moved));
        crate::lab::set_back(&lab, "siem-v1.cursor.json", 8 * 24);
        lab.mock.set_script(vec![].into());
        for _ in 0..2 {
            lab.fetch();
            let notes = lab.state("siem-v1.notes.ndjson");
            assert!(notes.lines().count() == 1 && notes.contains("7 days"), "{notes}");
        }
    }
}

#[test]
fn a_stream_that_never_caught_up_is_warned_of() {
    let mut lab = Lab::v1(faulty(vec![siem1(Fault::status(503)).on(2..=u64::MAX)]), "");
    lab.failure();
    for (hours, warned) in [(24, 0), (5 * 24, 1), (8 * 24, 1)] {
        lab.setting.clock = mimelake_fetch::Clock::skipping(jiff::SignedDuration::from_hours(hours));
        let fetcher = lab.fetcher(mimelake_fetch::Scope::All).unwrap();
        fetcher.round();
        let status = fetcher.status().json(lab.setting.clock.now());
        let stream = &status["sources"]["eu"]["siem-v1"];
        assert_eq!(stream["warnings"].as_array().unwrap().len(), warned, "{stream}");
        assert!(stream["lag_seconds"].as_i64().unwrap() >= hours * 3600, "{stream}");
    }
}

/// A content type may say more than its kind, and headers come in any case.
#[test]
fn headers_are_read_however_they_are_spelled() {
    let line = "datetime=2026-03-02T09:00:00+0000|acc=C0A0|aCode=AAAAAAAAAAAAAAAAAAAAAA\r\n";
    for kind in ["Application/Octet-Stream; charset=binary", "application/x-log", "text/plain;charset=UTF-8"]
    {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let headers = vec![
            header("CONTENT-TYPE", kind),
            header("content-DISPOSITION", "Attachment; FileName=\"receipt_20260302090000000.siem\""),
            header("MC-SIEM-TOKEN", "another"),
        ];
        let file = Fault::Status { code: 200, headers, body: line.to_owned() };
        let nothing = Fault::Status {
            code: 200,
            headers: vec![header("content-type", "Application/JSON;charset=UTF-8")],
            body: "{\"meta\":{\"isLastToken\":true},\"data\":[]}".to_owned(),
        };
        let lab = Lab::v1(faulty(vec![siem1(file), siem1(nothing).on(2..=2)]), "compress = false");
        lab.fetch();
        let landed = lab.landed("siem-v1");
        assert_eq!(
            landed.into_iter().collect::<Vec<_>>(),
            [("receipt_20260302090000000.siem".to_owned(), line.as_bytes().to_vec())],
            "{kind}"
        );
        let requests = lab.mock.requests();
        assert!(String::from_utf8_lossy(&requests[1].body).contains("\"token\":\"another\""), "{kind}");
    }
}

#[test]
fn a_second_run_is_told_who_holds_the_folder() {
    let lab = Lab::v1(Options::default(), "");
    let first = lab.fetcher(mimelake_fetch::Scope::All).unwrap();
    let error = lab.fetcher(mimelake_fetch::Scope::All).unwrap_err();
    assert!(error.to_string().contains("siem-v1.lock") && error.to_string().contains("pid"), "{error}");
    drop(first);
    lab.fetch();
}

#[test]
fn a_large_backlog_is_caught_up_in_one_round() {
    let content = Content::generated(Generate { files: 400, ..Generate::default() });
    let lab = Lab::v1(Options { content, ..Options::default() }, "");
    lab.fetch();
    lab.is_complete("siem-v1", ZIPS);
}

/// `/dev/full` in the place of an incoming file is a disk without room.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_stops_the_run_and_loses_nothing() {
    let lab = Lab::v1(Options::default(), "");
    let fetcher = lab.fetcher(mimelake_fetch::Scope::All).unwrap();
    let third = lab.land.path().join("C0A0/_state/siem-v1.incoming/2");
    std::os::unix::fs::symlink("/dev/full", third).unwrap();
    let mut round = fetcher.round();
    let error = round.failures.remove(0).error;
    assert!(matches!(error, FetchError::Put(_)) && !error.passes(), "{error}");
    assert!(error.hint().unwrap().contains("make room"), "{error}");
    assert_eq!(lab.landed("siem-v1").len(), 2);
    drop(fetcher);
    lab.fetch();
    lab.is_complete("siem-v1", ZIPS);
}

#[test]
fn a_stop_finishes_the_file_in_hand() {
    let content = Content::generated(Generate { files: 4000, ..Generate::default() });
    let lab = Lab::v1(Options { content, ..Options::default() }, "");
    let fetcher = lab.fetcher(mimelake_fetch::Scope::All).unwrap();
    let round = std::thread::scope(|scope| {
        scope.spawn(|| {
            while lab.mock.requests().len() < 3 {
                std::thread::yield_now();
            }
            lab.setting.stop.request();
        });
        fetcher.round()
    });
    assert!(matches!(round.failures[0].error, FetchError::Stopped), "{round:?}");
    let (landed, asked) = (lab.landed("siem-v1").len(), lab.mock.requests().len());
    assert!(landed >= 3 && landed == asked, "{landed} of {asked}");
}
