//! Where a parser says that the time is.

use super::form::field;
use super::keys::Keys;
use super::names::Names;
use super::yaml::{Data, Node, Problem};
use super::{Clock, ZoneOf};
use crate::clock::format::Format;

/// Reads `clock`: `header`, one clock or a list of them.
pub fn read(node: &Node, names: &mut Names) -> Result<Vec<Clock>, Problem> {
    node.list().iter().map(|each| one(each, names)).collect()
}

fn one(node: &Node, names: &mut Names) -> Result<Clock, Problem> {
    if let Data::Text(text) = &node.data {
        return match text.as_str() {
            "header" => Ok(Clock::Header),
            _ => Err(Problem::new(node.line, format!("{text:?} is no clock; write header, or a map with from and format"))),
        };
    }
    let keys = Keys::of(node, "a clock", &["from", "format", "zone"])?;
    let from = keys.need("from")?;
    let from = from.texts()?.into_iter().map(|name| field(name, from.line, names)).collect::<Result<Vec<_>, _>>()?;
    let format = keys.need("format")?;
    let formats = format
        .list()
        .iter()
        .map(|each| Format::new(each.text()?).map_err(|what| Problem::new(each.line, what)))
        .collect::<Result<Vec<_>, _>>()?;
    let zone = match keys.text("zone")? {
        None | Some("declared") => ZoneOf::Declared,
        Some("UTC") => ZoneOf::Utc,
        Some(name) => ZoneOf::Field(field(name, node.line, names)?),
    };
    Ok(Clock::Fields { from, formats, zone })
}
