//! Events of random columns.

use bumpalo::Bump;
use mimelake_parse::{Event, ExtraPair, Flags, Value, Verdict, Verdicts};
use mimelake_schema::{Dialect, EventType, Field, Kind};
use proptest::prelude::*;

/// A column's value that owns what it says.
#[derive(Clone, Debug)]
pub(super) enum OwnedValue {
    Null,
    Text(String),
    Int(i64),
    Bool(bool),
    Time(i64),
    List(Vec<String>),
    Verdicts(Vec<Option<(Option<bool>, Option<String>)>>, Option<bool>),
    Pairs(Vec<(String, Option<String>)>),
    Struct(Vec<OwnedValue>),
    Structs(Vec<Vec<OwnedValue>>),
}

/// An event type and some of its columns.
pub(super) fn columns() -> impl Strategy<Value = (EventType, Vec<(Field, OwnedValue)>)> {
    prop::sample::select(EventType::ALL).prop_flat_map(|event_type| {
        let columns: Vec<_> = event_type.columns().iter().map(|f| (Just(*f), column(*f))).collect();
        (Just(event_type), columns)
    })
}

/// Text as it comes: words that mean something here, any text, long text.
fn text() -> BoxedStrategy<String> {
    const WORDS: &[&str] = &[
        "",
        "Acc",
        "Rej",
        "Hld",
        "none",
        "TLSv1.2",
        "<>",
        "<a@b.example>",
        "a@b.example",
        "192.0.2.1",
        "192.0.2.1:25",
        "2001:db8::1",
        "[2001:db8::1]:25",
        "false",
        "http://a.example:80/b?c#d",
        "http://[::1",
        "User Logged On",
        "Policy Changed",
        "malicious",
    ];
    prop_oneof![
        4 => prop::sample::select(WORDS).prop_map(str::to_owned),
        4 => ".{0,40}",
        1 => any::<String>(),
        1 => "[\\u{0}-\\u{7f}\\u{2028}]{200,2000}",
    ]
    .boxed()
}

fn column(field: Field) -> BoxedStrategy<OwnedValue> {
    let said = match field.row().kind {
        Kind::Text | Kind::Word | Kind::Json => text().prop_map(OwnedValue::Text).boxed(),
        Kind::Int => any::<i64>().prop_map(OwnedValue::Int).boxed(),
        Kind::Bool | Kind::Hit => any::<bool>().prop_map(OwnedValue::Bool).boxed(),
        Kind::Time => {
            prop_oneof![any::<i64>(), 0..2_000_000_000_000_000_i64].prop_map(OwnedValue::Time).boxed()
        }
        // A list's elements say something: the parser sees to that.
        Kind::Addresses | Kind::FileNames | Kind::Flags | Kind::Words => {
            let element = text().prop_map(|t| if t.is_empty() { "x".to_owned() } else { t });
            prop::collection::vec(element, 0..6).prop_map(OwnedValue::List).boxed()
        }
        Kind::Verdicts => {
            let verdict = prop::option::of((any::<Option<bool>>(), prop::option::of(".{0,20}")));
            let each = prop::collection::vec(verdict, 6);
            (each, any::<Option<bool>>()).prop_map(|(each, grey)| OwnedValue::Verdicts(each, grey)).boxed()
        }
        Kind::Pairs => {
            let pair = (prop_oneof!["[a-c]", ".{1,20}"], prop::option::of(".{0,20}"));
            prop::collection::vec(pair, 0..40).prop_map(OwnedValue::Pairs).boxed()
        }
        Kind::Struct(members) => record(members).prop_map(OwnedValue::Struct).boxed(),
        Kind::Structs(members) => {
            prop::collection::vec(record(members), 0..3).prop_map(OwnedValue::Structs).boxed()
        }
    };
    prop_oneof![1 => Just(OwnedValue::Null), 3 => said].boxed()
}

fn record(members: &[Field]) -> impl Strategy<Value = Vec<OwnedValue>> + use<> {
    members.iter().map(|member| column(*member)).collect::<Vec<_>>()
}

/// The event of these columns.
pub(super) fn event_of<'a>(
    event_type: EventType,
    columns: &'a [(Field, OwnedValue)],
    text: &'a str,
    bump: &'a Bump,
) -> Event<'a> {
    let values = bump.alloc_slice_fill_copy(event_type.columns().len(), Value::Null);
    for (field, value) in columns {
        values[event_type.position(*field).unwrap()] = borrow(value, bump);
    }
    Event { event_type, dialect: Dialect::Kv, flags: Flags::default(), values, text, offset: 0 }
}

fn borrow<'a>(value: &'a OwnedValue, bump: &'a Bump) -> Value<'a> {
    match value {
        OwnedValue::Null => Value::Null,
        OwnedValue::Text(text) => Value::Text(text),
        OwnedValue::Int(number) => Value::Int(*number),
        OwnedValue::Bool(bit) => Value::Bool(*bit),
        OwnedValue::Time(micros) => Value::Time(*micros),
        OwnedValue::List(list) => Value::List(bump.alloc_slice_fill_iter(list.iter().map(String::as_str))),
        OwnedValue::Verdicts(each, grey_email) => {
            let mut verdicts = Verdicts { grey_email: *grey_email, ..Verdicts::default() };
            for (place, verdict) in verdicts.each.iter_mut().zip(each) {
                *place =
                    verdict.as_ref().map(|(allow, info)| Verdict { allow: *allow, info: info.as_deref() });
            }
            Value::Verdicts(bump.alloc(verdicts))
        }
        OwnedValue::Pairs(pairs) => {
            let pair = |(key, value): &'a (String, _)| ExtraPair { key, value: Option::as_deref(value) };
            Value::Pairs(bump.alloc_slice_fill_iter(pairs.iter().map(pair)))
        }
        OwnedValue::Struct(record) => Value::Struct(borrow_all(record, bump)),
        OwnedValue::Structs(records) => {
            Value::Structs(bump.alloc_slice_fill_iter(records.iter().map(|record| borrow_all(record, bump))))
        }
    }
}

fn borrow_all<'a>(record: &'a [OwnedValue], bump: &'a Bump) -> &'a [Value<'a>] {
    bump.alloc_slice_fill_iter(record.iter().map(|value| borrow(value, bump)))
}
