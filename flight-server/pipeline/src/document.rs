//! What goes in: the bytes of a document. What comes out: one row: its name, size, hash, media type and text.
//!
//! The type is what the first bytes say, not what the name says. The text is taken where that needs no more than to
//! read it: plain text in UTF-8 or UTF-16, and what stands between the elements of XML. Of scans, PDF and office files
//! there is none: other programs know how to read them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use haetae_warehouse::ingest::{Origin, hexadecimal};
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, Event};
use sha2::{Digest, Sha256};

use crate::message::Records;

/// Of a longer text the rest is left out.
const TEXT_BYTES: usize = 1 << 20;

/// How files of a type begin: where, with what, and the type.
const SIGNATURES: [(usize, &[u8], &str); 15] = [
    (0, b"%PDF-", "application/pdf"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xFF\xD8\xFF", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (8, b"WEBP", "image/webp"),
    (0, b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "application/x-ole-storage"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"\x1F\x8B", "application/gzip"),
    (0, b"{\\rtf", "application/rtf"),
    (0, b"PAR1", "application/vnd.apache.parquet"),
    (0, b"<?xml", "text/xml"),
    (0, b"\xEF\xBB\xBF<?xml", "text/xml"),
];

/// Office files are archives; what is in them says which.
const IN_ARCHIVES: [(&[u8], &str); 4] = [
    (b"word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (b"xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (b"ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    (b"mimetypeapplication/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.text"),
];

/// The columns of the row, each with the words for where it comes from.
pub(crate) fn columns() -> BTreeMap<String, Vec<String>> {
    let words = [
        ("byte_size", "size"),
        ("document_text", "content"),
        ("file_name", "name"),
        ("media_type", "first bytes"),
        ("sha256", "content"),
    ];
    words.into_iter().map(|(name, from)| (name.to_owned(), vec![from.to_owned()])).collect()
}

/// The one row of a document, in the order of [`columns`].
pub(crate) fn read(file: &Path, bytes: &[u8]) -> Records {
    let media_type = media_type(bytes);
    let text = match media_type {
        "text/plain" => plain(bytes),
        "text/xml" => std::str::from_utf8(bytes).ok().map(between_elements),
        _ => None,
    };
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let row = vec![
        Some(bytes.len().to_string()),
        text.map(shortened).filter(|text| !text.is_empty()),
        Some(name.clone()),
        Some(media_type.to_owned()),
        Some(hexadecimal(&Sha256::digest(bytes))),
    ];
    Records { rows: vec![row], origins: vec![Origin { line: 1, text: name }], twice: BTreeMap::new() }
}

/// What the content says it is; `application/octet-stream` where it says nothing.
fn media_type(bytes: &[u8]) -> &'static str {
    let begins = |(at, with, _): &&(usize, &[u8], &str)| bytes.get(*at..).is_some_and(|rest| rest.starts_with(with));
    match SIGNATURES.iter().find(begins) {
        Some((_, _, "application/zip")) => in_archive(bytes),
        Some((_, _, known)) => known,
        None if plain(bytes).is_some() => "text/plain",
        None => "application/octet-stream",
    }
}

fn in_archive(bytes: &[u8]) -> &'static str {
    let holds = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    IN_ARCHIVES.iter().find(|(part, _)| holds(part)).map_or("application/zip", |(_, known)| *known)
}

/// The text, where the bytes are one: no other control characters than those that break lines.
fn plain(bytes: &[u8]) -> Option<String> {
    let text = match bytes {
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes)?,
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes)?,
        [0xEF, 0xBB, 0xBF, rest @ ..] => std::str::from_utf8(rest).ok()?.to_owned(),
        all => std::str::from_utf8(all).ok()?.to_owned(),
    };
    let strange = |letter: char| letter.is_control() && !matches!(letter, '\t' | '\n' | '\r' | '\u{c}');
    (!text.is_empty() && !text.contains(strange)).then_some(text)
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
    rest.is_empty().then(|| String::from_utf16(&units).ok()).flatten()
}

/// The texts of an XML document with a space between them; those before its first fault, if it has one.
fn between_elements(text: &str) -> String {
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    let mut found = String::new();
    while let Ok(event) = reader.read_event() {
        // Words end at tags, not at references: these are part of them.
        let part = match &event {
            Event::Text(part) => part.xml_content(),
            Event::CData(part) => part.xml_content(),
            Event::GeneralRef(part) => match referred(part) {
                Some(known) => Ok(Cow::Owned(known)),
                None => break,
            },
            Event::Start(_) | Event::End(_) | Event::Empty(_) => Ok(Cow::Borrowed(" ")),
            Event::Eof => break,
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) | Event::DocType(_) => continue,
        };
        let Ok(part) = part else { break };
        found.push_str(&part);
    }
    let mut spaced = String::with_capacity(found.len());
    for word in found.split_whitespace() {
        if !spaced.is_empty() {
            spaced.push(' ');
        }
        spaced.push_str(word);
    }
    spaced
}

/// What a reference stands for; itself where only a document type could say. `None` for no letter.
fn referred(reference: &BytesRef<'_>) -> Option<String> {
    if let Some(letter) = reference.resolve_char_ref().ok()? {
        return Some(letter.to_string());
    }
    let name = reference.decode().ok()?;
    Some(resolve_predefined_entity(&name).map_or_else(|| format!("&{name};"), str::to_owned))
}

/// At most [`TEXT_BYTES`] of it, and no part of a letter.
fn shortened(mut text: String) -> String {
    let end = (0..=TEXT_BYTES.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.truncate(end);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_say_what_a_file_is() {
        let utf16: Vec<u8> = [0xFEFF_u16].into_iter().chain("송장".encode_utf16()).flat_map(u16::to_le_bytes).collect();
        let cases: [(&[u8], &str, Option<&str>); 16] = [
            (b"%PDF-1.7\n%\xE2\xE3", "application/pdf", None),
            (b"\x89PNG\r\n\x1a\n\0\0", "image/png", None),
            (b"\xFF\xD8\xFF\xE0", "image/jpeg", None),
            (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp", None),
            (b"PK\x03\x04....[Content_Types].xml....word/document.xml", IN_ARCHIVES[0].1, None),
            (b"PK\x03\x04....data.csv", "application/zip", None),
            ("Invoice 17\n송장\n".as_bytes(), "text/plain", Some("Invoice 17\n송장\n")),
            (&utf16, "text/plain", Some("송장")),
            (b"<?xml version=\"1.0\"?><a>x <b>y</b>\n</a>", "text/xml", Some("x y")),
            (b"<?xml version=\"1.0\"?><a>x <b>y", "text/xml", Some("x y")),
            (b"<?xml version=\"1.0\"?><a>AT&amp;T</a>", "text/xml", Some("AT&T")),
            (
                b"<?xml version=\"1.0\"?><a>&#xAC00;&#45208;<!-- no end of a word -->&#xB2E4;</a>",
                "text/xml",
                Some("가나다"),
            ),
            (
                b"<?xml version=\"1.0\"?><a>1 &lt; 2<b/>&firm;<![CDATA[ & ]]>Co.</a>",
                "text/xml",
                Some("1 < 2 &firm; & Co."),
            ),
            (b"<?xml version=\"1.0\"?><a>x<b>y</b>&#x110000;z</a>", "text/xml", Some("x y")),
            (b"abc\0def", "application/octet-stream", None),
            (b"", "application/octet-stream", None),
        ];
        for (bytes, media_type, text) in cases {
            let records = read(Path::new("folder/name.bin"), bytes);
            let [row] = records.rows.as_slice() else { panic!("{:?}", records.rows) };
            let names: Vec<String> = columns().into_keys().collect();
            let cell = |name: &str| row[names.iter().position(|column| column == name).unwrap()].as_deref();
            assert_eq!((cell("media_type"), cell("document_text")), (Some(media_type), text), "{bytes:?}");
            assert_eq!(cell("byte_size"), Some(bytes.len().to_string().as_str()));
            assert_eq!(cell("file_name"), Some("name.bin"));
        }
    }

    #[test]
    fn a_long_text_is_cut_between_letters() {
        let text = "가".repeat(TEXT_BYTES / 3 + 5);
        let cut = shortened(text);
        assert_eq!((cut.len(), cut.chars().count()), (TEXT_BYTES / 3 * 3, TEXT_BYTES / 3));
    }
}
