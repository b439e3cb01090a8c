//! Runs that are killed, and then completed.

use mimelake_mock::{Content, Generate, Options, Sequence};

use crate::stage::{Stage, ZIPS};

const FETCH: &str = "fetch --config mimelake.toml --land land -q";

fn stage(files: usize) -> Stage {
    let content = Content::generated(Generate { files, ..Generate::default() });
    let newest = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(1);
    let audit = mimelake_mock::AuditEvent::made_up(200, newest, jiff::SignedDuration::from_mins(20));
    let stage = Stage::new(Options { content, audit, page_size: 3, ..Options::default() });
    let audit = "[source.first.audit]\n";
    stage.write_private(
        "mimelake.toml",
        &stage.mock.config().replace(audit, &format!("{audit}start = \"4d\"\n")),
    );
    stage
}

/// Asserts that everything is there once, and nothing half.
fn is_complete(stage: &Stage) {
    stage.is_complete("siem-v1", ZIPS);
    stage.is_complete("siem-v2", Sequence::Batches);
    let mut ids = Vec::new();
    for bytes in stage.landed("audit").into_values() {
        let text = String::from_utf8(bytes).unwrap();
        ids.extend(text.lines().map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].as_str().unwrap().to_owned()
        }));
    }
    ids.sort_unstable();
    let wanted = ["mimecast_access_logs", "authentication_logs"];
    let events =
        stage.mock.audit_events().into_iter().filter(|event| wanted.contains(&event.category.as_str()));
    let mut expected: Vec<_> = events.map(|event| event.id).collect();
    expected.sort_unstable();
    assert_eq!(ids, expected);
    assert!(stage.landed("_quarantine").is_empty());
}

/// Kills runs, each after so many more requests and a moment, until one comes to its end.
fn kill_again_and_again(stage: &Stage, step: usize, moment: u32) -> u32 {
    let mut killed = 0;
    loop {
        let until = stage.mock.requests().len() + step;
        let mut run = stage.start(FETCH);
        while stage.mock.requests().len() < until && run.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        for _ in 0..moment {
            std::hint::spin_loop();
        }
        run.kill().unwrap();
        let status = run.wait().unwrap();
        if status.success() {
            return killed;
        }
        // A run that ends by itself was not killed, and has no other way to end.
        #[cfg(unix)]
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9), "{status}");
        killed += 1;
    }
}

/// Kills runs until so many were, and completes each stage before the next.
fn kill_so_many(kills: u32) {
    let mut killed = 0;
    for round in 0_u32.. {
        let stage = stage(24);
        // Steps that make headway, and moments all over what a request does.
        killed += kill_again_and_again(&stage, 7 + round as usize % 9, round.wrapping_mul(7919) % 400_000);
        is_complete(&stage);
        if killed >= kills {
            return;
        }
    }
}

#[test]
fn killed_runs_are_completed_by_the_next() {
    kill_so_many(12);
}

/// `cargo test -p mimelake --test fetch hundreds -- --ignored`
#[test]
#[ignore = "takes minutes"]
fn hundreds_of_kills_lose_nothing_and_land_nothing_twice() {
    kill_so_many(400);
}
