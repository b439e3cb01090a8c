//! The join against an oracle: a plain fold without partitions, that looks at every record for every other.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::convert::Infallible;

use bumpalo::Bump;
use mimelake_correlate::budget::{Budget, SpillError};
use mimelake_correlate::email::{self, Email};
use mimelake_correlate::join::{Counts, Join, Scatter};
use mimelake_correlate::key::Key;
use mimelake_correlate::message::Message;
use mimelake_correlate::record::{self, Record};
use mimelake_correlate::stage::{Picker, Stage};
use mimelake_parse::{Event, Format, Reader, Reject, Sink, Value};
use mimelake_schema::Field;
use proptest::prelude::*;

/// Calls a closure with each event.
struct Each<F>(F);

impl<F: FnMut(&Event<'_>)> Sink for Each<F> {
    type Error = Infallible;

    fn event(&mut self, event: &Event<'_>, _: &Bump) -> Result<(), Infallible> {
        (self.0)(event);
        Ok(())
    }

    fn reject(&mut self, reject: &Reject<'_>) -> Result<(), Infallible> {
        assert!(reject.bytes.is_empty(), "{:?}", String::from_utf8_lossy(reject.bytes));
        Ok(())
    }
}

fn read(lines: &[String], each: impl FnMut(&Event<'_>)) {
    let text = lines.join("\n");
    let Ok(_) = Reader::new(Format::KeyValue, "lines").read(text.as_bytes(), 0, true, &mut Each(each));
}

/// What messages say, as text: a set, for their order is not part of it.
type Rows = BTreeSet<String>;

fn row(email: &Email<'_>) -> String {
    let bump = Bump::new();
    let message = Message::of(email, &bump);
    let named = message.event.event_type.columns().iter().zip(message.event.values);
    let said = named.filter(|(_, value)| !value.is_null());
    said.map(|(field, value)| format!("{}={value:?}", field.column())).collect::<Vec<_>>().join("\n")
}

/// The emails of the join, as text.
fn join(lines: &[Vec<String>], before: &[String], partitions: usize, budget: u64) -> (Vec<String>, Counts) {
    let directory = tempfile::tempdir().unwrap();
    let join = Join::new(&Budget::new(directory.path(), budget, 1), partitions);
    let mut counts = Counts::default();
    let mut taken = join.scatter();
    for text in before {
        let bump = Bump::new();
        taken.event(&Message::of(&Email::read(text), &bump).event).unwrap();
    }
    counts += taken.finish().unwrap();
    for lines in lines {
        let mut scatter: Scatter<'_> = join.scatter();
        read(lines, |event| scatter.event(event).unwrap());
        counts += scatter.finish().unwrap();
    }
    let mut emails = Vec::new();
    let mut keep = |email: &Email<'_>| {
        let mut text = String::new();
        email.write(&mut text);
        emails.push(text);
        Ok::<(), SpillError>(())
    };
    for partition in join.acode_partitions() {
        counts += join.fold(partition, &mut keep).unwrap();
    }
    for partition in join.id_partitions() {
        counts += join.attach(partition, &mut keep).unwrap();
    }
    (emails, counts)
}

fn rows(emails: &[String]) -> Rows {
    let rows: Rows = emails.iter().map(|text| row(&Email::read(text))).collect();
    assert_eq!(rows.len(), emails.len(), "two emails say the same");
    rows
}

/// A record as the oracle sees it.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    account: String,
    acode: Option<String>,
    id: Option<String>,
    text: String,
}

fn seen(lines: &[String]) -> (Vec<Seen>, u64) {
    let pickers = Picker::all();
    let (mut all, mut twice) = (Vec::new(), 0);
    read(lines, |event| {
        let (Some(picker), Some(key)) = (&pickers[event.event_type as usize], Key::of(event)) else { return };
        let recipients = picker.recipients(event);
        let each =
            if recipients.is_empty() { vec![None] } else { recipients.iter().copied().map(Some).collect() };
        for recipient in each {
            let mut members = picker.members(event);
            if let Some(place) = picker.stage().place(Field::Recipient) {
                members[place] = recipient.map_or(Value::Null, Value::Text);
            }
            let mut text = String::new();
            record::write(picker.stage(), &members, matches!(key, Key::MessageId(_)), &mut text);
            let record = Seen {
                account: event.get(Field::Account).text().unwrap_or_default().to_owned(),
                acode: if let Key::Acode(acode) = key { Some(acode.to_owned()) } else { None },
                id: record::message_id(&text).map(str::to_owned),
                text,
            };
            if all.contains(&record) { twice += 1 } else { all.push(record) }
        }
    });
    (all, twice)
}

/// The id that a cut one stands for, among those of its aCode.
fn whole(mut id: String, others: &[Seen]) -> String {
    loop {
        let closed = |o: &Seen| o.id.as_deref() == Some(&*id) && record::has_whole_id(&o.text);
        if others.iter().any(closed) {
            return id;
        }
        let longer =
            others.iter().filter_map(|o| o.id.clone()).filter(|o| o.starts_with(&id) && *o != id).min();
        match longer {
            Some(longer) => id = longer,
            None => return id,
        }
    }
}

/// What tells an email: account, aCode, message id.
type Name = (String, Option<String>, Option<String>);

fn oracle(lines: &[String]) -> (Rows, u64) {
    let (all, twice) = seen(lines);
    let mut emails: Vec<(Name, Vec<Seen>)> = Vec::new();
    for record in all.iter().filter(|record| record.acode.is_some()) {
        let same: Vec<Seen> =
            all.iter().filter(|o| o.account == record.account && o.acode == record.acode).cloned().collect();
        let ids: BTreeSet<String> = same.iter().filter_map(|o| Some(whole(o.id.clone()?, &same))).collect();
        let id = match &record.id {
            Some(id) => Some(whole(id.clone(), &same)),
            None if ids.len() == 1 => ids.first().cloned(),
            None => None,
        };
        let name = (record.account.clone(), record.acode.clone(), id);
        match emails.iter_mut().find(|(other, _)| *other == name) {
            Some((_, records)) => records.push(record.clone()),
            None => emails.push((name, vec![record.clone()])),
        }
    }
    let owners = emails.clone();
    for record in all.iter().filter(|record| record.acode.is_none()) {
        let place = owner(record, &owners);
        let name = (record.account.clone(), None, record.id.clone());
        let place = place.or_else(|| emails.iter().position(|(other, _)| *other == name));
        match place {
            Some(place) => emails[place].1.push(record.clone()),
            None => emails.push((name, vec![record.clone()])),
        }
    }
    let shared = |name: &Name| {
        emails.iter().filter(|(o, _)| o.1.is_some() && (&o.0, &o.1) == (&name.0, &name.1)).count() > 1
    };
    let rows = emails.iter().map(|(name, records)| {
        let mut records: Vec<&str> = records.iter().map(|record| &*record.text).collect();
        records.sort_unstable();
        row(&Email { account: &name.0, acode: name.1.as_deref(), shared: shared(name), records })
    });
    (rows.collect(), twice)
}

/// The email that a record joined by its message id goes to.
fn owner(record: &Seen, emails: &[(Name, Vec<Seen>)]) -> Option<usize> {
    let candidates: Vec<usize> = (0..emails.len())
        .filter(|at| emails[*at].0.0 == record.account && emails[*at].0.2 == record.id)
        .collect();
    let recipient = |text: &str| {
        let bump = Bump::new();
        let read = Record::read(text, &bump);
        read.text(Field::Recipient).map(str::to_lowercase)
    };
    let speaks_to = |at: &&usize| {
        let wanted = recipient(&record.text);
        wanted.is_some() && emails[**at].1.iter().any(|r| recipient(&r.text) == wanted)
    };
    let named: Vec<usize> = candidates.iter().filter(speaks_to).copied().collect();
    let mut candidates = if named.is_empty() { candidates } else { named };
    let first = |at: &usize| emails[*at].1.iter().filter_map(|r| record::time(&r.text)).min();
    let texts = |at: &usize| {
        let mut records: Vec<_> = emails[*at].1.iter().map(|r| r.text.clone()).collect();
        records.sort_unstable();
        records
    };
    candidates.sort_by_key(|at| (first(at), emails[*at].0.1.clone(), texts(at)));
    let before = candidates.iter().rev().find(|at| first(at) <= record::time(&record.text));
    before.or(candidates.first()).copied()
}

const ACODES: [&str; 5] = [
    "n97bxRqOImbxg5wuRyFFuQ",
    "n97bxRqOImbxg5wuRyFFuQ_1772528400",
    "-x3QjKyRgBA0-qVsF0VCiQ",
    "59a2b318-302a-4ee2-a4ce-c6e62fd2217e",
    "",
];
const IDS: [&str; 9] = [
    "<one@a.example>",
    "<one@a.exa",
    "<two@a.example>",
    "two@a.example",
    "<two@a",
    "",
    "<x@b>",
    "<x@b.c>",
    "<x@",
];
const PEOPLE: [&str; 5] =
    ["Ann@a.example", "ann@a.example", "bob@a.example", "", "ann@a.example;cy@b.example"];

/// A line of a log, from small pools so that lines meet.
fn line() -> impl Strategy<Value = String> {
    let index = |len: usize| 0..len;
    let keys =
        (index(ACODES.len()), index(IDS.len()), index(PEOPLE.len()), 0..6_u32, prop::bool::weighted(0.9));
    let stage = prop_oneof![
        prop::sample::select(vec![
            "Act=Acc|SpamScore=1",
            "Act=Rej|RejType=x|SpamScore=2",
            "SpamInfo=[]|Act=Hld"
        ]),
        prop::sample::select(vec![
            "Act=Acc|MsgSize=10",
            "Act=Hld|Hld=Spm|MsgSize=10",
            "Hld=x|MsgSize=9",
            "Act=Drop|AttNames=\"a\", \"b\""
        ]),
        prop::sample::select(vec![
            "Delivered=true|Attempt=1",
            "Delivered=false|Attempt=1|RejCode=550",
            "Delivered=false|Err=busy|Attempt=2",
            "Attempt=3"
        ]),
        prop::sample::select(vec![
            "url=http://a.example|reason=malicious",
            "CustomerIP=true|Virus=Eicar",
            "fileName=x|sha256=ab"
        ]),
    ];
    (keys, stage, 0..3_u32).prop_map(|((acode, id, person, second, acc), stage, subject)| {
        let acc = if acc { "C0A0" } else { "C0B0" };
        let subject = ["|Subject=\\Hi | there\\", "", "|Subject=\\\\"][subject as usize];
        let sender = ["a@x.example", "b@x.example"][second as usize % 2];
        format!(
            "datetime=2026-03-02T09:00:0{second}+0000|aCode={}|acc={acc}|MsgId={}|{stage}|Rcpt={}|Sender={sender}{subject}",
            ACODES[acode], IDS[id], PEOPLE[person]
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 80 } else { 3000 }))]

    #[test]
    fn the_join_is_what_the_oracle_says(
        lines in prop::collection::vec(line(), 0..24),
        shuffled in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
        partitions in 1..9_usize,
        budget in prop::sample::select(vec![0_u64, 600, 1 << 20]),
    ) {
        let (wanted, twice) = oracle(&lines);
        let (emails, counts) = join(std::slice::from_ref(&lines), &[], partitions, budget);
        prop_assert_eq!(&rows(&emails), &wanted);
        prop_assert_eq!(counts.duplicates, twice);

        // Another order, in two pieces.
        let mut other = lines.clone();
        other.rotate_left(if lines.is_empty() { 0 } else { shuffled.index(lines.len()) });
        other.reverse();
        let at = cut.index(lines.len() + 1);
        let (head, tail) = (other[..at].to_vec(), other[at..].to_vec());
        let (emails, _) = join(&[head.clone(), tail.clone()], &[], partitions, budget);
        prop_assert_eq!(&rows(&emails), &wanted);

        // What was joined, and then the rest; and all of it again.
        let (before, _) = join(&[head], &[], partitions, budget);
        let (emails, _) = join(&[tail], &before, partitions, budget);
        prop_assert_eq!(&rows(&emails), &wanted);
        let (again, _) = join(&[lines], &emails, partitions, budget);
        prop_assert_eq!(&rows(&again), &wanted);
    }

    #[test]
    fn an_email_is_read_as_it_was_written(lines in prop::collection::vec(line(), 1..6)) {
        let (all, _) = seen(&lines);
        let records: Vec<&str> = all.iter().map(|record| &*record.text).collect();
        let email = Email { account: "C0A0", acode: Some("x"), shared: true, records };
        let mut text = String::new();
        email.write(&mut text);
        prop_assert_eq!(Email::read(&text), email);
    }
}

#[test]
fn an_acode_with_a_hundred_thousand_deliveries_is_linear() {
    let lines: Vec<String> = (0..100_000)
        .map(|n| {
            let (minute, second) = (n / 60 % 60, n % 60);
            format!("datetime=2026-03-02T09:{minute:02}:{second:02}+0000|aCode=n97bxRqOImbxg5wuRyFFuQ|acc=C0A0|MsgId=<a@b>|Delivered=false|Attempt={n}|Rcpt=a{n}@b.example")
        })
        .collect();
    let (emails, _) = join(&[lines], &[], 4, 1 << 20);
    assert_eq!(emails.len(), 1);
    let bump = Bump::new();
    let email = Email::read(&emails[0]);
    assert_eq!(email.records.len(), 100_000);
    let message = Message::of(&email, &bump);
    assert_eq!(message.event.get(Field::Attempts), Value::Int(100_000));
    assert!(email.records.is_sorted());
    assert_eq!(record::stage(email.records[0]), Stage::Delivery);
    let mut one = String::new();
    email::write_one("C0A0", None, email.records[0], &mut one);
    assert_eq!(Email::read(&one).records, [email.records[0]]);
}
