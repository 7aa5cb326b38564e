//! What the string generator of rsyslog asks for: a message as it came in, to the line of JSON of its event.

use std::cell::RefCell;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::OnceLock;
use std::{env, ptr, slice, str};

use crate::guarded;
use crate::reader::{Message, Reader, COUNTED};
use crate::settings;

static READER: OnceLock<Reader> = OnceLock::new();

thread_local! {
    /// Of the thread's last event: rsyslog copies it before the thread asks again.
    static LINE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Bytes that are another's.
#[repr(C)]
pub struct Text {
    start: *const u8,
    length: usize,
}

impl From<&str> for Text {
    fn from(text: &str) -> Text {
        Text { start: text.as_ptr(), length: text.len() }
    }
}

impl Text {
    /// # Safety
    /// It has `length` bytes, which stay as they are while they are used.
    unsafe fn bytes(&self) -> &[u8] {
        if self.start.is_null() {
            return &[];
        }
        // SAFETY: as the caller promises.
        unsafe { slice::from_raw_parts(self.start, self.length) }
    }
}

/// The same order as in line.c.
#[repr(C)]
pub struct Texts {
    source: Text,
    whole: Text,
    body: Text,
    sender: Text,
    received: Text,
    reported: Text,
    host: Text,
    /// Asked for only where the source is empty.
    input: Text,
}

/// One of rsyslog's statistics: its name, the source that is counted, and where its value is. The same order as in line.c.
#[repr(C)]
pub struct Counter {
    name: Text,
    source: Text,
    value: *const AtomicU64,
}

/// Reads the settings that `VAERN_READER` names; false when they are wrong, which is said on standard error.
#[no_mangle]
pub extern "C" fn vaern_line_start() -> bool {
    guarded(false, || {
        let path = env::var("VAERN_READER").unwrap_or_else(|_| "/etc/vaern/log_shipper/reader.json".to_owned());
        let boot = env::var("INVOCATION_ID").unwrap_or_default();
        match settings::read(Path::new(&path), &boot) {
            Ok(read) => {
                READER.get_or_init(|| Reader::new(read));
                true
            }
            Err(what) => {
                eprintln!("vaern: {what}");
                false
            }
        }
    })
}

/// Which statistics there are, by number, those of one name together: false for a number behind the last. They stay where they are.
///
/// # Safety
/// `counter` can be written to.
#[no_mangle]
pub unsafe extern "C" fn vaern_counter(number: usize, counter: *mut Counter) -> bool {
    guarded(false, || {
        let sources = READER.get().map(|reader| reader.counted().collect::<Vec<_>>()).unwrap_or_default();
        let (Some(name), false) = (COUNTED.get(number / sources.len().max(1)), sources.is_empty()) else { return false };
        let (source, counted) = sources[number % sources.len()];
        let found = Counter { name: (*name).into(), source: source.into(), value: &counted[number / sources.len()] };
        // SAFETY: as the caller promises.
        unsafe { counter.write(found) };
        true
    })
}

/// The line of a message, until the thread asks for the next; none when it has none. Of a message whose source is not known yet, the name of
/// that source's ruleset.
///
/// # Safety
/// Each text of `message` has as many bytes as it says, and `line` can be written to.
#[no_mangle]
pub unsafe extern "C" fn vaern_line(message: *const Texts, line: *mut Text) {
    // SAFETY: as the caller promises.
    let (message, line) = unsafe { (&*message, &mut *line) };
    *line = Text { start: ptr::null(), length: 0 };
    guarded((), || {
        // SAFETY: as the caller promises.
        let [whole, body] = [&message.whole, &message.body].map(|text| unsafe { text.bytes() });
        // SAFETY: as the caller promises.
        let [source, sender, received, reported, host, input] =
            [&message.source, &message.sender, &message.received, &message.reported, &message.host, &message.input]
                .map(|text| str::from_utf8(unsafe { text.bytes() }).unwrap_or_default());
        let message = Message { source, whole, body, sender, received, reported, host };
        LINE.with_borrow_mut(|kept| {
            let written = READER.get().is_some_and(|reader| {
                if source.is_empty() {
                    reader.decide(input, sender, whole, kept);
                    return true;
                }
                reader.write(&message, kept)
            });
            if written {
                *line = Text { start: kept.as_ptr(), length: kept.len() };
            }
        });
    });
}
