//! The landing directory: list, open, inflate, cut into pieces.
