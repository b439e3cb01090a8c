//! Records as a timeline for people.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::IsTerminal;

use clap::ColorChoice;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use mimelake_landing::one_line;
use mimelake_schema::Field;

use super::record::Record;
use super::said::Said;
use super::story::{self, Tone};
use crate::args::TraceArgs;

/// More recipients, subjects and names than this are counted only.
const SHOWN: usize = 8;

/// The timeline of records in order.
///
/// Everything that a record says goes through [`line`](Page::line), which makes it fit for a terminal.
///
/// # Errors
/// If a record cannot be read back; it is made to.
pub fn text(args: &TraceArgs, records: &[Record]) -> anyhow::Result<String> {
    let told: Vec<(&Record, Said)> =
        records.iter().map(|r| Ok((r, Said::of(r)?))).collect::<serde_json::Result<_>>()?;
    let mut page = Page { out: String::new(), colour: is_coloured(args.color) };
    let zone = if args.local { TimeZone::system() } else { TimeZone::UTC };
    head(&mut page, &told);
    let stages = told.iter().map(|(record, _)| record.event_type.table().len()).max().unwrap_or(0);
    for (record, said) in &told {
        let story = story::tell(record.event_type, said);
        let stage = record.event_type.table().replace('_', " ");
        page.out.push('\n');
        page.word(&time(record.timestamp, &zone), Style::Dim);
        page.word(&format!("  {stage:<stages$}  "), Style::Bold);
        page.line(&story.what, story.tone.into());
        for detail in &story.details {
            page.out.push_str("    ");
            page.line(detail, Style::Plain);
        }
        if args.read.verbose {
            page.out.push_str("    ");
            page.line(&format!("read from {}: byte {}", record.source.0, record.source.1), Style::Dim);
        }
    }
    Ok(page.out)
}

/// What the records say of the email as a whole.
fn head(page: &mut Page, told: &[(&Record, Said)]) {
    let names = |name: fn(&Record) -> &str| told.iter().map(|(record, _)| name(record)).collect::<Vec<_>>();
    let texts = |field| told.iter().filter_map(|(_, said)| said.text(field)).collect::<Vec<_>>();
    let recipients = told.iter().flat_map(|(_, said)| said.list(Field::Recipients)).collect::<Vec<_>>();
    let lines = [
        ("aCode", names(|record| record.names().acode)),
        ("message id", names(|record| record.names().message_id)),
        ("subject", texts(Field::Subject)),
        ("direction", texts(Field::Direction)),
        ("from", texts(Field::Sender)),
        ("to", recipients),
    ];
    for (name, texts) in lines {
        page.distinct(name, texts);
    }
}

/// The time of a record, to the second; milliseconds where they are said.
fn time(micros: Option<i64>, zone: &TimeZone) -> String {
    let time = micros.and_then(|micros| Timestamp::from_microsecond(micros).ok());
    let Some(time) = time else { return "no time".to_owned() };
    let fraction = if time.subsec_nanosecond() == 0 { "" } else { "%.3f" };
    let offset = if *zone == TimeZone::UTC { "Z" } else { "%:z" };
    time.to_zoned(zone.clone()).strftime(&format!("%Y-%m-%d %H:%M:%S{fraction}{offset}")).to_string()
}

fn is_coloured(choice: ColorChoice) -> bool {
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            let forbidden = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            !forbidden && std::io::stdout().is_terminal()
        }
    }
}

/// How a text looks.
#[derive(Clone, Copy)]
enum Style {
    Plain,
    Bold,
    Dim,
    Green,
    Red,
    Yellow,
}

impl From<Tone> for Style {
    fn from(tone: Tone) -> Self {
        match tone {
            Tone::Good => Self::Green,
            Tone::Bad => Self::Red,
            Tone::Waiting => Self::Yellow,
            Tone::Plain => Self::Plain,
        }
    }
}

/// What is printed so far.
struct Page {
    out: String,
    colour: bool,
}

impl Page {
    /// Appends a text, made fit for a terminal.
    fn word(&mut self, text: &str, style: Style) {
        let code = match style {
            Style::Plain => "",
            Style::Bold => "1",
            Style::Dim => "2",
            Style::Green => "32",
            Style::Red => "31",
            Style::Yellow => "33",
        };
        // Writing to a string cannot fail.
        _ = if self.colour && !code.is_empty() {
            write!(self.out, "\x1b[{code}m{}\x1b[0m", one_line(text))
        } else {
            write!(self.out, "{}", one_line(text))
        };
    }

    fn line(&mut self, text: &str, style: Style) {
        self.word(text, style);
        self.out.push('\n');
    }

    /// Appends the texts under a name, each once, in the order in which they come.
    fn distinct(&mut self, name: &str, texts: Vec<&str>) {
        let mut seen = BTreeSet::new();
        let texts: Vec<_> = texts.into_iter().filter(|text| !text.is_empty() && seen.insert(*text)).collect();
        let mut name = name;
        for text in texts.iter().take(SHOWN) {
            self.word(&format!("{name:<12}"), Style::Bold);
            self.line(text, Style::Plain);
            name = "";
        }
        if texts.len() > SHOWN {
            self.line(&format!("{:<12}and {} more", "", texts.len() - SHOWN), Style::Plain);
        }
    }
}
