//! `mimelake correlate`: one record for each email.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Stdio;

use mimelake_correlate::key::{bare_acode, bare_message_id};
use serde_json::Value;

use crate::archive::{place, testdata};
use crate::lake::{Row, documents, files, rows, snapshot, table};
use crate::runs::Place;
use crate::sample::{delivery, receipts};

/// The rows of the messages in `out`.
fn messages(place: &Place) -> Vec<Row> {
    rows(&place.path("out")).into_iter().filter(|row| row.table == "messages").collect()
}

/// Correlates the archive in one run; the exit status is 1, as it has rejects.
fn whole(arguments: &str) -> (Place, Vec<Row>) {
    let place = place();
    place.run(&format!("correlate archive -o out -q {arguments}")).exits(1);
    let rows = messages(&place);
    (place, rows)
}

/// What `archive.json` says of each email.
fn told() -> Vec<Value> {
    let text = fs::read(testdata().join("archive.json")).unwrap();
    let all: Value = serde_json::from_slice(&text).unwrap();
    all["messages"].as_array().unwrap().clone()
}

#[test]
fn every_email_of_the_archive_has_the_status_that_was_meant() {
    let (_, rows) = whole("");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut found: BTreeMap<(String, String), &Row> = BTreeMap::new();
    for row in &rows {
        let key = (row.get("acode").to_owned(), bare_message_id(row.get("message_id")).to_owned());
        assert!(found.insert(key, row).is_none(), "two rows of one email: {row:?}");
    }
    for told in told() {
        let id = text(&told["message_id"]);
        let key = (bare_acode(&text(&told["acode"])).to_owned(), bare_message_id(&id).to_owned());
        let row = found.remove(&key).unwrap_or_else(|| panic!("no row for {told}"));
        assert_eq!(row.get("status"), text(&told["status"]), "{told}");
        assert_eq!(row.get("subject"), text(&told["subject"]), "{told}");
    }
    assert_eq!(found.len(), 0, "{found:?}");
}

#[test]
fn the_facts_of_single_emails() {
    let (_, rows) = whole("");
    let row = |acode: &str| rows.iter().find(|row| row.get("acode") == acode).unwrap();
    let cases = [
        // Three failed attempts, delivered after twelve hours.
        ("kFX38vfeE_aBkKgGZ6obzA", "attempts", "4"),
        ("kFX38vfeE_aBkKgGZ6obzA", "stages", "[receipt, process, delivery]"),
        ("kFX38vfeE_aBkKgGZ6obzA", "complete", "true"),
        // Two failed attempts.
        ("vSn0_cLlkTDgw6MCDFIjKw", "attempts", "2"),
        ("vSn0_cLlkTDgw6MCDFIjKw", "complete", "false"),
        // Told twice, and a third time half a second later.
        ("n97bxRqOImbxg5wuRyFFuQ", "flags", "[near_twin]"),
        // A digest for three people.
        ("HyJUanDpckKgGAP6-6DtKg", "flags", "[shared_acode]"),
        ("VzWppqY3Gw-A7v-PDG0MIQ", "hold_reason", "Attachment Hold - Executable"),
        ("8wfZtt45ME00O9nGoc4aIg", "virus", "Win.Trojan.Example-1"),
        ("TeL9VTXz0LWIVpwyg8DnSQ", "rejection_code", "550"),
    ];
    for (acode, column, wanted) in cases {
        assert_eq!(row(acode).get(column), wanted, "{acode} {column}");
    }
    // A click has no aCode in key-value lines; it is joined by the message id.
    let clicked = row("lmoaEES9ce7PMWVVdZjloA").get("detections");
    assert_eq!(clicked.matches("url_protect").count(), 2, "{clicked}");
    assert_eq!(clicked.matches("joined_by: message_id").count(), 2, "{clicked}");
}

#[test]
fn threads_memory_and_converted_logs_change_nothing() {
    let (_, expected) = whole("--threads 1");
    assert!(whole("--threads 4").1 == expected);
    assert!(whole("--memory 100KB").1 == expected);
    let place = place();
    place.run("convert archive -o lake -q").exits(1);
    place.run("correlate lake -o out -q").exits(0);
    assert!(messages(&place) == expected);
    // The same emails again, now as logs.
    place.run("correlate archive -o out -q").exits(1);
    assert!(messages(&place) == expected);
}

#[test]
fn messages_can_lie_beside_the_tables_they_are_joined_of() {
    let (_, expected) = whole("");
    let place = place();
    place.run("convert archive -o out -q").exits(1);
    place.run("correlate out -o out -q").exits(0);
    assert!(messages(&place) == expected);
    let before = snapshot(&place.path("out"));
    place.run("correlate out -o out -q").exits(0);
    place.run("convert archive -o out -q").exits(0);
    assert!(snapshot(&place.path("out")) == before);
}

#[test]
fn a_growing_archive_gives_the_same_as_a_whole_one() {
    let (_, expected) = whole("");
    let all: Vec<_> = files(&testdata().join("archive"));
    for (turn, step) in [(0, 3), (5, 7), (11, 1), (17, 10)] {
        let place = Place::new();
        let mut order = all.clone();
        order.rotate_left(turn);
        if turn % 2 == 1 {
            order.reverse();
        }
        for (number, file) in order.iter().enumerate() {
            let name = file.strip_prefix(testdata()).unwrap();
            place.write(name.to_str().unwrap(), fs::read(file).unwrap());
            if number % step == 0 || number + 1 == order.len() {
                place.run("correlate archive -o out -q");
                unique(&place);
            }
        }
        let found = messages(&place);
        assert!(
            found == expected,
            "turn {turn}, step {step}: {} rows, expected {}",
            found.len(),
            expected.len()
        );
    }
}

/// Fails if an email has two rows.
#[track_caller]
fn unique(place: &Place) {
    let mut seen = BTreeSet::new();
    for row in table(&place.path("out"), "messages") {
        let key = (row.get("acode").cloned(), row.get("message_id").cloned());
        assert!(seen.insert(key.clone()), "{key:?} has two rows");
    }
}

/// A receipt's and a delivery's line of each email, and the deliveries alone.
fn logs(numbers: std::ops::Range<usize>) -> (String, String) {
    (receipts(numbers.clone()), numbers.map(delivery).collect())
}

#[test]
fn only_files_of_touched_days_are_written() {
    let place = place();
    place.run("correlate archive -o out -q").exits(1);
    let first = |date: &str| {
        let table = place.path(format!("out/messages/event_date={date}"));
        let all = files(&table);
        all.iter().map(|path| path.metadata().unwrap().modified().unwrap()).collect::<Vec<_>>()
    };
    let (older, newer) = (first("2026-03-02"), first("2026-03-03"));
    // One more attempt for an email of the third of March.
    let late = r#"{"processingId":"x","aggregateId":"ASS-XuVAC5ZhJAUn21YDng_1","accountId":"C0A0","timestamp":1772700000000,"type":"delivery","messageId":"<4342fbcd763c6332.897490@supplier.example.net>","delivered":"true","recipients":"ops@branch.example.com","deliveryAttempts":"4"}"#;
    place.write("archive/late.json", format!("{}\n", late.replace("_1\"", "_1772700000\"")));
    let ran = place.run("correlate archive -o out --report report.json --no-progress").exits(0);
    let report = place.report(&ran);
    assert_eq!(report["messages"]["total"], 76, "{report}");
    assert_eq!(report["tables"]["messages"]["parts"], 1, "{report}");
    assert_eq!(first("2026-03-02"), older, "a day that nothing new belongs to was written");
    assert_ne!(first("2026-03-03"), newer);
    let rows = messages(&place);
    let row = rows.iter().find(|row| row.get("acode") == "ASS-XuVAC5ZhJAUn21YDng").unwrap();
    assert_eq!(row.get("attempts"), "4");
}

#[test]
fn an_email_moves_to_the_day_of_its_first_record() {
    let place = Place::new();
    let line = |day: u8, rest: &str| {
        format!(
            "datetime=2026-03-0{day}T10:00:00+0000|aCode=n97bxRqOImbxg5wuRyFFuQ|acc=C0A0|MsgId=<a@b>|{rest}\n"
        )
    };
    place.write("in/delivery_1.log", line(4, "Delivered=true|Rcpt=a@b.example|Attempt=1"));
    place.run("correlate in -o out -q").exits(0);
    let found = messages(&place);
    assert_eq!((found.len(), &*found[0].date, found[0].get("flags")), (1, "2026-03-04", "[orphan]"));
    place.write("in/receipt_1.log", line(2, "Act=Acc|Rcpt=a@b.example|SpamScore=1"));
    place.write("in/process_1.log", line(3, "Act=Acc|MsgSize=1|AttNames="));
    place.run("correlate in -o out -q").exits(0);
    let found = messages(&place);
    assert_eq!((found.len(), &*found[0].date, found[0].get("flags")), (1, "2026-03-02", "[]"));
    assert_eq!(found[0].get("end_to_end_ms"), "172800000");
    assert_eq!(files(&place.path("out/messages/event_date=2026-03-04")).len(), 0);
}

#[test]
fn ndjson_and_ecs_say_the_same_and_grow_alike() {
    let (_, expected) = whole("");
    for (arguments, native) in
        [("--to ndjson --schema native", true), ("--to ndjson", false), ("--schema ecs", false)]
    {
        let (one_run, found) = whole(arguments);
        assert_eq!(found.len(), expected.len(), "{arguments}");
        if native {
            let names = |rows: &[Row]| {
                rows.iter()
                    .map(|r| (r.get("acode").to_owned(), r.get("status").to_owned()))
                    .collect::<BTreeSet<_>>()
            };
            assert_eq!(names(&found), names(&expected));
        }
        if arguments == "--to ndjson" {
            for path in files(&one_run.path("out/messages")) {
                for document in documents(&path) {
                    mimelake_columns::ecs::validate(&document.to_string()).unwrap();
                    assert_eq!(
                        (&document["event"]["kind"], &document["event"]["category"][0]),
                        (&"event".into(), &"email".into())
                    );
                }
            }
        }
        let grown = place();
        grown.run(&format!("correlate archive/C0A0/siem-v1 -o out -q {arguments}"));
        grown.run(&format!("correlate archive/C0A0/siem-v2 archive/C0A0/audit -o out -q {arguments}"));
        assert!(messages(&grown) == found, "{arguments}");
    }
}

#[test]
fn the_report_counts_messages() {
    let place = place();
    let ran = place.run("correlate archive -o out -q --report report.json").exits(1);
    let report = place.report(&ran);
    let messages = &report["messages"];
    let by_status: u64 =
        messages["by_status"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
    assert_eq!(messages["total"].as_u64(), Some(by_status), "{messages}");
    assert_eq!((&messages["by_status"]["held"], &messages["by_status"]["rejected"]), (&6.into(), &5.into()));
    assert_eq!((&messages["duplicates"], &messages["orphans"]), (&2.into(), &8.into()), "{messages}");
    // Nothing new: the table is as it was, and nothing is read.
    let ran = place.run("correlate archive -o out -q --report report.json").exits(0);
    let again = place.report(&ran);
    assert_eq!(again["messages"]["by_status"], messages["by_status"]);
    assert_eq!((&again["files"]["read"], &again["records"]), (&0.into(), &0.into()));
}

#[test]
fn what_cannot_be_done_is_said() {
    let place = place();
    place.run("correlate archive -o -").exits(2).says("name a directory");
    place.run("correlate archive -o out -q").exits(1);
    place.run("correlate archive -o out -q --to ndjson").exits(2).says("another kind of output");
    place.write("lake/receipt/event_date=2026-03-02/part-1.parquet", "PAR1");
    place.run("correlate lake -o other -q").exits(1).says("as Parquet");
    place.run("convert archive/C0A0/siem-v1 -o ecs -q --to parquet --schema ecs").exits(1);
    place.run("correlate ecs -o other -q").exits(2).says("name the raw logs");
    place.run("convert archive/C0A0/siem-v1 -o documents -q --to ndjson").exits(1);
    place.run("correlate documents -o other -q").exits(2).says("name the raw logs");
}

/// Bytes in an output directory, whatever becomes of its files meanwhile.
fn written(out: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(out) else { return 0 };
    let bytes = |path: &Path| match path.metadata() {
        Ok(data) if data.is_dir() => written(path),
        data => data.map_or(0, |data| data.len()),
    };
    entries.filter_map(Result::ok).map(|entry| bytes(&entry.path())).sum()
}

#[test]
fn a_killed_run_leaves_what_was_there_and_is_completed_by_the_next() {
    let kills = 8;
    let (head, tail) = (logs(0..1500), logs(1000..2250));
    let begun = || {
        let place = Place::new();
        place.write("in/receipt_1.log", &head.0);
        place.run("correlate in -o out -q").exits(0);
        place.write("in/delivery_1.log", &head.1);
        place.write("in/receipt_2.log", &tail.0);
        place.write("in/delivery_2.log", &tail.1);
        place
    };
    let place = begun();
    let before = messages(&place);
    let bytes = written(&place.path("out"));
    place.run("correlate in -o out -q").exits(0);
    let after = messages(&place);
    assert_eq!((before.len(), after.len()), (1500, 2250));
    let grown = written(&place.path("out")).saturating_sub(bytes).max(1);
    let mut killed = 0;
    for kill in 0..kills {
        let place = begun();
        let arguments = "correlate in -o out -q --memory 1MiB --threads 2";
        let mut run =
            place.command(arguments.split(' ')).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let until = bytes + grown * kill / kills;
        while written(&place.path("out")) < until && run.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        run.kill().unwrap();
        killed += u32::from(!run.wait().unwrap().success());
        unique(&place);
        place.run(arguments).exits(0);
        assert!(messages(&place) == after, "kill {kill}");
        assert_eq!(files(&place.path("out/_mimelake/tmp")).len(), 0);
    }
    assert!(killed > 0, "every run ended before it was killed");
}

/// A line of an email's log, on a day of March 2026.
fn line(day: u8, acode: &str, id: &str, rest: &str) -> String {
    format!("datetime=2026-03-0{day}T10:00:00+0000|aCode={acode}|acc=C0A0|MsgId={id}|{rest}\n")
}

const A: &str = "n97bxRqOImbxg5wuRyFFuQ";
const B: &str = "-x3QjKyRgBA0-qVsF0VCiQ";
const RECEIPT: &str = "Act=Acc|Rcpt=a@b.example|SpamScore=1";

#[test]
fn keys_that_are_lost_are_made_anew() {
    for lost in ["out/_mimelake/messages", "out/_mimelake"] {
        let place = Place::new();
        place.write("in/receipt_1.log", line(2, A, "<a@b>", RECEIPT));
        place.run("correlate in -o out -q").exits(0);
        fs::remove_dir_all(place.path(lost)).unwrap();
        place.write("in/receipt_2.log", line(2, B, "<c@d>", RECEIPT));
        place.write("in/delivery_1.log", line(2, A, "<a@b>", "Delivered=true|Attempt=1|Rcpt=a@b.example"));
        place.run("correlate in -o out -q").exits(0);
        let found = messages(&place);
        let status = |acode: &str| found.iter().find(|row| row.get("acode") == acode).unwrap().get("status");
        assert_eq!((found.len(), status(A), status(B)), (2, "delivered", "in_progress"), "without {lost}");
    }
}

#[test]
fn of_emails_that_are_quiet_for_a_window_no_keys_are_kept() {
    let place = Place::new();
    let kept = |day: u8| {
        let path = place.path(format!("out/_mimelake/messages/event_date=2026-03-0{day}/part-00-of-01.keys"));
        let bytes = fs::read(path).unwrap();
        bytes.len() - 1 - bytes.iter().position(|byte| *byte == b'\n').unwrap()
    };
    place.write("in/receipt_1.log", line(2, A, "<a@b>", RECEIPT) + &line(6, B, "<c@d>", RECEIPT));
    place.run("correlate in -o out -q --window 3d").exits(0);
    assert_eq!((kept(2), kept(6)), (0, 16));
    // What comes later finds its email in the table.
    let delivery = "Delivered=true|Attempt=1|Rcpt=a@b.example";
    place.write("in/delivery_1.log", line(7, A, "<a@b>", delivery));
    place.run("correlate in -o out -q --window 3d").exits(0);
    let found = messages(&place);
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].get("acode"), found[0].get("status")), (A, "delivered"));
    assert_eq!((kept(2), kept(6)), (16, 16), "an email that is heard of again is not quiet");
    // A day more of quiet is not enough for a window of a day and a half; what is of the future does not count.
    let future = line(9, "lmoaEES9ce7PMWVVdZjloA", "<g@h>", RECEIPT).replace("2026-03", "2999-03");
    place.write("in/receipt_2.log", line(8, "8wfZtt45ME00O9nGoc4aIg", "<e@f>", RECEIPT) + &future);
    place.run("correlate in -o out -q --window 36h").exits(0);
    assert_eq!((kept(2), kept(6), kept(8)), (16, 0, 16));
}

#[test]
fn a_file_of_the_table_that_was_put_back_is_looked_through_anew() {
    let place = Place::new();
    let delivery = "Delivered=true|Attempt=1|Rcpt=a@b.example";
    place.write("in/receipt_1.log", line(2, A, "<a@b>", RECEIPT));
    place.run("correlate in -o out -q").exits(0);
    let (path, before, _) = snapshot(&place.path("out/messages")).remove(0);
    place.write("in/receipt_2.log", line(2, B, "<c@d>", RECEIPT).replace("T10", "T09"));
    place.run("correlate in -o out -q").exits(0);
    fs::write(path, before).unwrap();
    // The row of A is the first now, where the keys of B's were.
    place.write("in/delivery_1.log", line(2, A, "<a@b>", delivery));
    place.run("correlate in -o out -q").exits(0);
    let found = messages(&place);
    assert_eq!(found.iter().map(|row| row.get("status")).collect::<Vec<_>>(), ["delivered"]);
}

#[test]
fn a_long_chain_of_emails_is_joined_like_all_at_once() {
    // Each aCode has two message ids, and each of these another aCode, over many days.
    let acode = |n: usize| format!("{n:02}{}", &A[2..]);
    let link = |n: usize| {
        let day = (n * 5 % 9 + 1) as u8;
        line(day, &acode(n), &format!("<{n}@b>"), RECEIPT)
            + &line(day, &acode(n), &format!("<{}@b>", n + 1), RECEIPT)
    };
    let links: String = (0..40).map(link).collect();
    // An id that goes on: what was an email of its own belongs to the first link now.
    let late = line(1, &acode(0), "<0@b>", "Delivered=true|Attempt=1|Rcpt=a@b.example")
        + &line(3, &acode(39), "", "Act=Acc|MsgSize=9|AttNames=");
    let (whole, grown) = (Place::new(), Place::new());
    whole.write("in/a.log", links.clone() + &late);
    grown.write("in/a.log", links);
    grown.run("correlate in -o out -q").exits(0);
    grown.write("in/b.log", late);
    for place in [&whole, &grown] {
        place.run("correlate in -o out -q").exits(0);
    }
    assert_eq!(messages(&whole).len(), 81);
    assert!(messages(&grown) == messages(&whole));
}

#[test]
fn rows_of_a_file_stay_in_the_order_of_their_time() {
    let place = Place::new();
    let at = |hour: usize, minute: usize| {
        let acode = format!("{hour:02}{minute:02}{}", &A[4..]);
        line(2, &acode, &format!("<{hour}.{minute}@b>"), RECEIPT)
            .replace("T10:00", &format!("T{hour:02}:{minute:02}"))
    };
    for (run, minutes) in [(1, [30, 10]), (2, [20, 40]), (3, [5, 50])] {
        let lines: String = (0..24).flat_map(|hour| minutes.map(|minute| at(23 - hour, minute))).collect();
        place.write(&format!("in/receipt_{run}.log"), lines);
        place.run("correlate in -o out -q --to ndjson --schema native --memory 50KB").exits(0);
        let all =
            files(&place.path("out/messages")).iter().flat_map(|path| documents(path)).collect::<Vec<_>>();
        let times: Vec<_> = all.iter().map(|row| row["first_seen"].as_str().unwrap().to_owned()).collect();
        assert_eq!(times.len(), 48 * run);
        assert!(times.is_sorted(), "{times:?}");
    }
}

#[test]
fn days_that_are_removed_stay_removed() {
    let place = Place::new();
    place.write("in/receipt_1.log", line(2, A, "<a@b>", RECEIPT) + &line(3, B, "<c@d>", RECEIPT));
    place.run("correlate in -o out -q").exits(0);
    fs::remove_dir_all(place.path("out/messages/event_date=2026-03-02")).unwrap();
    place.write("in/delivery_1.log", line(2, A, "<a@b>", "Delivered=true|Attempt=1|Rcpt=a@b.example"));
    let ran = place.run("correlate in -o out --no-progress --report report.json").exits(0);
    assert_eq!(place.report(&ran)["messages"]["total"], 2);
    let found = messages(&place);
    assert_eq!(found.iter().map(|row| row.get("flags")).collect::<Vec<_>>(), ["[orphan]", "[]"]);
}

#[test]
fn a_file_that_says_the_same_is_not_written() {
    let place = Place::new();
    place.write("in/receipt_1.log", line(2, A, "<same@b>", RECEIPT));
    place.run("correlate in -o out -q").exits(0);
    let before = snapshot(&place.path("out/messages"));
    // Another email of the same message id, and the first file once more with a line behind it.
    place.write("in/receipt_2.log", line(5, B, "<same@b>", RECEIPT) + &line(2, A, "<same@b>", RECEIPT));
    place.run("correlate in -o out -q").exits(0);
    let after = snapshot(&place.path("out/messages"));
    assert_eq!((before.len(), after.len()), (1, 2));
    assert!(after.contains(&before[0]), "a file that nothing changes was written");
}

#[test]
fn large_records_stay_small_in_messages() {
    let place = Place::new();
    let people: Vec<String> = (0..70).map(|n| format!("p{n}@b.example")).collect();
    let error = "x".repeat(4 << 20);
    let rest = format!("Delivered=true|Attempt=1|Err={error}|Rcpt={}", people.join(";"));
    place.write("in/delivery_1.log", line(2, A, "<a@b>", &rest));
    let receipts: String =
        people.iter().map(|p| line(2, A, "<a@b>", &format!("Act=Acc|Rcpt={p}|SpamScore=1"))).collect();
    place.write("in/receipt_1.log", receipts + &line(2, A, "<a@b>", "Act=Acc|MsgSize=1|AttNames="));
    place.run("correlate in -o out -q").exits(0);
    let found = messages(&place);
    assert_eq!((found.len(), found[0].get("status"), found[0].get("complete")), (1, "delivered", "true"));
    assert_eq!(found[0].get("recipients").matches("@b.example").count(), 70);
    assert!(found[0].get("deliveries").len() < 3 << 20);
    // Such a message is read back, too.
    place.write("in/receipt_2.log", line(2, B, "<c@d>", RECEIPT));
    place.run("correlate in -o out -q").exits(0);
    assert_eq!(messages(&place).len(), 2);
}

#[test]
fn an_id_that_goes_on_is_another_one() {
    let place = Place::new();
    let refused = "Act=Rej|RejType=x|Rcpt=c@d.example|SpamScore=1";
    place.write("in/receipt_1.log", line(2, A, "<1@x.com>", RECEIPT) + &line(2, A, "<1@x.com.au>", refused));
    place.run("correlate in -o out -q").exits(0);
    let status: Vec<_> = messages(&place).iter().map(|row| row.get("status").to_owned()).collect();
    assert_eq!(status, ["in_progress", "rejected"]);
}
