//! What goes in: the text of one record of a CSV file. What comes out: its fields, in the dialect of RFC 4180, or what is
//! wrong with its quotes and signs.

/// The number of fields of a record, or what is wrong with its quotes and signs: what RFC 4180 does not allow is
/// not read in one of the ways in which it might be meant.
pub(super) fn well_formed(record: &str) -> std::result::Result<usize, String> {
    let (mut commas, mut plain) = (0, true);
    for byte in record.bytes() {
        commas += usize::from(byte == b',');
        plain &= byte != b'"' && (byte >= b' ' || byte == b'\t');
    }
    if plain {
        return Ok(commas + 1);
    }
    let (mut field, mut quoted, mut bytes) = (1, false, record.bytes().peekable());
    let mut at_start = true;
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' if at_start => quoted = true,
            b'"' if quoted && bytes.peek() == Some(&b'"') => drop(bytes.next()),
            b'"' if quoted => match bytes.peek() {
                None | Some(b',') => quoted = false,
                Some(_) => {
                    return Err(format!("field {field} goes on after its closing quote; a quote in it is doubled"));
                }
            },
            b'"' => return Err(format!("field {field} has a quote and does not begin with one; write it in quotes")),
            b',' if !quoted => {
                field += 1;
                at_start = true;
                continue;
            }
            b'\t' => {}
            b'\r' | b'\n' if quoted => {}
            0..b' ' => return Err(format!("field {field} has the control character {byte:#04x}")),
            _ => {}
        }
        at_start = false;
    }
    if quoted { Err("a quote is opened and never closed".to_owned()) } else { Ok(field) }
}

/// Takes a record apart. A field with quotes is given to `scratch` first, which is why the fields
/// are handed to `each` one by one. Returns the number of fields.
pub(super) fn fields<'a>(record: &'a str, scratch: &mut String, mut each: impl FnMut(usize, &str)) -> usize {
    let mut count = 0;
    let mut rest: &'a str = record;
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            Some(quoted) => {
                scratch.clear();
                (None, unquote(quoted, scratch))
            }
            None => match rest.find(',') {
                Some(comma) => (Some(&rest[..comma]), Some(&rest[comma + 1..])),
                None => (Some(rest), None),
            },
        };
        each(count, field.unwrap_or(scratch.as_str()));
        count += 1;
        match after {
            Some(more) => rest = more,
            None => return count,
        }
    }
}

/// Copies a quoted field (its opening quote is gone) into `field`; returns what follows the comma.
fn unquote<'a>(mut rest: &'a str, field: &mut String) -> Option<&'a str> {
    while let Some(quote) = rest.find('"') {
        field.push_str(&rest[..quote]);
        rest = &rest[quote + 1..];
        if let Some(after) = rest.strip_prefix('"') {
            field.push('"');
            rest = after;
            continue;
        }
        // In a record that is well formed nothing stands between the closing quote and the comma.
        let end = rest.find(',').unwrap_or(rest.len());
        field.push_str(&rest[..end]);
        return rest.get(end + 1..);
    }
    field.push_str(rest);
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(record: &str) -> Vec<String> {
        let mut found = Vec::new();
        let count = fields(record, &mut String::new(), |_, field| found.push(field.to_owned()));
        assert_eq!(count, found.len());
        found
    }

    #[test]
    fn fields_follow_rfc_4180() {
        assert_eq!(split("a,b,c"), ["a", "b", "c"]);
        assert_eq!(split("a,,"), ["a", "", ""]);
        assert_eq!(split(""), [""]);
        assert_eq!(split("\"a,b\",c"), ["a,b", "c"]);
        assert_eq!(split("\"say \"\"no\"\"\",\"\""), ["say \"no\"", ""]);
        assert_eq!(split("x,\"last\""), ["x", "last"]);
        assert_eq!(split("\"한글, 가\",b"), ["한글, 가", "b"]);
    }

    #[test]
    fn what_rfc_4180_does_not_allow_is_refused() {
        for (record, fields) in [("a,b,c", 3), ("", 1), ("\"a,\"\"b\"\"\",c", 2), ("\"a\r\nb\",\"\"", 2), ("a\tb", 1)] {
            assert_eq!(well_formed(record), Ok(fields), "{record:?}");
        }
        for (record, reason) in [
            ("a,\"b\"c", "field 2 goes on after its closing quote"),
            ("a,5\" pipe", "field 2 has a quote and does not begin with one"),
            ("a\0b", "field 1 has the control character 0x00"),
            ("a,b\rc", "field 2 has the control character 0x0d"),
            ("a,\"b", "a quote is opened and never closed"),
        ] {
            assert!(well_formed(record).is_err_and(|found| found.starts_with(reason)), "{record:?}");
        }
    }
}
