//! The records of an email to its one message event, and back.

use std::collections::HashMap;

use bumpalo::{Bump, collections::Vec as BumpVec};
use mimelake_parse::{Event, Flags, Value};
use mimelake_schema::{Dialect, EventType, Field, message::SHARED};
use xxhash_rust::xxh3::xxh3_64;

use crate::email::Email;
use crate::named::Named;
use crate::record::{self, Record};
use crate::stage::Stage;
use crate::status::{Status, Verdict, status};

/// Two records that differ by no more than this, in microseconds, and by the id of the event, are near twins.
const NEAR: i64 = 1_000_000;

/// What joining raised, as it stands in the column `flags`.
pub mod flag {
    /// Records that say the same within a second: most likely one event told twice.
    pub const NEAR_TWIN: &str = "near_twin";
    /// It was delivered, or that was tried, and no receipt is known.
    pub const ORPHAN: &str = "orphan";
    /// Other emails have the same aCode.
    pub const SHARED_ACODE: &str = "shared_acode";
}

/// A message and what the report counts of it.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// The message as an event of the table `messages`.
    pub event: Event<'a>,
    /// What became of it.
    pub verdict: Verdict,
    /// How many records are near twins of an earlier one.
    pub near_twins: u64,
    /// Whether it has deliveries and no receipt.
    pub is_orphan: bool,
}

/// The columns of a message.
const COLUMNS: &[Field] = EventType::Message.columns();

/// The place of each field among them; zero for others.
const PLACES: [u8; Field::ALL.len()] = {
    let mut places = [0; Field::ALL.len()];
    let mut at = 0;
    while at < COLUMNS.len() {
        places[COLUMNS[at] as usize] = at as u8;
        at += 1;
    }
    places
};

/// The values of the columns.
struct Row<'a>([Value<'a>; COLUMNS.len()]);

impl<'a> Row<'a> {
    /// Sets a column, where its value is made: one that a loop over the columns gets is written elsewhere first, and to copy
    /// it at once from there is to wait for it.
    #[inline]
    fn set(&mut self, column: Field, value: Value<'a>) {
        self.0[usize::from(PLACES[column as usize])] = value;
    }
}

/// What an email says once.
type Shared<'a> = [Option<&'a str>; SHARED.len()];

impl<'a> Message<'a> {
    /// The message of an email, whose records are in order and each there once.
    pub fn of(email: &Email<'a>, bump: &'a Bump) -> Self {
        let read = email.records.iter().map(|text| Record::read(text, bump));
        let records: &[Record<'a>] = bump.alloc_slice_fill_iter(read);
        let verdict = status(records);
        let refusal = refusal(records, verdict.status);
        let of_stage = |stage| {
            let from = records.partition_point(|record| record.stage < stage);
            let to = records.partition_point(|record| record.stage <= stage);
            &records[from..to]
        };
        let stages = Stage::ALL.map(of_stage);
        let view = View { records, stages, shared: shared(records), refusal, bump };
        let twins = view.near_twins();
        let is_orphan = view.count(Stage::Delivery) > 0 && view.count(Stage::Receipt) == 0;
        let flags = [
            (!twins.is_empty(), flag::NEAR_TWIN),
            (is_orphan, flag::ORPHAN),
            (email.shared, flag::SHARED_ACODE),
        ];
        let raised = flags.iter().filter(|(raised, _)| *raised).map(|(_, flag)| *flag);
        let mut row = view.row();
        row.set(Field::Account, text(Some(email.account).filter(|account| !account.is_empty())));
        row.set(Field::Acode, text(email.acode));
        row.set(Field::Status, Value::Text(verdict.status.name()));
        row.set(Field::Complete, Value::Bool(verdict.complete));
        row.set(Field::Attempts, Value::Int(view.attempts(&twins)));
        row.set(Field::Flags, Value::List(list(bump, raised)));
        let event = Event {
            event_type: EventType::Message,
            dialect: Dialect::Kv,
            flags: Flags::default(),
            values: bump.alloc(row.0),
            text: view.identity(email),
            offset: 0,
        };
        Self { event, verdict, near_twins: twins.len() as u64, is_orphan }
    }
}

fn text(text: Option<&str>) -> Value<'_> {
    text.map_or(Value::Null, Value::Text)
}

fn structs<'a>(records: &'a [&'a [Value<'a>]]) -> Value<'a> {
    if records.is_empty() { Value::Null } else { Value::Structs(records) }
}

fn list<'a>(bump: &'a Bump, texts: impl Iterator<Item = &'a str>) -> &'a [&'a str] {
    BumpVec::from_iter_in(texts, bump).into_bump_slice()
}

/// What the email says once: each from the first record that says it; the message id from the one that has most of it.
fn shared<'a>(records: &[Record<'a>]) -> Shared<'a> {
    SHARED.map(|field| {
        let mut said = records.iter().filter_map(|record| record.text(field));
        if field != Field::MessageId {
            return said.next();
        }
        let bare = |id: &str| crate::key::bare_message_id(id).len();
        // Nearly always all are one.
        said.reduce(|most, id| {
            let has_more = most != id && bare(most).cmp(&bare(id)).then_with(|| id.cmp(most)).is_lt();
            if has_more { id } else { most }
        })
    })
}

/// The records of an email, on the way to its columns.
struct View<'a> {
    records: &'a [Record<'a>],
    /// Those of each stage.
    stages: [&'a [Record<'a>]; Stage::ALL.len()],
    shared: Shared<'a>,
    /// The record that says why it was refused, or why it is not delivered yet.
    refusal: Option<&'a Record<'a>>,
    bump: &'a Bump,
}

/// The record that says why an email was refused, or why a recipient has not got it: the last receipt of one that was
/// rejected, the last failed attempt of others; none of those that came to their end in another way.
fn refusal<'a>(records: &'a [Record<'a>], status: Status) -> Option<&'a Record<'a>> {
    let says = |record: &&Record<'_>| {
        let mut said = [Field::RejectionType, Field::RejectionCode, Field::RejectionInfo].into_iter();
        said.any(|field| record.text(field).is_some())
    };
    let of = |wanted| records.iter().rev().filter(move |record| record.stage == wanted);
    match status {
        Status::Rejected => of(Stage::Receipt).find(says),
        Status::Bounced | Status::Deferred | Status::PartiallyDelivered => {
            let failed = |record: &&Record<'_>| record.get(Field::Delivered) == Value::Bool(false);
            of(Stage::Delivery).filter(failed).find(says).or_else(|| of(Stage::Receipt).find(says))
        }
        _ => None,
    }
}

impl<'a> View<'a> {
    fn stage(&self, stage: Stage) -> &'a [Record<'a>] {
        self.stages[stage as usize]
    }

    fn count(&self, stage: Stage) -> usize {
        self.stage(stage).len()
    }

    /// What tells this email from all others, for a hash.
    fn identity(&self, email: &Email<'a>) -> &'a str {
        let id = self.shared[0].map_or("", crate::key::bare_message_id);
        let mut text = bumpalo::collections::String::new_in(self.bump);
        for part in [email.account, email.acode.unwrap_or_default(), id] {
            text.push_str(part);
            text.push('\n');
        }
        text.into_bump_str()
    }

    /// The columns that are made of the records alone.
    fn row(&self) -> Row<'a> {
        let times = || self.records.iter().filter_map(Record::time);
        let time = |time: Option<i64>| time.map_or(Value::Null, Value::Time);
        let [receipts, processes, deliveries, detections] = self.stages;
        let mut row = Row([Value::Null; COLUMNS.len()]);
        row.set(Field::FirstSeen, time(times().min()));
        row.set(Field::LastSeen, time(times().max()));
        row.set(Field::Stages, Value::List(self.stages()));
        row.set(Field::Recipients, Value::List(self.recipients()));
        row.set(Field::FirstDelivered, time(self.delivered().min()));
        row.set(Field::EndToEndMs, self.end_to_end().map_or(Value::Null, Value::Int));
        let of_last = |field| first(processes.iter().rev(), field);
        row.set(Field::Action, or(of_last(Field::Action), || first(receipts.iter().rev(), Field::Action)));
        let held = processes.last().map_or(Value::Null, |last| last.get(Field::HoldReason));
        row.set(Field::HoldReason, held);
        for field in [Field::MessageSize, Field::AttachmentCount, Field::AttachmentNames] {
            row.set(field, of_last(field));
        }
        for field in [Field::SourceIp, Field::SpamScore, Field::SpamDetail] {
            row.set(field, first(receipts.iter(), field));
        }
        row.set(Field::Virus, or(first(receipts.iter(), Field::Virus), || text(self.virus())));
        if let Some(record) = self.refusal {
            for field in [Field::RejectionType, Field::RejectionCode, Field::RejectionInfo] {
                row.set(field, record.get(field));
            }
        }
        for (field, said) in SHARED.into_iter().zip(self.shared) {
            row.set(field, text(said));
        }
        row.set(Field::Receipts, structs(self.records(receipts)));
        if let [earlier @ .., last] = processes {
            row.set(Field::Process, Value::Struct(self.record(last)));
            row.set(Field::EarlierProcesses, structs(self.records(earlier)));
        }
        row.set(Field::Deliveries, structs(self.records(deliveries)));
        row.set(Field::Detections, structs(self.records(detections)));
        row
    }

    /// Records as a column holds them; what the email says already is left out.
    fn records(&self, records: &'a [Record<'a>]) -> &'a [&'a [Value<'a>]] {
        self.bump.alloc_slice_fill_iter(records.iter().map(|record| self.record(record)))
    }

    fn record(&self, record: &Record<'a>) -> &'a [Value<'a>] {
        let members = self.bump.alloc_slice_copy(record.members);
        for (field, said) in SHARED.iter().zip(self.shared) {
            let Some(place) = record.stage.place(*field) else { continue };
            members[place] = match (members[place].text(), said) {
                (own, said) if own == said => Value::Null,
                (None, _) => Value::Text(""),
                (own, _) => text(own),
            };
        }
        members
    }

    fn stages(&self) -> &'a [&'a str] {
        let named = [(Stage::Receipt, "receipt"), (Stage::Process, "process"), (Stage::Delivery, "delivery")];
        list(self.bump, named.into_iter().filter(|(stage, _)| self.count(*stage) > 0).map(|(_, name)| name))
    }

    /// The recipients of receipts and deliveries, else of detections: each once, whatever the case of its letters.
    fn recipients(&self) -> &'a [&'a str] {
        let of = |stages: [Stage; 2]| {
            let mut seen = Named::new();
            let records = stages.into_iter().flat_map(|stage| self.stage(stage));
            let said = records.flat_map(Record::recipients);
            list(self.bump, said.filter(|said| seen.entry(record::fold_case(said), ()).1))
        };
        match of([Stage::Receipt, Stage::Delivery]) {
            [] => of([Stage::Detection, Stage::Detection]),
            recipients => recipients,
        }
    }

    fn delivered(&self) -> impl Iterator<Item = i64> {
        let delivered = |record: &&Record<'_>| record.get(Field::Delivered) == Value::Bool(true);
        self.stage(Stage::Delivery).iter().filter(delivered).filter_map(Record::time)
    }

    fn end_to_end(&self) -> Option<i64> {
        let first = self.stage(Stage::Receipt).iter().find_map(Record::time)?;
        Some(self.delivered().max()?.saturating_sub(first) / 1000)
    }

    fn virus(&self) -> Option<&'a str> {
        let av = |record: &&Record<'_>| record.text(Field::DetectedBy) == Some(EventType::Av.table());
        let found = self.stage(Stage::Detection).iter().find(av);
        found.and_then(|record| record.text(Field::Verdict))
    }

    /// Deliveries that are not told twice.
    fn attempts(&self, twins: &[usize]) -> i64 {
        let is_delivery = |at: &&usize| self.records[**at].stage == Stage::Delivery;
        (self.count(Stage::Delivery) - twins.iter().filter(is_delivery).count()) as i64
    }

    /// The places of records that are near twins of an earlier one.
    fn near_twins(&self) -> Vec<usize> {
        let mut last: HashMap<u64, Option<i64>> = HashMap::new();
        let mut twins = Vec::new();
        let mut text = String::new();
        if self.records.len() < 2 {
            return twins;
        }
        for (at, record) in self.records.iter().enumerate() {
            let alone = self.count(record.stage) == 1;
            if alone {
                continue;
            }
            text.clear();
            record::write(record.stage, &without_instance(record), false, &mut text);
            let time = record.time();
            if let Some(before) = last.insert(xxh3_64(text.as_bytes()), time) {
                let near = match (before, time) {
                    (Some(before), Some(time)) => time.saturating_sub(before) <= NEAR,
                    (before, time) => before == time,
                };
                if near {
                    twins.push(at);
                }
            }
        }
        twins
    }
}

/// A record's members without what tells two tellings of one event apart.
fn without_instance<'a>(record: &Record<'a>) -> Vec<Value<'a>> {
    let members = record.stage.members().iter().zip(record.members);
    let is_instance = |field| matches!(field, Field::Timestamp | Field::ProcessingId);
    members.map(|(field, value)| if is_instance(*field) { Value::Null } else { *value }).collect()
}

/// The first that is said.
#[inline]
fn first<'a: 'r, 'r>(mut records: impl Iterator<Item = &'r Record<'a>>, field: Field) -> Value<'a> {
    let says = |value: &Value<'a>| !matches!(value, Value::Null | Value::Text(""));
    records.find_map(|record| Some(record.get(field)).filter(says)).unwrap_or(Value::Null)
}

#[inline]
fn or<'a>(value: Value<'a>, other: impl FnOnce() -> Value<'a>) -> Value<'a> {
    if value.is_null() { other() } else { value }
}

/// The records of a message that was read back, in the row form and in no order, and whether each is joined by the
/// message id.
pub fn records_of(message: &Event<'_>) -> Vec<(String, bool)> {
    let shared = SHARED.map(|field| message.get(field).text());
    let mut restored = Vec::new();
    for (stage, column) in [
        (Stage::Receipt, Field::Receipts),
        (Stage::Process, Field::EarlierProcesses),
        (Stage::Process, Field::Process),
        (Stage::Delivery, Field::Deliveries),
        (Stage::Detection, Field::Detections),
    ] {
        match message.get(column) {
            Value::Struct(record) => restored.push(restore(stage, record, &shared)),
            Value::Structs(records) => {
                restored.extend(records.iter().map(|record| restore(stage, record, &shared)));
            }
            _ => {}
        }
    }
    restored
}

/// The email of a message that was read back, as [`Email::write`] writes it.
pub fn email_of(message: &Event<'_>) -> String {
    let text = |field| message.get(field).text();
    let mut records = records_of(message);
    records.sort_unstable();
    let email = Email {
        account: text(Field::Account).unwrap_or_default(),
        acode: text(Field::Acode),
        shared: message.get(Field::Flags).list().contains(&flag::SHARED_ACODE),
        records: records.iter().map(|(record, _)| record.as_str()).collect(),
    };
    let mut text = String::new();
    email.write(&mut text);
    text
}

fn restore(stage: Stage, record: &[Value<'_>], shared: &[Option<&str>; SHARED.len()]) -> (String, bool) {
    let mut members = record.to_vec();
    for (field, said) in SHARED.iter().zip(shared) {
        let Some(place) = stage.place(*field) else { continue };
        members[place] = match members[place].text() {
            None => said.map_or(Value::Null, Value::Text),
            Some("") => Value::Null,
            Some(own) => Value::Text(own),
        };
    }
    let by_message_id = stage.place(Field::JoinedBy).is_some_and(|place| !members[place].is_null());
    let mut text = String::new();
    record::write(stage, &members, by_message_id, &mut text);
    (text, by_message_id)
}
