//! Cutting a window of bytes into lines, and looking for the line that closes an open quote.

use std::collections::VecDeque;

use memchr::{memchr, memchr2};

use super::key_end;

/// What every record of API 1.0 begins with; a line that does is never a continuation.
const BEGINS: &[u8] = b"datetime=";
/// How many following lines are looked at for the close of a quote.
const MAX_CONTINUATION: u32 = 63;

/// One line of a window: its content is `start..end`, the next one begins at `next`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The first byte.
    pub start: usize,
    /// The byte after the content.
    pub end: usize,
    /// The byte after the line's end.
    pub next: usize,
}

impl Cut {
    /// Whether the line ends only because the source does.
    pub(crate) fn is_open(&self) -> bool {
        self.next == self.end
    }
}

/// Cuts the line that begins at `start`; none if its end is not in the window yet, or nothing is left.
///
/// A line ends at LF, at CR LF, or at a lone CR right before `datetime=`; the last of a file may lack
/// its end.
pub fn cut(window: &[u8], start: usize, at_end: bool) -> Option<Cut> {
    let mut from = start;
    while let Some(at) = memchr2(b'\n', b'\r', &window[from..]).map(|p| from + p) {
        if window[at] == b'\n' {
            return Some(Cut { start, end: at, next: at + 1 });
        }
        let rest = &window[at + 1..];
        if rest.first() == Some(&b'\n') {
            return Some(Cut { start, end: at, next: at + 2 });
        }
        if rest.starts_with(BEGINS) {
            return Some(Cut { start, end: at, next: at + 1 });
        }
        if !at_end && BEGINS.starts_with(rest) {
            return None;
        }
        from = at + 1;
    }
    let end = window.len();
    (at_end && start < end).then_some(Cut { start, end, next: end })
}

/// Where a record surely begins, at or after `from`: at a `datetime=` that a line end precedes.
///
/// Such a place is a record's beginning whatever stands before it, so a large file can be cut there
/// and its pieces be read on their own.
pub fn sure_start(window: &[u8], from: usize) -> Option<usize> {
    let mut from = from.max(1);
    loop {
        let at = from - 1 + memchr2(b'\n', b'\r', window.get(from - 1..)?)?;
        if window[at + 1..].starts_with(BEGINS) {
            return Some(at + 1);
        }
        from = at + 2;
    }
}

/// Whether the line that begins here cannot continue another.
pub(crate) fn begins_record(line: &[u8]) -> bool {
    line.starts_with(BEGINS)
}

/// Whether these first bytes of a line may go on to be such a line.
pub(crate) fn may_begin_record(line: &[u8]) -> bool {
    BEGINS.starts_with(line)
}

/// What the lines after an open quote say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Close {
    /// The record goes on to the end of this line; so many lines were added.
    In(Cut, u32),
    /// No line closes it.
    Nowhere,
    /// The window ends too early to tell.
    More,
}

/// Looks for closes of quotes; remembers what it has seen, so that each line is cut and searched once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Closer {
    /// The lines that were looked at, from the last place asked for on, and whether each has a close.
    seen: VecDeque<(Cut, bool)>,
}

impl Closer {
    /// Looks at the lines from `start` on for one that closes a quote and ends by `limit`.
    ///
    /// `already` lines continue the record as it is.
    pub(crate) fn look(
        &mut self,
        window: &[u8],
        start: usize,
        at_end: bool,
        already: u32,
        limit: usize,
    ) -> Close {
        while self.seen.front().is_some_and(|(line, _)| line.start < start) {
            self.seen.pop_front();
        }
        let mut next = start;
        for added in 1..=MAX_CONTINUATION - already.min(MAX_CONTINUATION) {
            let (line, has_close) = match self.seen.get(added as usize - 1) {
                Some(seen) => *seen,
                None => match continuation(window, next, at_end, limit) {
                    Ok(line) => {
                        let seen = (line, closes(&window[line.start..line.end]));
                        self.seen.push_back(seen);
                        seen
                    }
                    Err(close) => return close,
                },
            };
            if line.end > limit {
                return Close::Nowhere;
            }
            if has_close {
                return Close::In(line, added);
            }
            next = line.next;
        }
        Close::Nowhere
    }
}

/// The line that begins here, if it can continue another.
fn continuation(window: &[u8], start: usize, at_end: bool, limit: usize) -> Result<Cut, Close> {
    let rest = &window[start.min(window.len())..];
    if begins_record(rest) {
        return Err(Close::Nowhere);
    }
    if !at_end && may_begin_record(rest) {
        return Err(Close::More);
    }
    // What may be the beginning of `\rdatetime=` may lie behind the line's content.
    let is_over = at_end || window.len() > limit + BEGINS.len();
    cut(window, start, at_end).ok_or(if is_over { Close::Nowhere } else { Close::More })
}

/// Whether a continuing line holds a `\` that stands before a boundary or the line's end.
fn closes(line: &[u8]) -> bool {
    let end = line.len() - line.iter().rev().take_while(|&&b| b == b'|').count();
    let line = &line[..end];
    let mut from = 0;
    while let Some(at) = memchr(b'\\', &line[from..]).map(|p| from + p) {
        let after = at + 1;
        if after == end || (line[after] == b'|' && key_end(line, after + 1).is_some()) {
            return true;
        }
        from = after;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_where_the_format_says() {
        type Ends = Option<(usize, usize)>;
        let cases: [(&str, bool, Ends); 11] = [
            ("a=1\nb", false, Some((3, 4))),
            ("a=1\r\nb", false, Some((3, 5))),
            ("a=1\rdatetime=2", false, Some((3, 4))),
            ("a=1\rdate\n", false, Some((8, 9))),
            ("a=1\rdate", false, None),
            ("a=1\rdate", true, Some((8, 8))),
            ("a=1\r", false, None),
            ("a=1", false, None),
            ("a=1", true, Some((3, 3))),
            ("", true, None),
            ("\n", false, Some((0, 1))),
        ];
        for (text, at_end, expected) in cases {
            let found = cut(text.as_bytes(), 0, at_end).map(|c| (c.end, c.next));
            assert_eq!(found, expected, "{text:?} at_end={at_end}");
        }
    }

    #[test]
    fn sure_starts() {
        let text = b"datetime=1\r\nfoo\ndatetime=2\rdatetime=3 datetime=4\n";
        assert_eq!(sure_start(text, 0), Some(16));
        assert_eq!(sure_start(text, 16), Some(16));
        assert_eq!(sure_start(text, 17), Some(27));
        assert_eq!(sure_start(text, 28), None);
        assert_eq!(sure_start(text, 1000), None);
        assert_eq!(sure_start(b"", 0), None);
    }

    #[test]
    fn a_close_stands_before_a_boundary_or_the_end() {
        for (line, expected) in [
            ("x\\", true),
            ("x\\||", true),
            ("x\\|A=1", true),
            ("x\\|A", false),
            ("x\\y", false),
            ("", false),
        ] {
            assert_eq!(closes(line.as_bytes()), expected, "{line}");
        }
    }
}
