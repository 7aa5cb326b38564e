//! Between a connection and rsyslog's own framing: whatever a sender's framing is, each frame leaves here behind its true length (RFC 6587), so
//! that rsyslog never takes a part of a message for one.

use crate::connections::{held, Connections};
use crate::guarded;
use std::slice;
use vaern_event::framing::{Frame, Framer};

/// Of a length with its space: "65536 ".
const HEAD: usize = 6;

static OPEN: Connections = Connections::new();

/// How many bytes may be read from a connection so that all frames that then are whole fit into `size` bytes; 0 when it panics.
#[no_mangle]
pub extern "C" fn vaern_stream_room(connection: usize, size: usize) -> usize {
    guarded(0, || room(held(&OPEN.of(connection)).waiting(), size))
}

/// Takes in `length` bytes and writes what is whole; -1 when that does not fit into `size` bytes, or when it panics.
///
/// # Safety
/// `input` has `length` bytes, and `output` has room for `size`.
#[no_mangle]
pub unsafe extern "C" fn vaern_stream_take(
    connection: usize,
    input: *const u8,
    length: usize,
    closed: bool,
    output: *mut u8,
    size: usize,
) -> isize {
    guarded(-1, || {
        // SAFETY: as the caller promises.
        let (input, output) = unsafe { (slice::from_raw_parts(input, length), slice::from_raw_parts_mut(output, size)) };
        let open = OPEN.of(connection);
        let mut framer = held(&open);
        framer.push(input);
        if closed {
            framer.close();
        }
        write(&mut framer, output).and_then(|written| isize::try_from(written).ok()).unwrap_or(-1)
    })
}

/// A connection has ended.
#[no_mangle]
pub extern "C" fn vaern_stream_forget(connection: usize) {
    guarded((), || OPEN.forget(connection));
}

/// The shortest frame, one letter and its end, leaves as three bytes; what waits may be whole with the next byte.
fn room(waiting: usize, size: usize) -> usize {
    size.saturating_sub(waiting + waiting / 2 + 2 * HEAD) * 2 / 3
}

fn write(framer: &mut Framer, output: &mut [u8]) -> Option<usize> {
    let mut used = 0;
    for Frame { bytes, .. } in framer {
        for part in [format!("{} ", bytes.len()).as_bytes(), &bytes] {
            output.get_mut(used..used + part.len())?.copy_from_slice(part);
            used += part.len();
        }
    }
    Some(used)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connections::LARGEST;

    /// Rsyslog's own.
    const SIZE: usize = 131_072;

    /// What rsyslog is given, for bytes that come in pieces.
    fn taken(connection: usize, pieces: &[&[u8]]) -> String {
        let mut given = Vec::new();
        let mut output = vec![0; SIZE];
        for (number, piece) in pieces.iter().enumerate() {
            let closed = number + 1 == pieces.len();
            assert!(piece.len() <= vaern_stream_room(connection, SIZE));
            let written = unsafe { vaern_stream_take(connection, piece.as_ptr(), piece.len(), closed, output.as_mut_ptr(), SIZE) };
            given.extend_from_slice(&output[..usize::try_from(written).expect("it fits")]);
        }
        vaern_stream_forget(connection);
        String::from_utf8_lossy(&given).into_owned()
    }

    #[test]
    fn every_frame_leaves_behind_its_length() {
        let sent: [&[u8]; 4] = [b"500 Internal\n<13>a", b"\n5 <1", b"3>b", b"<13>c"];
        assert_eq!(taken(1, &sent), "12 500 Internal5 <13>a5 <13>b5 <13>c");
        assert_eq!(taken(1, &[b"<13>a\0<13>b\0"]), "5 <13>a5 <13>b");
    }

    #[test]
    fn what_leaves_fits_whatever_comes() {
        let letters = "a\n".repeat(room(0, SIZE) / 2);
        assert_eq!(taken(2, &[letters.as_bytes()]).len(), letters.len() / 2 * 3);
        let waiting = "x".repeat(LARGEST);
        let more = "\n".to_owned() + &"a\n".repeat(room(LARGEST, SIZE) / 2 - 1);
        let pieces = [&waiting.as_bytes()[..LARGEST / 2], &waiting.as_bytes()[LARGEST / 2..], more.as_bytes()];
        assert_eq!(taken(3, &pieces).len(), HEAD + LARGEST + (more.len() - 1) / 2 * 3);
    }

    #[test]
    fn too_little_room_is_said_and_not_written_past() {
        let mut output = [0; 4];
        let written = unsafe { vaern_stream_take(4, b"<13>a\n".as_ptr(), 6, true, output.as_mut_ptr(), output.len()) };
        vaern_stream_forget(4);
        assert_eq!(written, -1);
    }
}
