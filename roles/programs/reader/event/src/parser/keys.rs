//! The keys of a map, each of them known.

use super::yaml::{Node, Problem};

/// A map whose keys are all known.
#[derive(Clone, Copy)]
pub struct Keys<'a> {
    pub node: &'a Node,
    what: &'a str,
}

impl<'a> Keys<'a> {
    /// Checks the keys of a map.
    pub fn of(node: &'a Node, what: &'a str, known: &[&str]) -> Result<Keys<'a>, Problem> {
        for (key, _, line) in node.pairs(what)? {
            if !known.contains(&key) {
                return Err(Problem::new(line, format!("{what} has no {key:?}; known are {}", known.join(", "))));
            }
        }
        Ok(Keys { node, what })
    }

    pub fn get(&self, key: &str) -> Option<&'a Node> {
        let pairs = self.node.pairs(self.what).ok()?;
        pairs.into_iter().find(|(each, _, _)| *each == key).map(|(_, value, _)| value)
    }

    pub fn need(&self, key: &str) -> Result<&'a Node, Problem> {
        self.get(key).ok_or_else(|| Problem::new(self.node.line, format!("{} needs {key:?}", self.what)))
    }

    pub fn text(&self, key: &str) -> Result<Option<&'a str>, Problem> {
        self.get(key).map(Node::text).transpose()
    }
}
