//! The program that is measured.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use serde_json::Value;

/// The top of the workspace.
pub const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Returns the path of `mimelake` as released, built if it is not up to date.
///
/// # Errors
/// If cargo cannot be run or the build fails.
pub fn release() -> anyhow::Result<PathBuf> {
    build(&["build", "--release", "--package", "mimelake", "--bin", "mimelake"])
}

fn build(arguments: &[&str]) -> anyhow::Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // What cargo tells a bench of its package must not reach the build: some build scripts look at it, and all that
    // depends on them would be compiled anew.
    for (name, _) in env::vars_os() {
        if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|told| name.to_string_lossy().starts_with(told)) {
            command.env_remove(name);
        }
    }
    let built = command
        .args(arguments)
        .args(["--locked", "--message-format", "json-render-diagnostics"])
        .current_dir(WORKSPACE)
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run cargo")?;
    if !built.status.success() {
        bail!("mimelake does not build: see above");
    }
    let told = String::from_utf8(built.stdout)?;
    let mut paths = told.lines().filter_map(executable);
    paths.next_back().context("cargo does not say where it put mimelake")
}

/// Returns the path of `mimelake` as the tests run it, which costs nothing where they have been built.
///
/// # Errors
/// As [`release`].
pub fn tested() -> anyhow::Result<PathBuf> {
    build(&["test", "--no-run", "--workspace", "--test", "golden"])
}

/// The executable that a message of cargo tells of.
fn executable(message: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    let named = message["target"]["name"] == "mimelake";
    message["executable"].as_str().filter(|_| named).map(PathBuf::from)
}
