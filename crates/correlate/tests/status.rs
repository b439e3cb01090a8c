//! The decision table of statuses: a case for each row, and for what lies beside it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::convert::Infallible;

use bumpalo::Bump;
use mimelake_correlate::record::{self, Record};
use mimelake_correlate::stage::Picker;
use mimelake_correlate::status::{Status, status};
use mimelake_parse::{Event, Format, Reader, Reject, Sink, Value};
use mimelake_schema::Field;

/// The records of some lines, as bytes.
#[derive(Default)]
struct Records(Vec<String>);

impl Sink for Records {
    type Error = Infallible;

    fn event(&mut self, event: &Event<'_>, _: &Bump) -> Result<(), Infallible> {
        let pickers = Picker::all();
        let picker = pickers[event.event_type as usize].as_ref().unwrap();
        let mut members = picker.members(event);
        if let (Some(place), [recipient, ..]) =
            (picker.stage().place(Field::Recipient), picker.recipients(event))
        {
            members[place] = Value::Text(recipient);
        }
        let mut text = String::new();
        record::write(picker.stage(), &members, false, &mut text);
        self.0.push(text);
        Ok(())
    }

    fn reject(&mut self, _: &Reject<'_>) -> Result<(), Infallible> {
        Ok(())
    }
}

const RECEIPT: &str = "Act=Acc|SpamScore=1|Rcpt=a@b.example";
const OTHER_RECEIPT: &str = "Act=Acc|SpamScore=1|Rcpt=c@d.example";
const REFUSED: &str = "Act=Rej|SpamScore=1|RejType=x|Rcpt=c@d.example";
const PROCESS: &str = "Act=Acc|MsgSize=1";
const DELIVERED: &str = "Delivered=true|Rcpt=A@b.example";
const FAILED: &str = "Delivered=false|Err=busy|Rcpt=a@b.example";
const OTHER_FAILED: &str = "Delivered=false|Err=busy|Rcpt=c@d.example";
const BOUNCED: &str = "Delivered=false|RejCode=550|Rcpt=a@b.example";
const OTHER_BOUNCED: &str = "Delivered=false|RejCode=550|Rcpt=c@d.example";

/// What is tested, what the records say, one a minute, the status, and whether it is complete.
type Case = (&'static str, &'static [&'static str], Status, bool);

const CASES: &[Case] = &[
    (
        "1 failed for another",
        &[RECEIPT, OTHER_RECEIPT, PROCESS, DELIVERED, OTHER_FAILED],
        Status::PartiallyDelivered,
        false,
    ),
    (
        "1 bounced for another",
        &[RECEIPT, OTHER_RECEIPT, PROCESS, DELIVERED, OTHER_BOUNCED],
        Status::PartiallyDelivered,
        true,
    ),
    ("1 refused for another", &[RECEIPT, REFUSED, PROCESS, DELIVERED], Status::PartiallyDelivered, true),
    (
        "1 not tried for another",
        &[RECEIPT, OTHER_RECEIPT, PROCESS, DELIVERED],
        Status::PartiallyDelivered,
        false,
    ),
    ("2", &[RECEIPT, PROCESS, DELIVERED], Status::Delivered, true),
    ("2 after failures", &[RECEIPT, PROCESS, FAILED, BOUNCED, DELIVERED], Status::Delivered, true),
    ("2 before a failure that comes late", &[RECEIPT, PROCESS, DELIVERED, FAILED], Status::Delivered, true),
    ("2 released", &[RECEIPT, "Act=Hld|Hld=Spm|MsgSize=1", DELIVERED], Status::Delivered, true),
    ("2 without a receipt", &[DELIVERED], Status::Delivered, false),
    (
        "2 a group that was expanded",
        &[RECEIPT, PROCESS, "Delivered=true|Rcpt=x@b.example"],
        Status::Delivered,
        true,
    ),
    (
        "2 refused first",
        &["Act=Rej|RejType=x|SpamScore=1|Rcpt=a@b.example", RECEIPT, PROCESS, DELIVERED],
        Status::Delivered,
        true,
    ),
    ("3", &[RECEIPT, PROCESS, FAILED], Status::Deferred, false),
    (
        "3 a code that may pass",
        &[RECEIPT, PROCESS, "Delivered=false|RejCode=451|Rcpt=a@b.example"],
        Status::Deferred,
        false,
    ),
    (
        "3 an error that may pass",
        &[PROCESS, "Delivered=false|Err=450 try again|Rcpt=a@b.example"],
        Status::Deferred,
        false,
    ),
    ("3 bounced for another", &[RECEIPT, PROCESS, FAILED, OTHER_BOUNCED], Status::Deferred, false),
    ("4", &[RECEIPT, PROCESS, BOUNCED], Status::Bounced, true),
    ("4 at last", &[RECEIPT, PROCESS, FAILED, FAILED, BOUNCED], Status::Bounced, true),
    (
        "4 by the error",
        &[RECEIPT, PROCESS, "Delivered=false|Err=550 no|Rcpt=a@b.example"],
        Status::Bounced,
        true,
    ),
    (
        "4 in words",
        &[RECEIPT, PROCESS, "Delivered=false|Err=Message Bounced|Rcpt=a@b.example"],
        Status::Bounced,
        true,
    ),
    (
        "4 an enhanced code",
        &[RECEIPT, PROCESS, "Delivered=false|RejCode=5.1.1|Err=no|Rcpt=a@b.example"],
        Status::Bounced,
        true,
    ),
    (
        "3 a number that is no code",
        &[PROCESS, "Delivered=false|Err=5000 ms passed|Rcpt=a@b.example"],
        Status::Deferred,
        false,
    ),
    ("5", &[RECEIPT, "Act=Hld|MsgSize=1"], Status::Held, true),
    ("5 by its reason", &[RECEIPT, "Hld=Spm|MsgSize=1"], Status::Held, true),
    ("5 without a receipt", &["Act=Hld|MsgSize=1"], Status::Held, false),
    ("5 a reason, but let through", &[RECEIPT, "Act=Acc|Hld=Spm|MsgSize=1"], Status::InProgress, false),
    ("6 dropped", &[RECEIPT, "Act=Dropped|MsgSize=1"], Status::Dropped, true),
    ("6 bounced", &[RECEIPT, "Act=Bnc|MsgSize=1"], Status::Bounced, true),
    ("6 rejected", &[RECEIPT, "Act=Rej|MsgSize=1"], Status::Rejected, true),
    ("6 the last counts", &[RECEIPT, "Act=Hld|MsgSize=1", "Act=Drop|MsgSize=1"], Status::Dropped, true),
    ("7", &[REFUSED, REFUSED], Status::Rejected, true),
    ("7 by its type", &["RejType=x|SpamScore=1|Rcpt=a@b.example"], Status::Rejected, true),
    ("7 accepted for another", &[REFUSED, RECEIPT], Status::InProgress, false),
    ("8 held", &["Act=Hld|SpamScore=1|Rcpt=a@b.example"], Status::Held, true),
    ("8 dropped", &["Act=Drop|SpamScore=1|Rcpt=a@b.example"], Status::Dropped, true),
    ("8 bounced", &["Act=Bnc|SpamScore=1|Rcpt=a@b.example"], Status::Bounced, true),
    ("9 received", &[RECEIPT], Status::InProgress, false),
    ("9 processed", &[RECEIPT, PROCESS], Status::InProgress, false),
    (
        "9 an attempt that says nothing",
        &[RECEIPT, PROCESS, "Attempt=1|Rcpt=a@b.example"],
        Status::InProgress,
        false,
    ),
    ("9 found something only", &["url=http://a.example|reason=x"], Status::InProgress, false),
];

#[test]
fn each_row_of_the_table() {
    for (name, says, wanted, complete) in CASES {
        let line = |(minute, says): (usize, &&str)| {
            format!("datetime=2026-03-02T09:{minute:02}:00+0000|aCode=x|acc=C0A0|{says}\n")
        };
        let text: String = says.iter().enumerate().map(line).collect();
        let mut records = Records::default();
        let Ok(_) = Reader::new(Format::KeyValue, "case").read(text.as_bytes(), 0, true, &mut records);
        assert_eq!(records.0.len(), says.len(), "{name}: not every line is a record");
        records.0.sort();
        let bump = Bump::new();
        let records: Vec<_> = records.0.iter().map(|text| Record::read(text, &bump)).collect();
        let verdict = status(&records);
        assert_eq!((verdict.status, verdict.complete), (*wanted, *complete), "{name}");
    }
    for status in Status::ALL {
        assert!(CASES.iter().any(|case| case.2 == status), "{} has no case", status.name());
    }
}
