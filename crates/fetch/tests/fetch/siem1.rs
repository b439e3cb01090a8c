//! API 1.0.

use std::time::Duration;

use mimelake_fetch::FetchError;
use mimelake_mock::{At, Endpoint, Fault, FileFormat, LimitForm, Options, Rule, Sequence};

use crate::lab::{Lab, ZIPS};

fn faulty(rules: Vec<Rule>) -> Options {
    Options { script: rules.into(), ..Options::default() }
}

fn siem1(fault: Fault) -> Rule {
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
