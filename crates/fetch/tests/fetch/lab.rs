//! A stand-in, a landing directory, and rounds between them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::SignedDuration;
use mimelake_fetch::{Clock, Config, FetchError, Fetcher, Patience, Round, Scope, Setting};
use mimelake_mock::{Content, FileFormat, Generate, Mock, Options, Sequence, credentials};

/// The zips of key-value lines, as API 1.0 hands them out unless asked otherwise.
pub const ZIPS: Sequence = Sequence::Zips(FileFormat::KeyValue);

/// Four zips, or four files of each of four types.
pub fn small() -> Content {
    Content::generated(Generate { files: 16, ..Generate::default() })
}

/// One stand-in and the directory that is fetched to.
pub struct Lab {
    pub mock: Mock,
    pub land: tempfile::TempDir,
    pub config: PathBuf,
    pub setting: Setting,
    ahead: SignedDuration,
}

impl Lab {
    /// API 1.0, and what else the source says.
    pub fn v1(options: Options, more: &str) -> Self {
        Self::new(options, |url| {
            format!(
                "[source.eu]\napi = \"1.0\"\nbase_url = \"{url}\"\naccount = \"C0A0\"\napp_id = \"{}\"\n\
                 app_key = \"{}\"\naccess_key = \"{}\"\nsecret_key = \"{}\"\n{more}\n",
                credentials::APP_ID,
                credentials::APP_KEY,
                credentials::ACCESS_KEY,
                credentials::SECRET_KEY
            )
        })
    }

    /// API 2.0, and what else the source says.
    pub fn v2(options: Options, more: &str) -> Self {
        Self::new(options, |url| {
            format!(
                "[source.eu]\napi = \"2.0\"\nbase_url = \"{url}\"\naccount = \"C0A0\"\nclient_id = \"{}\"\n\
                 client_secret = \"{}\"\n{more}\n",
                credentials::CLIENT_ID,
                credentials::CLIENT_SECRET
            )
        })
    }

    fn new(options: Options, config: impl FnOnce(&str) -> String) -> Self {
        let mock = Mock::start(options).unwrap();
        let land = tempfile::tempdir().unwrap();
        let path = land.path().join("mimelake.toml");
        write_private(&path, &config(mock.base_url()));
        let setting = Setting {
            clock: Clock::skipping(SignedDuration::ZERO),
            patience: Patience {
                connect: Duration::from_secs(5),
                // A busy machine may well leave a test alone for a third of a second.
                idle: Duration::from_secs(1),
                ..Patience::default()
            },
            ..Setting::default()
        };
        Self { mock, land, config: path, setting, ahead: SignedDuration::ZERO }
    }

    pub fn fetcher(&self, scope: Scope) -> Result<Fetcher, FetchError> {
        let config = Config::read(&self.config)?;
        Fetcher::new(&config, self.land.path(), &[], scope, self.setting.clone())
    }

    /// One run of one round.
    pub fn round(&self) -> Round {
        self.fetcher(Scope::All).unwrap().round()
    }

    /// Has so many hours pass before the next run.
    pub fn pass(&mut self, hours: i64) {
        self.pass_minutes(60 * hours);
    }

    pub fn pass_minutes(&mut self, minutes: i64) {
        let time = SignedDuration::from_mins(minutes);
        self.mock.pass(time);
        self.ahead += time;
        self.setting.clock = Clock::skipping(self.ahead);
    }

    /// One run that comes to its end.
    pub fn fetch(&self) {
        let round = self.round();
        assert!(round.failures.is_empty(), "{:?}", round.failures);
    }

    /// The error that a run of one source ends in.
    pub fn failure(&self) -> FetchError {
        let mut round = self.round();
        assert_eq!(round.failures.len(), 1, "{:?}", round.failures);
        round.failures.remove(0).error
    }

    /// Every file that was landed in a part, by name.
    pub fn landed(&self, part: &str) -> BTreeMap<String, Vec<u8>> {
        files(&self.land.path().join("C0A0").join(part))
    }

    /// What stands in a file of `_state`.
    pub fn state(&self, name: &str) -> String {
        fs::read_to_string(self.land.path().join("C0A0/_state").join(name)).unwrap_or_default()
    }

    /// Asserts that what has landed is what the stand-in has, byte for byte and nothing else.
    pub fn is_complete(&self, part: &str, sequence: Sequence) {
        let expected: BTreeMap<_, _> =
            self.mock.expected(sequence).map(|f| (f.name, f.bytes.clone())).collect();
        let landed = self.landed(part);
        assert_eq!(landed.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
        assert!(landed == expected, "other bytes");
    }
}

pub fn write_private(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }
}

/// Makes a cursor look as if all it says of time was so many hours ago.
pub fn set_back(lab: &Lab, state: &str, hours: i64) {
    let path = lab.land.path().join("C0A0/_state").join(state);
    let mut cursor: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let then = jiff::Timestamp::now() - SignedDuration::from_hours(hours);
    for (name, value) in cursor.as_object_mut().unwrap() {
        if ["moved", "caught_up", "began", "through"].contains(&name.as_str()) && !value.is_null() {
            *value = then.to_string().into();
        }
    }
    fs::write(&path, cursor.to_string()).unwrap();
}

/// Every file below a folder, by name; no name may come twice.
pub fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in walkdir::WalkDir::new(folder).into_iter().flatten().filter(|e| e.file_type().is_file()) {
        let name = entry.file_name().to_str().unwrap().to_owned();
        assert!(files.insert(name, fs::read(entry.path()).unwrap()).is_none(), "{}", entry.path().display());
    }
    files
}

/// The waits so far, in seconds.
pub fn seconds(lab: &Lab) -> Vec<u64> {
    lab.setting.clock.waits().iter().map(Duration::as_secs).collect()
}
