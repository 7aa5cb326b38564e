//! Parsers: one YAML file a vendor, checked and ready to read lines.

pub mod names;
pub mod words;
pub mod yaml;
