//! The verdicts of spam scans.

use std::sync::Arc;

use arrow::array::{ArrayRef, StructArray};
use arrow::datatypes::{DataType, Field, Fields};
use arrow::error::ArrowError;
use mimelake_parse::{Verdict, Verdicts};
use mimelake_schema::VERDICTS;

use super::bits::Bits;
use super::boolean::BoolColumn;
use super::text::TextColumn;

#[derive(Debug, Default)]
pub(super) struct VerdictsColumn {
    each: [VerdictColumn; VERDICTS.len()],
    grey_email: BoolColumn,
    is_some: Bits,
    /// Nulls that the members do not have yet: most rows have no scan, and a row's members are twenty.
    owed: usize,
}

impl VerdictsColumn {
    pub(super) fn data_type() -> DataType {
        DataType::Struct(Self::fields())
    }

    fn fields() -> Fields {
        let verdict = DataType::Struct(VerdictColumn::fields());
        let each = VERDICTS.iter().map(|(name, _)| Field::new(*name, verdict.clone(), true));
        each.chain([Field::new("grey_email", DataType::Boolean, true)]).collect()
    }

    // Apart, so that the loop over a row stays small.
    #[inline(never)]
    pub(super) fn push(&mut self, verdicts: Option<&Verdicts<'_>>) -> usize {
        self.is_some.push(verdicts.is_some());
        let Some(verdicts) = verdicts else {
            self.owed += 1;
            return 0;
        };
        self.settle();
        let columns = self.each.iter_mut().zip(&verdicts.each);
        let bytes: usize = columns.map(|(column, verdict)| column.push(verdict.as_ref())).sum();
        self.grey_email.push(verdicts.grey_email);
        bytes
    }

    /// Appends the nulls that the members do not have yet.
    fn settle(&mut self) {
        let owed = std::mem::take(&mut self.owed);
        if owed > 0 {
            self.each.iter_mut().for_each(|column| column.push_nulls(owed));
            self.grey_email.push_nulls(owed);
        }
    }

    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        self.settle();
        let each = self.each.iter_mut().map(VerdictColumn::finish);
        let members: Vec<_> = each.chain([Ok(self.grey_email.finish())]).collect::<Result<_, _>>()?;
        Ok(Arc::new(StructArray::try_new(Self::fields(), members, self.is_some.finish_nulls())?))
    }
}

/// One of the verdicts.
#[derive(Debug, Default)]
struct VerdictColumn {
    allow: BoolColumn,
    info: TextColumn,
    is_some: Bits,
}

impl VerdictColumn {
    fn fields() -> Fields {
        [Field::new("allow", DataType::Boolean, true), Field::new("info", DataType::Utf8, true)]
            .into_iter()
            .collect()
    }

    #[inline]
    fn push(&mut self, verdict: Option<&Verdict<'_>>) -> usize {
        self.is_some.push(verdict.is_some());
        let Verdict { allow, info } = verdict.copied().unwrap_or_default();
        self.allow.push(allow);
        self.info.push(info)
    }

    fn push_nulls(&mut self, count: usize) {
        self.allow.push_nulls(count);
        self.info.push_nulls(count);
        self.is_some.push_zeros(count);
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let members = vec![self.allow.finish(), self.info.finish()?];
        Ok(Arc::new(StructArray::try_new(Self::fields(), members, self.is_some.finish_nulls())?))
    }
}
