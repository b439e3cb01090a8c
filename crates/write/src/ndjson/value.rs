//! Cells as JSON values.

use mimelake_columns::document::Cell;
use mimelake_parse::{Verdict, Verdicts};
use mimelake_schema::VERDICTS;

use super::{line::Line, pairs, plan::Plan, text, time};

/// Whether the cell has something to write.
#[inline]
pub(super) fn is_said(cell: &Cell<'_>) -> bool {
    // Nearly all are text or null.
    if matches!(cell, Cell::Text(_)) {
        return true;
    }
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
pub(super) fn write(cell: &Cell<'_>, members: Option<&Plan>, out: &mut Line<'_>) {
    if let Cell::Text(text) = cell {
        text::write(text, out);
    } else {
        write_other(cell, members, out);
    }
}

// Apart, so that the loop over the cells stays small.
#[inline(never)]
fn write_other(cell: &Cell<'_>, members: Option<&Plan>, out: &mut Line<'_>) {
    match cell {
        Cell::Null | Cell::Text(_) => {}
        Cell::Int(number) => integer(*number, out),
        Cell::Bool(bit) => boolean(*bit, out),
        Cell::Time(micros) => time::write(*micros, out),
        Cell::List(list) => array(list, out, |text, out| text::write(text, out)),
        Cell::Verdicts(verdicts) => write_verdicts(verdicts, out),
        Cell::Pairs(pairs) => pairs::write(pairs, out),
        Cell::Struct(row) => object(row, members, out),
        Cell::Structs(rows) => array(rows, out, |row, out| object(row, members, out)),
    }
}

#[inline]
fn integer(number: i64, out: &mut Line<'_>) {
    out.bytes(itoa::Buffer::new().format(number).as_bytes());
}

#[inline]
fn boolean(bit: bool, out: &mut Line<'_>) {
    out.bytes(if bit { b"true" } else { b"false" });
}

fn object(row: &[Cell<'_>], members: Option<&Plan>, out: &mut Line<'_>) {
    match members {
        Some(plan) => plan.write_object(row, out),
        None => out.bytes(b"{}"),
    }
}

/// Appends an array.
pub(super) fn array<T>(elements: &[T], out: &mut Line<'_>, write: impl Fn(&T, &mut Line<'_>)) {
    out.byte(b'[');
    for (place, element) in elements.iter().enumerate() {
        if place > 0 {
            out.byte(b',');
        }
        write(element, out);
    }
    out.byte(b']');
}

fn verdict_says(verdict: &Verdict<'_>) -> bool {
    verdict.allow.is_some() || verdict.info.is_some()
}

fn write_verdicts(verdicts: &Verdicts<'_>, out: &mut Line<'_>) {
    let start = out.end();
    for ((name, _), verdict) in VERDICTS.iter().zip(verdicts.each) {
        let Some(verdict) = verdict.filter(verdict_says) else { continue };
        member(name, out);
        let inner = out.end();
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
fn member(name: &str, out: &mut Line<'_>) {
    out.bytes(b",\"");
    out.bytes(name.as_bytes());
    out.bytes(b"\":");
}

/// Ends the object whose first member's comma stands at `start`: there it opens the object.
pub(super) fn end_object(start: usize, out: &mut Line<'_>) {
    if out.end() == start {
        out.byte(b'{');
    } else {
        out.replace(start, b'{');
    }
    out.byte(b'}');
}
