//! Lists without repetition.

use std::collections::HashSet;

use bumpalo::{Bump, collections::Vec};

/// Up to this many, a look at each is quicker than hashing.
const FEW: usize = 32;

/// Texts in the order in which they first appear, each once, however many there are.
#[derive(Debug)]
pub(super) struct Distinct<'a> {
    list: Vec<'a, &'a str>,
    /// The same, for look-up, once there are many.
    seen: Option<HashSet<&'a str>>,
}

impl<'a> Distinct<'a> {
    /// An empty list.
    pub(super) fn new(bump: &'a Bump) -> Self {
        Self { list: Vec::new_in(bump), seen: None }
    }

    /// Adds a text, unless it is empty or there already.
    #[inline]
    pub(super) fn add(&mut self, text: &'a str) {
        if !text.is_empty() && !self.holds(text) {
            if self.list.capacity() == 0 {
                self.list.reserve(4);
            }
            self.list.push(text);
        }
    }

    /// Adds a text if there is one.
    #[inline]
    pub(super) fn add_some(&mut self, text: Option<&'a str>) {
        if let Some(text) = text {
            self.add(text);
        }
    }

    /// The list.
    pub(super) fn into_list(self) -> &'a [&'a str] {
        self.list.into_bump_slice()
    }

    #[inline]
    fn holds(&mut self, text: &'a str) -> bool {
        if self.list.len() < FEW {
            return self.list.contains(&text);
        }
        !self.seen.get_or_insert_with(|| self.list.iter().copied().collect()).insert(text)
    }
}

#[cfg(test)]
mod tests {
    use super::Distinct;
    use bumpalo::Bump;

    #[test]
    fn each_once_in_order_of_appearance() {
        let numbers: Vec<String> = (0..200).map(|n| (n * 7 % 90).to_string()).collect();
        let bump = Bump::new();
        let mut distinct = Distinct::new(&bump);
        distinct.add("");
        for number in &numbers {
            distinct.add(number);
        }
        let mut expected: Vec<&str> = Vec::new();
        for number in &numbers {
            if !expected.contains(&number.as_str()) {
                expected.push(number);
            }
        }
        assert_eq!(distinct.into_list(), expected);
    }
}
