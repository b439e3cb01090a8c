//! What must hold of any input. The fuzz targets and the tests that replay the corpus share it.

pub mod container;
pub mod lines;
pub mod pairs;
pub mod source;
