//! Events to documents, native and ECS, and to Arrow record batches.

pub mod batch;
pub mod document;
pub mod ecs;
mod native;
#[cfg(any(test, feature = "validate"))]
#[doc(hidden)]
pub mod oracle;
