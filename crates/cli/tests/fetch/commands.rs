//! One run each: what it lands, what it says, and how it ends.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use mimelake_mock::{Endpoint, Fault, Options, Rule, Sequence, credentials};

use crate::stage::{Stage, ZIPS};

const FETCH: &str = "fetch --config mimelake.toml --land land";

#[test]
fn fetches_both_apis_converts_and_correlates() {
    let stage = Stage::new(Options::default());
    stage.run(&format!("{FETCH} --convert lake --correlate")).exits(0);
    stage.is_complete("siem-v1", ZIPS);
    stage.is_complete("siem-v2", Sequence::Batches);
    assert!(stage.path("lake/receipt").is_dir() && stage.path("lake/delivery").is_dir());
    assert!(stage.path("lake/messages").is_dir());
    let parts = crate::stage::files(&stage.path("lake/receipt")).len();
    stage.run(&format!("{FETCH} --convert lake --correlate")).exits(0);
    assert_eq!(crate::stage::files(&stage.path("lake/receipt")).len(), parts, "a second run adds nothing");
}

#[test]
fn converts_nothing_where_nothing_has_landed() {
    let stage = Stage::new(Options { out: Some(0), ..Options::default() });
    stage.run(&format!("{FETCH} --convert lake --source second")).exits(0);
    assert!(!stage.path("lake").exists());
}

#[test]
fn one_source_and_the_environment() {
    let stage = Stage::new(Options::default());
    let land = stage.path("land");
    let ran = stage
        .command("fetch --source second")
        .env("MIMELAKE_CONFIG", stage.path("mimelake.toml"))
        .env("MIMELAKE_LAND", &land)
        .env("MIMELAKE_SECOND_TYPES", "receipt")
        .status();
    assert_eq!(ran.unwrap().code(), Some(0));
    assert!(land.join("C0A0/siem-v2/receipt").is_dir());
    assert!(!land.join("C0A0/siem-v2/delivery").exists() && !land.join("C0A0/siem-v1").exists());
    stage.run(&format!("{FETCH} --source third")).exits(2).says("first, second");
}

#[test]
fn exit_statuses() {
    let with = |fault: Fault| {
        let rule = Rule::new(Endpoint::Siem1, fault).every();
        Stage::new(Options { script: vec![rule].into(), ..Options::default() })
    };
    let first = format!("{FETCH} --source first");
    let limited = Fault::Status {
        code: 503,
        headers: vec![("Retry-After".to_owned(), "1".to_owned())],
        body: String::new(),
    };
    let unlisted = Rule::new(Endpoint::Categories, limited.clone()).every();
    Stage::new(Options { script: vec![unlisted].into(), ..Options::default() })
        .run("audit --config mimelake.toml --source first --categories")
        .exits(3);
    with(limited).run(&first).exits(3).says("gave up after 6 tries");
    with(Fault::binding_expired()).run(&first).exits(2).says("mimelake login");
    let quarantined = Rule::new(Endpoint::Siem1, Fault::Corrupt).file(0).every();
    let stage = Stage::new(Options { script: vec![quarantined].into(), ..Options::default() });
    stage.run(&first).exits(1).says("quarantine");
    stage.run(&first).exits(0);
    let still = Rule::new(Endpoint::Siem1, Fault::SameToken).on(3..=3);
    let stage = Stage::new(Options { script: vec![still].into(), ..Options::default() });
    stage.run(&first).exits(3).says("did not move");
    stage.run(&first).exits(0);
    let gap = Rule::new(Endpoint::Siem1, Fault::invalid_token()).on(3..=3);
    Stage::new(Options { script: vec![gap].into(), ..Options::default() })
        .run(&first)
        .exits(1)
        .says("missing");
    let lost = Rule::new(Endpoint::Presigned, Fault::expired()).file(9).every();
    let stage = Stage::new(Options { script: vec![lost].into(), ..Options::default() });
    // A file is given up after a day of rounds, not after some that follow each other.
    for _ in 0..4 {
        stage.run(&format!("{FETCH} --source second")).exits(3);
    }
    stage.run("fetch --config nowhere.toml --land land").exits(2).says("nowhere.toml");
    stage.run("fetch --land land").exits(2);
}

/// A page where one file is due blocks its stream, and is not passed over in silence.
#[test]
fn a_page_in_the_place_of_one_file_is_said_in_the_status() {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let headers = vec![header("Content-Type", "text/html"), header("Retry-After", "1")];
    let page = Fault::Status { code: 200, headers, body: "<html>".to_owned() };
    let script = vec![Rule::new(Endpoint::Siem1, page).file(2).every()];
    let stage = Stage::new(Options { script: script.into(), ..Options::default() });
    stage.run(&format!("{FETCH} --source first --status-file status.json")).exits(3).says("an HTML page");
    let status = fs::read(stage.path("status.json")).unwrap();
    let status: serde_json::Value = serde_json::from_slice(&status).unwrap();
    let stream = &status["sources"]["first"]["siem-v1"];
    assert!(stream["error"].as_str().unwrap().contains("an HTML page") && stream["files"] == 2, "{stream}");
}

#[test]
fn errors_end_alike_whatever_the_log_is_for() {
    let stage = Stage::new(Options::default());
    fs::write(stage.path("file"), "no directory").unwrap();
    let expired = Stage::new(Options::default());
    expired.mock.expire_bindings();
    let cases = [
        (&stage, "fetch --config nowhere.toml --land land", 2),
        (&stage, "fetch --config mimelake.toml --land land --source third", 2),
        (&stage, "fetch --config mimelake.toml --land land --source first --convert file", 2),
        (&stage, "fetch --config mimelake.toml --land land --source first --status-file file/s", 2),
        (&stage, "fetch --config mimelake.toml --land file", 2),
        (&stage, "audit --config mimelake.toml --source third --categories", 2),
        (&expired, "fetch --config mimelake.toml --land land --source first", 2),
    ];
    for (stage, arguments, code) in cases {
        stage.run(arguments).exits(code);
        let ran = stage.run(&format!("{arguments} --log-format json")).exits(code);
        let last = ran.stderr.lines().rfind(|line| line.contains("ERROR")).unwrap();
        assert!(
            ran.stderr.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()),
            "{last}"
        );
    }
}

/// A pipe in the landing directory is waited for by convert, so that it is known to be at work.
#[cfg(unix)]
#[test]
fn an_interrupted_convert_is_an_interrupted_run() {
    for format in ["text", "json"] {
        let stage = Stage::new(Options::default());
        fs::create_dir_all(stage.path("land/C0A0/siem-v1")).unwrap();
        let pipe = stage.path("land/C0A0/siem-v1/a_pipe.siem");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let mut run = stage.start(&format!("{FETCH} --source first --convert lake --log-format {format}"));
        let mut pipe = fs::OpenOptions::new().write(true).open(&pipe).unwrap();
        let id = run.id().to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        // More and more to read, until it is looked whether to stop.
        while pipe.write_all(&[b'\n'; 4096]).is_ok() {}
        assert_eq!(run.wait().unwrap().code(), Some(130), "{format}");
    }
}

#[cfg(unix)]
#[test]
fn a_configuration_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let stage = Stage::new(Options::default());
    fs::set_permissions(stage.path("mimelake.toml"), fs::Permissions::from_mode(0o644)).unwrap();
    stage.run(FETCH).exits(2).says("chmod 600 'mimelake.toml'");
}

#[test]
fn audit_events_land_and_convert() {
    let newest = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(1);
    let audit = mimelake_mock::AuditEvent::made_up(300, newest, jiff::SignedDuration::from_mins(7));
    let stage = Stage::new(Options { audit, ..Options::default() });
    let ran = stage.run("audit --config mimelake.toml --source first --categories").exits(0);
    assert!(ran.stdout.lines().any(|line| line == "mimecast_access_logs"), "{}", ran.stdout);
    stage.run("audit --config mimelake.toml --land land --source first").exits(0);
    assert!(!stage.landed("audit").is_empty());
    stage.run("convert land -o lake -q").exits(0);
    assert!(stage.path("lake/audit").is_dir());
    stage.run("audit --config mimelake.toml").exits(2);
}

#[test]
fn logs_in_and_fetches_with_the_new_pair() {
    let stage = Stage::new(Options::default());
    stage.mock.expire_bindings();
    let text: String = stage
        .mock
        .config()
        .lines()
        .filter(|line| !line.starts_with("access_key") && !line.starts_with("secret_key"))
        .map(|line| match line {
            "[source.first]" => {
                "[source.first]\naccess_key = { file = \"access\" }\nsecret_key = { file = \"secret\" }\n"
                    .to_owned()
            }
            line => format!("{line}\n"),
        })
        .collect();
    stage.write_private("mimelake.toml", &text);
    let login = format!(
        "login --config mimelake.toml --user {} --discovery {}",
        credentials::EMAIL,
        stage.mock.base_url()
    );
    let run = |arguments: &str, password: &str| {
        let mut child = stage
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        writeln!(child.stdin.take().unwrap(), "{password}").unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(!said.contains(password), "{said}");
        (output.status.code(), said)
    };
    for place in ["-o missing/pair.toml", "-o ."] {
        let (code, said) = run(&format!("{login} {place}"), credentials::CLOUD_PASSWORD);
        assert_eq!(code, Some(2), "{said}");
        assert!(stage.mock.requests().is_empty(), "no pair is made that cannot be kept: {said}");
    }
    assert_eq!(run(&login, "wrong password").0, Some(2));
    assert!(!stage.path("access").exists());
    let (code, said) = run(&login, credentials::CLOUD_PASSWORD);
    assert_eq!(code, Some(0), "{said}");
    for file in ["access", "secret"] {
        let key = fs::read_to_string(stage.path(file)).unwrap();
        assert!(!said.contains(key.trim()));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(stage.path(file)).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
    stage.run(&format!("{FETCH} --source first")).exits(0);
    stage.is_complete("siem-v1", ZIPS);
    let (code, _) = run(&format!("{login} --domain -o pair.toml"), credentials::DOMAIN_PASSWORD);
    assert_eq!(code, Some(0));
    assert!(fs::read_to_string(stage.path("pair.toml")).unwrap().contains("secret_key = \""));
}

#[test]
fn a_second_run_is_refused_while_one_holds_the_folder() {
    let stall = Rule::new(Endpoint::Siem1, Fault::Stall { at: mimelake_mock::At::Start });
    let stage = Stage::new(Options { script: vec![stall].into(), ..Options::default() });
    let mut first = stage.start(&format!("{FETCH} --source first"));
    while stage.mock.requests().is_empty() {
        std::thread::yield_now();
    }
    stage.run(&format!("{FETCH} --source first")).exits(3).says(&format!("pid {}", first.id()));
    first.kill().unwrap();
    first.wait().unwrap();
    stage.run(&format!("{FETCH} --source first")).exits(0);
    stage.is_complete("siem-v1", ZIPS);
}

/// A proxy hears where to, and nothing of what is sent there.
#[test]
fn goes_through_the_proxy_that_the_environment_names() {
    let stage = Stage::new(Options::default());
    let text = stage.mock.config().replace(stage.mock.base_url(), "https://eu-api.mimecast.com");
    stage.write_private("mimelake.toml", &text);
    let proxy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", proxy.local_addr().unwrap());
    let mut run = stage
        .command(&format!("{FETCH} --source first"))
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .env("HTTPS_PROXY", address)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (connection, _) = proxy.accept().unwrap();
    let mut head = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(connection), &mut head).unwrap();
    assert!(head.starts_with("CONNECT eu-api.mimecast.com:443 HTTP/1.1"), "{head}");
    run.kill().unwrap();
    run.wait().unwrap();
}
