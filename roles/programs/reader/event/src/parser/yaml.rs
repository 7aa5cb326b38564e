//! A YAML file with the line of each part. Every scalar is text: `on` and `0751` are what they look like.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle};

/// A part of a file and the line where it begins, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub line: usize,
    pub data: Data,
}

/// What a part is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    Nothing,
    Text(String),
    List(Vec<Node>),
    /// In the order of the file.
    Map(Vec<(Node, Node)>),
}

/// What is wrong, and in which line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub line: usize,
    pub what: String,
}

impl Problem {
    pub fn new(line: usize, what: impl Into<String>) -> Problem {
        Problem { line, what: what.into() }
    }
}

/// A list or a map that is being read.
struct Open {
    line: usize,
    anchor: usize,
    map: bool,
    parts: Vec<Node>,
}

/// What aliases may repeat, all together.
const MOST_REPEATED: usize = 20_000;

/// Reads the one document of a file. Tags are refused: a parser has no use for them.
pub fn read(text: &str) -> Result<Node, Problem> {
    let mut open: Vec<Open> = Vec::new();
    let mut anchors: HashMap<usize, Node> = HashMap::new();
    let mut repeated = 0;
    let mut found = None;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| Problem::new(error.marker().line(), error.info()))?;
        let line = span.start.line();
        let (node, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                if tag.is_some() {
                    return Err(Problem::new(line, "tags are not known here; write the value itself"));
                }
                let nothing = style == ScalarStyle::Plain && matches!(text.as_ref(), "" | "~" | "null");
                (Node { line, data: if nothing { Data::Nothing } else { Data::Text(text.into_owned()) } }, anchor)
            }
            Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _) => {
                if open.len() > 20 {
                    return Err(Problem::new(line, "nested too deeply"));
                }
                open.push(Open { line, anchor, map: matches!(event, Event::MappingStart(..)), parts: Vec::new() });
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(open) => {
                    let anchor = open.anchor;
                    (closed(open)?, anchor)
                }
                None => continue,
            },
            Event::Alias(anchor) => {
                let node = anchors.get(&anchor).cloned().ok_or_else(|| Problem::new(line, "an alias of nothing that ends above"))?;
                repeated += node.size();
                if repeated > MOST_REPEATED {
                    return Err(Problem::new(line, "aliases repeat too much"));
                }
                (node, 0)
            }
            _ => continue,
        };
        if anchor != 0 {
            anchors.insert(anchor, node.clone());
        }
        match open.last_mut() {
            Some(parent) => parent.parts.push(node),
            None if found.is_some() => return Err(Problem::new(line, "a second document; a file holds one")),
            None => found = Some(node),
        }
    }
    found.ok_or_else(|| Problem::new(1, "the file is empty"))
}

fn closed(open: Open) -> Result<Node, Problem> {
    if !open.map {
        return Ok(Node { line: open.line, data: Data::List(open.parts) });
    }
    let mut pairs: Vec<(Node, Node)> = Vec::new();
    let mut parts = open.parts.into_iter();
    while let (Some(key), Some(value)) = (parts.next(), parts.next()) {
        if pairs.iter().any(|(each, _)| each.data == key.data) {
            return Err(Problem::new(key.line, format!("{} stands here twice", key.text().unwrap_or("a key"))));
        }
        pairs.push((key, value));
    }
    Ok(Node { line: open.line, data: Data::Map(pairs) })
}

impl Node {
    /// How many parts it has, with itself.
    fn size(&self) -> usize {
        match &self.data {
            Data::Nothing | Data::Text(_) => 1,
            Data::List(parts) => 1 + parts.iter().map(Node::size).sum::<usize>(),
            Data::Map(pairs) => 1 + pairs.iter().map(|(key, value)| key.size() + value.size()).sum::<usize>(),
        }
    }

    /// The text of a scalar; an empty one for nothing.
    pub fn text(&self) -> Result<&str, Problem> {
        match &self.data {
            Data::Text(text) => Ok(text),
            Data::Nothing => Ok(""),
            Data::List(_) => Err(Problem::new(self.line, "a list where a text is expected")),
            Data::Map(_) => Err(Problem::new(self.line, "a map where a text is expected; quote it if it holds `: `")),
        }
    }

    /// The parts of a list; a single part is a list of one.
    pub fn list(&self) -> &[Node] {
        match &self.data {
            Data::List(parts) => parts,
            _ => std::slice::from_ref(self),
        }
    }

    /// The texts of a list, or of a single scalar.
    pub fn texts(&self) -> Result<Vec<&str>, Problem> {
        self.list().iter().map(Node::text).collect()
    }

    /// The pairs of a map, each with its key as text.
    pub fn pairs(&self, what: &str) -> Result<Vec<(&str, &Node, usize)>, Problem> {
        let Data::Map(pairs) = &self.data else {
            return Err(Problem::new(self.line, format!("{what} is no map of keys and values")));
        };
        pairs.iter().map(|(key, value)| Ok((key.text()?, value, key.line))).collect()
    }
}
