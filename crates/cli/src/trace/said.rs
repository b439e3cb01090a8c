//! What a record says, column by column, ready to be put into words.

use mimelake_schema::{Field, VERDICTS};
use serde_json::{Map, Value};

use super::record::Record;

/// The columns of a record.
#[derive(Debug)]
pub struct Said(Map<String, Value>);

impl Said {
    /// What a record says.
    ///
    /// # Errors
    /// If its JSON cannot be read; it is made to.
    pub fn of(record: &Record) -> serde_json::Result<Self> {
        serde_json::from_slice(&record.json).map(Self)
    }

    /// The text of a column that is not empty.
    pub fn text(&self, field: Field) -> Option<&str> {
        self.0.get(field.column())?.as_str().map(str::trim_ascii).filter(|text| !text.is_empty())
    }

    /// The number of a column.
    pub fn number(&self, field: Field) -> Option<i64> {
        self.0.get(field.column())?.as_i64()
    }

    /// Whether a column says yes.
    pub fn is(&self, field: Field) -> bool {
        self.0.get(field.column()).and_then(Value::as_bool) == Some(true)
    }

    /// Whether a column says no.
    pub fn is_not(&self, field: Field) -> bool {
        self.0.get(field.column()).and_then(Value::as_bool) == Some(false)
    }

    /// The texts of a list.
    pub fn list(&self, field: Field) -> impl Iterator<Item = &str> {
        self.0.get(field.column()).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    /// What the spam scan said of the sender, such as `spf pass`.
    pub fn verdicts(&self) -> Vec<String> {
        let detail = self.0.get(Field::SpamDetail.column()).and_then(Value::as_object);
        let word = |(name, _): &(&str, &str)| {
            let verdict = detail?.get(*name)?;
            let info = verdict.get("info").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
            let info = info.strip_prefix(name).and_then(|rest| rest.strip_prefix('_')).unwrap_or(&info);
            let is_against = verdict.get("allow").and_then(Value::as_bool) == Some(false);
            match (info, *name, is_against) {
                // The lists of senders say only whether the sender stands in one.
                (_, "permitted_sender" | "managed_sender", _) | ("", _, false) => None,
                ("", _, true) => Some(format!("{name} against it")),
                _ => Some(format!("{name} {}", info.replace('_', " "))),
            }
        };
        let grey = detail.and_then(|detail| detail.get("grey_email")).and_then(Value::as_bool) == Some(true);
        VERDICTS.iter().filter_map(word).chain(grey.then(|| "grey email".to_owned())).collect()
    }
}

/// A time span in milliseconds as people say it, in its two largest units.
pub fn span(ms: i64) -> String {
    let seconds = ms / 1000;
    let pair = |large: i64, unit: &str, small: i64, fine: &str| match small {
        0 => format!("{large} {unit}"),
        _ => format!("{large} {unit} {small} {fine}"),
    };
    match seconds {
        _ if ms < 1000 => format!("{ms} ms"),
        0..60 => format!("{seconds}.{} s", ms % 1000 / 100),
        60..3600 => pair(seconds / 60, "min", seconds % 60, "s"),
        3600..86_400 => pair(seconds / 3600, "h", seconds / 60 % 60, "min"),
        _ => pair(seconds / 86_400, "d", seconds / 3600 % 24, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn spans_for_people() {
        let cases = [
            (-5, "-5 ms"),
            (0, "0 ms"),
            (999, "999 ms"),
            (1310, "1.3 s"),
            (59_999, "59.9 s"),
            (60_000, "1 min"),
            (61_500, "1 min 1 s"),
            (43_380_000, "12 h 3 min"),
            (90_000_000, "1 d 1 h"),
        ];
        for (ms, text) in cases {
            assert_eq!(span(ms), text);
        }
    }
}
