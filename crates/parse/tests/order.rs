//! Events and rejects in their order.

use std::convert::Infallible;

use bumpalo::Bump;
use mimelake_parse::{Event, Format, Reader, Reject, Sink};
use mimelake_schema::Field;

/// Where events and rejects begin, as they come.
#[derive(Default)]
struct Order(Vec<(u64, bool)>);

impl Sink for Order {
    type Error = Infallible;

    fn event(&mut self, event: &Event<'_>, _: &Bump) -> Result<(), Infallible> {
        let said = event.get(Field::Subject).text().unwrap_or_default();
        let place = said.split_once('\n').map_or(said, |(place, _)| place).trim_end_matches('\u{FFFD}');
        assert_eq!(place.parse(), Ok(event.offset));
        self.0.push((event.offset, true));
        Ok(())
    }

    fn reject(&mut self, reject: &Reject<'_>) -> Result<(), Infallible> {
        self.0.push((reject.offset, false));
        Ok(())
    }
}

#[test]
fn events_and_rejects_come_in_the_order_of_the_input() {
    let (mut text, mut expected) = (Vec::new(), Vec::new());
    for number in 0..500_usize {
        let place = text.len() as u64;
        let begin = "datetime=2026-03-02T10:00:00+0000|Act=Acc|SpamScore=1|Subject=";
        match number % 13 {
            3 => text.extend_from_slice(b"stray\n"),
            // Mended: an event, and its bytes to the quarantine.
            5 => {
                text.extend_from_slice(&[begin.as_bytes(), place.to_string().as_bytes(), b"\xFF\n"].concat());
            }
            7 => text.extend_from_slice(format!("{begin}\\{place}\nsecond line\\\n").as_bytes()),
            9 => text.extend_from_slice(format!("{begin}{place}|Rcpt={}\n", "x".repeat(20_000)).as_bytes()),
            _ => text.extend_from_slice(format!("{begin}{place}\n").as_bytes()),
        }
        let (is_event, is_reject) = (number % 13 != 3, matches!(number % 13, 3 | 5));
        expected.extend(is_event.then_some((place, true)));
        expected.extend(is_reject.then_some((place, false)));
    }
    for window in [1 << 30, 100_000, 50_000] {
        let (mut reader, mut order) = (Reader::new(Format::KeyValue, "x"), Order::default());
        let mut at = 0;
        while at < text.len() {
            let end = text.len().min(at + window);
            let Ok(done) = reader.read(&text[at..end], at as u64, end == text.len(), &mut order);
            assert!(done > 0, "{at}");
            at += done;
        }
        assert_eq!(order.0, expected, "{window}");
    }
}
