//! The other programs: where they come from, and which they are.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use mimelake_bench::program::WORKSPACE;

/// The other programs, installed.
pub struct Peers {
    /// The interpreter of the environment that holds those for Python.
    pub python: PathBuf,
    /// The program that runs VRL, as Vector does.
    pub vrl: PathBuf,
}

impl Peers {
    /// Installs what `requirements.txt` pins into an environment under `dir`, and builds the package `vrl` there, unless
    /// they are there.
    ///
    /// # Errors
    /// If there is no Python, or it cannot install them; if the package does not build.
    pub fn install(dir: &Path) -> anyhow::Result<Self> {
        Ok(Self { python: Self::python(dir)?, vrl: Self::vrl(dir)? })
    }

    fn vrl(dir: &Path) -> anyhow::Result<PathBuf> {
        let target = dir.join("vrl");
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--release", "--locked", "--manifest-path"]);
        build.arg(Self::script("vrl/Cargo.toml")).arg("--target-dir").arg(&target);
        succeed(&mut build)?;
        Ok(target.join("release").join("vrl-peer"))
    }

    fn python(dir: &Path) -> anyhow::Result<PathBuf> {
        let environment = dir.join("python");
        let python = environment.join("bin").join("python");
        let wanted = fs::read(Self::script("requirements.txt"))?;
        let done = environment.join("installed.txt");
        if fs::read(&done).ok().as_ref() != Some(&wanted) {
            fs::create_dir_all(dir)?;
            succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
            let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
            succeed(Command::new(&python).args(pip).arg(Self::script("requirements.txt")))?;
            fs::write(&done, wanted)?;
        }
        Ok(python)
    }

    /// The path of a program in `benches/compare/peers`.
    pub fn script(name: impl AsRef<Path>) -> PathBuf {
        Path::new(WORKSPACE).join("benches/compare/peers").join(name)
    }

    /// The names and versions of all of them.
    pub fn versions(&self, mimelake: &Path) -> anyhow::Result<String> {
        let ours = told(Command::new(mimelake).arg("--version"))?;
        let python = told(Command::new(&self.python).arg("--version"))?;
        let pins = fs::read_to_string(Self::script("requirements.txt"))?;
        let pins = pins.lines().filter(|pin| !pin.starts_with('#')).map(|pin| pin.replace("==", " "));
        let manifest = fs::read_to_string(Self::script("vrl/Cargo.toml"))?;
        let vrl = manifest.split_once("vrl = { version = \"=").and_then(|(_, rest)| rest.split_once('"'));
        let vrl = format!("VRL {}", vrl.map_or("unknown", |(version, _)| version));
        Ok([ours, python].into_iter().chain(pins).chain([vrl]).collect::<Vec<_>>().join(", "))
    }
}

/// Runs `command`, and returns what it prints, without the line end.
pub fn told(command: &mut Command) -> anyhow::Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("cannot run {name}"))?;
    ensure!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.status().with_context(|| format!("cannot run {name}: it is needed"))?;
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok(())
}
