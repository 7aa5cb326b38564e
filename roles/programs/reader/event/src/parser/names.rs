//! The names of fields that a parser asks for, found quickly among all that a line has.

/// Place of a name in its parser.
pub type Id = u16;

const BUCKETS: usize = 128;

/// What is known of the line beside its fields, in this order.
pub const OF_LINE: [&str; 7] = ["$body", "$message", "$host", "$program", "$pid", "$msgid", "$data"];
pub const BODY: Id = 0;
pub const MESSAGE: Id = 1;
pub const HOST: Id = 2;
pub const PROGRAM: Id = 3;
pub const PID: Id = 4;
pub const MESSAGE_ID: Id = 5;
pub const DATA: Id = 6;

/// How the digits of a field are held to be a CPR number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kind {
    pub typed: bool,
    pub without_leading_zero: bool,
}

/// The names of a parser.
#[derive(Debug)]
pub struct Names {
    names: Vec<String>,
    pub kinds: Vec<Kind>,
    buckets: Vec<Vec<Id>>,
    /// Some name is of a kind, so that every field of a line is looked at.
    pub any_kind: bool,
}

fn bucket(name: &[u8]) -> usize {
    let first = name.first().copied().unwrap_or(0);
    let last = name.last().copied().unwrap_or(0);
    (name.len() + usize::from(first) * 31 + usize::from(last) * 7) % BUCKETS
}

impl Default for Names {
    fn default() -> Names {
        let mut names = Names { names: Vec::new(), kinds: Vec::new(), buckets: vec![Vec::new(); BUCKETS], any_kind: false };
        for name in OF_LINE {
            names.add(name);
        }
        names
    }
}

impl Names {
    /// The place of a name, new if it was not there.
    pub fn add(&mut self, name: &str) -> Id {
        if let Some(id) = self.find(name) {
            return id;
        }
        let id = Id::try_from(self.names.len()).unwrap_or(Id::MAX);
        self.names.push(name.to_owned());
        self.kinds.push(Kind::default());
        self.buckets[bucket(name.as_bytes())].push(id);
        id
    }

    /// The names of fields of which nine digits are a CPR number.
    pub fn without_leading_zero(&self) -> Vec<&str> {
        let each = self.names.iter().zip(&self.kinds).filter(|(_, kind)| kind.without_leading_zero);
        each.map(|(name, _)| name.as_str()).collect()
    }

    pub fn find(&self, name: &str) -> Option<Id> {
        let found = &self.buckets[bucket(name.as_bytes())];
        found.iter().copied().find(|id| self.names[usize::from(*id)] == name)
    }

    pub fn name(&self, id: Id) -> &str {
        self.names.get(usize::from(id)).map_or("", String::as_str)
    }

    pub fn len(&self) -> usize {
        self.names.len()
    }

    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// How a field is held: by its whole name, or by the part behind its last dot.
    pub fn kind(&self, name: &str, id: Option<Id>) -> Kind {
        let own = id.map(|id| self.kinds[usize::from(id)]).unwrap_or_default();
        if !self.any_kind || own != Kind::default() {
            return own;
        }
        let last = name.rsplit('.').next().unwrap_or(name);
        if last.len() == name.len() {
            return own;
        }
        self.find(last).map(|id| self.kinds[usize::from(id)]).unwrap_or_default()
    }
}
