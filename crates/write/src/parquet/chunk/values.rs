//! The values of a page that is being filled.

use parquet::basic::Encoding;
use parquet::bloom_filter::Sbbf;

use super::bits;
use super::blocks::Blocks;
use super::bound::{Bound, Bounds};
use super::dictionary::{Dictionary, is_same};

/// The values of a page, by their type, and the dictionary of its chunk.
#[derive(Debug)]
pub(super) enum Values {
    Text(Texts),
    Int(Ints),
    Bool(Vec<bool>),
}

/// Texts: numbers in the dictionary as long as there is one, else lengths and bytes.
#[derive(Debug, Default)]
pub(super) struct Texts {
    dictionary: Option<Dictionary>,
    numbers: Vec<u32>,
    lengths: Vec<u32>,
    bytes: Blocks,
}

#[derive(Debug, Default)]
pub(super) struct Ints {
    dictionary: Option<Dictionary>,
    values: Vec<i64>,
}

impl Texts {
    pub(super) fn new(has_dictionary: bool) -> Self {
        Self { dictionary: has_dictionary.then(Dictionary::default), ..Self::default() }
    }

    /// Appends a text; how many bytes it has.
    #[inline]
    pub(super) fn push(&mut self, text: &str) -> usize {
        let bytes = text.as_bytes();
        if let Some(dictionary) = &mut self.dictionary {
            // Neighbours are alike.
            let last = self.numbers.last().filter(|last| is_same(dictionary.value(**last), bytes));
            let number = last.copied().unwrap_or_else(|| dictionary.text(bytes));
            self.numbers.push(number);
        } else {
            self.lengths.push(text.len() as u32);
            self.bytes.push(bytes);
        }
        text.len()
    }

    fn write(&self, out: &mut Vec<u8>) -> Encoding {
        if let Some(dictionary) = &self.dictionary {
            write_numbers(&self.numbers, dictionary, out);
            return Encoding::RLE_DICTIONARY;
        }
        bits::delta(self.lengths.iter().map(|length| i64::from(*length)), out);
        out.reserve(self.bytes.len());
        self.bytes.iter().for_each(|block| out.extend_from_slice(block));
        Encoding::DELTA_LENGTH_BYTE_ARRAY
    }

    /// Puts the page's texts into the filter; those of a dictionary are in no page.
    fn insert_into(&self, filter: &mut Sbbf) {
        self.plain().for_each(|text| filter.insert(text));
    }

    /// The page's texts that are not of a dictionary.
    fn plain(&self) -> impl Iterator<Item = &[u8]> {
        let (mut blocks, mut rest) = (self.bytes.iter(), &[][..]);
        self.lengths.iter().map(move |length| {
            if rest.len() < *length as usize {
                rest = blocks.next().unwrap_or_default();
            }
            let (text, after) = rest.split_at(*length as usize);
            rest = after;
            text
        })
    }

    fn bounds(&self) -> Option<Bounds> {
        // Neighbours are alike.
        let numbers = self.numbers.chunk_by(|a, b| a == b).filter_map(|same| same.first());
        let dictionary = self.dictionary.as_ref();
        let numbered = numbers.filter_map(|number| Some(dictionary?.value(*number)));
        let all = || numbered.clone().chain(self.plain());
        let text = |bytes: &[u8]| Bound::Text(String::from_utf8_lossy(bytes).into_owned());
        Some((text(all().min()?), text(all().max()?)))
    }
}

impl Ints {
    pub(super) fn new(has_dictionary: bool) -> Self {
        Self { dictionary: has_dictionary.then(Dictionary::default), values: Vec::new() }
    }

    #[inline]
    pub(super) fn push(&mut self, value: i64) {
        self.values.push(value);
    }

    fn write(&mut self, out: &mut Vec<u8>) -> Encoding {
        if let Some(dictionary) = &mut self.dictionary {
            let mut numbers = Vec::with_capacity(self.values.len());
            // Neighbours are alike.
            for same in self.values.chunk_by(|a, b| a == b) {
                let number = dictionary.integer(same[0]);
                numbers.resize(numbers.len() + same.len(), number);
            }
            write_numbers(&numbers, dictionary, out);
            return Encoding::RLE_DICTIONARY;
        }
        bits::delta(self.values.iter().copied(), out);
        Encoding::DELTA_BINARY_PACKED
    }
}

/// Appends numbers in a dictionary, the width of each first.
fn write_numbers(numbers: &[u32], dictionary: &Dictionary, out: &mut Vec<u8>) {
    let width = bits::width(dictionary.len().saturating_sub(1) as u64);
    out.push(width as u8);
    bits::hybrid(numbers, width, out);
}

impl Values {
    /// Appends the page's values; how they are encoded.
    pub(super) fn write(&mut self, out: &mut Vec<u8>) -> Encoding {
        match self {
            Self::Text(texts) => texts.write(out),
            Self::Int(ints) => ints.write(out),
            Self::Bool(bits) => {
                bits::pack(bits.iter().map(|bit| u64::from(*bit)), 1, out);
                Encoding::PLAIN
            }
        }
    }

    /// Makes room for the next page.
    pub(super) fn clear(&mut self) {
        match self {
            Self::Text(texts) => {
                texts.numbers.clear();
                texts.lengths.clear();
                texts.bytes.clear();
            }
            Self::Int(ints) => ints.values.clear(),
            Self::Bool(bits) => bits.clear(),
        }
    }

    /// How many values the page has.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Text(texts) => texts.numbers.len() + texts.lengths.len(),
            Self::Int(ints) => ints.values.len(),
            Self::Bool(bits) => bits.len(),
        }
    }

    /// The least and the greatest of the page's values.
    pub(super) fn bounds(&self) -> Option<Bounds> {
        let numbers = |least: Option<i64>, greatest: Option<i64>| {
            Some((Bound::Number(least?), Bound::Number(greatest?)))
        };
        match self {
            Self::Text(texts) => texts.bounds(),
            Self::Int(ints) => numbers(ints.values.iter().copied().min(), ints.values.iter().copied().max()),
            Self::Bool(bits) => {
                let number = |bit: Option<&bool>| bit.map(|bit| i64::from(*bit));
                numbers(number(bits.iter().min()), number(bits.iter().max()))
            }
        }
    }

    /// Puts the page's texts into a filter of the chunk.
    pub(super) fn insert_into(&self, filter: &mut Sbbf) {
        if let Self::Text(texts) = self {
            texts.insert_into(filter);
        }
    }

    /// The dictionary of the pages to come, if they have one.
    pub(super) fn dictionary(&self) -> Option<&Dictionary> {
        match self {
            Self::Text(texts) => texts.dictionary.as_ref(),
            Self::Int(ints) => ints.dictionary.as_ref(),
            Self::Bool(_) => None,
        }
    }

    /// The dictionary, which pages to come do without.
    pub(super) fn take_dictionary(&mut self) -> Option<Dictionary> {
        match self {
            Self::Text(texts) => texts.dictionary.take(),
            Self::Int(ints) => ints.dictionary.take(),
            Self::Bool(_) => None,
        }
    }

    /// Begins a chunk, in the room of the dictionary of the one before.
    pub(super) fn begin(&mut self, mut room: Option<Dictionary>) {
        if let Some(dictionary) = &mut room {
            dictionary.clear();
        }
        match self {
            Self::Text(texts) => texts.dictionary = room,
            Self::Int(ints) => ints.dictionary = room,
            Self::Bool(_) => {}
        }
    }

    /// How many bytes of memory the page and the dictionary take.
    pub(super) fn memory(&self) -> usize {
        let page = match self {
            Self::Text(texts) => {
                let numbers = texts.numbers.capacity() + texts.lengths.capacity();
                texts.bytes.memory() + numbers * size_of::<u32>()
            }
            Self::Int(ints) => ints.values.capacity() * size_of::<i64>(),
            Self::Bool(bits) => bits.capacity(),
        };
        page + self.dictionary().map_or(0, Dictionary::memory)
    }

    /// About how many bytes the page's values take in their encoding: a number in the dictionary counts as one.
    pub(super) fn page_bytes(&self) -> usize {
        match self {
            Self::Text(texts) => texts.bytes.len() + texts.numbers.len(),
            Self::Int(ints) => ints.values.len() * size_of::<i64>(),
            Self::Bool(bits) => bits.len(),
        }
    }
}
