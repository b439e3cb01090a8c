//! The least and the greatest value of a page or a chunk.

use parquet::basic::{BoundaryOrder, Type};
use parquet::data_type::ByteArray;
use parquet::file::statistics::{Statistics, ValueStatistics};

use crate::parquet::plan::BOUND_BYTES;

/// A value that bounds others: an integer or a bit, or a text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Bound {
    Number(i64),
    Text(String),
}

/// The least and the greatest value of some.
pub(super) type Bounds = (Bound, Bound);

/// Both bounds in Parquet's plain encoding, long texts cut.
pub(super) fn plain((least, greatest): &Bounds, column: Type) -> (Vec<u8>, Vec<u8>) {
    let bytes = |bound: &Bound, cut: fn(&str) -> String| match bound {
        Bound::Number(bit) if column == Type::BOOLEAN => vec![*bit as u8],
        Bound::Number(number) => number.to_le_bytes().to_vec(),
        Bound::Text(text) => cut(text).into_bytes(),
    };
    (bytes(least, below), bytes(greatest, above))
}

/// What a chunk's entry in the file's end says of its values.
pub(super) fn statistics(bounds: Option<&Bounds>, nulls: usize, column: Type) -> Statistics {
    let nulls = Some(nulls as u64);
    let number = |bound: &Bound| if let Bound::Number(number) = bound { Some(*number) } else { None };
    let numbers = bounds.map(|(least, greatest)| (number(least), number(greatest)));
    let (least, greatest) = numbers.unwrap_or_default();
    match column {
        Type::BYTE_ARRAY => {
            let plain = bounds.map(|bounds| plain(bounds, column));
            let is_whole = |bound: &Bound| matches!(bound, Bound::Text(text) if text.len() <= BOUND_BYTES);
            let exact = bounds.is_some_and(|(least, _)| is_whole(least));
            let exact_above = bounds.is_some_and(|(_, greatest)| is_whole(greatest));
            let (least, greatest) = plain.unzip();
            let bytes = |bound: Option<Vec<u8>>| bound.map(ByteArray::from);
            ValueStatistics::new(bytes(least), bytes(greatest), None, nulls, false)
                .with_min_is_exact(exact)
                .with_max_is_exact(exact_above)
                .into()
        }
        Type::BOOLEAN => {
            let bit = |bound: Option<i64>| bound.map(|bound| bound != 0);
            ValueStatistics::new(bit(least), bit(greatest), None, nulls, false).into()
        }
        _ => ValueStatistics::new(least, greatest, None, nulls, false)
            .with_backwards_compatible_min_max(true)
            .into(),
    }
}

/// The text's beginning.
fn below(text: &str) -> String {
    text[..text.floor_char_boundary(BOUND_BYTES)].to_owned()
}

/// The text, or if it is long, a short one that is greater.
fn above(text: &str) -> String {
    if text.len() <= BOUND_BYTES {
        return text.to_owned();
    }
    let mut cut = below(text);
    while let Some(last) = cut.pop() {
        if let Some(next) = (last..=char::MAX).nth(1) {
            cut.push(next);
            return cut;
        }
    }
    text.to_owned()
}

/// Whether the bounds of the pages so far rise or fall.
#[derive(Clone, Debug, Default)]
pub(super) struct Order {
    last: Option<Bounds>,
    is_broken: (bool, bool),
}

impl Order {
    /// Adds the bounds of a page.
    pub(super) fn add(&mut self, (least, greatest): &Bounds) {
        let short = |bound: &Bound, cut: fn(&str) -> String| match bound {
            Bound::Text(text) => Bound::Text(cut(text)),
            number @ Bound::Number(_) => number.clone(),
        };
        // As they are written: texts that rise may not do so when they are cut between characters.
        let page = (short(least, below), short(greatest, above));
        if let Some(last) = &self.last {
            self.is_broken.0 |= last.0 > page.0 || last.1 > page.1;
            self.is_broken.1 |= last.0 < page.0 || last.1 < page.1;
        }
        self.last = Some(page);
    }

    /// What Parquet calls it.
    pub(super) fn name(&self) -> BoundaryOrder {
        match self.is_broken {
            (false, _) => BoundaryOrder::ASCENDING,
            (true, false) => BoundaryOrder::DESCENDING,
            (true, true) => BoundaryOrder::UNORDERED,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cut_bounds_hold_what_they_bound() {
        let long = |end: &str| "a".repeat(31) + end;
        for (text, least, greatest) in [
            ("short".to_owned(), "short".to_owned(), "short".to_owned()),
            (long("bc"), long("b"), long("c")),
            (long("éé"), long(""), "a".repeat(30) + "b"),
            ("a".repeat(28) + "\u{10FFFF}x", "a".repeat(28) + "\u{10FFFF}", "a".repeat(27) + "b"),
            ("a".repeat(29) + "\u{D7FF}x", "a".repeat(29) + "\u{D7FF}", "a".repeat(29) + "\u{E000}"),
        ] {
            assert_eq!((below(&text), above(&text)), (least, greatest), "{text}");
            assert!(below(&text) <= text && text <= above(&text), "{text}");
        }
        let highest = "\u{10FFFF}".repeat(9);
        assert_eq!(above(&highest), highest);
    }

    #[test]
    fn the_order_is_that_of_the_cut_bounds() {
        let name = |pages: &[&str]| {
            let mut order = Order::default();
            for text in pages {
                let text = Bound::Text("m".repeat(31) + text);
                order.add(&(text.clone(), text));
            }
            order.name()
        };
        assert_eq!(name(&["a", "b", "b"]), BoundaryOrder::ASCENDING);
        assert_eq!(name(&["b", "b", "a"]), BoundaryOrder::DESCENDING);
        assert_eq!(name(&["a", "b", "a"]), BoundaryOrder::UNORDERED);
        // Cut before the é, the second begins lower than the first and ends higher.
        assert_eq!(name(&["bxx", "éxx"]), BoundaryOrder::UNORDERED);
    }
}
