//! Writes JSON: always valid, whatever the text.

/// A string with its quotation marks, appended to `line`.
pub fn string(line: &mut Vec<u8>, text: &str) {
    line.push(b'"');
    for each in text.chars() {
        match each {
            '"' => line.extend_from_slice(b"\\\""),
            '\\' => line.extend_from_slice(b"\\\\"),
            '\n' => line.extend_from_slice(b"\\n"),
            '\r' => line.extend_from_slice(b"\\r"),
            '\t' => line.extend_from_slice(b"\\t"),
            '\0'..='\u{1f}' => line.extend_from_slice(format!("\\u{:04x}", each as u32).as_bytes()),
            _ => line.extend_from_slice(each.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    line.push(b'"');
}

/// What stands before a string, and the string.
pub fn member(line: &mut Vec<u8>, before: &[u8], text: &str) {
    line.extend_from_slice(before);
    string(line, text);
}

/// A whole number.
pub fn number(line: &mut Vec<u8>, number: u64) {
    line.extend_from_slice(number.to_string().as_bytes());
}
