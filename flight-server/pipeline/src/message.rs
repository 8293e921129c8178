//! What goes in: an XML message and what is to be taken from it. What comes out: a row of texts for each record
//! element, with the line and the text it stands in.
//!
//! Names are compared without their namespace prefix. What stands outside of the record element, such as the header
//! of a declaration, belongs to all its rows. A document type is refused: entities could stand for anything.

use std::collections::BTreeMap;
use std::path::Path;

use haetae_warehouse::Error as Unusable;
use haetae_warehouse::ingest::Origin;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::{Error, Result};

/// A larger message is not read.
pub(crate) const MESSAGE_BYTES: u64 = 256 << 20;
/// Elements within elements beyond this are no message.
const DEPTH: usize = 64;

/// The records of a message.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Records {
    /// One text a column, in the order of the names of columns.
    pub(crate) rows: Vec<Vec<Option<String>>>,
    /// Where each row came from.
    pub(crate) origins: Vec<Origin>,
    /// Row -> column that was there more than once.
    pub(crate) twice: BTreeMap<usize, String>,
}

/// A value that was found, and how often.
type Values = BTreeMap<usize, (String, u32)>;

struct Reading<'a> {
    record: &'a [String],
    columns: Vec<(&'a String, &'a Vec<String>)>,
    path: Vec<String>,
    /// Text of the open elements, innermost last.
    texts: Vec<String>,
    header: Values,
    current: Option<(Values, usize, u64)>,
    found: Vec<(Values, Origin)>,
}

/// Takes a message apart. Fails where it is not well formed: nothing of it is taken then.
pub(crate) fn read(
    file: &Path,
    text: &str,
    record: &[String],
    columns: &BTreeMap<String, Vec<String>>,
) -> Result<Records> {
    let mut reading = Reading {
        record,
        columns: columns.iter().collect(),
        path: Vec::new(),
        texts: Vec::new(),
        header: Values::new(),
        current: None,
        found: Vec::new(),
    };
    let mut reader = Reader::from_str(text);
    let (mut counted, mut line) = (0, 1_u64);
    loop {
        let before = reader.buffer_position() as usize;
        line += text.as_bytes().get(counted..before).map_or(0, breaks);
        counted = before;
        let wrong = |what: String| -> Error {
            Unusable::unreadable(file, "a well-formed XML message", format!("in line {line}: {what}")).into()
        };
        let event = reader.read_event().map_err(|error| wrong(error.to_string()))?;
        let after = reader.buffer_position() as usize;
        match event {
            Event::Start(element) => reading.open(&element, before, line).map_err(wrong)?,
            Event::Empty(element) => {
                reading.open(&element, before, line).map_err(wrong)?;
                reading.close(text, after);
            }
            Event::End(_) => reading.close(text, after),
            Event::Text(part) => reading.add(&part.xml_content().map_err(|error| wrong(error.to_string()))?),
            Event::CData(part) => reading.add(&part.xml_content().map_err(|error| wrong(error.to_string()))?),
            Event::GeneralRef(part) => {
                let name = part.decode().map_err(|error| wrong(error.to_string()))?;
                let letter = part.resolve_char_ref().map_err(|error| wrong(error.to_string()))?;
                match (letter, quick_xml::escape::resolve_predefined_entity(&name)) {
                    (Some(letter), _) => reading.add(letter.encode_utf8(&mut [0; 4])),
                    (None, Some(known)) => reading.add(known),
                    (None, None) => return Err(wrong(format!("the unknown entity &{name};"))),
                }
            }
            Event::DocType(_) => return Err(wrong("a document type, which is not read".to_owned())),
            Event::Eof if reading.path.is_empty() => break,
            Event::Eof => return Err(wrong(format!("it ends within {}", reading.path.join("/")))),
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
        }
    }
    Ok(reading.finish())
}

fn breaks(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

impl Reading<'_> {
    fn open(&mut self, element: &BytesStart<'_>, at: usize, line: u64) -> Result<(), String> {
        if self.path.len() >= DEPTH {
            return Err(format!("more than {DEPTH} elements within each other"));
        }
        let name = String::from_utf8_lossy(element.local_name().as_ref()).into_owned();
        self.path.push(name);
        self.texts.push(String::new());
        if self.path.as_slice() == self.record {
            self.current = Some((Values::new(), at, line));
        }
        for attribute in element.attributes() {
            let attribute = attribute.map_err(|error| error.to_string())?;
            let value = attribute.unescape_value().map_err(|error| error.to_string())?;
            self.path.push(format!("@{}", String::from_utf8_lossy(attribute.key.local_name().as_ref())));
            self.note(&value);
            self.path.pop();
        }
        Ok(())
    }

    fn add(&mut self, part: &str) {
        if let Some(text) = self.texts.last_mut() {
            text.push_str(part);
        }
    }

    /// Keeps a value where a column wants the place it stands at.
    fn note(&mut self, value: &str) {
        let value = value.trim();
        let wanted = self.columns.iter().position(|(_, path)| **path == self.path);
        let Some(column) = wanted.filter(|_| !value.is_empty()) else { return };
        let values = match &mut self.current {
            Some((values, ..)) => values,
            None => &mut self.header,
        };
        values.entry(column).or_insert_with(|| (value.to_owned(), 0)).1 += 1;
    }

    fn close(&mut self, text: &str, end: usize) {
        let value = self.texts.pop().unwrap_or_default();
        self.note(&value);
        if self.path.as_slice() == self.record
            && let Some((values, start, line)) = self.current.take()
        {
            let text = text.get(start..end).unwrap_or_default().to_owned();
            self.found.push((values, Origin { line, text }));
        }
        self.path.pop();
    }

    fn finish(self) -> Records {
        let mut records = Records::default();
        for (values, origin) in self.found {
            let value = |column: usize| values.get(&column).or_else(|| self.header.get(&column));
            let all = 0..self.columns.len();
            if let Some(column) = all.clone().find(|column| value(*column).is_some_and(|(_, times)| *times > 1)) {
                records.twice.insert(records.rows.len(), self.columns[column].0.clone());
            }
            records.rows.push(all.map(|column| value(column).map(|(text, _)| text.clone())).collect());
            records.origins.push(origin);
        }
        records
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(text: &str) -> Result<Records> {
        let path = |text: &str| -> Vec<String> { text.split('/').map(str::to_owned).collect() };
        let columns = [
            ("id", "M/ID"),
            ("no", "M/Items/Item/No"),
            ("price", "M/Items/Item/Price"),
            ("unit", "M/Items/Item/Price/@unit"),
        ];
        let columns = columns.map(|(name, place)| (name.to_owned(), path(place))).into_iter().collect();
        read(Path::new("m.xml"), text, &path("M/Items/Item"), &columns)
    }

    #[test]
    fn each_item_is_a_row_with_the_header_of_its_message() {
        let text = "<?xml version=\"1.0\"?>\n<m:M xmlns:m=\"x\"><Items>\n  <Item><No>1</No><Price unit=\"KRW\"> 5 &lt; &#54; </Price></Item>\n\
            <Item><No>2</No><Price/></Item></Items>\n<ID><![CDATA[a&b]]></ID></m:M>";
        let records = taken(text).unwrap();
        let row = |cells: [Option<&str>; 4]| cells.map(|cell| cell.map(str::to_owned)).to_vec();
        let expected =
            [row([Some("a&b"), Some("1"), Some("5 < 6"), Some("KRW")]), row([Some("a&b"), Some("2"), None, None])];
        assert_eq!(records.rows, expected);
        assert_eq!(records.origins[1], Origin { line: 4, text: "<Item><No>2</No><Price/></Item>".to_owned() });
        assert!(records.twice.is_empty());
    }

    #[test]
    fn what_is_there_twice_is_told() {
        let records =
            taken("<M><ID>a</ID><Items><Item><No>1</No><No>2</No></Item><Item><No>3</No></Item></Items></M>").unwrap();
        assert_eq!(records.twice, BTreeMap::from([(0, "no".to_owned())]));
        let records = taken("<M><ID>a</ID><ID>b</ID><Items><Item/></Items></M>").unwrap();
        assert_eq!(records.twice, BTreeMap::from([(0, "id".to_owned())]));
    }

    #[test]
    fn what_is_not_well_formed_names_the_line() {
        for (text, part) in [
            ("<M>\n<Items>\n</M>", "in line 3: "),
            ("<M><Items>", "in line 1: it ends within M/Items"),
            ("<!DOCTYPE M [<!ENTITY x \"y\">]><M>&x;</M>", "a document type, which is not read"),
            ("<M>\n&x;</M>", "in line 2: the unknown entity &x;"),
            ("<M a=\"1\" a=\"2\"/>", "in line 1: "),
            ("", "in line 1: "),
        ] {
            let found = taken(text).map(|records| records.rows.len());
            match found {
                Ok(rows) => assert_eq!((text, rows), ("", 0)),
                Err(error) => assert!(error.to_string().contains(part), "{text}: {error}"),
            }
        }
        assert!(taken(&"<M>".repeat(100)).is_err());
    }

    /// Seeded changes to a good message: no panic, and no row that the message does not have.
    #[test]
    fn no_mutation_of_a_message_ends_the_process() {
        let good = "<?xml version=\"1.0\"?>\n<M><ID>a</ID><Items>\n<Item><No>1</No><Price unit=\"KRW\">5 &lt; &#54;</Price></Item>\n\
            <Item><No>2</No><!-- - --><Price><![CDATA[7]]></Price></Item></Items></M>";
        let pieces = [
            "<",
            ">",
            "</",
            "/>",
            "&",
            "&#x110000;",
            "&lt",
            "]]>",
            "<!--",
            "<![CDATA[",
            "<?",
            "\0",
            "\"",
            "<Item>",
            "한",
            ":",
        ];
        let mut state = 1u64;
        let mut draw = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below.max(1)
        };
        let (mut refused, mut taken_apart) = (0, 0);
        for _ in 0..4_000 {
            let mut letters: Vec<char> = good.chars().collect();
            for _ in 0..1 + draw(4) {
                let at = draw(letters.len());
                let until = (at + 1 + draw(16)).min(letters.len());
                match draw(4) {
                    0 => drop(letters.splice(at..at, pieces[draw(pieces.len())].chars())),
                    1 => drop(letters.splice(at..until, pieces[draw(pieces.len())].chars())),
                    2 => drop(letters.drain(at..until)),
                    _ => {
                        let again = letters[at..until].to_vec();
                        drop(letters.splice(at..at, again));
                    }
                }
            }
            let text: String = letters.into_iter().collect();
            match taken(&text) {
                Err(_) => refused += 1,
                Ok(records) => {
                    taken_apart += 1;
                    assert_eq!(records.rows.len(), records.origins.len(), "{text}");
                    assert!(records.rows.len() <= text.matches("Item").count(), "{text}");
                    assert!(records.origins.iter().all(|origin| text.contains(&origin.text)), "{text}");
                }
            }
        }
        assert!(refused > 400 && taken_apart > 100, "{refused} refused, {taken_apart} taken apart");
    }
}
