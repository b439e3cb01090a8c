//! A sink that keeps everything, owned and as text: for tests and small inputs.

use std::collections::BTreeMap;
use std::convert::Infallible;

use bumpalo::Bump;
use mimelake_schema::{EventType, VERDICTS};

use crate::{Event, Reason, Reject, Sink, Value};

/// An event as owned text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collected {
    /// Whose table it belongs to.
    pub event_type: EventType,
    /// Where it began.
    pub offset: u64,
    /// The columns that say something, by name.
    pub columns: BTreeMap<&'static str, String>,
}

/// Keeps every event and reject.
#[derive(Clone, Debug, Default)]
pub struct Collector {
    /// The events, in order.
    pub events: Vec<Collected>,
    /// Offset, length, reason and bytes of the rejects, in order.
    pub rejects: Vec<(u64, u64, Reason, Vec<u8>)>,
}

impl Sink for Collector {
    type Error = Infallible;

    fn event(&mut self, event: &Event<'_>, _: &Bump) -> Result<(), Infallible> {
        let named = event.event_type.columns().iter().zip(event.values);
        let columns = named.filter_map(|(field, value)| Some((field.column(), text(*value)?))).collect();
        self.events.push(Collected { event_type: event.event_type, offset: event.offset, columns });
        Ok(())
    }

    fn reject(&mut self, reject: &Reject<'_>) -> Result<(), Infallible> {
        self.rejects.push((reject.offset, reject.length, reject.reason, reject.bytes.to_vec()));
        Ok(())
    }
}

fn text(value: Value<'_>) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::Text(text) => text.to_owned(),
        Value::Int(int) | Value::Time(int) => int.to_string(),
        Value::Bool(yes) => yes.to_string(),
        Value::List(list) => list.join(" & "),
        Value::Pairs(pairs) => pairs
            .iter()
            .map(|p| format!("{}={}", p.key, p.value.unwrap_or("null")))
            .collect::<Vec<_>>()
            .join(" & "),
        Value::Verdicts(verdicts) => {
            let named = VERDICTS.iter().zip(verdicts.each);
            let said = named.filter_map(|((name, _), verdict)| {
                let verdict = verdict?;
                Some(format!("{name}:{:?}:{}", verdict.allow, verdict.info.unwrap_or("-")))
            });
            format!("{} grey:{:?}", said.collect::<Vec<_>>().join(" "), verdicts.grey_email)
        }
        Value::Struct(record) => record.iter().filter_map(|v| text(*v)).collect::<Vec<_>>().join(" "),
        Value::Structs(records) => {
            let texts = records.iter().filter_map(|record| text(Value::Struct(record)));
            texts.collect::<Vec<_>>().join(" & ")
        }
    })
}
