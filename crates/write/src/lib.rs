//! Part files, and the commit of what is finished.

pub mod ndjson;
pub mod parquet;
pub mod store;
