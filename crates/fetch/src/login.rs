//! Logging in to API 1.0 for a pair of keys.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::answer::{Fault, Verdict};
use crate::client::{Client, Setting, Trouble};
use crate::config::{Api, Source, check_url};
use crate::error::{ConfigError, FetchError};
use crate::secret::Secret;

const DISCOVER: &str = "/api/login/discover-authentication";
const LOGIN: &str = "/api/login/login";

/// Where an address is looked up, whatever its region.
pub const DISCOVERY: &str = "https://api.mimecast.com";

/// Who logs in.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The address of the user.
    pub email: String,
    /// The password, as typed.
    pub password: Secret,
    /// Whether it is the domain's password (Basic-AD), not Mimecast's own (Basic-Cloud).
    pub is_domain: bool,
}

/// A pair of keys, and where it holds.
#[derive(Debug, Clone)]
pub struct KeyPair {
    /// The base URL of the account's region.
    pub base_url: String,
    /// Whether that is the source's own, so that the keys hold there.
    pub is_configured: bool,
    /// `access_key`
    pub access_key: Secret,
    /// `secret_key`
    pub secret_key: Secret,
}

#[derive(Deserialize)]
struct Answer<T> {
    #[serde(default = "Vec::new")]
    data: Vec<T>,
}

#[derive(Deserialize)]
struct Found {
    region: Option<Region>,
}

#[derive(Deserialize)]
struct Region {
    api: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bound {
    access_key: String,
    secret_key: String,
}

/// Returns a new pair of keys for the user. Mimecast limits their number: keep the pair.
///
/// # Errors
/// The source is not of API 1.0, the address has no account, the password is wrong, or Mimecast cannot be reached.
pub fn login(
    source: &Source,
    who: &Credentials,
    discovery: &str,
    setting: &Setting,
) -> Result<KeyPair, FetchError> {
    if source.api != Api::V1 {
        let what = "API 2.0 knows no login: client_id and client_secret are all it needs";
        return Err(ConfigError::new(what, "run `mimelake fetch`").into());
    }
    crate::fetcher::runtime()?.block_on(pair(source, who, discovery, setting))
}

async fn pair(
    source: &Source,
    who: &Credentials,
    discovery: &str,
    setting: &Setting,
) -> Result<KeyPair, FetchError> {
    let app_id = source.app_id.as_ref().map(|from| from.get("app_id", &source.folder));
    let app_id = app_id.ok_or_else(|| ConfigError::new("app_id is missing", "set it"))??;
    let base_url = discover(source, who, discovery, &app_id, setting).await?;
    let scheme = if who.is_domain { "Basic-AD" } else { "Basic-Cloud" };
    let shown = STANDARD.encode(format!("{}:{}", who.email, who.password.expose()));
    let authorization = format!("{scheme} {shown}");
    let client = Client::plain(source, check_url(&base_url)?, setting)?.hiding([
        who.password.clone(),
        Secret::verbatim(&shown),
        app_id.clone(),
    ]);
    let body = json!({ "data": [{ "userName": who.email }] });
    let answer: Answer<Bound> = post(&client, LOGIN, &app_id, Some(&authorization), &body).await?;
    let is_configured = source.url()? == check_url(&base_url)?;
    match answer.data.into_iter().next() {
        Some(Bound { access_key, secret_key }) => Ok(KeyPair {
            base_url,
            is_configured,
            access_key: Secret::new(&access_key),
            secret_key: Secret::new(&secret_key),
        }),
        None => Err(refused(
            LOGIN,
            "no keys in the answer",
            "check the user's rights and the application's settings",
        )),
    }
}

/// Returns the base URL of the account that the address belongs to.
async fn discover(
    source: &Source,
    who: &Credentials,
    discovery: &str,
    app_id: &Secret,
    setting: &Setting,
) -> Result<String, FetchError> {
    let client = Client::plain(source, check_url(discovery)?, setting)?.hiding([app_id.clone()]);
    let body = json!({ "data": [{ "emailAddress": who.email }] });
    let answer: Answer<Found> = post(&client, DISCOVER, app_id, None, &body).await?;
    let api = answer.data.into_iter().next().and_then(|found| found.region?.api);
    api.map(|url| url.trim_end_matches('/').to_owned()).ok_or_else(|| {
        refused(DISCOVER, "Mimecast knows no account for this address", "check the spelling of the address")
    })
}

fn refused(call: &str, what: &str, hint: &str) -> FetchError {
    FetchError::Refused {
        call: call.to_owned(),
        what: what.to_owned(),
        hint: hint.to_owned(),
        is_general: false,
    }
}

async fn post<T: DeserializeOwned>(
    client: &Client,
    path: &str,
    app_id: &Secret,
    authorization: Option<&str>,
    body: &Value,
) -> Result<T, FetchError> {
    let attempt = async || {
        let build = |http: &reqwest::Client, url| {
            let request = http
                .post(url)
                .header("content-type", "application/json")
                .header("x-mc-app-id", app_id.expose())
                .header("x-mc-req-id", uuid::Uuid::new_v4().to_string())
                .body(body.to_string());
            match authorization {
                Some(authorization) => request.header("authorization", authorization),
                None => request,
            }
        };
        let answered = client.request(build, path).await.and_then(|answer| {
            serde_json::from_slice(&answer).map_err(|_| Fault::passes("an answer that is not what is due"))
        });
        answered.map_err(|fault| if path == LOGIN { once(fault) } else { fault })
    };
    client.patiently(path, attempt).await.map_err(|trouble: Trouble| trouble.unexpected(path))
}

/// A login that may have reached Mimecast is not tried again: each makes another pair of keys, and their number is
/// limited.
fn once(fault: Fault) -> Fault {
    let verdict = match fault.verdict {
        Verdict::Retry(_) | Verdict::Ended => Verdict::Stop(MAYBE.to_owned()),
        verdict => verdict,
    };
    Fault { verdict, ..fault }
}

const MAYBE: &str = "it was sent once and may have made a pair of keys that did not arrive; their number is limited: \
    wait some minutes, and run `mimelake login` again only if no other pair of this user is at hand";
