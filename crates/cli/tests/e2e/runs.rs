//! Runs of the program in a directory of their own.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A temporary directory in which the program runs, with relative paths.
pub struct Place {
    directory: TempDir,
}

/// How a run ended.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Ran {
    /// Fails unless the run ended so.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stderr: {}", self.stderr);
        self
    }

    /// Fails unless stderr holds this text.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "no {text:?} in stderr: {}", self.stderr);
        self
    }
}

impl Place {
    /// An empty directory.
    pub fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    /// The path of a name in it.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file, and the directories on the way to it.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Appends to a file.
    pub fn append(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let mut file = fs::OpenOptions::new().append(true).open(self.path(name)).unwrap();
        file.write_all(bytes.as_ref()).unwrap();
    }

    /// The program with these arguments, not yet run.
    pub fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mimelake"));
        command.args(arguments).current_dir(self.directory.path()).stdin(Stdio::null());
        command
    }

    /// Runs the program with these arguments, which are separated by blanks.
    pub fn run(&self, arguments: &str) -> Ran {
        ended(&mut self.command(arguments.split_whitespace()))
    }

    /// Runs the program with these bytes on stdin.
    pub fn run_with_stdin(&self, arguments: &str, stdin: &[u8]) -> Ran {
        self.write(".stdin", stdin);
        let file = fs::File::open(self.path(".stdin")).unwrap();
        // A pipe, as a file can be read twice.
        let mut cat = Command::new("cat").stdin(file).stdout(Stdio::piped()).spawn().unwrap();
        let pipe = cat.stdout.take().unwrap();
        let ran = ended(self.command(arguments.split_whitespace()).stdin(pipe));
        cat.wait().unwrap();
        ran
    }

    /// Converts into `out`; the report, and how the run ended.
    #[track_caller]
    pub fn convert(&self, arguments: &str) -> (Value, Ran) {
        let ran = self.run(&format!("convert -o out --report report.json {arguments}"));
        (self.report(&ran), ran)
    }

    /// The report that a run wrote to `report.json`, whose account must hold.
    #[track_caller]
    pub fn report(&self, ran: &Ran) -> Value {
        let text = fs::read(self.path("report.json"));
        let text = text.unwrap_or_else(|error| panic!("no report: {error}; stderr: {}", ran.stderr));
        fs::remove_file(self.path("report.json")).unwrap();
        let report: Value = serde_json::from_slice(&text).unwrap();
        let [lines, records, rejected, blank, continued] =
            ["lines", "records", "rejected", "blank", "continued"].map(|name| report[name].as_u64().unwrap());
        assert_eq!(records + rejected + blank, lines, "{report}");
        assert!(continued <= records, "{report}");
        report
    }
}

/// Sends the program a signal, which is lost if it has ended.
pub fn interrupt(program: &Child, signal: &str) {
    let kill = format!("kill -{signal} {}", program.id());
    Command::new("sh").args(["-c", &kill]).stderr(Stdio::null()).status().unwrap();
}

/// Runs the command to its end.
pub fn ended(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    Ran { code: output.status.code(), stdout: output.stdout, stderr }
}
