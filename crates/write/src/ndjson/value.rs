//! Cells as JSON values.

use mimelake_columns::document::Cell;
use mimelake_parse::{Verdict, Verdicts};
use mimelake_schema::VERDICTS;

use super::{pairs, plan::Plan, text, time};

/// Whether the cell has something to write.
#[inline]
pub(super) fn is_said(cell: &Cell<'_>) -> bool {
    match cell {
        Cell::Null => false,
        Cell::Time(micros) => time::is_writable(*micros),
        Cell::Pairs(pairs) => !pairs.is_empty(),
        Cell::Verdicts(verdicts) => {
            verdicts.grey_email.is_some() || verdicts.each.iter().flatten().any(verdict_says)
        }
        _ => true,
    }
}

/// Appends a cell's value. Structs whose members nobody described become empty objects.
#[inline]
pub(super) fn write(cell: &Cell<'_>, members: Option<&Plan>, out: &mut Vec<u8>) {
    match cell {
        Cell::Null => out.extend_from_slice(b"null"),
        Cell::Text(text) => text::write(text, out),
        Cell::Int(number) => integer(*number, out),
        Cell::Bool(bit) => boolean(*bit, out),
        Cell::Time(micros) => time::write(*micros, out),
        Cell::List(list) => array(list, out, |text, out| text::write(text, out)),
        Cell::Verdicts(verdicts) => write_verdicts(verdicts, out),
        Cell::Pairs(pairs) => pairs::write(pairs, out),
        Cell::Structs(rows) => array(rows, out, |row, out| match members {
            Some(plan) => plan.write_object(row, out),
            None => out.extend_from_slice(b"{}"),
        }),
    }
}

fn integer(number: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

fn boolean(bit: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(if bit { b"true" } else { b"false" });
}

/// Appends an array.
pub(super) fn array<T>(elements: &[T], out: &mut Vec<u8>, write: impl Fn(&T, &mut Vec<u8>)) {
    out.push(b'[');
    for (place, element) in elements.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        write(element, out);
    }
    out.push(b']');
}

fn verdict_says(verdict: &Verdict<'_>) -> bool {
    verdict.allow.is_some() || verdict.info.is_some()
}

fn write_verdicts(verdicts: &Verdicts<'_>, out: &mut Vec<u8>) {
    let start = out.len();
    for ((name, _), verdict) in VERDICTS.iter().zip(verdicts.each) {
        let Some(verdict) = verdict.filter(verdict_says) else { continue };
        member(name, out);
        let inner = out.len();
        if let Some(allow) = verdict.allow {
            member("allow", out);
            boolean(allow, out);
        }
        if let Some(info) = verdict.info {
            member("info", out);
            text::write(info, out);
        }
        end_object(inner, out);
    }
    if let Some(grey_email) = verdicts.grey_email {
        member("grey_email", out);
        boolean(grey_email, out);
    }
    end_object(start, out);
}

/// A comma and a key; [`end_object`] makes the first comma a brace.
fn member(name: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

/// Ends the object whose first member's comma stands at `start`.
pub(super) fn end_object(start: usize, out: &mut Vec<u8>) {
    match out.get_mut(start) {
        Some(comma) => *comma = b'{',
        None => out.push(b'{'),
    }
    out.push(b'}');
}
