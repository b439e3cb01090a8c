//! Audit events, by both APIs.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use mimelake_fetch::{Config, Scope, audit_categories};
use mimelake_mock::{AuditEvent, AuditNext, Endpoint, Fault, LimitForm, Options, Rule};

use crate::lab::{Lab, seconds};

const ACCESS: &str = "[source.eu.audit]\ncategories = [\"mimecast_access_logs\", \"account_logs\", \"authentication_logs\", \"policy_logs\"]";

fn options(next: AuditNext, script: Vec<Rule>) -> Options {
    let newest = Timestamp::now() - SignedDuration::from_mins(2);
    let audit = AuditEvent::made_up(1200, newest, SignedDuration::from_mins(3));
    Options { audit, audit_next: next, script: script.into(), ..Options::default() }
}

/// The ids that were landed, each once.
fn ids(lab: &Lab) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for (name, bytes) in lab.landed("audit") {
        for line in String::from_utf8(bytes).unwrap().lines() {
            let event: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(ids.insert(event["id"].as_str().unwrap().to_owned()), "{name}: twice");
        }
    }
    ids
}

fn expected(lab: &Lab) -> BTreeSet<String> {
    lab.mock.audit_events().into_iter().map(|event| event.id).collect()
}

fn audit(lab: &Lab) {
    let round = lab.fetcher(Scope::Audit).unwrap().round();
    assert!(round.failures.is_empty(), "{:?}", round.failures);
}

#[test]
fn pages_to_the_true_end_in_both_apis() {
    for next in [AuditNext::Text, AuditNext::Object, AuditNext::EmptyEnd] {
        for lab in [Lab::v1(options(next, vec![]), ACCESS), Lab::v2(options(next, vec![]), ACCESS)] {
            audit(&lab);
            assert_eq!(ids(&lab), expected(&lab), "{next:?}");
            assert!(ids(&lab).len() == 1200);
        }
    }
}

/// Edges of windows are inclusive, and each page repeats what is asked for.
#[test]
fn windows_meet_and_each_page_repeats_the_question() {
    let lab = Lab::v2(options(AuditNext::Object, vec![]), ACCESS);
    audit(&lab);
    let bodies: Vec<serde_json::Value> = lab
        .mock
        .requests()
        .iter()
        .filter(|request| request.endpoint == Endpoint::Audit)
        .map(|request| serde_json::from_slice(&request.body).unwrap())
        .collect();
    let (mut pages, mut windows) = (0, 0);
    for pair in bodies.windows(2) {
        let (before, after) = (&pair[0]["data"][0], &pair[1]["data"][0]);
        if pair[1].pointer("/meta/pagination/pageToken").is_some() {
            assert_eq!(before, after);
            pages += 1;
        } else {
            assert_eq!(before["endDateTime"], after["startDateTime"]);
            windows += 1;
        }
        assert_eq!(pair[1]["meta"]["pagination"]["pageSize"], 500);
    }
    assert!(pages > 0 && windows > 50, "{pages} {windows}");
}

#[test]
fn remembers_how_far_it_came_and_takes_what_came_late() {
    let lab = Lab::v1(options(AuditNext::Text, vec![]), ACCESS);
    audit(&lab);
    let calls = lab.mock.requests().len();
    let mut late = lab.mock.audit_events()[0].clone();
    late.id = "late".to_owned();
    late.time = Timestamp::now() - SignedDuration::from_hours(20);
    lab.mock.add_audit_event(late);
    audit(&lab);
    assert_eq!(ids(&lab), expected(&lab));
    assert!(lab.mock.requests().len() - calls <= 10, "a day's window, not sixty");
    audit(&lab);
    assert_eq!(ids(&lab), expected(&lab));
}

#[test]
fn a_clock_that_was_ahead_passes_nothing_over() {
    let lab = Lab::v1(options(AuditNext::Text, vec![]), ACCESS);
    audit(&lab);
    let path = lab.land.path().join("C0A0/_state/audit.window.json");
    let mut state: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    state["through"] = (Timestamp::now() + SignedDuration::from_hours(72)).to_string().into();
    std::fs::write(&path, state.to_string()).unwrap();
    let mut late = lab.mock.audit_events()[0].clone();
    late.id = "late".to_owned();
    late.time = Timestamp::now() - SignedDuration::from_hours(30);
    lab.mock.add_audit_event(late);
    for _ in 0..2 {
        audit(&lab);
        assert_eq!(ids(&lab), expected(&lab));
        assert_eq!(lab.state("audit.notes.ndjson").lines().count(), 1, "said once");
    }
}

#[test]
fn a_clock_that_was_set_back_by_seconds_is_no_gap() {
    let lab = Lab::v1(options(AuditNext::Text, vec![]), ACCESS);
    audit(&lab);
    crate::lab::set_back(&lab, "audit.window.json", 0);
    let path = lab.land.path().join("C0A0/_state/audit.window.json");
    let state = std::fs::read_to_string(&path).unwrap();
    let mut state: serde_json::Value = serde_json::from_str(&state).unwrap();
    state["through"] = (Timestamp::now() + SignedDuration::from_mins(5)).to_string().into();
    std::fs::write(&path, state.to_string()).unwrap();
    audit(&lab);
    assert_eq!((ids(&lab), lab.state("audit.notes.ndjson")), (expected(&lab), String::new()));
}

#[test]
fn events_that_were_asked_for_in_vain_for_too_long_are_a_gap() {
    let denied = Rule::new(Endpoint::Audit, Fault::status(503)).every();
    let lab = Lab::v1(options(AuditNext::Text, vec![denied]), ACCESS);
    for _ in 0..2 {
        assert_eq!(lab.fetcher(Scope::Audit).unwrap().round().failures.len(), 1);
        crate::lab::set_back(&lab, "audit.window.json", 61 * 24);
        assert!(lab.state("audit.notes.ndjson").is_empty(), "said once it is known");
    }
    lab.mock.set_script(vec![].into());
    for _ in 0..2 {
        audit(&lab);
        assert_eq!(ids(&lab), expected(&lab));
        let notes = lab.state("audit.notes.ndjson");
        assert!(notes.lines().count() == 1 && notes.contains("60 days"), "{notes}");
    }
}

#[test]
fn windows_left_alone_for_longer_than_events_are_kept_are_a_gap() {
    let lab = Lab::v1(options(AuditNext::Text, vec![]), ACCESS);
    audit(&lab);
    let calls = lab.mock.requests().len();
    let path = lab.land.path().join("C0A0/_state/audit.window.json");
    let mut state: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    state["through"] = (Timestamp::now() - SignedDuration::from_hours(100 * 24)).to_string().into();
    std::fs::write(&path, state.to_string()).unwrap();
    for _ in 0..2 {
        audit(&lab);
        assert_eq!(ids(&lab), expected(&lab));
        let notes = lab.state("audit.notes.ndjson");
        assert!(notes.lines().count() == 1 && notes.contains("60 days"), "{notes}");
    }
    assert!(lab.mock.requests().len() - calls <= calls + 10, "no window before those that are kept");
}

#[test]
fn other_categories_begin_anew_and_land_nothing_twice() {
    let some = "[source.eu.audit]\ncategories = [\"mimecast_access_logs\"]";
    let lab = Lab::v1(options(AuditNext::Text, vec![]), some);
    audit(&lab);
    let before = ids(&lab);
    let text = std::fs::read_to_string(&lab.config).unwrap();
    crate::lab::write_private(&lab.config, &text.replace(some, ACCESS));
    audit(&lab);
    assert!(before.len() < 1200 && ids(&lab) == expected(&lab));
}

#[test]
fn what_passes_is_tried_again() {
    for fault in [
        Fault::status(503),
        Fault::HtmlPage,
        Fault::BadJson,
        Fault::hidden_error("internal_server_error_1", 500),
        Fault::Limited { form: LimitForm::ResetMillis, milliseconds: 1000 },
    ] {
        let lab = Lab::v1(
            options(AuditNext::Text, vec![Rule::new(Endpoint::Audit, fault.clone()).on(3..=3)]),
            ACCESS,
        );
        audit(&lab);
        assert_eq!((ids(&lab), seconds(&lab)), (expected(&lab), vec![1]), "{fault:?}");
    }
}

#[test]
fn a_run_that_stops_in_the_middle_is_completed_by_the_next() {
    let rule = Rule::new(Endpoint::Audit, Fault::status(500)).on(61..=66);
    let lab = Lab::v2(options(AuditNext::Text, vec![rule]), ACCESS);
    let round = lab.fetcher(Scope::Audit).unwrap().round();
    assert!(round.failures[0].error.passes());
    audit(&lab);
    assert_eq!(ids(&lab), expected(&lab));
}

#[test]
fn a_page_without_data_is_no_empty_page() {
    let page = Fault::Status { code: 200, headers: vec![], body: "{\"meta\":{\"status\":200}}".to_owned() };
    let lab = Lab::v1(options(AuditNext::Text, vec![Rule::new(Endpoint::Audit, page).on(3..=3)]), ACCESS);
    audit(&lab);
    assert_eq!((ids(&lab), seconds(&lab)), (expected(&lab), vec![1]));
}

#[test]
fn the_categories_are_listed() {
    let lab = Lab::v1(options(AuditNext::Text, vec![]), ACCESS);
    let config = Config::read(&lab.config).unwrap();
    let categories = audit_categories(config.source("eu").unwrap(), &lab.setting).unwrap();
    assert!(categories.iter().any(|name| name == "mimecast_access_logs"), "{categories:?}");
}

#[test]
fn a_source_with_one_stream_that_is_refused_is_not_hopeless() {
    let denied = |endpoint| Rule::new(endpoint, Fault::error("forbidden", 403)).every();
    let v1 = Lab::v1(options(AuditNext::Text, vec![denied(Endpoint::Audit)]), ACCESS);
    let v2 = Lab::v2(options(AuditNext::Text, vec![denied(Endpoint::Batch)]), ACCESS);
    let one = Lab::v2(options(AuditNext::Text, vec![denied(Endpoint::Batch).about("process")]), "");
    let none = Rule::new(Endpoint::Batch, Fault::unlicensed()).every();
    let unlicensed = Lab::v2(options(AuditNext::Text, vec![none]), ACCESS);
    for lab in [&v1, &v2, &one, &unlicensed] {
        let round = lab.round();
        assert!(round.failures.len() == 1 && !round.is_hopeless(), "{round:?}");
    }
    assert_eq!((ids(&v2), ids(&unlicensed)), (expected(&v2), expected(&unlicensed)));
    let all = Lab::v2(options(AuditNext::Text, vec![denied(Endpoint::Batch)]), "");
    assert!(all.round().is_hopeless());
}

#[test]
fn audit_events_come_where_only_logs_are_refused() {
    for (fault, is_general) in [
        (Fault::error("forbidden", 403), false),
        (Fault::error("err_validation_null", 400), false),
        (Fault::binding_expired(), true),
        (Fault::error("err_developer_key", 400), true),
        (Fault::error("unknown", 401), true),
    ] {
        let lab = Lab::v1(
            options(AuditNext::Text, vec![Rule::new(Endpoint::Siem1, fault.clone()).every()]),
            ACCESS,
        );
        let error = lab.failure();
        assert!(!error.passes(), "{fault:?}: {error}");
        let asked = lab.mock.requests().iter().any(|request| request.endpoint == Endpoint::Audit);
        assert_eq!(asked, !is_general, "{fault:?}");
        if !is_general {
            assert_eq!(ids(&lab), expected(&lab), "{fault:?}");
        }
    }
}

#[test]
fn fetch_takes_both_logs_and_audit_events() {
    let lab = Lab::v1(options(AuditNext::Text, vec![]), ACCESS);
    lab.fetch();
    lab.is_complete("siem-v1", crate::lab::ZIPS);
    assert_eq!(ids(&lab), expected(&lab));
}
