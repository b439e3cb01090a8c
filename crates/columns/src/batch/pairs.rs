//! Maps of the pairs that no column took.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, MapArray, StructArray};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use arrow::error::ArrowError;
use mimelake_parse::ExtraPair;

use super::list::{Lists, OFFSET};
use super::text::TextColumn;

/// Up to here every key is held against every other; beyond, a hash table keeps the time linear.
const FEW: usize = 24;

#[derive(Debug, Default)]
pub(super) struct PairsColumn {
    lists: Lists,
    keys: TextColumn,
    values: TextColumn,
}

impl PairsColumn {
    pub(super) fn data_type() -> DataType {
        DataType::Map(Self::entries(), false)
    }

    fn entries() -> FieldRef {
        Arc::new(Field::new("key_value", DataType::Struct(Self::fields()), false))
    }

    fn fields() -> Fields {
        [Field::new("key", DataType::Utf8, false), Field::new("value", DataType::Utf8, true)]
            .into_iter()
            .collect()
    }

    // Apart, so that the loop over a row stays small.
    #[inline(never)]
    pub(super) fn push(&mut self, pairs: Option<&[ExtraPair<'_>]>) -> usize {
        self.lists.push(pairs.map(<[_]>::len));
        let mut bytes = 0;
        unique_pairs(pairs.unwrap_or_default(), |key, value| {
            bytes += 2 * OFFSET + self.keys.push(Some(key)) + self.values.push(value);
        });
        bytes
    }

    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let members = vec![self.keys.finish()?, self.values.finish()?];
        let entries = StructArray::try_new(Self::fields(), members, None)?;
        let (offsets, nulls) = self.lists.finish();
        Ok(Arc::new(MapArray::try_new(Self::entries(), offsets, entries, nulls, false)?))
    }
}

/// Calls `each` with the pairs as a map can hold them, in their order: the second and later of a key as `key#2`,
/// `key#3`, … : the next that is free.
#[inline]
pub fn unique_pairs(pairs: &[ExtraPair<'_>], mut each: impl FnMut(&str, Option<&str>)) {
    if pairs.len() <= FEW && are_unique(pairs) {
        for pair in pairs {
            each(pair.key, pair.value);
        }
    } else {
        numbered_pairs(pairs, &mut each);
    }
}

#[cold]
fn numbered_pairs(pairs: &[ExtraPair<'_>], each: &mut dyn FnMut(&str, Option<&str>)) {
    // How often each key was met, numbered ones included. The count goes on where it stopped, so that
    // keys written to be in its way cost no more than their own number.
    let mut met: HashMap<String, usize> = HashMap::with_capacity(pairs.len());
    for pair in pairs {
        let mut count = met.get(pair.key).copied().unwrap_or(0);
        let mut key = pair.key.to_owned();
        while met.contains_key(&key) {
            count += 1;
            key = format!("{}#{}", pair.key, count);
        }
        if count > 0 {
            met.insert(pair.key.to_owned(), count);
        }
        each(&key, pair.value);
        met.insert(key, 1);
    }
}

fn are_unique(pairs: &[ExtraPair<'_>]) -> bool {
    pairs.iter().enumerate().all(|(at, pair)| pairs[..at].iter().all(|earlier| earlier.key != pair.key))
}
