//! Which known key comes after which.

use crate::keys::{MAX_KEYS, NONE};
use crate::{Key, Keys};

/// Finds the keys of records, one after the other, and remembers which came after which: the records of a file have
/// the same keys in the same order most often, so the next key need not be looked for but only be compared.
///
/// ```
/// use mimelake_schema::{Keys, Order};
///
/// let (mut order, act) = (Order::default(), Keys::get().find(b"Act"));
/// for expected in [None, act.map(|key| (key, 3))] {
///     order.begin();
///     assert_eq!(order.expected(b"Act=Acc|Dir=Inbound"), expected);
///     assert_eq!(order.find(b"Act"), act);
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Order {
    keys: &'static Keys,
    /// What came after each key last, by their numbers.
    next: [u8; MAX_KEYS + 1],
    /// The key found last; [`NONE`] at a record's beginning and after an unknown one.
    last: u8,
}

impl Default for Order {
    fn default() -> Self {
        Self { keys: Keys::get(), next: [NONE; MAX_KEYS + 1], last: NONE }
    }
}

impl Order {
    /// Begins a record.
    #[inline]
    pub fn begin(&mut self) {
        self.last = NONE;
    }

    /// The key that `text` begins with, and its length, if it is the one that came here last, spelled as in the
    /// table, and has a `=` behind it.
    #[inline]
    pub fn expected(&mut self, text: &[u8]) -> Option<(Key, usize)> {
        let next = self.next[usize::from(self.last)];
        let heading = self.keys.heading(next)?;
        heading.begins(text).then(|| {
            self.last = next;
            (Key(next), heading.name_len())
        })
    }

    /// The key with this name, in any case.
    pub fn find(&mut self, name: &[u8]) -> Option<Key> {
        let key = self.keys.find(name);
        let number = key.map_or(NONE, |key| key.0);
        self.next[usize::from(self.last)] = number;
        self.last = number;
        key
    }
}

/// A name and the `=` behind it, in a form that is compared quickly.
#[derive(Clone, Debug)]
pub(crate) struct Heading {
    text: Box<[u8]>,
    first: u128,
    mask: u128,
}

impl Heading {
    /// How many bytes are compared at once.
    const CHUNK: usize = size_of::<u128>();

    pub(crate) fn new(name: &str) -> Self {
        let text = format!("{name}=").into_bytes();
        let mut chunk = [0; Self::CHUNK];
        let mut mask = [0; Self::CHUNK];
        for (at, byte) in text.iter().take(Self::CHUNK).enumerate() {
            (chunk[at], mask[at]) = (*byte, u8::MAX);
        }
        Self { text: text.into(), first: u128::from_le_bytes(chunk), mask: u128::from_le_bytes(mask) }
    }

    /// Whether `text` begins with it.
    #[inline]
    fn begins(&self, text: &[u8]) -> bool {
        let Some((chunk, rest)) = text.split_first_chunk() else { return text.starts_with(&self.text) };
        (u128::from_le_bytes(*chunk) ^ self.first) & self.mask == 0
            && (self.text.len() <= Self::CHUNK || rest.starts_with(&self.text[Self::CHUNK..]))
    }

    fn name_len(&self) -> usize {
        self.text.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys of a record of pairs, as they are found with and without looking for the expected one first.
    fn found(order: &mut Order, record: &str) -> Vec<(Option<Key>, Option<Key>)> {
        order.begin();
        let pairs = record.split('|').filter_map(|pair| Some((pair, pair.split_once('=')?.0)));
        let find = |(pair, name): (&str, &str)| match order.expected(pair.as_bytes()) {
            Some((key, len)) => {
                assert_eq!(len, name.len(), "{pair}");
                (Some(key), Keys::get().find(name.as_bytes()))
            }
            None => (order.find(name.as_bytes()), Keys::get().find(name.as_bytes())),
        };
        pairs.map(find).collect()
    }

    #[test]
    fn every_key_is_found_whatever_came_before() {
        let mut order = Order::default();
        for record in [
            "datetime=1|aCode=2|acc=3|SpamProcessingDetail=4|IP=5",
            "datetime=1|aCode=2|acc=3|SpamProcessingDetail=4|IP=5",
            "datetime=1|acc=3|SpamProcessingDetails=4|IP=5|IP=6",
            "DATETIME=1|ACODE=2|acc=3|Unheard=4|Unheard=5|IP=",
            "aCode=2|Receipient=3|Rcpt=4|aCodes=5",
            "aCode=2|Receipient=3|Rcpt=4|aCode=",
            "Unheard=2|Receipient=3|Rcpt=4|aCode=",
        ] {
            for _ in 0..2 {
                assert!(
                    found(&mut order, record).iter().all(|(found, looked_up)| found == looked_up),
                    "{record}"
                );
            }
        }
    }

    #[test]
    fn a_heading_begins_what_starts_with_it() {
        for name in ["IP", "SpamProcessingDet", "fifteen_letters"] {
            let heading = Heading::new(name);
            for (text, expected) in [
                (format!("{name}="), true),
                (format!("{name}=and more than sixteen bytes of value"), true),
                (format!("{name}x=and more than sixteen bytes of value"), false),
                (format!("x{name}=and more than sixteen bytes of value"), false),
                (name.to_owned(), false),
                (name.to_uppercase() + "=and more than sixteen bytes", name == "IP"),
                (String::new(), false),
            ] {
                assert_eq!(heading.begins(text.as_bytes()), expected, "{name} {text}");
            }
        }
    }
}
