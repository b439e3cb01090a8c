//! JSON of strangers, of which only what is asked for is kept, however much they send.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// A value: of arrays the first element, of objects the keys below, and both only so deep.
#[derive(Debug, Default)]
pub(crate) struct Lean(pub(crate) Value);

const KEYS: [&str; 7] = ["status", "code", "message", "retryable", "errors", "url", "size"];
/// `fail[0].errors[0].code`.
const DEEP: u8 = 4;

impl<'de> Deserialize<'de> for Lean {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Left(DEEP).deserialize(from).map(Self)
    }
}

/// So many levels of arrays and objects are kept.
struct Left(u8);

impl<'de> DeserializeSeed<'de> for Left {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Left {
    type Value = Value;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut kept = Vec::new();
        if let Some(left) = self.0.checked_sub(1) {
            kept.extend(items.next_element_seed(Self(left))?);
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Array(kept))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut kept = serde_json::Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            match self.0.checked_sub(1) {
                Some(left) if KEYS.contains(&key.as_str()) => {
                    kept.insert(key, entries.next_value_seed(Self(left))?);
                }
                _ => _ = entries.next_value::<IgnoredAny>()?,
            }
        }
        Ok(Value::Object(kept))
    }
}

/// What a list begins with, and that there is more.
#[derive(Debug)]
pub(crate) struct Few<const MOST: usize> {
    pub(crate) items: Vec<Lean>,
    pub(crate) has_more: bool,
}

impl<const MOST: usize> Default for Few<MOST> {
    fn default() -> Self {
        Self { items: Vec::new(), has_more: false }
    }
}

impl<'de, const MOST: usize> Deserialize<'de> for Few<MOST> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_seq(Self::default())
    }
}

impl<'de, const MOST: usize> Visitor<'de> for Few<MOST> {
    type Value = Self;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Self, A::Error> {
        while self.items.len() < MOST {
            let Some(item) = items.next_element()? else { return Ok(self) };
            self.items.push(item);
        }
        while items.next_element::<IgnoredAny>()?.is_some() {
            self.has_more = true;
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_asked_for_is_kept() {
        for (text, kept) in [
            (r#"[1,[2],{"code":3}]"#, "[1]"),
            (r#"{"code":"a","other":[1,2],"size":-7,"url":1.5}"#, r#"{"code":"a","size":-7,"url":1.5}"#),
            (r#"[{"errors":[{"code":"x"},{"code":"y"}]}]"#, r#"[{"errors":[{"code":"x"}]}]"#),
            ("[[[[[[1]]]]]]", "[[[[[]]]]]"),
            (
                r#"{"code":{"code":{"code":{"code":{"code":1}}}}}"#,
                r#"{"code":{"code":{"code":{"code":{}}}}}"#,
            ),
            ("null", "null"),
        ] {
            let lean: Lean = serde_json::from_str(text).unwrap();
            assert_eq!(lean.0, serde_json::from_str::<Value>(kept).unwrap(), "{text}");
        }
    }

    #[test]
    fn of_a_long_list_the_first_are_kept() {
        for (count, has_more) in [(0, false), (3, false), (4, true), (9, true)] {
            let text = serde_json::to_string(&vec![0; count]).unwrap();
            let few: Few<3> = serde_json::from_str(&text).unwrap();
            assert_eq!((few.items.len(), few.has_more), (count.min(3), has_more));
        }
    }
}
