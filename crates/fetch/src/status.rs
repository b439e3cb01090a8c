//! What a person or a monitor wants to know of a service: how far each stream is behind.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// The stream of audit events.
pub(crate) const AUDIT: &str = "audit";
/// So long before the first logs are lost a stream is warned of.
const EARLY: SignedDuration = SignedDuration::from_hours(3 * 24);

/// Returns for how long Mimecast keeps what a stream brings.
pub(crate) fn kept(stream: &str) -> SignedDuration {
    SignedDuration::from_hours(24 * if stream == AUDIT { 60 } else { 7 })
}

/// The state of all streams; clones show the same.
#[derive(Debug, Clone, Default)]
pub struct Status(Arc<Mutex<BTreeMap<(String, String), StreamStatus>>>);

/// The state of one stream of one source.
#[derive(Debug, Clone, Default)]
pub(crate) struct StreamStatus {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    pub(crate) known: u64,
    pub(crate) quarantined: u64,
    pub(crate) gaps: u64,
    /// When it was first asked for.
    pub(crate) began: Option<Timestamp>,
    /// When all there was had been fetched.
    pub(crate) caught_up: Option<Timestamp>,
    /// When the cursor last moved.
    pub(crate) moved: Option<Timestamp>,
    pub(crate) unlicensed: bool,
    pub(crate) error: Option<String>,
}

/// Files and bytes of a run so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Files landed.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files that came again and were known.
    pub known: u64,
    /// Files put into the quarantine.
    pub quarantined: u64,
    /// Times that logs may have been lost.
    pub gaps: u64,
}

impl Status {
    /// Returns what was fetched since the start, of all sources.
    pub fn totals(&self) -> Totals {
        self.streams().values().fold(Totals::default(), |sum, stream| Totals {
            files: sum.files + stream.files,
            bytes: sum.bytes + stream.bytes,
            known: sum.known + stream.known,
            quarantined: sum.quarantined + stream.quarantined,
            gaps: sum.gaps + stream.gaps,
        })
    }

    /// Returns the state as JSON, as it is at `now`.
    pub fn json(&self, now: Timestamp) -> Value {
        let mut sources = serde_json::Map::new();
        for ((source, name), stream) in self.streams().iter() {
            let streams = sources.entry(source).or_insert_with(|| json!({}));
            let age =
                |since: Option<Timestamp>| since.map(|since| now.duration_since(since).as_secs().max(0));
            if let Some(streams) = streams.as_object_mut() {
                let text = |time: Option<Timestamp>| time.map(|time| time.to_string());
                streams.insert(
                    name.clone(),
                    json!({
                        "began": text(stream.began),
                        "lag_seconds": age(stream.behind_since()),
                        "last_success": text(stream.caught_up),
                        "cursor_age_seconds": age(stream.moved),
                        "cursor_moved": text(stream.moved),
                        "files": stream.files,
                        "bytes": stream.bytes,
                        "known": stream.known,
                        "quarantined": stream.quarantined,
                        "gaps": stream.gaps,
                        "unlicensed": stream.unlicensed,
                        "error": stream.error,
                        "warnings": stream.warnings(now, kept(name)),
                    }),
                );
            }
        }
        json!({ "version": 1, "at": now.to_string(), "sources": sources })
    }

    /// Returns the state in the text format of Prometheus, as it is at `now`.
    pub fn metrics(&self, now: Timestamp) -> String {
        let streams = self.streams();
        let mut text = String::new();
        let mut family = |name: &str,
                          kind: &str,
                          help: &str,
                          value: &dyn Fn(&StreamStatus) -> Option<f64>| {
            _ = write!(text, "# HELP mimelake_{name} {help}\n# TYPE mimelake_{name} {kind}\n");
            for ((source, stream), status) in streams.iter() {
                if let Some(value) = value(status) {
                    let (source, stream) = (label(source), label(stream));
                    _ = writeln!(text, "mimelake_{name}{{source=\"{source}\",stream=\"{stream}\"}} {value}");
                }
            }
        };
        let age =
            |since: Option<Timestamp>| since.map(|since| now.duration_since(since).as_secs_f64().max(0.0));
        let lag = "Time since all there was had been fetched, or since it was first asked for.";
        family("lag_seconds", "gauge", lag, &|s| age(s.behind_since()));
        family("cursor_age_seconds", "gauge", "Time since the cursor moved.", &|s| age(s.moved));
        family("files_total", "counter", "Files landed.", &|s| Some(s.files as f64));
        family("bytes_total", "counter", "Bytes landed.", &|s| Some(s.bytes as f64));
        family("known_total", "counter", "Files that came again.", &|s| Some(s.known as f64));
        family("quarantined_total", "counter", "Files put into the quarantine.", &|s| {
            Some(s.quarantined as f64)
        });
        family("gaps_total", "counter", "Times that logs may have been lost.", &|s| Some(s.gaps as f64));
        family("failing", "gauge", "1 while the last round failed.", &|s| {
            Some(f64::from(u8::from(s.error.is_some())))
        });
        text
    }

    pub(crate) fn watch(&self, source: &str, stream: &str) -> Watch {
        let watch = Watch { status: self.clone(), key: (source.to_owned(), stream.to_owned()) };
        watch.update(|_| ());
        watch
    }

    fn streams(&self) -> std::sync::MutexGuard<'_, BTreeMap<(String, String), StreamStatus>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StreamStatus {
    /// From when on logs may be missing: nothing was ever all there where it never caught up. `None` where none are
    /// to be expected.
    fn behind_since(&self) -> Option<Timestamp> {
        self.caught_up.or(self.began).filter(|_| !self.unlicensed)
    }

    fn warnings(&self, now: Timestamp, kept: SignedDuration) -> Vec<String> {
        let Some(since) = self.behind_since() else { return Vec::new() };
        let lag = now.duration_since(since);
        let (days, keeps) = (lag.as_hours() / 24, kept.as_hours() / 24);
        if lag >= kept {
            vec![format!("{days} days behind, and Mimecast keeps {keeps}: logs are being lost")]
        } else if lag >= kept - EARLY {
            let left = (kept - lag).as_hours();
            vec![format!(
                "{days} days behind: Mimecast keeps {keeps}, and the first logs are lost in {left} hours"
            )]
        } else {
            Vec::new()
        }
    }
}

/// The place of one stream in the status.
#[derive(Debug, Clone)]
pub(crate) struct Watch {
    status: Status,
    key: (String, String),
}

impl Watch {
    /// The stream's name.
    pub(crate) fn stream(&self) -> &str {
        &self.key.1
    }

    /// What is to be warned of at `now`.
    pub(crate) fn warnings(&self, now: Timestamp) -> Vec<String> {
        self.status
            .streams()
            .get(&self.key)
            .map(|status| status.warnings(now, kept(&self.key.1)))
            .unwrap_or_default()
    }

    pub(crate) fn update(&self, change: impl FnOnce(&mut StreamStatus)) {
        change(self.status.streams().entry(self.key.clone()).or_default());
    }
}

/// A label's value; names come from the configuration file.
fn label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status() -> (Status, Timestamp) {
        let now: Timestamp = "2026-03-09T00:00:00Z".parse().unwrap();
        let status = Status::default();
        for (stream, hours) in [("siem-v1", 1), ("behind", 5 * 24), ("late", 8 * 24), ("audit", 8 * 24)] {
            status.watch("eu", stream).update(|s| {
                s.caught_up = Some(now - SignedDuration::from_hours(hours));
                s.moved = s.caught_up;
                s.files = 3;
            });
        }
        status.watch("eu", "new");
        let began = now - SignedDuration::from_hours(5 * 24);
        // It moves on, and still never saw the end.
        status.watch("eu", "slow").update(|s| (s.began, s.moved) = (Some(began), Some(now)));
        status.watch("eu", "none").update(|s| (s.began, s.unlicensed) = (Some(began), true));
        (status, now)
    }

    #[test]
    fn says_how_far_behind_each_stream_is() {
        let (status, now) = status();
        let json = status.json(now);
        let stream = |name: &str| json.pointer(&format!("/sources/eu/{name}")).unwrap().clone();
        assert_eq!(stream("siem-v1")["lag_seconds"], 3600);
        assert_eq!(stream("siem-v1")["last_success"], "2026-03-08T23:00:00Z");
        assert_eq!(stream("siem-v1")["cursor_age_seconds"], 3600);
        assert_eq!(stream("new")["lag_seconds"], Value::Null);
        assert_eq!(stream("siem-v1")["warnings"], json!([]));
        assert_eq!(stream("audit")["warnings"], json!([]), "these are kept for 60 days");
        assert!(stream("behind")["warnings"][0].as_str().unwrap().contains("lost in 48 hours"));
        assert!(stream("slow")["warnings"][0].as_str().unwrap().contains("lost in 48 hours"));
        assert_eq!(
            (stream("none")["warnings"].clone(), stream("slow")["last_success"].clone()),
            (json!([]), Value::Null)
        );
        assert!(stream("late")["warnings"][0].as_str().unwrap().contains("being lost"));
        assert_eq!(status.totals().files, 12);
    }

    #[test]
    fn speaks_to_prometheus() {
        let (status, now) = status();
        let text = status.metrics(now);
        assert!(text.contains("# TYPE mimelake_lag_seconds gauge\n"));
        assert!(text.contains("mimelake_lag_seconds{source=\"eu\",stream=\"siem-v1\"} 3600\n"));
        assert!(text.contains("mimelake_files_total{source=\"eu\",stream=\"new\"} 0\n"));
        for none in ["new", "none"] {
            assert!(!text.contains(&format!("lag_seconds{{source=\"eu\",stream=\"{none}\"}}")), "{none}");
        }
    }
}
