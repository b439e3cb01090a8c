//! Receipt, process and delivery events to one message event per email.
//!
//! A record is what a message keeps of an event, as text ([`record`]). Records of one email are brought together by
//! their key ([`key`]): they lie in [`partitions`] by a hash of it, each is folded by itself ([`fold`]), and an email's
//! records become its [`message`], whose [`status`] follows a written rule. A message can be taken apart again into
//! exactly its records, so that what was joined can be joined with what comes later.

pub mod budget;
pub mod email;
pub mod fold;
mod form;
pub mod join;
pub mod key;
pub mod keys;
pub mod message;
mod named;
pub mod partitions;
pub mod record;
mod spill;
pub mod stage;
pub mod status;
