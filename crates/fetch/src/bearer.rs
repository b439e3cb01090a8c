//! The bearer token of API 2.0.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use crate::answer::{Fault, Verdict};
use crate::client::Client;
use crate::secret::Secret;

/// A token is renewed so long before it ends.
const EARLY: SignedDuration = SignedDuration::from_secs(2 * 60);
/// Mimecast's tokens last half an hour; a shorter one is used for this long at least, lest every call asks anew.
const LEAST: Duration = Duration::from_mins(1);

/// A token that is asked for when it is needed.
#[derive(Debug)]
pub(crate) struct Bearer {
    id: Secret,
    secret: Secret,
    held: Option<(Secret, Timestamp)>,
}

/// What `/oauth/token` answers.
#[derive(Deserialize)]
struct Grant {
    access_token: String,
    expires_in: Option<Value>,
}

impl Bearer {
    pub(crate) fn new(id: Secret, secret: Secret) -> Self {
        Self { id, secret, held: None }
    }

    /// Has the next call ask for another token.
    pub(crate) fn forget(&mut self) {
        self.held = None;
    }

    /// The token that is held.
    pub(crate) fn held(&self) -> Option<Secret> {
        self.held.as_ref().map(|(token, _)| token.clone())
    }

    /// Returns a token that holds for the next minutes.
    pub(crate) async fn token(&mut self, client: &Client) -> Result<Secret, Fault> {
        let now = client.clock.now();
        if let Some((token, until)) = &self.held
            && now < *until
        {
            return Ok(token.clone());
        }
        let form = [
            ("client_id", self.id.expose()),
            ("client_secret", self.secret.expose()),
            ("grant_type", "client_credentials"),
        ];
        let mut body = reqwest::Url::parse("form:").map_err(|_| Fault::passes("no form"))?;
        body.query_pairs_mut().extend_pairs(form);
        let body = body.query().unwrap_or_default().to_owned();
        let answer = client
            .request(
                |http, url| {
                    http.post(url).header("content-type", "application/x-www-form-urlencoded").body(body)
                },
                "/oauth/token",
            )
            .await
            .map_err(|fault| match fault.verdict {
                Verdict::Renew { .. } => Fault {
                    verdict: Verdict::Denied("check client_id and client_secret".to_owned()),
                    what: fault.what,
                },
                _ => fault,
            })?;
        let grant: Grant = serde_json::from_slice(&answer)
            .map_err(|_| Fault::passes("an answer of /oauth/token without access_token"))?;
        let token = Secret::new(&grant.access_token);
        let lasts = grant.expires_in.and_then(|n| n.as_u64().or_else(|| n.as_str()?.parse().ok()));
        let lasts = SignedDuration::from_secs(lasts.unwrap_or(1799).min(24 * 60 * 60) as i64) - EARLY;
        let lasts = lasts.max(SignedDuration::try_from(LEAST).unwrap_or_default());
        self.held = Some((token.clone(), now.saturating_add(lasts).unwrap_or(now)));
        Ok(token)
    }
}
