//! Values by their kinds: text to times, numbers, booleans, lists.

pub(crate) mod audit;
pub(crate) mod lists;
pub(crate) mod scalar;
pub(crate) mod spam;
pub mod time;
