//! What must never be printed.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::ConfigError;

/// A secret; `Debug` masks it, and it has no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Returns the secret without the blanks around it, and with `\u003d`, as pasted from JSON, read as `=`.
    pub fn new(text: &str) -> Self {
        Self(text.trim().replace("\\u003d", "=").replace("\\u003D", "="))
    }

    /// Returns the secret as it is, like a password, in which blanks count.
    pub fn verbatim(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Returns the secret itself, to be sent and not to be printed.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A secret of fewer characters stands in words by chance.
const LONG: usize = 4;

/// Returns a stranger's text without what must not be printed, as it is or as a form spells it: long secrets wherever
/// they stand, and short ones where they stand by themselves.
pub(crate) fn masked(text: &str, secrets: &[Secret]) -> String {
    let mut shown: Vec<String> =
        secrets.iter().flat_map(|secret| [secret.0.clone(), spelled(&secret.0)]).collect();
    shown.retain(|secret| !secret.is_empty());
    // What stands within a longer one must not break it up.
    shown.sort_unstable_by_key(|secret| std::cmp::Reverse(secret.len()));
    shown.dedup();
    shown.iter().fold(text.to_owned(), |text, secret| {
        if secret.chars().count() < LONG { alone_masked(&text, secret) } else { text.replace(secret, "***") }
    })
}

/// The secret as it is sent in a form.
fn spelled(secret: &str) -> String {
    let Ok(mut form) = reqwest::Url::parse("form:") else { return String::new() };
    form.query_pairs_mut().append_key_only(secret);
    form.query().unwrap_or_default().to_owned()
}

fn alone_masked(text: &str, secret: &str) -> String {
    let (mut masked, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once(secret) {
        // What was written last is text of the stranger's too, or stars.
        let is_after_word = |text: &str| text.chars().next_back().is_some_and(char::is_alphanumeric);
        let is_word = is_after_word(before)
            || before.is_empty() && is_after_word(&masked)
            || after.chars().next().is_some_and(char::is_alphanumeric);
        masked.push_str(before);
        masked.push_str(if is_word { secret } else { "***" });
        rest = after;
    }
    masked + rest
}

/// Where a secret is had from: the text itself, `{ env = "VAR" }` or `{ file = "path" }`.
#[derive(Clone, Deserialize)]
#[serde(untagged, expecting = "a secret is a string, { env = \"VARIABLE\" } or { file = \"path\" }")]
pub enum SecretSource {
    /// The secret stands in the configuration.
    Text(String),
    /// It is the value of an environment variable.
    Env(FromEnv),
    /// It is the content of a file.
    File(FromFile),
}

/// `{ env = "VAR" }`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FromEnv {
    /// The variable's name.
    pub env: String,
}

/// `{ file = "path" }`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FromFile {
    /// The file's path, relative to the configuration's folder.
    pub file: PathBuf,
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("***"),
            Self::Env(from) => from.fmt(f),
            Self::File(from) => from.fmt(f),
        }
    }
}

impl SecretSource {
    /// Returns the secret; `key` is what the configuration calls it, `folder` where relative paths begin.
    ///
    /// # Errors
    /// The variable is not set, the file cannot be read, others may read it, or it is empty.
    pub fn get(&self, key: &str, folder: &Path) -> Result<Secret, ConfigError> {
        let secret = match self {
            Self::Text(text) => Secret::new(text),
            Self::Env(FromEnv { env }) => Secret::new(&std::env::var(env).map_err(|_| {
                ConfigError::new(
                    format!("{key}: the environment variable {env} is not set"),
                    "set it, or use { file = \"…\" }",
                )
            })?),
            Self::File(FromFile { file }) => Secret::new(&read_private(&folder.join(file))?),
        };
        if secret.0.is_empty() {
            return Err(ConfigError::new(
                format!("{key} is empty"),
                "give the value that Mimecast shows for it",
            ));
        }
        if secret.0.contains(char::is_control) {
            return Err(ConfigError::new(
                format!("{key} has line breaks within"),
                "paste it again without line breaks",
            ));
        }
        Ok(secret)
    }
}

/// Returns the text of a file that only its owner may read.
///
/// # Errors
/// It cannot be read, or others may read it.
pub(crate) fn read_private(path: &Path) -> Result<String, ConfigError> {
    let failed = |error: std::io::Error| {
        ConfigError::new(format!("cannot read {}: {error}", path.display()), "check the path and its rights")
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(path).map_err(failed)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(ConfigError::new(
                format!(
                    "{} holds secrets, and others may read or write it (mode {:03o})",
                    path.display(),
                    mode & 0o777
                ),
                format!("chmod 600 '{}'", path.display()),
            ));
        }
    }
    std::fs::read_to_string(path).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pasted_secrets_are_mended() {
        assert_eq!(Secret::new(" aGk\\u003d\\u003d\n").expose(), "aGk==");
    }

    #[test]
    fn a_short_secret_is_masked_where_it_stands_by_itself() {
        let cases = [
            ("pas", "the password pas was passed: 'pas'", "the password *** was passed: '***'"),
            ("a", "a bad day, a=a&b=aa", "*** bad day, ***=***&b=aa"),
            ("hunter2hunter2", "xhunter2hunter2x", "x***x"),
            ("", "none", "none"),
        ];
        for (secret, text, shown) in cases {
            assert_eq!(masked(text, &[Secret::verbatim(secret)]), shown);
        }
    }

    #[test]
    fn a_secret_is_masked_whatever_it_holds_and_however_it_is_written() {
        let secrets = ["hunter", "hunter2/ab+cd=", "r2/a"].map(Secret::verbatim);
        for (text, shown) in [
            ("got hunter2/ab+cd= and hunter", "got *** and ***"),
            ("client_secret=hunter2%2Fab%2Bcd%3D&x=1", "client_secret=***&x=1"),
        ] {
            assert_eq!(masked(text, &secrets), shown);
        }
    }

    #[test]
    fn nothing_prints_a_secret() {
        let text = SecretSource::Text("hunter2".to_owned());
        let secret = text.get("app_key", Path::new("")).unwrap();
        assert!(!format!("{text:?} {secret:?} {:#?}", (&text, &secret)).contains("hunter2"));
    }

    #[test]
    fn what_is_no_secret_is_refused_without_showing_it() {
        for text in ["", "  ", "hun\nter2"] {
            let error = SecretSource::Text(text.to_owned()).get("app_key", Path::new("")).unwrap_err();
            assert!(error.to_string().starts_with("app_key") && !error.to_string().contains("ter2"));
        }
        let unset = SecretSource::Env(FromEnv { env: "MIMELAKE_NO_SUCH_VARIABLE".to_owned() });
        assert!(
            unset.get("app_id", Path::new("")).unwrap_err().to_string().contains("MIMELAKE_NO_SUCH_VARIABLE")
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_read_is_refused_with_the_command() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, "hunter2\n").unwrap();
        let source = SecretSource::File(FromFile { file: "key".into() });
        for (mode, fine) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o644, false)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            match source.get("app_key", folder.path()) {
                Ok(secret) => assert!(fine && secret.expose() == "hunter2"),
                Err(error) => assert!(!fine && error.hint().starts_with("chmod 600 '"), "{mode:o}: {error}"),
            }
        }
    }
}
