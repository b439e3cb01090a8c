//! What a Mimecast log can say: the field table and the log-type table.
//!
//! Everything else is derived from the two tables here: the parser's key lookup, the Arrow schema,
//! the ECS mapping, `mimelake schema` and `docs/fields.md`. A new column is one row in
//! [`fields`](mod@field), a new log type one row in [`event_type`].
//!
//! ```
//! use mimelake_schema::{EventType, Field};
//!
//! let receipt = EventType::Receipt;
//! assert_eq!(receipt.table(), "receipt");
//! assert!(receipt.columns().contains(&Field::Subject));
//! assert_eq!(Field::Subject.row().kv, ["Subject"]);
//! ```

pub mod event_type;
pub mod field;
pub mod keys;
mod kind;
pub mod message;
mod order;
mod ruling;

#[cfg(test)]
mod tests;

pub use event_type::EventType;
pub use field::{Field, FieldRow};
pub use keys::{Key, KeySet, Keys};
pub use kind::{Dialect, Kind, VERDICTS};
pub use order::Order;
pub use ruling::Ruling;

/// The version of the Elastic Common Schema that the ECS paths of the field table belong to.
pub const ECS_VERSION: &str = "9.4.0";
