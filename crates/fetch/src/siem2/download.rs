//! One file behind a presigned link.

use mimelake_landing::put::{Expect, Incoming, Whole};
use mimelake_schema::EventType;
use reqwest::Url;
use serde_json::json;
use tracing::warn;

use super::PATH;
use super::page::Link;
use crate::answer::Fault;
use crate::client::{Trouble, bare};
use crate::error::FetchError;
use crate::stream::{DAMAGED, Received, Same, Stream};

/// What came in the place of a whole file, for the quarantine.
pub(super) struct Rest {
    pub(super) incoming: Incoming,
    pub(super) why: String,
    /// What tells it from other pieces of the file; none where a bad network may have cut it.
    pub(super) piece: Option<String>,
}

/// What came of one link.
pub(super) enum Came {
    /// `is_new`: it was not landed before; `is_as_listed`: it has the size that the list says, if it says one.
    Safe {
        is_new: bool,
        is_as_listed: Option<bool>,
    },
    Expired,
    /// `is_answered`: by whatever; `is_refused`: by a server that is not in trouble itself.
    Not {
        error: FetchError,
        is_answered: bool,
        is_refused: bool,
        rest: Option<Rest>,
    },
}

/// Returns what came of a link within so many tries; a whole file is then safe. `trusts_size`: one that is shorter than
/// listed may not be whole.
pub(super) async fn download(
    stream: &Stream,
    event_type: EventType,
    link: &Link,
    tries: u32,
    trusts_size: bool,
) -> Result<Came, FetchError> {
    let name = name_of(link.url.path());
    let above = format!("{}/", event_type.table());
    let mut pieces = Pieces::new(link, trusts_size);
    let mut same = Same::default();
    let mut damaged = 0;
    let (mut is_answered, mut is_refused) = (false, false);
    let mut rest = None;
    let received = stream
        .client
        .patiently_for(tries, &bare(&link.url), async || {
            (is_answered, is_refused, rest) = (false, false, None);
            let response = stream.client.get(link.url.clone()).await?;
            (is_answered, is_refused) = (true, !response.status().is_server_error());
            stream.client.check_file(&response)?;
            let received = match stream.receive(response, &name, Expect::Gzip).await {
                Ok(received) => received,
                Err(error) => return Ok(Err(error)),
            };
            // A proxy's page is the same for all files, and says nothing of any.
            let is_refused = matches!(received, Received::Refused(..));
            let (incoming, fault) = match received {
                Received::Damaged(bad) if damaged + 1 < DAMAGED => {
                    damaged += 1;
                    let why = bad.damage.reason.to_string();
                    let fault = Fault::passes(format!("{name} is damaged: {why}"));
                    rest = Some(Rest { incoming: bad.incoming, why, piece: None });
                    return Err(fault);
                }
                Received::Whole(whole) => match pieces.add(&whole, None) {
                    Some(fault) => (whole.into_incoming(), fault),
                    None => return Ok(Ok(Received::Whole(whole))),
                },
                Received::Open(whole, fault) => match pieces.add(&whole, Some(fault.clone())) {
                    Some(fault) => (whole.into_incoming(), fault),
                    None => return Ok(Ok(Received::Open(whole, fault))),
                },
                Received::Cut(incoming, fault) | Received::Refused(incoming, fault) => (incoming, fault),
                damaged @ Received::Damaged(_) => return Ok(Ok(damaged)),
            };
            let piece = format!("{} {}", incoming.len(), incoming.mark());
            let is_piece = !is_refused && !incoming.is_empty();
            let piece = (is_piece && same.may_be_all(&piece, &fault.verdict)).then_some(piece);
            rest = Some(Rest { incoming, why: fault.what.clone(), piece });
            Err(fault)
        })
        .await;
    let mut is_new = false;
    let mut is_as_listed = None;
    match received {
        Ok(Ok(Received::Open(whole, fault))) if link.size.is_none() => {
            stream.note_open(&name, &fault)?;
            is_new = stream.land(whole, &above, &name).await?;
        }
        Ok(Ok(Received::Whole(whole) | Received::Open(whole, _))) => {
            is_as_listed = link.size.map(|size| size == whole.len());
            if let Some(why) = pieces.doubt(&whole) {
                warn!(stream = stream.watch.stream(), file = name, "{why}; it holds together, and is landed");
                stream.note("size", &json!({ "file": name, "why": why }))?;
            }
            is_new = stream.land(whole, &above, &name).await?;
        }
        Ok(Ok(Received::Damaged(bad))) => {
            let why = bad.damage.reason.to_string();
            stream.quarantine(bad.incoming, &name, &why)?;
        }
        // They were turned into faults above.
        Ok(Ok(Received::Cut(..) | Received::Refused(..))) => {}
        Ok(Err(error)) => return Err(error),
        Err(Trouble::Expired) => return Ok(Came::Expired),
        Err(trouble) => match trouble.unexpected(PATH) {
            error @ FetchError::Passing { .. } => {
                return Ok(Came::Not { error, is_answered, is_refused, rest });
            }
            error => return Err(error),
        },
    }
    Ok(Came::Safe { is_new, is_as_listed })
}

/// What came of a file that has fewer bytes than the list says, or of which nothing says how many it has.
struct Pieces {
    size: Option<u64>,
    /// How often the very same must come for the list to be wrong, or for it to be all there is.
    enough: u32,
    same: Same,
}

impl Pieces {
    fn new(link: &Link, trusts_size: bool) -> Self {
        let enough = if trusts_size || link.size.is_none() { DAMAGED } else { 1 };
        Self { size: link.size, enough, same: Same::default() }
    }

    /// Returns the fault of a file that ends too early, or is `open` and may, unless the very same came so often that
    /// it does not.
    fn add(&mut self, whole: &Whole, open: Option<Fault>) -> Option<Fault> {
        let short = |size| Fault::passes(format!("{} bytes came of a file that has {size}", whole.len()));
        let fault = match self.size {
            Some(size) => (whole.len() < size).then(|| short(size)),
            None => open,
        }?;
        (self.same.add(whole.mark()) < self.enough).then_some(fault)
    }

    /// What is odd about a file that is landed.
    fn doubt(&self, whole: &Whole) -> Option<String> {
        let size = self.size.filter(|size| *size != whole.len())?;
        Some(format!("{} bytes came of a file that the list gives {size}", whole.len()))
    }
}

/// The name in a link, decoded; still a stranger's.
pub(super) fn name_of(link: &str) -> String {
    percent_decoded(link).rsplit('/').next().unwrap_or_default().to_owned()
}

fn percent_decoded(path: &str) -> String {
    let mut query = String::from("x=");
    query.push_str(&path.replace('+', "%2B").replace('&', "%26"));
    let Ok(url) = Url::parse(&format!("form:?{query}")) else { return path.to_owned() };
    url.query_pairs().next().map_or_else(|| path.to_owned(), |(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_decoded() {
        assert_eq!(percent_decoded("/a/url%20protect_1+2%26.json.gz"), "/a/url protect_1+2&.json.gz");
    }
}
