//! A pair of keys for API 1.0.

use std::io::{IsTerminal, stdin};
use std::path::PathBuf;

use anyhow::Context;
use mimelake_fetch::{Api, Config, Credentials, KeyPair, Secret, Setting, Source};
use mimelake_landing::put::{Access, can_replace, replace};

use super::args::LoginArgs;
use super::{hinted, one_source};
use crate::exit::{Exit, Hinted};
use crate::terminal;

/// Where the pair is written.
enum Place {
    /// The access key and the secret key, each in its file.
    Files([PathBuf; 2]),
    /// Both, as lines for the configuration.
    Lines(PathBuf),
}

/// Runs `mimelake login`.
pub fn login(args: &LoginArgs) -> anyhow::Result<Exit> {
    let config = Config::read(&args.config).map_err(|error| hinted(error.into()))?;
    let name = one_source(&config, args.source.as_deref(), Some(Api::V1))?;
    let source = config.source(&name).map_err(|error| hinted(error.into()))?;
    // Pairs are limited in number: none is asked for before there is a place for it.
    let place = place(args, source, &name)?;
    place.check()?;
    let who =
        Credentials { email: args.user.clone(), password: password(&args.user)?, is_domain: args.domain };
    let pair = mimelake_fetch::login(source, &who, &args.discovery, &Setting::default()).map_err(hinted)?;
    write(&place, &pair).context("the new pair is lost, and another login makes another one")?;
    if !pair.is_configured {
        terminal::say(&format!("note: the account's region is {0}: set base_url = \"{0}\"", pair.base_url));
    }
    Ok(Exit::Done)
}

impl Place {
    /// Whether the pair can be written here.
    fn check(&self) -> anyhow::Result<()> {
        let paths: &[PathBuf] = match self {
            Self::Files([access, secret]) if access == secret => {
                let what = format!("access_key and secret_key name the same file {}", access.display());
                return Err(Hinted::error(what, "give each its own file"));
            }
            Self::Files(files) => files,
            Self::Lines(path) => std::slice::from_ref(path),
        };
        paths
            .iter()
            .try_for_each(|path| can_replace(path, Access::Private).map_err(|error| hinted(error.into())))
    }
}

fn place(args: &LoginArgs, source: &Source, name: &str) -> anyhow::Result<Place> {
    match (&args.output, source.key_files()) {
        (Some(output), _) => Ok(Place::Lines(output.clone())),
        (None, Some(files)) => Ok(Place::Files(files)),
        (None, None) => Err(Hinted::error(
            format!("source.{name} names no files for the pair"),
            "set access_key = { file = \"…\" } and secret_key = { file = \"…\" }, or use --output FILE",
        )),
    }
}

/// Asks for the password without showing it, or reads one line of stdin.
fn password(user: &str) -> anyhow::Result<Secret> {
    let text = if stdin().is_terminal() {
        rpassword::prompt_password(format!("Password of {}: ", mimelake_landing::one_line(user)))
    } else {
        let mut line = String::new();
        stdin().read_line(&mut line).map(|_| line)
    };
    let text = text.context("cannot read the password")?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(Hinted::error("no password", "type it at the prompt, or send it to stdin")),
        password => Ok(Secret::verbatim(password)),
    }
}

fn write(place: &Place, pair: &KeyPair) -> anyhow::Result<()> {
    let put = |path: &PathBuf, text: String| {
        replace(path, text.as_bytes(), Access::Private).map_err(|error| hinted(error.into()))?;
        terminal::say(&format!("wrote {}", path.display()));
        anyhow::Ok(())
    };
    let (access, secret) = (pair.access_key.expose(), pair.secret_key.expose());
    match place {
        Place::Files([access_file, secret_file]) => {
            put(access_file, format!("{access}\n"))?;
            put(secret_file, format!("{secret}\n"))
        }
        Place::Lines(path) => put(path, format!("access_key = \"{access}\"\nsecret_key = \"{secret}\"\n")),
    }
}
