//! The stages of an email, and what is kept of a record of each.

use mimelake_parse::{Event, Value};
use mimelake_schema::{EventType, Field, Kind, message};

/// What a record tells of its email. The order is that in which records are asked for what the email says once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Stage {
    /// It was received, or refused.
    Receipt,
    /// The policies were applied.
    Process,
    /// It was handed on, or that failed.
    Delivery,
    /// Something was found in it, or a link of it was clicked.
    Detection,
}

impl Stage {
    /// Every stage, in order.
    pub const ALL: [Self; 4] = [Self::Receipt, Self::Process, Self::Delivery, Self::Detection];

    /// The stage that events of this type tell of; none for types that no message is made of.
    pub fn of(event_type: EventType) -> Option<Self> {
        match event_type {
            EventType::Receipt => Some(Self::Receipt),
            EventType::Process => Some(Self::Process),
            EventType::Delivery => Some(Self::Delivery),
            other => other.message_members().map(|_| Self::Detection),
        }
    }

    /// What is kept of a record, in order; the first is its time.
    pub const fn members(self) -> &'static [Field] {
        match self {
            Self::Receipt => message::RECEIPT,
            Self::Process => message::PROCESS,
            Self::Delivery => message::DELIVERY,
            Self::Detection => message::DETECTION,
        }
    }

    /// The kinds of the members, and whether they are written among the others: see [`crate::record`].
    pub(crate) fn kinds(self) -> &'static [Option<Kind>] {
        &KINDS[self as usize][..self.members().len()]
    }

    /// The place of a member.
    pub fn place(self, member: Field) -> Option<usize> {
        PLACES[self as usize][member as usize].checked_sub(1).map(usize::from)
    }
}

/// The most members that a stage has.
const MOST: usize = {
    let mut most = 0;
    let mut stage = 0;
    while stage < Stage::ALL.len() {
        let members = Stage::ALL[stage].members().len();
        most = if members > most { members } else { most };
        stage += 1;
    }
    most
};

/// The kinds of each stage's members; none of those that the head of the row form has.
static KINDS: [[Option<Kind>; MOST]; Stage::ALL.len()] = {
    let mut kinds = [[None; MOST]; Stage::ALL.len()];
    let mut stage = 0;
    while stage < Stage::ALL.len() {
        let members = Stage::ALL[stage].members();
        let mut at = 0;
        while at < members.len() {
            if !matches!(members[at], Field::Timestamp | Field::JoinedBy | Field::MessageId) {
                kinds[stage][at] = Some(members[at].row().kind);
            }
            at += 1;
        }
        stage += 1;
    }
    kinds
};

/// The places of each stage's members, from one; zero for fields that it has not.
static PLACES: [[u8; Field::ALL.len()]; Stage::ALL.len()] = {
    let mut places = [[0; Field::ALL.len()]; Stage::ALL.len()];
    let mut stage = 0;
    while stage < Stage::ALL.len() {
        let members = Stage::ALL[stage].members();
        let mut at = 0;
        while at < members.len() {
            places[stage][members[at] as usize] = at as u8 + 1;
            at += 1;
        }
        stage += 1;
    }
    places
};

/// Where a member's value is found in an event.
#[derive(Clone, Copy, Debug)]
enum Source {
    Column(usize),
    /// The shared texts: nothing and the empty text are the same there.
    Shared(usize),
    Recipient,
    DetectedBy,
    Verdict,
    Nothing,
}

/// How the events of one type become records.
#[derive(Debug)]
pub struct Picker {
    event_type: EventType,
    stage: Stage,
    sources: Vec<Source>,
    recipients: Option<usize>,
}

impl Picker {
    /// One for each event type, by its number; none for types that no message is made of.
    pub fn all() -> Vec<Option<Self>> {
        EventType::ALL.iter().map(|event_type| Self::of(*event_type)).collect()
    }

    fn of(event_type: EventType) -> Option<Self> {
        let stage = Stage::of(event_type)?;
        let source = |member: &Field| match member {
            Field::Recipient => Source::Recipient,
            Field::DetectedBy => Source::DetectedBy,
            Field::Verdict => Source::Verdict,
            _ => match event_type.position(*member) {
                Some(column) if message::SHARED.contains(member) => Source::Shared(column),
                Some(column) => Source::Column(column),
                None => Source::Nothing,
            },
        };
        let sources = stage.members().iter().map(source).collect();
        Some(Self { event_type, stage, sources, recipients: event_type.position(Field::Recipients) })
    }

    /// The stage of the events.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// The recipients that an event speaks of.
    pub fn recipients<'a>(&self, event: &Event<'a>) -> &'a [&'a str] {
        self.recipients.map_or(&[], |column| event.values[column].list())
    }

    /// The members of an event's record, and nulls behind them; the recipient is left to the caller.
    pub fn members<'a>(&self, event: &Event<'a>) -> [Value<'a>; MOST] {
        let mut members = [Value::Null; MOST];
        for (member, source) in members.iter_mut().zip(&self.sources) {
            *member = match source {
                Source::Column(column) => short(event.values[*column]),
                Source::Shared(column) => match short(event.values[*column]) {
                    Value::Text("") => Value::Null,
                    value => value,
                },
                Source::DetectedBy => Value::Text(self.event_type.table()),
                Source::Verdict => short(verdict(event)),
                Source::Recipient | Source::Nothing => Value::Null,
            };
        }
        members
    }
}

/// Longer texts and lists are cut in messages; the tables of the events have them whole. What an attacker writes once
/// would stand in a message many times.
const MAX_TEXT: usize = 32 << 10;

fn short(value: Value<'_>) -> Value<'_> {
    match value {
        Value::Text(text) if text.len() > MAX_TEXT => {
            Value::Text(&text[..text.floor_char_boundary(MAX_TEXT)])
        }
        Value::List(list) if list.len() > 64 => {
            let mut room = MAX_TEXT;
            let fits = list.iter().take_while(|text| {
                let fits = text.len() < room;
                room = room.saturating_sub(text.len() + 1);
                fits
            });
            Value::List(&list[..fits.count()])
        }
        value => value,
    }
}

/// The columns that are read of the events of a type; none of types that no message is made of.
pub fn columns(event_type: EventType) -> Vec<Field> {
    let Some(stage) = Stage::of(event_type) else { return Vec::new() };
    let others = [Field::Account, Field::Acode, Field::Recipients, Field::TaggedMalicious];
    let read = stage.members().iter().chain(&others).chain(&VERDICTS);
    read.copied().filter(|field| event_type.position(*field).is_some()).collect()
}

/// What a scanner says in a word: the first of these columns that says something.
const VERDICTS: [Field; 4] = [Field::Virus, Field::ScanResult, Field::Reason, Field::UrlCategory];

fn verdict<'a>(event: &Event<'a>) -> Value<'a> {
    let says = |value: &Value<'_>| value.text().is_some_and(|text| !text.is_empty());
    let said = VERDICTS.into_iter().map(|field| event.get(field)).find(says);
    let tagged = event.get(Field::TaggedMalicious) == Value::Bool(true);
    said.unwrap_or(match event.event_type {
        EventType::Spam => Value::Text("spam"),
        EventType::ImpersonationProtect if tagged => Value::Text("malicious"),
        _ => Value::Null,
    })
}
