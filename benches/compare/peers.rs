//! The other programs: where they come from, and which they are.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use mimelake_bench::program::WORKSPACE;

/// The other programs, installed.
pub struct Peers {
    /// The interpreter of the environment that holds them.
    pub python: PathBuf,
    /// The VRL program, if it was asked for.
    pub vrl: Option<PathBuf>,
}

impl Peers {
    /// Installs what `requirements.txt` pins into an environment under `dir`, unless it is there.
    ///
    /// # Errors
    /// If there is no Python, or it cannot install them.
    pub fn install(dir: &Path, vrl: bool) -> anyhow::Result<Self> {
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
        let vrl = if vrl { Some(build_vrl(dir)?) } else { None };
        Ok(Self { python, vrl })
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
        let vrl = self.vrl.is_some().then(|| "vrl 0.38.0".to_owned());
        Ok([ours, python].into_iter().chain(pins).chain(vrl).collect::<Vec<_>>().join(", "))
    }
}

/// Builds the VRL program, which is a package of its own, outside of the workspace.
fn build_vrl(dir: &Path) -> anyhow::Result<PathBuf> {
    let target = dir.join("vrl");
    let manifest = Path::new(WORKSPACE).join("benches/compare/vrl/Cargo.toml");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--release", "--locked", "--manifest-path"]).arg(manifest);
    succeed(build.arg("--target-dir").arg(&target))?;
    Ok(target.join("release").join("vrl-peer"))
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
