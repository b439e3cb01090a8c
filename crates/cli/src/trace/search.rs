//! What is looked for, and which records belong to it.

use std::collections::BTreeSet;

use mimelake_correlate::key::{Key, bare_acode, bare_message_id};
use mimelake_parse::Event;
use mimelake_schema::Field;
use mimelake_write::parquet::Lookup;

use super::record::Record;

/// From so many characters on an aCode may bear API 2.0's suffix.
const ACODE: usize = 22;

/// What a record says of the email it belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// The bare aCode; empty if there is none.
    pub acode: &'a str,
    /// The bare message id; empty if there is none.
    pub message_id: &'a str,
    /// Whether it is joined by its message id: it has no aCode, or none that counts.
    pub by_id: bool,
}

impl<'a> Names<'a> {
    /// The names in an event.
    pub fn of(event: &Event<'a>) -> Self {
        let text = |field| event.get(field).text().unwrap_or_default();
        Self {
            acode: bare_acode(text(Field::Acode)),
            message_id: bare_message_id(text(Field::MessageId)),
            by_id: matches!(Key::of(event), Some(Key::MessageId(_))),
        }
    }

    /// Whether records found later may show that it belongs to them: it is known by one name only.
    pub fn may_be_linked(self) -> bool {
        self.by_id || (!self.acode.is_empty() && self.message_id.is_empty())
    }
}

/// The email that a key names, and the other names under which records of it stand.
#[derive(Debug)]
pub struct Search {
    typed: String,
    /// The key as an aCode.
    acode: String,
    /// The key as a message id.
    message_id: String,
    /// Bare message ids of records found by their aCode.
    linked_ids: BTreeSet<String>,
    /// Bare aCodes of records found by their message id.
    linked_acodes: BTreeSet<String>,
    /// How the aCodes that matter are spelled, suffix and all.
    spelled: BTreeSet<String>,
}

impl Search {
    /// A search for the email of this aCode or message id.
    pub fn new(key: &str) -> Self {
        let (acode, message_id) = (bare_acode(key).to_owned(), bare_message_id(key).to_owned());
        Self {
            typed: key.trim_ascii().to_owned(),
            spelled: BTreeSet::from([acode.clone(), key.trim_ascii().to_owned()]),
            acode,
            message_id,
            linked_ids: BTreeSet::new(),
            linked_acodes: BTreeSet::new(),
        }
    }

    /// Whether a record belongs to the email, by all that is known now.
    ///
    /// A record with both names belongs to it by the key itself only: of the messages that share an aCode, one that
    /// has a message id of its own is another email.
    pub fn accepts(&self, names: Names<'_>) -> bool {
        let is = |name: &str, key: &str| !name.is_empty() && name == key;
        is(names.acode, &self.acode)
            || is(names.message_id, &self.message_id)
            || (names.by_id && self.linked_ids.contains(names.message_id))
            || (names.message_id.is_empty() && self.linked_acodes.contains(names.acode))
    }

    /// Takes note of the other names in records that were found by the key; whether there are any.
    pub fn learn(&mut self, found: &[Record]) -> bool {
        for record in found {
            let names = record.names();
            if names.acode == self.acode && !names.message_id.is_empty() {
                self.linked_ids.insert(names.message_id.to_owned());
            }
            if names.message_id == self.message_id && !names.acode.is_empty() {
                self.linked_acodes.insert(names.acode.to_owned());
                self.spelled.extend([names.acode.to_owned(), record.acode.clone()]);
            }
        }
        !self.linked_ids.is_empty() || !self.linked_acodes.is_empty()
    }

    /// Takes note of spellings of the key's aCode.
    pub fn learn_spellings(&mut self, spelled: impl IntoIterator<Item = String>) {
        self.spelled.extend(spelled);
    }

    /// What stands in every record that may be new now: first the key, then the linked names.
    pub fn needles(&self) -> Vec<&str> {
        let linked: Vec<&str> =
            self.linked_ids.iter().chain(&self.linked_acodes).map(String::as_str).collect();
        if linked.is_empty() { vec![&self.acode, &self.message_id] } else { linked }
    }

    /// What to look up in tables, whose columns hold the names as they were logged.
    pub fn lookups(&self) -> [Lookup; 2] {
        let ids = std::iter::once(&self.message_id).chain(&self.linked_ids);
        let ids = ids.flat_map(|id| [id.clone(), format!("<{id}>"), format!("<{id}"), format!("{id}>")]);
        [(Field::Acode, self.spelled.iter().cloned().collect()), (Field::MessageId, ids.collect())]
    }

    /// Whether tables may hold the key's aCode with a suffix that is not known, so that it cannot be looked up.
    pub fn may_have_suffix(&self) -> bool {
        self.acode.len() >= ACODE && !self.acode.contains(['@', '<', '>', ' '])
    }

    /// Whether an aCode of a table is the key.
    pub fn is_key(&self, acode: &str) -> bool {
        bare_acode(acode) == self.acode
    }

    /// The key as it was typed.
    pub fn typed(&self) -> &str {
        &self.typed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names<'a>(acode: &'a str, message_id: &'a str, by_id: bool) -> Names<'a> {
        Names { acode, message_id, by_id }
    }

    #[test]
    fn what_belongs_to_an_email() {
        let search = |key: &str, ids: &[&str], acodes: &[&str]| {
            let mut search = Search::new(key);
            search.linked_ids.extend(ids.iter().map(ToString::to_string));
            search.linked_acodes.extend(acodes.iter().map(ToString::to_string));
            search
        };
        let by_acode = search("A", &["1@x"], &[]);
        let by_id = search("<1@x>", &[], &["A"]);
        // aCode, message id, whether it is joined by that; found by the aCode, found by the message id.
        for (acode, id, joined_by_id, of_acode, of_id) in [
            ("A", "1@x", false, true, true),
            ("A", "2@x", false, true, false),
            ("A", "", false, true, true),
            ("", "1@x", true, true, true),
            ("", "2@x", true, false, false),
            ("B", "1@x", false, false, true),
            ("B", "1@x", true, true, true),
            ("B", "", false, false, false),
            ("", "", false, false, false),
        ] {
            let names = names(acode, id, joined_by_id);
            assert_eq!((by_acode.accepts(names), by_id.accepts(names)), (of_acode, of_id), "{names:?}");
        }
    }

    #[test]
    fn names_as_tables_hold_them() {
        let search = Search::new(" n97bxRqOImbxg5wuRyFFuQ_1772528400 ");
        let [(_, acodes), _] = search.lookups();
        assert_eq!(acodes, ["n97bxRqOImbxg5wuRyFFuQ", "n97bxRqOImbxg5wuRyFFuQ_1772528400"]);
        let [_, (_, ids)] = Search::new("<a@b>").lookups();
        assert_eq!(ids, ["a@b", "<a@b>", "<a@b", "a@b>"]);
        for (key, may) in
            [("n97bxRqOImbxg5wuRyFFuQ", true), ("short", false), ("783bb4d44a3a18e7.808360@a.b", false)]
        {
            assert_eq!(Search::new(key).may_have_suffix(), may, "{key}");
        }
    }

    #[test]
    fn only_names_that_are_not_empty_can_be_linked() {
        let cases = [
            ("A", "1@x", false, false),
            ("A", "", false, true),
            ("", "1@x", true, true),
            ("", "", false, false),
        ];
        for (acode, id, by_id, may) in cases {
            assert_eq!(names(acode, id, by_id).may_be_linked(), may, "{acode} {id}");
        }
    }
}
