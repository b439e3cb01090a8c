//! Events to documents, native and ECS, and to Arrow record batches; and native batches back to events.

pub mod batch;
pub mod document;
pub mod ecs;
mod native;
#[cfg(any(test, feature = "validate"))]
#[doc(hidden)]
pub mod oracle;
pub mod rows;
