//! `event.category`, `event.type` and `event.outcome` of audit events.
//!
//! The first row that fits decides; words are looked for in the audit type, in any case.
//!
//! | if | category | type |
//! |---|---|---|
//! | logged on, log on, logon, login, logged in | authentication | start, but info where it failed |
//! | logged off, logged out, log off, logoff, logout | authentication | end |
//! | authentication; or the category is `authentication_logs` | authentication | info |
//! | user, group, role | iam | user, group or admin; and the change |
//! | anything else | configuration | the change |
//!
//! The change is `creation` (created, added, new), `deletion` (deleted, removed), `change` (changed,
//! edited, updated, modified, set, enabled, disabled), for the configuration also `access` (viewed,
//! accessed, exported, downloaded, searched, performed), else `info`.
//!
//! The outcome is `failure` if the type says failed, denied, rejected or unsuccessful, or its words
//! begin with failed or unsuccessful; `success` if the words begin with success or `Action Performed`,
//! or the type names a log-on, a log-off or a change; else `unknown`.

use mimelake_schema::Field;

use super::{category::contains, record::Record};

/// What an audit event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Audit {
    pub(super) category: &'static [&'static str],
    pub(super) types: &'static [&'static str],
    pub(super) outcome: &'static str,
}

const LOG_ON: &[&str] = &["logged on", "log on", "logon", "login", "logged in"];
const LOG_OFF: &[&str] = &["logged off", "logged out", "log off", "logoff", "logout"];
const FAILED: &[&str] = &["fail", "denied", "rejected", "unsuccessful"];
const CREATED: &[&str] = &["created", "added", "new "];
const DELETED: &[&str] = &["deleted", "removed"];
const CHANGED: &[&str] = &["changed", "edited", "updated", "modified", " set", "enabled", "disabled"];
const ACCESSED: &[&str] = &["viewed", "accessed", "exported", "downloaded", "searched", "performed"];

const AUTHENTICATION: &[&str] = &["authentication"];
const IAM: &[&str] = &["iam"];
const CONFIGURATION: &[&str] = &["configuration"];

impl Audit {
    /// Reads an audit event by the table above.
    pub(super) fn of(record: &Record<'_, '_>) -> Self {
        let text = |field| record.text(field).unwrap_or("");
        let audit_type = text(Field::AuditType);
        let any = |words: &[&str]| words.iter().any(|word| contains(audit_type, word));
        let (log_on, log_off) = (any(LOG_ON), any(LOG_OFF));
        let effect = effect(&any);
        let done = log_on || log_off || effect != Effect::Info;
        let outcome = outcome(any(FAILED), done, text(Field::EventInfo).trim_ascii());
        let about_signing_in = contains(audit_type, "authentication")
            || text(Field::Category).eq_ignore_ascii_case("authentication_logs");
        let (category, types): (_, &'static [&'static str]) = if log_on {
            (AUTHENTICATION, if outcome == "failure" { &["info"] } else { &["start"] })
        } else if log_off {
            (AUTHENTICATION, &["end"])
        } else if about_signing_in {
            (AUTHENTICATION, &["info"])
        } else if any(&["user"]) {
            (IAM, effect.of_user())
        } else if any(&["group"]) {
            (IAM, effect.of_group())
        } else if any(&["role"]) {
            (IAM, effect.of_role())
        } else {
            (CONFIGURATION, effect.of_configuration())
        };
        Self { category, types, outcome }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    Creation,
    Deletion,
    Change,
    Access,
    Info,
}

fn effect(any: &dyn Fn(&[&str]) -> bool) -> Effect {
    if any(DELETED) {
        Effect::Deletion
    } else if any(CREATED) {
        Effect::Creation
    } else if any(CHANGED) {
        Effect::Change
    } else if any(ACCESSED) {
        Effect::Access
    } else {
        Effect::Info
    }
}

impl Effect {
    fn of_user(self) -> &'static [&'static str] {
        match self {
            Self::Creation => &["user", "creation"],
            Self::Deletion => &["user", "deletion"],
            Self::Change => &["user", "change"],
            Self::Access | Self::Info => &["user", "info"],
        }
    }

    fn of_group(self) -> &'static [&'static str] {
        match self {
            Self::Creation => &["group", "creation"],
            Self::Deletion => &["group", "deletion"],
            Self::Change => &["group", "change"],
            Self::Access | Self::Info => &["group", "info"],
        }
    }

    fn of_role(self) -> &'static [&'static str] {
        match self {
            Self::Creation => &["admin", "creation"],
            Self::Deletion => &["admin", "deletion"],
            Self::Change => &["admin", "change"],
            Self::Access | Self::Info => &["admin", "info"],
        }
    }

    fn of_configuration(self) -> &'static [&'static str] {
        match self {
            Self::Creation => &["creation"],
            Self::Deletion => &["deletion"],
            Self::Change => &["change"],
            Self::Access => &["access"],
            Self::Info => &["info"],
        }
    }
}

fn outcome(type_says_failed: bool, done: bool, words: &str) -> &'static str {
    let begins = |with: &str| words.get(..with.len()).is_some_and(|head| head.eq_ignore_ascii_case(with));
    if type_says_failed || begins("failed") || begins("unsuccessful") {
        "failure"
    } else if done || begins("success") || begins("action performed") {
        "success"
    } else {
        "unknown"
    }
}
