//! Every fault, once.
