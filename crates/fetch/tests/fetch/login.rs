//! Logging in for a pair of keys.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mimelake_fetch::{Config, Credentials, FetchError, KeyPair, Secret, login};
use mimelake_mock::{At, Endpoint, Fault, LimitForm, Options, Rule, credentials};

use crate::lab::{Lab, ZIPS, seconds};

fn try_login(lab: &Lab, email: &str, password: &str, is_domain: bool) -> Result<KeyPair, FetchError> {
    let config = Config::read(&lab.config).unwrap();
    let who = Credentials { email: email.to_owned(), password: Secret::verbatim(password), is_domain };
    login(config.source("eu").unwrap(), &who, lab.mock.base_url(), &lab.setting)
}

#[test]
fn a_new_pair_fetches() {
    for (password, is_domain) in [(credentials::CLOUD_PASSWORD, false), (credentials::DOMAIN_PASSWORD, true)]
    {
        let lab = Lab::v1(Options::default(), "");
        lab.mock.expire_bindings();
        assert!(lab.failure().hint().unwrap().contains("mimelake login"));
        let pair = try_login(&lab, credentials::EMAIL, password, is_domain).unwrap();
        assert!(pair.base_url == lab.mock.base_url() && pair.is_configured);
        let text = std::fs::read_to_string(&lab.config).unwrap();
        let text = text.replace(credentials::ACCESS_KEY, pair.access_key.expose());
        crate::lab::write_private(
            &lab.config,
            &text.replace(credentials::SECRET_KEY, pair.secret_key.expose()),
        );
        lab.fetch();
        lab.is_complete("siem-v1", ZIPS);
    }
}

#[test]
fn what_is_wrong_is_said() {
    let lab = Lab::v1(Options::default(), "");
    let error = try_login(&lab, "nobody@example.com", "x", false).unwrap_err();
    assert!(error.to_string().contains("no account"), "{error}");
    let error = try_login(&lab, credentials::EMAIL, "hunter2", false).unwrap_err();
    assert!(error.hint().unwrap().contains("password"), "{error}");
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    let lab = Lab::v2(Options::default(), "");
    assert!(try_login(&lab, credentials::EMAIL, "x", false).unwrap_err().to_string().contains("API 2.0"));
}

#[test]
fn a_password_that_the_server_repeats_is_not_shown() {
    let password = "hunter2 and more";
    let encoded = STANDARD.encode(format!("{}:{password}", credentials::EMAIL));
    for repeated in [password, &encoded] {
        let body = format!("{{\"fail\":[{{\"code\":\"c\",\"message\":\"no {repeated}\"}}]}}");
        let fault = Fault::Status { code: 400, headers: vec![], body };
        let script = vec![Rule::new(Endpoint::Login, fault)];
        let lab = Lab::v1(Options { script: script.into(), ..Options::default() }, "");
        let error = try_login(&lab, credentials::EMAIL, password, false).unwrap_err();
        assert!(error.to_string().contains("no ***"), "{error}");
    }
}

#[test]
fn a_discovery_that_passes_is_tried_again() {
    let script = vec![Rule::new(Endpoint::Discover, Fault::status(503))];
    let lab = Lab::v1(Options { script: script.into(), ..Options::default() }, "");
    try_login(&lab, credentials::EMAIL, credentials::CLOUD_PASSWORD, false).unwrap();
}

#[test]
fn discovery_and_login_are_not_signed_and_each_call_for_logs_is() {
    let lab = Lab::v1(Options::default(), "");
    try_login(&lab, credentials::EMAIL, credentials::CLOUD_PASSWORD, false).unwrap();
    lab.fetch();
    for request in lab.mock.requests() {
        let shown = request.header("authorization").unwrap_or_default();
        let kind = match request.endpoint {
            Endpoint::Discover => "",
            Endpoint::Login => "Basic-Cloud",
            _ => "MC",
        };
        assert_eq!(shown.split(' ').next().unwrap(), kind, "{}", request.target);
    }
}

/// Each login makes another pair, and their number is limited.
#[test]
fn a_login_that_may_have_arrived_is_sent_once() {
    for fault in [
        Fault::HtmlPage,
        Fault::BadJson,
        Fault::status(503),
        Fault::Close { at: At::Start, chunked: None },
        Fault::Close { at: At::Body(10), chunked: None },
        Fault::Stall { at: At::Head },
    ] {
        let script = vec![Rule::new(Endpoint::Login, fault.clone()).every()];
        let lab = Lab::v1(Options { script: script.into(), ..Options::default() }, "");
        let error = try_login(&lab, credentials::EMAIL, credentials::CLOUD_PASSWORD, false).unwrap_err();
        assert!(!error.passes() && error.hint().unwrap().contains("only if"), "{fault:?}: {error}");
        let logins = lab.mock.requests().iter().filter(|r| r.endpoint == Endpoint::Login).count();
        assert_eq!(logins, 1, "{fault:?}");
    }
}

/// It made no pair.
#[test]
fn a_login_that_came_too_soon_is_sent_again() {
    let limited = Fault::Limited { form: LimitForm::Silent, milliseconds: 0 };
    let script = vec![Rule::new(Endpoint::Login, limited)];
    let lab = Lab::v1(Options { script: script.into(), ..Options::default() }, "");
    try_login(&lab, credentials::EMAIL, credentials::CLOUD_PASSWORD, false).unwrap();
    assert_eq!(seconds(&lab), [600]);
}

#[test]
fn a_login_that_was_not_sent_is_tried_again() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let body =
        format!("{{\"meta\":{{\"status\":200}},\"data\":[{{\"region\":{{\"api\":\"http://{gone}\"}}}}]}}");
    let found = Rule::new(Endpoint::Discover, Fault::Status { code: 200, headers: vec![], body });
    let lab = Lab::v1(Options { script: vec![found].into(), ..Options::default() }, "");
    let error = try_login(&lab, credentials::EMAIL, credentials::CLOUD_PASSWORD, false).unwrap_err();
    assert!(error.passes() && error.to_string().contains("cannot connect"), "{error}");
    assert_eq!(seconds(&lab), [1, 2, 4, 8, 16]);
}

#[test]
fn what_is_wrong_with_the_application_is_not_blamed_on_the_password() {
    let script = vec![Rule::new(Endpoint::Login, Fault::error("err_developer_key", 400)).every()];
    let lab = Lab::v1(Options { script: script.into(), ..Options::default() }, "");
    let error = try_login(&lab, credentials::EMAIL, credentials::CLOUD_PASSWORD, false).unwrap_err();
    assert!(error.hint().unwrap().contains("app_id"), "{error}");
}
