//! Connections: how they are made, and what may become of them.

use std::error::Error;
use std::io::ErrorKind;

use reqwest::{Url, redirect};

use super::Patience;
use crate::answer::{Fault, Verdict};
use crate::config::{Source, is_loopback};
use crate::error::ConfigError;

/// Returns what connects to the host and to those that it points to.
pub(super) fn http(base: &Url, source: &Source, patience: Patience) -> Result<reqwest::Client, ConfigError> {
    // The second source finds it there.
    _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("mimelake/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .connect_timeout(patience.connect)
        .read_timeout(patience.idle);
    if is_loopback(base) {
        builder = builder.no_proxy();
    }
    if let Some(path) = &source.ca_file {
        let path = source.folder.join(path);
        let failed = |what: String| {
            ConfigError::new(
                format!("ca_file {}: {what}", path.display()),
                "name a file of certificates in PEM",
            )
        };
        let pem = std::fs::read(&path).map_err(|error| failed(error.to_string()))?;
        let roots = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| failed(error.to_string()))?;
        if roots.is_empty() {
            return Err(failed("it holds no certificate".to_owned()));
        }
        builder = builder.tls_certs_only(roots);
    }
    builder.build().map_err(|error| {
        ConfigError::new(
            format!("cannot set up TLS: {error}"),
            "install the platform's certificates, or set ca_file",
        )
    })
}

/// Returns the fault of a connection.
pub(super) fn broken(error: &reqwest::Error) -> Fault {
    let what = match () {
        () if error.is_connect() => "cannot connect",
        () if error.is_timeout() => "the connection stands still",
        () => "the connection broke",
    };
    let causes: Vec<_> = causes(error).collect();
    let what = said(what, &causes);
    let verdict = if causes.iter().any(|cause| is_of_certificate(*cause)) {
        let hint =
            "if a proxy or firewall opens the connections of this machine, name its certificate in ca_file";
        Verdict::Denied(hint.to_owned())
    } else if error.is_connect() {
        Verdict::Unreached
    } else if !error.is_request() && causes.iter().any(|cause| is_end(*cause)) {
        Verdict::Ended
    } else {
        Verdict::Retry(None)
    };
    Fault { verdict, what }
}

/// The text with the causes behind it.
fn said(what: &str, causes: &[&(dyn Error + 'static)]) -> String {
    causes.iter().fold(what.to_owned(), |said, cause| format!("{said}: {cause}"))
}

/// The causes of an error, without those that show a URL, whose query may be a credential.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    let first = Error::source(error);
    std::iter::successors(first, |&cause| cause.source()).filter(|cause| !cause.is::<reqwest::Error>())
}

/// Whether the other side closed the connection, and did not break it or let it stand.
fn is_end(cause: &(dyn Error + 'static)) -> bool {
    cause.downcast_ref().is_some_and(|error: &std::io::Error| error.kind() == ErrorKind::UnexpectedEof)
}

/// Whether the host's certificate is not to be trusted, which does not pass.
fn is_of_certificate(cause: &(dyn Error + 'static)) -> bool {
    // An error of the system's kind shows what it is made of by itself only.
    match cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        Some(inner) => is_of_certificate(inner),
        None => matches!(cause.downcast_ref(), Some(rustls::Error::InvalidCertificate(_))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{Client, Setting};

    #[test]
    fn certificates_of_ones_own_are_read_or_refused() {
        let folder = tempfile::tempdir().unwrap();
        let source = |file: &str| -> Source {
            let text = format!(
                "api = \"2.0\"\naccount = \"a\"\nclient_id = \"i\"\nclient_secret = \"s\"\nca_file = \"{file}\""
            );
            let mut source: Source = toml::from_str(&text).unwrap();
            folder.path().clone_into(&mut source.folder);
            source
        };
        std::fs::write(folder.path().join("none.pem"), "no certificate").unwrap();
        std::fs::write(
            folder.path().join("bad.pem"),
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        )
        .unwrap();
        for file in ["missing.pem", "none.pem", "bad.pem"] {
            let error = Client::new(&source(file), &Setting::default()).unwrap_err();
            assert!(!error.hint().is_empty(), "{error}");
        }
    }
}
