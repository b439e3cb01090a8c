//! Part files, and the commit of what is finished.

pub mod store;
