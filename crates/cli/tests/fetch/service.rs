//! `--follow`: a service.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use mimelake_mock::Options;
use serde_json::Value;

use crate::stage::{Stage, ZIPS};

const FOLLOW: &str = "fetch --config mimelake.toml --land land --source first --follow --log-format json";

/// A running service and what it logs.
struct Service {
    child: Child,
    log: std::io::Lines<BufReader<std::process::ChildStderr>>,
}

impl Service {
    fn start(stage: &Stage, more: &str) -> Self {
        let mut command = stage.command(&format!("{FOLLOW} {more}"));
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, log }
    }

    /// The next log line that holds this text.
    fn until(&mut self, text: &str) -> Value {
        let line = self.log.by_ref().map(Result::unwrap).find(|line| line.contains(text)).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// Asks it to stop, and returns how it ended.
    fn stop(mut self) -> Option<i32> {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        for line in self.log {
            serde_json::from_str::<Value>(&line.unwrap()).unwrap();
        }
        self.child.wait().unwrap().code()
    }
}

#[test]
fn follows_until_it_is_asked_to_stop() {
    let stage = Stage::new(Options { out: Some(8), ..Options::default() });
    let mut service = Service::start(&stage, "--interval 1s --status-file status.json");
    service.until("landed so far");
    stage.mock.publish(40);
    let expected = stage.mock.expected(ZIPS).count() as u64;
    while service.until("landed so far")["files"] != expected {}
    assert_eq!(service.stop(), Some(0));
    stage.is_complete("siem-v1", ZIPS);
    let status: Value = serde_json::from_slice(&std::fs::read(stage.path("status.json")).unwrap()).unwrap();
    let stream = &status["sources"]["first"]["siem-v1"];
    assert_eq!(stream["files"], expected);
    assert!(
        stream["lag_seconds"].as_i64().unwrap() < 600 && stream["warnings"] == serde_json::json!([]),
        "{stream}"
    );
}

/// What convert has to say of a damaged file stands in the log, too.
#[test]
fn logs_nothing_but_json_while_it_converts() {
    let stage = Stage::new(Options::default());
    std::fs::create_dir_all(stage.path("land/C0A0")).unwrap();
    std::fs::write(stage.path("land/C0A0/a.siem.gz"), [0x1f, 0x8b, 8, 0, 1]).unwrap();
    let mut service = Service::start(&stage, "--interval 1d --convert lake");
    let line = service.until("a.siem.gz");
    assert_eq!(line["level"], "WARN", "{line}");
    service.until("landed so far");
    assert_eq!(service.stop(), Some(0));
}

#[test]
fn a_stop_ends_a_long_wait_at_once() {
    let stage = Stage::new(Options::default());
    let mut service = Service::start(&stage, "--interval 1d");
    service.until("landed so far");
    assert_eq!(service.stop(), Some(0));
}

#[test]
fn speaks_to_prometheus() {
    let stage = Stage::new(Options::default());
    let mut service = Service::start(&stage, "--interval 1d --metrics 127.0.0.1:0");
    let line = service.until("metrics at");
    let message = line["message"].as_str().unwrap();
    let address = message.trim_start_matches("metrics at http://").trim_end_matches("/metrics");
    service.until("landed so far");
    let mut connection = TcpStream::connect(address).unwrap();
    connection.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut page = String::new();
    connection.read_to_string(&mut page).unwrap();
    let files = stage.mock.expected(ZIPS).count();
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
    assert!(
        page.contains(&format!("mimelake_files_total{{source=\"first\",stream=\"siem-v1\"}} {files}\n")),
        "{page}"
    );
    assert_eq!(service.stop(), Some(0));
}

#[test]
fn a_service_without_hope_ends() {
    let stage = Stage::new(Options::default());
    stage.mock.expire_bindings();
    stage.run(&format!("{FOLLOW} --interval 1d")).exits(2).says("mimelake login");
}
