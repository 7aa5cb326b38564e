//! Bytes of a connection to frames.
