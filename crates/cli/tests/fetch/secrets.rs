//! Nothing that the program says or writes holds a secret.

use std::fs;

use mimelake_mock::{At, Endpoint, Fault, Options, Rule, credentials};

use crate::stage::{Stage, files};

/// What must not be found, in any form that it is sent in.
fn secrets(stage: &Stage) -> Vec<String> {
    let mut secrets: Vec<String> = [
        credentials::APP_KEY,
        credentials::ACCESS_KEY,
        credentials::SECRET_KEY,
        credentials::CLIENT_SECRET,
        "client%2Bsecret",
        "Bearer ",
        "MC ",
    ]
    .map(str::to_owned)
    .to_vec();
    for request in stage.mock.requests() {
        secrets.extend(request.header("authorization").map(str::to_owned));
        if request.endpoint == Endpoint::Presigned {
            secrets.extend(request.target.split_once('?').map(|(_, query)| query.to_owned()));
        }
    }
    secrets
}

#[track_caller]
fn hold_none(stage: &Stage, texts: &[&str]) {
    for secret in secrets(stage) {
        for text in texts {
            assert!(!text.contains(&secret), "{secret:?} in {text}");
        }
    }
}

/// A server that repeats what it was told.
fn repeating(secrets: &[&str]) -> Fault {
    let body = format!("{{\"fail\":[{{\"code\":\"x\",\"message\":\"{}\"}}]}}", secrets.join(" "));
    Fault::Status { code: 400, headers: Vec::new(), body }
}

fn fetch_with_faults(format: &str, first: &Fault, second: &Fault) {
    let rule = |endpoint, fault: &Fault| Rule::new(endpoint, fault.clone()).on(2..=2);
    let script = vec![
        rule(Endpoint::Siem1, first),
        rule(Endpoint::Batch, second),
        rule(Endpoint::Presigned, second),
        rule(Endpoint::Token, second),
    ];
    let stage = Stage::new(Options { script: script.into(), ..Options::default() });
    let ran = stage.run(&format!(
        "fetch --config mimelake.toml --land land -vv --log-format {format} --status-file status.json"
    ));
    assert!(ran.stderr.contains("siem"), "{}", ran.stderr);
    let status = fs::read_to_string(stage.path("status.json")).unwrap();
    hold_none(&stage, &[&ran.stdout, &ran.stderr, &status]);
    for (name, bytes) in files(&stage.path("land/C0A0/_state")) {
        hold_none(&stage, &[&name, &String::from_utf8_lossy(&bytes)]);
    }
}

#[test]
fn nothing_says_a_secret() {
    let faults = [
        Fault::binding_expired(),
        Fault::error("err_xdk_invalid_signature", 401),
        Fault::HtmlPage,
        Fault::BadJson,
        Fault::Close { at: At::Start, chunked: None },
        Fault::Close { at: At::Body(50), chunked: Some(false) },
        Fault::expired(),
    ];
    for (fault, format) in faults.iter().zip(["text", "json"].into_iter().cycle()) {
        fetch_with_faults(format, fault, fault);
    }
    let first = repeating(&[credentials::APP_KEY, credentials::ACCESS_KEY, credentials::SECRET_KEY]);
    let second = repeating(&[credentials::CLIENT_SECRET]);
    for format in ["text", "json"] {
        fetch_with_faults(format, &first, &second);
    }
}

#[test]
fn no_error_of_the_configuration_says_a_secret() {
    let stage = Stage::new(Options::default());
    let good = stage.mock.config();
    for bad in [
        good.replace("account =", "acount ="),
        good.replace("api = \"1.0\"", "api = \"3.0\""),
        good.replace(&format!("\"{}\"", credentials::APP_KEY), &format!("\"{}", credentials::APP_KEY)),
        good.replace(credentials::SECRET_KEY, "!no-base64!"),
        format!("{good}\n{good}"),
    ] {
        stage.write_private("mimelake.toml", &bad);
        let ran = stage.run("fetch --config mimelake.toml --land land -vv").exits(2);
        hold_none(&stage, &[&ran.stdout, &ran.stderr]);
        assert!(!ran.stderr.contains("no-base64"), "{}", ran.stderr);
    }
}
