//! What is known of each recipient of an email.

use std::borrow::Cow;
use std::collections::HashMap;

/// So many names are looked through one by one; nearly every email has fewer.
const FEW: usize = 8;

/// Values by name, in the order in which the names came first.
#[derive(Debug)]
pub(crate) struct Named<'a, T> {
    all: Vec<(Cow<'a, str>, T)>,
    /// The places of the names, once there are many.
    places: HashMap<Cow<'a, str>, usize>,
}

impl<'a, T> Named<'a, T> {
    /// No names.
    pub(crate) fn new() -> Self {
        Self { all: Vec::new(), places: HashMap::new() }
    }

    /// The name's value, and whether it is `first` because the name is new.
    pub(crate) fn entry(&mut self, name: Cow<'a, str>, first: T) -> (&mut T, bool) {
        let found = self.place(&name);
        let place = found.unwrap_or(self.all.len());
        if found.is_none() {
            self.all.push((name, first));
            self.index();
        }
        (&mut self.all[place].1, found.is_none())
    }

    /// How many names there are.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether the name is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.place(name).is_some()
    }

    /// The names and their values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.all.iter().map(|(name, value)| (&**name, value))
    }

    fn place(&self, name: &str) -> Option<usize> {
        if self.all.len() > FEW {
            return self.places.get(name).copied();
        }
        self.all.iter().position(|(other, _)| other == name)
    }

    fn index(&mut self) {
        let known = self.places.len();
        if self.all.len() > FEW {
            let new = self.all.iter().zip(0..).skip(known).map(|((name, _), place)| (name.clone(), place));
            self.places.extend(new);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_value_however_many_there_are() {
        for count in [0, 1, FEW - 1, FEW, FEW + 1, 3 * FEW] {
            let mut named = Named::new();
            for round in 0..2 {
                for n in 0..count {
                    let (value, is_new) = named.entry(n.to_string().into(), n);
                    assert_eq!((*value, is_new), (n + round * 100, round == 0), "{n} of {count}");
                    *value += 100;
                }
            }
            assert_eq!(
                named.iter().map(|(_, value)| *value).collect::<Vec<_>>(),
                (200..200 + count).collect::<Vec<_>>()
            );
            assert_eq!((named.has("0"), named.has("x")), (count > 0, false));
        }
    }
}
