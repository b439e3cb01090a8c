//! The program that is measured.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use serde_json::Value;

/// The top of the workspace.
pub const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Returns the path of `mimelake`, built with what `options` ask of `cargo build` if it is not up to date.
///
/// # Errors
/// If cargo cannot be run or the build fails.
pub fn build(options: &[&str]) -> anyhow::Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--locked", "--bin", "mimelake", "--message-format", "json-render-diagnostics"])
        .args(options)
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

/// The executable that a message of cargo tells of.
fn executable(message: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    let named = message["target"]["name"] == "mimelake";
    message["executable"].as_str().filter(|_| named).map(PathBuf::from)
}
