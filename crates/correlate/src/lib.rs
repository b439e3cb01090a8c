//! Receipt, process and delivery events to one message event per email.

pub mod key;
