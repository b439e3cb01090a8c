//! API 2.0.

use std::time::Duration;

use mimelake_fetch::FetchError;
use mimelake_mock::{
    At, Content, Endpoint, ErrorShape, Fault, Generate, Limit, LimitForm, Options, Rule, Sequence,
};

use crate::lab::{Lab, seconds, small};

pub const BATCHES: Sequence = Sequence::Batches;
pub const TYPES: &str = "types = [\"receipt\", \"process\", \"delivery\", \"url protect\"]";

pub fn lab(rules: Vec<Rule>) -> Lab {
    Lab::v2(Options { content: small(), script: rules.into(), ..Options::default() }, TYPES)
}

pub fn batch(fault: Fault) -> Rule {
    Rule::new(Endpoint::Batch, fault)
}

pub fn presigned(fault: Fault) -> Rule {
    Rule::new(Endpoint::Presigned, fault)
}

pub fn calls(lab: &Lab, endpoint: Endpoint) -> usize {
    lab.mock.requests().iter().filter(|request| request.endpoint == endpoint).count()
}

#[test]
fn lands_every_file_of_every_type() {
    for page_size in [1, 3, 100] {
        let lab = Lab::v2(Options { page_size, ..Options::default() }, "");
        lab.fetch();
        lab.is_complete("siem-v2", BATCHES);
        let files = lab.landed("siem-v2").len();
        lab.fetch();
        assert_eq!(calls(&lab, Endpoint::Presigned), files, "the cursors were kept");
    }
}

#[test]
fn files_lie_in_a_folder_for_each_type() {
    let lab = lab(vec![]);
    lab.fetch();
    let siem = lab.land.path().join("C0A0/siem-v2");
    let mut tables: Vec<_> = std::fs::read_dir(siem).unwrap().map(|e| e.unwrap().file_name()).collect();
    tables.sort();
    assert_eq!(tables, ["delivery", "process", "receipt", "url_protect"]);
}

#[test]
fn goes_on_where_it_stopped_as_files_come_out() {
    let lab = Lab::v2(Options { out: Some(0), page_size: 2, ..Options::default() }, TYPES);
    lab.fetch();
    for out in [7, 21, 40] {
        lab.mock.publish(out);
        lab.fetch();
    }
    lab.is_complete("siem-v2", BATCHES);
}

#[test]
fn downloads_are_told_nothing_of_who_calls() {
    let lab = lab(vec![]);
    lab.fetch();
    for request in lab.mock.requests().iter().filter(|request| request.endpoint == Endpoint::Presigned) {
        assert!(request.header("authorization").is_none() && request.header("cookie").is_none());
    }
}

#[test]
fn what_passes_is_tried_again() {
    let error = |code: &str, status, shape| Fault::Error { code: code.to_owned(), status, http: None, shape };
    let lists = [
        Fault::status(500),
        Fault::status(503),
        error("internal_server_error_1", 500, ErrorShape::Fail),
        Fault::HtmlPage,
        Fault::BadJson,
        Fault::Close { at: At::Start, chunked: None },
        Fault::Close { at: At::Body(10), chunked: None },
        Fault::Stall { at: At::Start },
        Fault::Stall { at: At::Body(10) },
        Fault::Limited { form: LimitForm::RetryAfter, milliseconds: 1000 },
        Fault::Limited { form: LimitForm::ResetEpoch, milliseconds: 1 },
    ];
    for fault in lists {
        let lab = lab(vec![batch(fault.clone()).on(2..=2)]);
        lab.fetch();
        lab.is_complete("siem-v2", BATCHES);
        assert_eq!(seconds(&lab), [1], "{fault:?}");
    }
    let files = [
        Fault::status(500),
        Fault::status(503),
        Fault::HtmlPage,
        Fault::Corrupt,
        Fault::Shorten { bytes: 5 },
        Fault::Shorten { bytes: 1 << 40 },
        Fault::Close { at: At::Start, chunked: None },
        Fault::Close { at: At::Body(50), chunked: Some(true) },
        Fault::Close { at: At::Body(50), chunked: Some(false) },
        Fault::Stall { at: At::Body(50) },
        Fault::Limited { form: LimitForm::RetryAfter, milliseconds: 1000 },
    ];
    for fault in files {
        let lab = lab(vec![presigned(fault.clone()).on(7..=7)]);
        lab.fetch();
        lab.is_complete("siem-v2", BATCHES);
        assert_eq!(seconds(&lab), [1], "{fault:?}");
        assert!(lab.landed("_quarantine").is_empty(), "{fault:?}");
    }
}

#[test]
fn an_expired_link_is_listed_again() {
    for rule in [
        presigned(Fault::expired()).on(3..=4),
        presigned(Fault::status(404)).on(3..=3),
        batch(Fault::ExpiredLinks).on(2..=2),
    ] {
        let lab = lab(vec![rule.clone()]);
        lab.fetch();
        lab.is_complete("siem-v2", BATCHES);
        assert!(lab.setting.clock.waits().is_empty(), "{rule:?}");
    }
}

#[test]
fn cursors_that_go_in_circles_end_the_round() {
    let script = vec![batch(Fault::Back).about("receipt").file(2).every()];
    let lab = Lab::v2(Options { page_size: 1, script: script.into(), ..Options::default() }, TYPES);
    let error = lab.failure();
    assert!(error.passes() && error.to_string().contains("circles"), "{error}");
    lab.mock.set_script(vec![].into());
    lab.fetch();
    lab.is_complete("siem-v2", BATCHES);
}

#[test]
fn what_lasts_is_not_hidden_by_what_passes() {
    let process = batch(Fault::error("forbidden", 403)).about("process").every();
    let lab = lab(vec![batch(Fault::status(503)).about("receipt").every(), process]);
    let error = lab.failure();
    assert!(matches!(error, FetchError::Refused { .. }), "{error}");
}

/// `/dev/full` in the place of an incoming file is a disk without room.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_not_hidden_by_what_passes() {
    let rules = (1..4).map(|file| presigned(Fault::status(503)).file(file * 4).every());
    let lab = lab(rules.collect());
    let fetcher = lab.fetcher(mimelake_fetch::Scope::All).unwrap();
    for number in 0..16 {
        let incoming = lab.land.path().join(format!("C0A0/_state/siem-v2.incoming/{number}"));
        std::os::unix::fs::symlink("/dev/full", incoming).unwrap();
    }
    let error = fetcher.round().failures.remove(0).error;
    assert!(matches!(error, FetchError::Put(_)), "{error}");
}

#[test]
fn a_corrupt_file_goes_to_the_quarantine_and_the_cursor_moves_on() {
    for fault in [Fault::Corrupt, Fault::Shorten { bytes: 4 }] {
        let lab = lab(vec![presigned(fault).file(9).every()]);
        lab.fetch();
        assert_eq!((lab.landed("siem-v2").len(), lab.landed("_quarantine").len()), (15, 1));
        lab.fetch();
        assert_eq!(lab.landed("_quarantine").len(), 1);
    }
}

#[test]
fn what_a_proxy_says_in_the_place_of_files_is_no_damaged_file() {
    let page = |kind: &str, body: &str| Fault::Status {
        code: 200,
        headers: vec![("Content-Type".to_owned(), kind.to_owned())],
        body: body.to_owned(),
    };
    for fault in [
        Fault::HtmlPage,
        page("application/gzip", "<html>"),
        page("application/gzip", "blocked"),
        page("text/html", ""),
    ] {
        let lab = lab(vec![presigned(fault.clone()).every()]);
        for _ in 0..4 {
            assert!(lab.round().failures.iter().all(|failure| failure.error.passes()), "{fault:?}");
        }
        assert!(lab.landed("siem-v2").is_empty() && lab.landed("_quarantine").is_empty(), "{fault:?}");
        lab.mock.set_script(vec![].into());
        lab.fetch();
        lab.is_complete("siem-v2", BATCHES);
    }
}

#[test]
fn an_unlicensed_type_is_skipped_and_the_others_go_on() {
    let lab = lab(vec![batch(Fault::unlicensed()).about("delivery").every()]);
    let fetcher = lab.fetcher(mimelake_fetch::Scope::All).unwrap();
    for _ in 0..2 {
        assert!(fetcher.round().failures.is_empty());
    }
    assert_eq!(lab.landed("siem-v2").len(), 12);
    let status = fetcher.status().json(lab.setting.clock.now());
    assert_eq!(status["sources"]["eu"]["siem-v2/delivery"]["unlicensed"], true);
    drop(fetcher);
    lab.mock.set_script(vec![batch(Fault::unlicensed()).every()].into());
    let error = lab.failure();
    assert!(!error.passes() && error.to_string().contains("none of the event types"), "{error}");
}

#[test]
fn one_type_in_trouble_does_not_stop_the_others() {
    let lab = lab(vec![batch(Fault::status(503)).about("process").every()]);
    assert!(lab.failure().passes());
    assert_eq!(lab.landed("siem-v2").len(), 12);
    lab.mock.set_script(vec![].into());
    lab.fetch();
    lab.is_complete("siem-v2", BATCHES);
}

#[test]
fn a_type_that_is_refused_does_not_stop_the_others() {
    for fault in [Fault::error("unknown_type", 400), Fault::error("forbidden", 403)] {
        let lab = lab(vec![batch(fault.clone()).about("process").every()]);
        let error = lab.failure();
        assert!(matches!(error, FetchError::Refused { .. }), "{fault:?}: {error}");
        assert_eq!(lab.landed("siem-v2").len(), 12, "{fault:?}");
    }
}

#[test]
fn an_answer_of_another_shape_is_not_quoted() {
    let body = "{\"value\":\"https://x.test/a?sig=hunter2\"}".to_owned();
    let lab = lab(vec![batch(Fault::Status { code: 200, headers: vec![], body }).every()]);
    let error = lab.round().failures.remove(0).error;
    assert!(
        error.to_string().contains("not what is due") && !error.to_string().contains("hunter2"),
        "{error}"
    );
}

#[test]
fn cursors_of_every_kind() {
    let page =
        |fault| Options { script: vec![batch(fault).on(2..=2)].into(), page_size: 2, ..Options::default() };
    // A missing, unchanged or reset cursor: the round ends, and not as if all was there; nothing spins, nothing is lost.
    for fault in [Fault::NoToken, Fault::SameToken, Fault::ResetCursor] {
        let lab = Lab::v2(page(fault.clone()), TYPES);
        let error = lab.failure();
        assert!(error.passes() && error.to_string().contains("did not move"), "{fault:?}: {error}");
        let listed = calls(&lab, Endpoint::Batch);
        assert!(lab.landed("siem-v2").len() < 40 && listed < 24, "{fault:?}: {listed}");
        lab.fetch();
        lab.is_complete("siem-v2", BATCHES);
    }
    let lab = Lab::v2(page(Fault::Repeat), TYPES);
    lab.fetch();
    lab.is_complete("siem-v2", BATCHES);
    assert_eq!(calls(&lab, Endpoint::Presigned), 40, "a link that comes twice is followed once");
}

/// As the stand-in says of a cursor that it never gave out, and as API 1.0 says it.
#[test]
fn an_unknown_cursor_starts_over_and_records_the_gap() {
    let lab = Lab::v2(Options { page_size: 2, ..Options::default() }, TYPES);
    lab.fetch();
    let path = lab.land.path().join("C0A0/_state/siem-v2.receipt.json");
    let mut cursor: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    cursor["next"] = "unknown".into();
    std::fs::write(&path, cursor.to_string()).unwrap();
    lab.fetch();
    lab.is_complete("siem-v2", BATCHES);
    lab.mock.set_script(vec![batch(Fault::invalid_token()).about("receipt").on(1..=1)].into());
    lab.fetch();
    lab.is_complete("siem-v2", BATCHES);
    assert_eq!(lab.state("siem-v2.notes.ndjson").matches("does not know the cursor").count(), 2);
}

#[test]
fn endless_pages_without_a_link_leave_calls_for_the_others() {
    let lab = lab(vec![batch(Fault::EmptyPage).about("process").every()]);
    let error = lab.failure();
    assert!(error.passes() && error.to_string().contains("without a new file"), "{error}");
    assert_eq!(lab.landed("siem-v2").len(), 12);
    assert!(lab.setting.clock.waits().is_empty());
    lab.mock.set_script(vec![].into());
    lab.fetch();
    lab.is_complete("siem-v2", BATCHES);
}

#[test]
fn endless_pages_of_known_links_leave_calls_for_the_others() {
    let lab = lab(vec![batch(Fault::SamePage).about("receipt").every()]);
    for _ in 0..2 {
        let error = lab.failure();
        assert!(error.passes() && error.to_string().contains("without a new file"), "{error}");
        assert_eq!(lab.landed("siem-v2").len(), 16);
    }
    assert!(calls(&lab, Endpoint::Batch) < 50 && lab.setting.clock.waits().is_empty());
    lab.mock.set_script(vec![].into());
    lab.fetch();
    lab.is_complete("siem-v2", BATCHES);
}

#[test]
fn a_long_replay_gets_through_round_by_round() {
    let content = Content::generated(Generate { files: 240, ..Generate::default() });
    let options = Options { content, page_size: 1, ..Options::default() };
    let lab = Lab::v2(options, "types = [\"receipt\", \"process\"]");
    lab.fetch();
    std::fs::remove_file(lab.land.path().join("C0A0/_state/siem-v2.receipt.json")).unwrap();
    for _ in 0..2 {
        assert!(lab.failure().passes());
    }
    let asked = lab.mock.requests().len();
    // What follows on its sixty files is new.
    lab.fetch();
    assert!(lab.mock.requests().len() - asked < 60, "it went on where it was");
    assert_eq!(lab.landed("siem-v2").len(), 120);
    assert!(lab.state("siem-v2.notes.ndjson").is_empty());
}

/// Where a file of the first page holds it up, the same is asked for until it moves on.
#[test]
fn the_window_of_the_first_page_stays_where_it_began() {
    let mut lab = Lab::v2(
        Options { script: vec![presigned(Fault::status(500)).file(0).every()].into(), ..Options::default() },
        "types = [\"receipt\"]\nstart = \"1d\"",
    );
    let began = lab.setting.clock.now();
    let day = |hours: i64| (began + jiff::SignedDuration::from_hours(hours)).strftime("%Y-%m-%d").to_string();
    for (hours, starts, ends) in
        [(0, day(-24), day(0)), (3 * 24, day(-24), day(3 * 24)), (6 * 24, day(2 * 24), day(9 * 24))]
    {
        lab.pass(hours);
        lab.mock.take_requests();
        lab.round();
        let requests = lab.mock.requests();
        let list = requests.iter().find(|request| request.endpoint == Endpoint::Batch).unwrap();
        let window = format!("dateRangeStartsAt={starts}&dateRangeEndsAt={ends}");
        assert!(list.target.contains(&window), "{window}: {}", list.target);
    }
}

/// It was asked for all the while, and there was nothing to be missed.
#[test]
fn a_type_that_is_licensed_later_begins_then() {
    let mut lab = lab(vec![batch(Fault::unlicensed()).about("delivery").every()]);
    lab.fetch();
    for _ in 0..5 {
        lab.pass(3 * 24);
        lab.fetch();
    }
    lab.mock.set_script(vec![].into());
    lab.pass(24);
    lab.fetch();
    lab.is_complete("siem-v2", BATCHES);
    assert!(lab.state("siem-v2.notes.ndjson").is_empty());
}

#[test]
fn a_token_is_renewed_early_and_once_on_401() {
    let lab = Lab::v2(Options { token_lifetime: Duration::from_secs(1), ..Options::default() }, TYPES);
    lab.fetch();
    lab.is_complete("siem-v2", BATCHES);
    let unauthorised = || Fault::error("unauthorized", 401);
    let lab = self::lab(vec![batch(unauthorised()).on(2..=2)]);
    lab.fetch();
    assert_eq!(calls(&lab, Endpoint::Token), 2);
    let lab = self::lab(vec![batch(unauthorised()).every()]);
    let error = lab.failure();
    assert!(matches!(error, FetchError::Refused { .. }), "{error}");
    assert_eq!((calls(&lab, Endpoint::Batch), calls(&lab, Endpoint::Token)), (2, 2));
}

#[test]
fn a_wrong_secret_is_said_at_once() {
    let lab = lab(vec![]);
    let text = std::fs::read_to_string(&lab.config).unwrap();
    crate::lab::write_private(&lab.config, &text.replace("client+secret", "other+secret"));
    let error = lab.failure();
    assert!(error.hint().unwrap().contains("client_secret"), "{error}: {:?}", error.hint());
    assert_eq!(lab.mock.requests().len(), 1);
}

#[test]
fn keeps_within_the_limit_of_list_calls() {
    let content = Content::generated(Generate { files: 80, ..Generate::default() });
    let lab = Lab::v2(Options { content, page_size: 1, ..Options::default() }, TYPES);
    lab.fetch();
    lab.is_complete("siem-v2", BATCHES);
    let waits = lab.setting.clock.waits();
    assert!(calls(&lab, Endpoint::Batch) > 50 && !waits.is_empty());
    assert!(waits.iter().all(|wait| *wait <= Duration::from_mins(15)));
}

#[test]
fn calls_that_are_tried_again_count_towards_the_limit() {
    let script: Vec<_> = [2, 8, 14].map(|first| batch(Fault::status(503)).on(first..=first + 3)).into();
    let lab = Lab::v2(Options { page_size: 1, script: script.into(), ..Options::default() }, TYPES);
    lab.fetch();
    lab.is_complete("siem-v2", BATCHES);
    assert!(calls(&lab, Endpoint::Batch) > 50);
    assert!(lab.setting.clock.waits().iter().any(|wait| *wait > Duration::from_mins(5)));
}

#[test]
fn a_limit_that_is_met_is_waited_for() {
    let limit = Limit { calls: 20, window: Duration::from_millis(50), form: LimitForm::ResetMillis };
    let lab = Lab::v2(Options { limit: Some(limit), ..Options::default() }, TYPES);
    lab.fetch();
    lab.is_complete("siem-v2", BATCHES);
}

#[test]
fn hostile_names_stay_where_they_belong() {
    let lab = lab(vec![batch(Fault::HostileName).on(1..=1)]);
    lab.fetch();
    let landed = lab.landed("siem-v2");
    assert_eq!(landed.len(), 16);
    assert!(landed.keys().all(|name| !name.contains("..")), "{:?}", landed.keys());
}

/// Four downloads are only answered once all four have been asked for.
#[test]
fn downloads_run_in_parallel() {
    let lab = lab(vec![presigned(Fault::Gather { requests: 4 }).on(1..=4)]);
    lab.fetch();
    lab.is_complete("siem-v2", BATCHES);
    assert!(lab.setting.clock.waits().is_empty());
}

#[test]
fn a_token_that_cannot_be_verified_is_replaced_and_waited_for() {
    let lab = Lab::v2(Options { out: Some(8), ..Options::default() }, TYPES);
    let fetcher = lab.fetcher(mimelake_fetch::Scope::All).unwrap();
    assert!(fetcher.round().failures.is_empty());
    lab.mock.revoke_tokens();
    lab.mock.publish(40);
    assert!(fetcher.round().failures.is_empty());
    lab.is_complete("siem-v2", BATCHES);
    let failed = || Fault::Error {
        code: "token_verification_failed".to_owned(),
        status: 401,
        http: None,
        shape: ErrorShape::Error,
    };
    let lab = self::lab(vec![batch(failed()).on(1..=4)]);
    lab.fetch();
    lab.is_complete("siem-v2", BATCHES);
    assert_eq!(seconds(&lab), [1, 2]);
}
