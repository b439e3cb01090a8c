//! Events as documents of the Elastic Common Schema, [`mimelake_schema::ECS_VERSION`].
//!
//! A column whose row in the field table names ECS fields is copied to them as it is; a column that
//! names none goes to `mimecast.<column>`. Only what has to be made has code of its own:
//!
//! | field | made of |
//! |---|---|
//! | `@timestamp` | the record's own time; left out where it has none, nothing is made up |
//! | `event.kind`, `category`, `type`, `action` | see the tables of the modules `category` and `audit` |
//! | `event.outcome` | success, failure or unknown: see the module `ruling`; what is held is unknown |
//! | `event.id` | a 128 bit hash of the record's bytes and the event type |
//! | `event.reason` | the first there is of rejection info, hold reason, block reason, event info |
//! | `email.message_id` | the message id without its brackets |
//! | `email.from.address` | header From and envelope sender, each once; never `<>` |
//! | `email.sender.address` | the envelope sender; `<>` stays in `mimecast.sender` |
//! | `email.attachments` | one for each attachment name of a process record, one for the file of a virus or sandbox record, none else |
//! | `source`, `destination`, `client` `.ip` and `.port` | only where the text is an IP address; else it stays under `mimecast` |
//! | `source.domain` | the sender's domain, never a boolean |
//! | `tls.version`, `tls.version_protocol` | `TLSv1.2`: `1.2` and `tls`; what reads otherwise stays in `mimecast.tls_version` |
//! | `url.*` | the URL's pieces beside `url.full`; scheme and domain in lower case. A URL that does not split has `url.full` only |
//! | `user.email`, `user.name` | the user, by whether it looks like an address |
//! | `threat.indicator.*` | type `file`, name and hashes of a virus's or sandbox's file |
//! | `related.*` | people, IP addresses, hashes and hosts of the record, each once, in order of appearance |
//! | `email.attachments.file.size` | the file's size; the size of the whole email stays in `mimecast.size` |
//!
//! The account is `mimecast.account`: `organization.id` is left for the reader's own organisations.
//! `mimecast.extra` has a record's own keys, so an index had better map it as `flattened`. Null, empty
//! text and empty lists are left out everywhere.

mod address;
mod attachment;
mod audit;
mod category;
#[cfg(any(test, feature = "validate"))]
mod check;
mod derive;
mod id;
mod mapping;
mod part;
mod record;
mod related;
mod ruling;
#[cfg(test)]
mod tests;
mod tls;
mod url;

#[cfg(any(test, feature = "validate"))]
#[doc(hidden)]
pub use check::validate;
pub(crate) use mapping::Mapping;
