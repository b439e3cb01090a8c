//! The different values of a column chunk, each with a number.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

/// Values in the order in which they first came, as the dictionary page has them.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    hasher: DefaultHashBuilder,
    numbers: HashTable<Entry>,
    page: Vec<u8>,
    /// Where each value begins and ends in the page.
    places: Vec<Place>,
}

/// Where a value begins and ends in the page.
type Place = (u32, u32);

/// A value, with its place, so that a look-up need not go by way of `places`: each way is a miss of the caches.
#[derive(Clone, Copy, Debug)]
struct Entry {
    place: Place,
    number: u32,
}

impl Dictionary {
    /// The number of a text.
    #[inline]
    pub(super) fn text(&mut self, text: &[u8]) -> u32 {
        self.look_up(text, &(text.len() as u32).to_le_bytes())
    }

    /// The number of an integer.
    #[inline]
    pub(super) fn integer(&mut self, integer: i64) -> u32 {
        self.look_up(&integer.to_le_bytes(), &[])
    }

    /// The number of a value; `head` is written before it where it is new.
    fn look_up(&mut self, value: &[u8], head: &[u8]) -> u32 {
        let Self { hasher, numbers, page, places, .. } = self;
        let hash = hasher.hash_one(value);
        match numbers.find(hash, |entry| is_same(value_at(page, entry.place), value)) {
            Some(entry) => entry.number,
            None => {
                page.extend_from_slice(head);
                let start = page.len() as u32;
                page.extend_from_slice(value);
                let entry = Entry { place: (start, page.len() as u32), number: places.len() as u32 };
                numbers.insert_unique(hash, entry, |other| hasher.hash_one(value_at(page, other.place)));
                places.push(entry.place);
                entry.number
            }
        }
    }

    /// Forgets all values; the room for them stays.
    pub(super) fn clear(&mut self) {
        self.numbers.clear();
        self.page.clear();
        self.places.clear();
    }

    /// How many values there are.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// The values, each in Parquet's plain encoding.
    pub(super) fn page(&self) -> &[u8] {
        &self.page
    }

    /// The values in the order of their numbers.
    pub(super) fn values(&self) -> impl Iterator<Item = &[u8]> {
        self.places.iter().map(|place| value_at(&self.page, *place))
    }

    /// The value with this number.
    pub(super) fn value(&self, number: u32) -> &[u8] {
        value_at(&self.page, self.places[number as usize])
    }

    /// About how many bytes of memory it takes.
    pub(super) fn memory(&self) -> usize {
        self.page.capacity() + self.places.capacity() * size_of::<Place>() + self.numbers.allocation_size()
    }
}

#[inline]
fn value_at(page: &[u8], (start, end): Place) -> &[u8] {
    &page[start as usize..end as usize]
}

/// Whether two values are the same. Most are short: to call the library's comparison takes longer than to compare them.
#[inline(always)]
pub(super) fn is_same(one: &[u8], other: &[u8]) -> bool {
    /// The first and the last bytes, which overlap in a value of less than twice as many.
    fn ends<const N: usize>(value: &[u8]) -> Option<(&[u8; N], &[u8; N])> {
        value.first_chunk().zip(value.last_chunk())
    }
    one.len() == other.len()
        && match one.len() {
            0 => true,
            1 => ends::<1>(one) == ends::<1>(other),
            2..4 => ends::<2>(one) == ends::<2>(other),
            4..8 => ends::<4>(one) == ends::<4>(other),
            8..16 => ends::<8>(one) == ends::<8>(other),
            16..=32 => ends::<16>(one) == ends::<16>(other),
            _ => one == other,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_has_one_number() {
        let mut dictionary = Dictionary::default();
        let texts: Vec<String> = (0..5000_u32).map(|n| (n * n % 997).to_string()).collect();
        let mut seen: Vec<&str> = vec![];
        for text in &texts {
            let number = dictionary.text(text.as_bytes()) as usize;
            if number == seen.len() {
                seen.push(text);
            }
            assert_eq!(seen[number], text);
        }
        assert_eq!(dictionary.len(), seen.len());
        assert!(dictionary.values().eq(seen.iter().map(|text| text.as_bytes())));
        assert_eq!(dictionary.page()[..5], [1, 0, 0, 0, b'0']);
        let mut numbers = Dictionary::default();
        assert_eq!([3, 3, -1, 3].map(|n| numbers.integer(n)), [0, 0, 1, 0]);
        assert_eq!(numbers.page(), [3_i64.to_le_bytes(), (-1_i64).to_le_bytes()].concat());
    }

    #[test]
    fn values_are_the_same_byte_by_byte() {
        for length in 0..70 {
            let value: Vec<u8> = (0..length).collect();
            assert!(is_same(&value, &value.clone()), "{length}");
            assert!(!is_same(&value, &[&value[..], &[0]].concat()), "{length}");
            for at in 0..value.len() {
                let mut other = value.clone();
                other[at] ^= 0x80;
                assert!(!is_same(&value, &other), "{length} {at}");
            }
        }
    }
}
