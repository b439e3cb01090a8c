//! Calls: signed or with a bearer token, tried again while the fault passes.

use std::time::{Duration, Instant};

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{RequestBuilder, Response, Url};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::Mutex;
use tracing::{debug, warn};

use crate::answer::{Fault, Head, Verdict};
use crate::bearer::Bearer;
use crate::clock::{Clock, Stop};
use crate::config::{Api, Source};
use crate::error::{ConfigError, FetchError};
use crate::secret::{self, Secret, SecretSource};
use crate::sign::{self, Keys};

use connection::{broken, http};

mod connection;

/// How long a connection may stand still.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Until a connection stands.
    pub connect: Duration,
    /// Until the first byte of an answer, and between any two reads of it.
    pub idle: Duration,
    /// Until a body has brought another 256 KiB, or its end; then twice as much each time, up to 4 MiB.
    pub slow: Duration,
    /// For what is in hand when it is asked to stop.
    pub stop: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            idle: Duration::from_mins(1),
            slow: Duration::from_mins(5),
            stop: Duration::from_mins(1),
        }
    }
}

/// How a run goes about time.
#[derive(Debug, Clone, Default)]
pub struct Setting {
    /// What tells the time.
    pub clock: Clock,
    /// What asks it to stop.
    pub stop: Stop,
    /// How long it bears with a connection.
    pub patience: Patience,
}

/// Tries of one call within one run.
pub(crate) const TRIES: u32 = 6;
/// The longest wait between tries where the server says nothing.
const LONGEST: Duration = Duration::from_mins(1);
/// The longest answer that is held in memory.
const MOST_JSON: usize = 16 << 20;
/// What a body brings first in the time that [`Patience::slow`] is, and in the end, lest it trickle for days.
const LEAST: usize = 256 << 10;
const LEAST_IN_THE_END: usize = 4 << 20;

/// The way to one API of one account.
#[derive(Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
    pub(crate) api: Api,
    auth: Auth,
    /// What is masked should a server repeat it.
    secrets: Vec<Secret>,
    pub(crate) clock: Clock,
    pub(crate) stop: Stop,
    patience: Patience,
}

#[derive(Debug)]
enum Auth {
    None,
    Signed(Keys),
    Bearer(Mutex<Bearer>),
}

/// What is called.
#[derive(Debug, Clone)]
pub(crate) enum Call {
    /// A JSON body to a path.
    Post(&'static str, Value),
    /// A path with a query.
    Get(&'static str, Vec<(&'static str, String)>),
}

impl Call {
    pub(crate) fn path(&self) -> &'static str {
        match self {
            Self::Post(path, _) | Self::Get(path, _) => path,
        }
    }
}

/// An answer that is not yet read.
pub(crate) enum Answer {
    /// A JSON object that says success, as text, and the token that came with it.
    Json(Vec<u8>, Option<String>),
    /// Bytes to be landed.
    Bytes(Response),
}

impl Client {
    /// Returns the way to the source's API. Secrets are read now.
    pub(crate) fn new(source: &Source, setting: &Setting) -> Result<Self, ConfigError> {
        let get = |key: &str, from: &Option<SecretSource>| match from {
            Some(from) => from.get(key, &source.folder),
            None => {
                Err(ConfigError::new(format!("{key} is missing"), "run `mimelake login` for a pair of keys"))
            }
        };
        let (auth, secrets) = match source.api {
            Api::V1 => {
                let secret_key = get("secret_key", &source.secret_key)?;
                let [id, key] = [get("app_id", &source.app_id)?, get("app_key", &source.app_key)?];
                let access = get("access_key", &source.access_key)?;
                let secrets = vec![id.clone(), key.clone(), access.clone(), secret_key.clone()];
                (Auth::Signed(Keys::new(id, key, access, &secret_key)?), secrets)
            }
            Api::V2 => {
                let id = get("client_id", &source.client_id)?;
                let secret = get("client_secret", &source.client_secret)?;
                let secrets = vec![id.clone(), secret.clone()];
                (Auth::Bearer(Mutex::new(Bearer::new(id, secret))), secrets)
            }
        };
        Ok(Self { auth, secrets, ..Self::plain(source, source.url()?, setting)? })
    }

    /// Returns the way to a host that is told nothing of who calls.
    pub(crate) fn plain(source: &Source, base: Url, setting: &Setting) -> Result<Self, ConfigError> {
        let http = http(&base, source, setting.patience)?;
        let Setting { clock, stop, patience } = setting.clone();
        Ok(Self { http, base, api: source.api, auth: Auth::None, secrets: Vec::new(), clock, stop, patience })
    }

    /// Returns what `attempt` gives, tried again while its fault passes.
    pub(crate) async fn patiently<T>(
        &self,
        what: &str,
        attempt: impl AsyncFnMut() -> Result<T, Fault>,
    ) -> Result<T, Trouble> {
        self.patiently_for(TRIES, what, attempt).await
    }

    /// The same, so many times at `most`.
    pub(crate) async fn patiently_for<T>(
        &self,
        most: u32,
        what: &str,
        mut attempt: impl AsyncFnMut() -> Result<T, Fault>,
    ) -> Result<T, Trouble> {
        let mut tries = 0;
        loop {
            self.stop.check()?;
            let fault = match attempt().await {
                Ok(value) => return Ok(value),
                Err(fault) => fault,
            };
            // What is broken off because it was asked to stop is no fault.
            self.stop.check()?;
            tries += 1;
            let (call, said) = (what.to_owned(), self.masked(&fault.what));
            let after = match fault.verdict {
                Verdict::Retry(after) => after,
                Verdict::Limited(after) => Some(after),
                Verdict::Unreached | Verdict::Ended => None,
                Verdict::Unlicensed => return Err(Trouble::Unlicensed),
                Verdict::StartOver => return Err(Trouble::StartOver),
                Verdict::Expired => return Err(Trouble::Expired),
                Verdict::Renew { .. } => {
                    return Err(refused(call, said, "the bearer token is not taken", true).into());
                }
                Verdict::Stop(hint) => return Err(refused(call, said, &hint, false).into()),
                Verdict::Denied(hint) => return Err(refused(call, said, &hint, true).into()),
            };
            if tries == most {
                return Err(FetchError::Passing { call, what: said, tries }.into());
            }
            let after = after.unwrap_or_else(|| Duration::from_secs(1 << (tries - 1)).min(LONGEST));
            warn!(call, wait_s = after.as_secs(), "{said}; trying again");
            self.clock.wait(after, &self.stop).await?;
        }
    }

    /// Returns the JSON answer to a call, tried again while the fault passes; every try is signed anew.
    pub(crate) async fn json<T: DeserializeOwned>(&self, call: &Call) -> Result<T, Trouble> {
        self.patiently(call.path(), async || self.json_once(call).await).await
    }

    /// Returns the JSON answer to one try of a call.
    pub(crate) async fn json_once<T: DeserializeOwned>(&self, call: &Call) -> Result<T, Fault> {
        match self.call(call).await? {
            Answer::Json(body, _) => serde_json::from_slice(&body).map_err(|error| not_due(&error)),
            Answer::Bytes(_) => Err(Fault::passes("an answer that is no JSON")),
        }
    }

    /// Returns the answer to one try of a call.
    pub(crate) async fn call(&self, call: &Call) -> Result<Answer, Fault> {
        let first = match self.send(call).await {
            Err(Fault { verdict: Verdict::Renew { .. }, what }) => what,
            answer => return answer,
        };
        debug!("{}; asking for another bearer token", self.masked(&first));
        if let Auth::Bearer(bearer) = &self.auth {
            bearer.lock().await.forget();
        }
        let second = self.send(call).await;
        if let (Err(Fault { verdict: Verdict::Renew { .. }, .. }), Auth::Bearer(bearer)) =
            (&second, &self.auth)
        {
            bearer.lock().await.forget();
        }
        second.map_err(|fault| match fault.verdict {
            Verdict::Renew { passes: true } => Fault::passes(fault.what),
            _ => fault,
        })
    }

    async fn send(&self, call: &Call) -> Result<Answer, Fault> {
        let url = self.url(call.path());
        let request = match call {
            Call::Post(_, body) => {
                self.http.post(url).header(CONTENT_TYPE, "application/json").body(body.to_string())
            }
            Call::Get(_, query) => {
                let mut url = url;
                url.query_pairs_mut().extend_pairs(query);
                self.http.get(url)
            }
        };
        let request = match &self.auth {
            Auth::None => request,
            Auth::Signed(keys) => self.sign(request, keys, call.path()),
            Auth::Bearer(bearer) => {
                let token = bearer.lock().await.token(self).await?;
                request.bearer_auth(token.expose())
            }
        };
        let response = self.execute(request).await?;
        if response.status().is_success() && is_data(&response) {
            return Ok(Answer::Bytes(response));
        }
        let token = header(&response, "mc-siem-token");
        self.read(response).await.map(|body| Answer::Json(body, token))
    }

    fn sign(&self, request: RequestBuilder, keys: &Keys, path: &str) -> RequestBuilder {
        let date = sign::date(self.clock.now());
        let id = uuid::Uuid::new_v4().to_string();
        request
            .header(AUTHORIZATION, keys.authorization(&date, &id, path))
            .header("x-mc-app-id", keys.app_id.expose())
            .header("x-mc-date", date)
            .header("x-mc-req-id", id)
    }

    /// Returns the answer to a request without authorization of its own kind, as JSON.
    pub(crate) async fn request(
        &self,
        build: impl FnOnce(&reqwest::Client, Url) -> RequestBuilder,
        path: &str,
    ) -> Result<Vec<u8>, Fault> {
        let response = self.execute(build(&self.http, self.url(path))).await?;
        self.read(response).await
    }

    /// Returns the answer to a plain GET of a presigned URL, nothing of ours sent along.
    pub(crate) async fn get(&self, url: Url) -> Result<Response, Fault> {
        self.execute(self.http.get(url)).await
    }

    /// Whether the answer to [`get`](Self::get) has a file for its body.
    pub(crate) fn check_file(&self, response: &Response) -> Result<(), Fault> {
        let head = self.head(response);
        match head.status {
            200..300 => Ok(()),
            // Some stores say 400 where the credentials have expired that the link was made with.
            400 | 403 | 404 | 410 => {
                Err(Fault { verdict: Verdict::Expired, what: head.unreadable("an expired link").what })
            }
            // No key or token is sent along, so none is at fault, and what one link meets says nothing of others.
            401 | 405 | 413 | 414 | 418 | 431 => Err(Fault::passes(head.unreadable("no file").what)),
            _ => Err(head.unreadable("no file")),
        }
    }

    async fn execute(&self, request: RequestBuilder) -> Result<Response, Fault> {
        let response = self.in_time(request.send()).await?.map_err(|error| broken(&error))?;
        let id = response.headers().get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
        debug!(url = %bare(response.url()), status = response.status().as_u16(), request_id = id, "answered");
        Ok(response)
    }

    /// Returns what the work gives, unless it takes too long after it was asked to stop.
    async fn in_time<T>(&self, work: impl Future<Output = T>) -> Result<T, Fault> {
        tokio::select! {
            biased;
            () = self.stop.requested_for(self.patience.stop) => Err(Fault::passes("broken off as asked")),
            done = work => Ok(done),
        }
    }

    /// Has `each` take the body piece by piece, as far as it comes.
    pub(crate) async fn body<E: From<Fault>>(
        &self,
        response: &mut Response,
        mut each: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let (mut since, mut least) = (Instant::now(), LEAST);
        let mut came = 0;
        loop {
            let chunk = self.in_time(response.chunk()).await?;
            let Some(chunk) = chunk.map_err(|error| broken(&error))? else { return Ok(()) };
            each(&chunk)?;
            came += chunk.len();
            if came >= least {
                (since, came) = (Instant::now(), 0);
                least = (least * 2).min(LEAST_IN_THE_END);
            } else if since.elapsed() > self.patience.slow {
                return Err(Fault::passes("the body comes too slowly").into());
            }
        }
    }

    async fn read(&self, mut response: Response) -> Result<Vec<u8>, Fault> {
        let mut body = Vec::new();
        self.body(&mut response, |chunk| {
            if body.len() + chunk.len() > MOST_JSON {
                return Err(Fault::passes("an answer of more than 16 MiB where a short one was due"));
            }
            body.extend_from_slice(chunk);
            Ok(())
        })
        .await?;
        self.head(&response).check(&body)?;
        Ok(body)
    }

    pub(crate) fn head<'a>(&self, response: &'a Response) -> Head<'a> {
        Head {
            api: self.api,
            is_signed: !matches!(self.auth, Auth::None),
            status: response.status().as_u16(),
            headers: response.headers(),
            now: self.clock.now(),
            secrets: self.secrets(),
        }
    }

    /// Has these masked too.
    pub(crate) fn hiding(mut self, secrets: impl IntoIterator<Item = Secret>) -> Self {
        self.secrets.extend(secrets);
        self
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(path);
        url
    }

    fn secrets(&self) -> Vec<Secret> {
        let bearer = match &self.auth {
            Auth::Bearer(bearer) => bearer.try_lock().ok().and_then(|bearer| bearer.held()),
            _ => None,
        };
        self.secrets.iter().cloned().chain(bearer).collect()
    }

    fn masked(&self, text: &str) -> String {
        secret::masked(text, &self.secrets())
    }
}

/// Why a call gave nothing.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The event type is not licensed.
    Unlicensed,
    /// The cursor is not known any more.
    StartOver,
    /// The presigned link has expired.
    Expired,
    /// It stops here.
    Fetch(FetchError),
}

impl<E: Into<FetchError>> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self::Fetch(error.into())
    }
}

impl Trouble {
    /// Returns the error where none of the other outcomes is to be expected.
    pub(crate) fn unexpected(self, call: &str) -> FetchError {
        match self {
            Self::Fetch(error) => error,
            other => refused(call.to_owned(), format!("{other:?}"), "tell Mimecast's support of it", false),
        }
    }
}

fn refused(call: String, what: String, hint: &str, is_general: bool) -> FetchError {
    FetchError::Refused { call, what, hint: hint.to_owned(), is_general }
}

/// Returns the fault of JSON of another shape; what it holds may be a credential.
fn not_due(error: &serde_json::Error) -> Fault {
    let (kind, line, column) = (error.classify(), error.line(), error.column());
    Fault::passes(format!("an answer that is not what is due: {kind:?} at line {line} column {column}"))
}

/// A URL without what may be secret.
pub(crate) fn bare(url: &Url) -> String {
    format!("{}://{}{}", url.scheme(), url.authority().rsplit('@').next().unwrap_or_default(), url.path())
}

/// A header's value, if it has one.
pub(crate) fn header(response: &Response, name: &str) -> Option<String> {
    let value = response.headers().get(name)?.to_str().ok()?.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

/// Whether the body is bytes to be landed: by the content type, or because it has a file's name.
fn is_data(response: &Response) -> bool {
    const BYTES: [&str; 4] =
        ["application/octet-stream", "application/zip", "application/gzip", "application/x-"];
    let lower = |name| header(response, name).unwrap_or_default().to_ascii_lowercase();
    let (kind, is_named) = (lower("content-type"), lower("content-disposition").contains("filename"));
    BYTES.iter().any(|bytes| kind.starts_with(bytes)) || is_named && !kind.starts_with("text/html")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_shown_without_what_may_be_secret() {
        let url: Url = "https://user:hunter2@x.test:8443/a/b.json.gz?sig=hunter2#hunter2".parse().unwrap();
        assert_eq!(bare(&url), "https://x.test:8443/a/b.json.gz");
    }
}
