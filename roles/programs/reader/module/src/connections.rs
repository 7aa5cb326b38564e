//! The connections that are open, each with what waits for the rest of its frame.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use vaern_event::framing::Framer;

/// Bytes of a message that rsyslog takes at a time (`maxMessageSize`); the rest of a longer one follows as events of their own.
pub const LARGEST: usize = 65536;

/// By the address of rsyslog's object for the connection.
#[derive(Default)]
pub struct Connections(Mutex<Option<HashMap<usize, Arc<Mutex<Framer>>>>>);

impl Connections {
    pub const fn new() -> Connections {
        Connections(Mutex::new(None))
    }

    /// The framing of a connection, new when it was not seen before. rsyslog reads a connection in one thread at a time.
    pub fn of(&self, connection: usize) -> Arc<Mutex<Framer>> {
        let mut open = held(&self.0);
        let new = || Arc::new(Mutex::new(Framer::new(LARGEST)));
        Arc::clone(open.get_or_insert_with(HashMap::new).entry(connection).or_insert_with(new))
    }

    /// The connection is no more; another may get its address.
    pub fn forget(&self, connection: usize) {
        if let Some(open) = held(&self.0).as_mut() {
            open.remove(&connection);
        }
    }
}

/// A thread that panicked has left nothing half-done that the next could not go on with.
pub fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
