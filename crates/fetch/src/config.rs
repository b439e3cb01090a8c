//! The configuration file.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use mimelake_landing::put::safe_name;
use mimelake_schema::EventType;
use reqwest::Url;
use serde::Deserialize;

use crate::error::ConfigError;
use crate::secret::{SecretSource, read_private};

/// The sources of one configuration file.
#[derive(Debug, Clone)]
pub struct Config {
    /// By name, in the order of names.
    pub sources: BTreeMap<String, Source>,
}

/// One account of one API.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Which API it is fetched from.
    pub api: Api,
    /// The base URL, instead of a region.
    base_url: Option<String>,
    /// The region, instead of a base URL.
    region: Option<String>,
    /// The account code or tenant; names the folder.
    pub account: String,
    /// API 1.0: the application's id.
    pub app_id: Option<SecretSource>,
    /// API 1.0: the application's key.
    pub app_key: Option<SecretSource>,
    /// API 1.0: the user's access key, from `mimelake login`.
    pub access_key: Option<SecretSource>,
    /// API 1.0: the user's secret key, from `mimelake login`.
    pub secret_key: Option<SecretSource>,
    /// API 1.0: how records are written.
    #[serde(default)]
    pub file_format: FileFormat,
    /// API 1.0: many files a call, in a zip.
    #[serde(default = "yes")]
    pub compress: bool,
    /// API 2.0: the application's client id.
    pub client_id: Option<SecretSource>,
    /// API 2.0: the application's client secret.
    pub client_secret: Option<SecretSource>,
    /// API 2.0: the event types; all unless set.
    #[serde(default)]
    types: Vec<String>,
    /// API 2.0: how far back to begin.
    #[serde(default = "seven_days", deserialize_with = "span")]
    pub start: Duration,
    /// Certificates to trust, in PEM, instead of the platform's.
    pub ca_file: Option<PathBuf>,
    /// The audit events to fetch; none unless set.
    pub audit: Option<Audit>,
    /// Where relative paths begin.
    #[serde(skip)]
    pub(crate) folder: PathBuf,
}

/// Which audit events are fetched.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    /// Their categories, as `mimelake audit --categories` lists them.
    pub categories: Vec<String>,
    /// How far back to begin; Mimecast keeps 60 days.
    #[serde(default = "sixty_days", deserialize_with = "span")]
    pub start: Duration,
    /// How far each window reaches back into the one before, for events that arrive late.
    #[serde(default = "one_day", deserialize_with = "span")]
    pub overlap: Duration,
}

/// A version of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
pub enum Api {
    /// Signed requests and one token.
    #[serde(rename = "1.0")]
    V1,
    /// OAuth, and one cursor for each event type.
    #[serde(rename = "2.0")]
    V2,
}

/// How API 1.0 writes records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileFormat {
    /// `key=value|key=value` lines.
    #[default]
    KeyValue,
    /// JSON.
    Json,
}

impl FileFormat {
    /// Returns the name that the API knows it by.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::KeyValue => "key_value",
            Self::Json => "json",
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    source: BTreeMap<String, Source>,
}

/// The regions of API 1.0 whose hosts are named alike.
const REGIONS: [&str; 9] = ["eu", "de", "us", "ca", "za", "au", "je", "usb", "sandbox"];

fn yes() -> bool {
    true
}

const fn days(n: u64) -> Duration {
    Duration::from_secs(n * 24 * 60 * 60)
}

fn one_day() -> Duration {
    days(1)
}

fn seven_days() -> Duration {
    days(7)
}

fn sixty_days() -> Duration {
    days(60)
}

fn span<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    parse_span(&String::deserialize(from)?).map_err(serde::de::Error::custom)
}

/// Returns the time that a text such as `15m`, `12h` or `7d` says.
///
/// # Errors
/// It says none, or more than a year.
pub fn parse_span(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no time: write 90s, 15m, 12h or 7d");
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let time = number.checked_mul(seconds).map(Duration::from_secs).filter(|time| *time <= days(366));
    time.ok_or_else(|| format!("{text:?} is more than a year"))
}

impl Config {
    /// Returns the configuration that a file holds, with what the environment says above it: `MIMELAKE_<SOURCE>_<KEY>`,
    /// in capitals, as in `MIMELAKE_EU_BASE_URL` for `base_url` of `[source.eu]`.
    ///
    /// # Errors
    /// The file cannot be read or others may read it, a key is unknown, or a source says too little or what cannot be.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = read_private(path)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::parse(&text, folder, std::env::vars_os())
            .map_err(|error| ConfigError::new(format!("{}: {error}", path.display()), error.hint()))
    }

    fn parse(
        text: &str,
        folder: &Path,
        environment: impl Iterator<Item = (std::ffi::OsString, std::ffi::OsString)>,
    ) -> Result<Self, ConfigError> {
        let mut table: toml::Table = text.parse().map_err(|error| wrong(text, &error))?;
        overlay(&mut table, environment);
        let file: File = table.try_into().map_err(|error| wrong(text, &error))?;
        if file.source.is_empty() {
            return Err(ConfigError::new("it names no source", "add a table [source.NAME]"));
        }
        let mut sources = file.source;
        let mut places = HashSet::new();
        for (name, source) in &mut sources {
            folder.clone_into(&mut source.folder);
            source
                .check()
                .map_err(|error| ConfigError::new(format!("source.{name}: {error}"), error.hint()))?;
            let audited = source.audit.is_some().then(|| (source.account.clone(), None));
            for place in [Some((source.account.clone(), Some(source.api))), audited].into_iter().flatten() {
                if !places.insert(place) {
                    return Err(ConfigError::new(
                        format!(
                            "source.{name}: another source fetches the same from account {}",
                            source.account
                        ),
                        "give each source its own account, or leave one out",
                    ));
                }
            }
        }
        Ok(Self { sources })
    }
}

/// An error of the TOML without the line it is in, which may hold a secret.
fn wrong(text: &str, error: &toml::de::Error) -> ConfigError {
    let what = error.message().lines().next().unwrap_or("it cannot be read");
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map_or(String::new(), |before| format!("line {}: ", before.matches('\n').count() + 1));
    let what = format!("{line}{what}");
    ConfigError::new(what, "compare it with the section on fetching in the README")
}

/// Puts what the environment says above what the file says.
fn overlay(
    table: &mut toml::Table,
    environment: impl Iterator<Item = (std::ffi::OsString, std::ffi::OsString)>,
) {
    let Some(sources) = table.get_mut("source").and_then(toml::Value::as_table_mut) else { return };
    let prefix = |name: &str| format!("MIMELAKE_{}_", name.to_ascii_uppercase().replace('-', "_"));
    let mut prefixes: Vec<String> = sources.keys().map(|name| prefix(name)).collect();
    // `MIMELAKE_EU_WEST_TYPES` is of `eu-west` where there is one, and not of `eu`.
    prefixes.sort_by_key(|prefix| std::cmp::Reverse(prefix.len()));
    for (variable, value) in environment {
        let (Some(variable), Some(value)) = (variable.to_str(), value.to_str()) else { continue };
        let Some((of, key)) = prefixes.iter().find_map(|of| Some((of, variable.strip_prefix(of.as_str())?)))
        else {
            continue;
        };
        for (name, source) in sources.iter_mut() {
            let Some(source) = source.as_table_mut().filter(|_| prefix(name) == *of) else { continue };
            let value = match value.as_bytes() {
                b"true" | b"false" => toml::Value::Boolean(value == "true"),
                _ if key == "TYPES" => {
                    value.split(',').map(str::trim).map(str::to_owned).collect::<Vec<_>>().into()
                }
                _ => toml::Value::String(value.to_owned()),
            };
            source.insert(key.to_ascii_lowercase(), value);
        }
    }
}

impl Source {
    fn check(&self) -> Result<(), ConfigError> {
        if safe_name(&self.account).as_deref() != Some(&self.account) {
            return Err(ConfigError::new(
                format!("account {:?} cannot name a folder", self.account),
                "use letters, digits, `-` and `.`",
            ));
        }
        self.url()?;
        self.types()?;
        let v1 = [("app_id", &self.app_id), ("app_key", &self.app_key)];
        let pair = [("access_key", &self.access_key), ("secret_key", &self.secret_key)];
        let v2 = [("client_id", &self.client_id), ("client_secret", &self.client_secret)];
        let (needed, other) = match self.api {
            Api::V1 => (&v1, v2.to_vec()),
            Api::V2 => (&v2, [v1, pair].concat()),
        };
        if let Some((key, _)) = needed.iter().find(|(_, source)| source.is_none()) {
            return Err(ConfigError::new(
                format!("{key} is missing"),
                "a string, { env = \"VAR\" } or { file = \"path\" }",
            ));
        }
        let strange = other.iter().find(|(_, source)| source.is_some()).map(|(key, _)| *key);
        if let Some(key) = strange.or((self.api == Api::V1 && !self.types.is_empty()).then_some("types")) {
            return Err(ConfigError::new(
                format!("{key} is not for this API"),
                "leave it out, or set api to the other one",
            ));
        }
        if self.audit.as_ref().is_some_and(|audit| audit.categories.is_empty()) {
            return Err(ConfigError::new(
                "audit.categories is empty",
                "`mimelake audit --categories` lists them",
            ));
        }
        Ok(())
    }

    /// Returns the files that hold the key pair of API 1.0, access key first; `None` where it is not in files.
    pub fn key_files(&self) -> Option<[PathBuf; 2]> {
        let file = |from: &Option<SecretSource>| match from {
            Some(SecretSource::File(from)) => Some(self.folder.join(&from.file)),
            _ => None,
        };
        Some([file(&self.access_key)?, file(&self.secret_key)?])
    }

    /// Returns the base URL.
    pub(crate) fn url(&self) -> Result<Url, ConfigError> {
        let url = match (&self.base_url, &self.region, self.api) {
            (Some(_), Some(_), _) => {
                return Err(ConfigError::new("both base_url and region", "leave one of them out"));
            }
            (Some(url), None, _) => url.clone(),
            (None, Some(region), Api::V1) if REGIONS.contains(&region.as_str()) => {
                format!("https://{region}-api.mimecast.com")
            }
            (None, Some(region), Api::V1) if region == "uspcom" => {
                "https://uspcom-api.mimecast-pscom-us.com".to_owned()
            }
            (None, Some(region), Api::V2) if region == "us" || region == "uk" => {
                format!("https://{region}-api.services.mimecast.com")
            }
            (None, None, Api::V2) => "https://api.services.mimecast.com".to_owned(),
            (None, Some(region), Api::V2) => {
                return Err(ConfigError::new(
                    format!("no region {region:?}"),
                    "API 2.0 has us and uk, or leave it out",
                ));
            }
            (None, region, Api::V1) => {
                let what =
                    region.as_ref().map_or("no region".to_owned(), |region| format!("no region {region:?}"));
                return Err(ConfigError::new(
                    what,
                    format!("regions are {}, uspcom; or set base_url", REGIONS.join(", ")),
                ));
            }
        };
        check_url(&url)
    }

    /// Returns the event types of API 2.0 that are wanted.
    pub(crate) fn types(&self) -> Result<Vec<EventType>, ConfigError> {
        if self.types.is_empty() {
            let fetched = |t: &EventType| *t != EventType::Audit && !t.row().json2.is_empty();
            return Ok(EventType::ALL.iter().copied().filter(fetched).collect());
        }
        let known = |name: &String| {
            EventType::from_json2(name).or_else(|| EventType::from_table(name)).ok_or_else(|| {
                ConfigError::new(
                    format!("no event type {name:?}"),
                    "`mimelake schema` lists them; `audit` has its own table",
                )
            })
        };
        self.types.iter().map(known).collect()
    }
}

/// Returns a base URL that secrets may be sent to: https, or http to this machine.
pub(crate) fn check_url(text: &str) -> Result<Url, ConfigError> {
    let wrong = |what: &str, hint: &str| ConfigError::new(format!("base_url {what}"), hint);
    let example = "such as https://eu-api.mimecast.com";
    let url: Url = text.parse().map_err(|_| wrong("is no URL", example))?;
    let is_plain = url.scheme() == "http" && is_loopback(&url);
    if url.scheme() != "https" && !is_plain {
        return Err(wrong(
            "is not https, and keys would be sent in the clear",
            "http is for loopback addresses only",
        ));
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.path() != "/" {
        return Err(wrong("has more than a host and a port", example));
    }
    Ok(url)
}

/// Whether the URL leads to this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests;
