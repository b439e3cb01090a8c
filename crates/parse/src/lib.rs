//! One record of bytes in, one borrowed, typed event out.
