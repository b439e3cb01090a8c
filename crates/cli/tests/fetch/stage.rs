//! A stand-in, a directory with its configuration, and runs of the program there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use mimelake_mock::{FileFormat, Mock, Options, Sequence};

/// The zips that the source `first` is given.
pub const ZIPS: Sequence = Sequence::Zips(FileFormat::KeyValue);

pub struct Stage {
    pub mock: Mock,
    directory: tempfile::TempDir,
}

/// How a run ended.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "no {text:?} in {}", self.stderr);
        self
    }
}

impl Stage {
    pub fn new(options: Options) -> Self {
        let mock = Mock::start(options).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let stage = Self { mock, directory };
        stage.write_private("mimelake.toml", &stage.mock.config());
        stage
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn write_private(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o600)).unwrap();
        }
    }

    /// The program, in the directory, with these arguments.
    pub fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mimelake"));
        command.args(arguments.split_whitespace()).current_dir(self.directory.path()).stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &str) -> Ran {
        let output = self.command(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Starts the program and leaves it running; nobody listens to it.
    pub fn start(&self, arguments: &str) -> Child {
        self.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Every file below a folder of the account, by name.
    pub fn landed(&self, part: &str) -> BTreeMap<String, Vec<u8>> {
        files(&self.path("land/C0A0").join(part))
    }

    /// Asserts that a part holds what the stand-in has, each file once and byte for byte.
    #[track_caller]
    pub fn is_complete(&self, part: &str, sequence: Sequence) {
        let expected: BTreeMap<_, _> =
            self.mock.expected(sequence).map(|f| (f.name, f.bytes.clone())).collect();
        let landed = self.landed(part);
        assert_eq!(landed.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
        assert!(landed == expected, "other bytes");
    }
}

/// Every file below a folder, by name; no name may come twice.
pub fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let Ok(entries) = fs::read_dir(folder) else { return found };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            for (name, bytes) in files(&path) {
                assert!(found.insert(name.clone(), bytes).is_none(), "{name} is there twice");
            }
        } else {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            assert!(found.insert(name.clone(), fs::read(&path).unwrap()).is_none(), "{name} is there twice");
        }
    }
    found
}
