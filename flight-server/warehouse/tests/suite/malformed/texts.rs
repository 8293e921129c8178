//! CSV files that are wrong.

use std::collections::BTreeSet;

use super::{Case, case};
use crate::files::{ITEM_HEADER, item, items};

const COURIERS: &str = "courier_id,name\n";

pub fn cases() -> Vec<Case> {
    let mut cases = files();
    cases.extend(rows());
    cases.extend(values());
    cases.extend(cut());
    cases
}

/// Whole files.
fn files() -> Vec<Case> {
    let couriers = |text: &str| -> String { format!("{COURIERS}{text}") };
    let utf16 = |text: &str, little: bool| -> Vec<u8> {
        text.encode_utf16().flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
    };
    let plain = couriers("C1,Fast\n");
    let with = |start: &[u8], rest: &[u8]| [start, rest].concat();
    let utf32: Vec<u8> = plain.chars().flat_map(|letter| (letter as u32).to_le_bytes()).collect();
    let long_header = format!("courier_id,{}\n", "x".repeat(3 << 20));
    let whole: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("a mark of UTF-8 alone", b"\xEF\xBB\xBF".to_vec()),
        ("a line break alone", b"\n".to_vec()),
        ("blank lines alone", b"\r\n  \r\n\t\n".to_vec()),
        ("a header alone", COURIERS.into()),
        ("a header without line break", COURIERS.trim_end().into()),
        ("a mark of UTF-8", with(b"\xEF\xBB\xBF", plain.as_bytes())),
        ("two marks of UTF-8", with(b"\xEF\xBB\xBF\xEF\xBB\xBF", plain.as_bytes())),
        ("UTF-16 with its mark", with(b"\xFF\xFE", &utf16(&plain, true))),
        ("UTF-16 big end first", with(b"\xFE\xFF", &utf16(&plain, false))),
        ("UTF-16 without mark", utf16(&plain, true)),
        ("UTF-32", with(b"\xFF\xFE\0\0", &utf32)),
        ("a header of CP949", b"\xBD\xC5\xB0\xED,\xB9\xF8\xC8\xA3\n".to_vec()),
        ("gzip", b"\x1F\x8B\x08\0\0\0\0\0".to_vec()),
        ("ZIP", b"PK\x03\x04\x14\0\0\0".to_vec()),
        ("zstd", b"\x28\xB5\x2F\xFD\x04\x00".to_vec()),
        ("PDF", b"%PDF-1.7\n%\xE2\xE3\xCF\xD3\n".to_vec()),
        ("PNG", b"\x89PNG\r\n\x1A\n".to_vec()),
        ("HTML", b"<!doctype html><html><body>404</body></html>".to_vec()),
        ("JSON", b"[{\"courier_id\": \"C1\"}]".to_vec()),
        ("SQLite", b"SQLite format 3\0\x10\0\x01\x01".to_vec()),
        ("zeros", vec![0; 100_000]),
        ("one byte 0xFF", vec![0xFF; 100_000]),
        ("commas alone", vec![b','; 100_000]),
        ("quotes alone", vec![b'"'; 100_001]),
        ("line breaks alone", vec![b'\n'; 100_000]),
        ("a header longer than a record", long_header.into()),
        ("semicolons", b"courier_id;name\nC1;Fast\n".to_vec()),
        ("tabs", b"courier_id\tname\nC1\tFast\n".to_vec()),
        ("bars", b"courier_id|name\nC1|Fast\n".to_vec()),
        ("a column is missing", b"courier_id\nC1\n".to_vec()),
        ("a column too many", b"courier_id,name,fax\nC1,Fast,1\n".to_vec()),
        ("a header twice", b"courier_id,courier_id\nC1,C1\n".to_vec()),
        ("a header twice and one more", b"courier_id,name,name\nC1,Fast,Slow\n".to_vec()),
        ("a header in capitals", b"COURIER_ID,NAME\nC1,Fast\n".to_vec()),
        ("a header with blanks", b" courier_id , name \nC1,Fast\n".to_vec()),
        ("a header in quotes", b"\"courier_id\",\"name\"\nC1,Fast\n".to_vec()),
        ("a header with an open quote", b"courier_id,\"name\nC1,Fast\n".to_vec()),
        ("a header with an empty name", b"courier_id,\nC1,Fast\n".to_vec()),
        ("a header that ends with a comma", b"courier_id,name,\nC1,Fast,\n".to_vec()),
        ("another order of columns", b"name,courier_id\nFast,C1\n".to_vec()),
        ("no header", b"C1,Fast\nC2,Slow\n".to_vec()),
        ("the header again among the rows", couriers(COURIERS).into()),
        ("line breaks of old Macs", b"courier_id,name\rC1,Fast\rC2,Slow\r".to_vec()),
        ("mixed line breaks", b"courier_id,name\r\nC1,Fast\nC2,Slow\r\n".to_vec()),
        ("blank lines between", couriers("\n\nC1,Fast\n\n\nC2\n").into()),
        ("no last line break", couriers("C1,Fast").into()),
    ];
    whole.into_iter().map(|(name, bytes)| case(format!("file: {name}"), "dim_courier", bytes)).collect()
}

/// Rows between two good ones.
fn rows() -> Vec<Case> {
    let big = |size: usize| "x".repeat(size);
    let lines = |count: usize| "\"".to_owned() + &"x\n".repeat(count) + "\"";
    let rows: Vec<(&str, Vec<u8>)> = vec![
        ("no comma", b"C5".to_vec()),
        ("a field too many", b"C5,Fast,too".to_vec()),
        ("a semicolon", b"C5;Fast".to_vec()),
        ("empty fields", b",".to_vec()),
        ("an empty key", b",Fast".to_vec()),
        ("a key of blanks", b"   ,Fast".to_vec()),
        ("an empty key in quotes", b"\"\",Fast".to_vec()),
        ("a key that was there", b"C1,Again".to_vec()),
        ("Latin-1", b"C5,Caf\xE9".to_vec()),
        ("CP949", b"C5,\xB0\xA1\xB3\xAA".to_vec()),
        ("a continuation without start", b"C5,\x80".to_vec()),
        ("an overlong slash", b"C5,\xC0\xAF".to_vec()),
        ("half a surrogate pair", b"C5,\xED\xA0\x80".to_vec()),
        ("a letter cut in two", b"C5,\xEA\xB0".to_vec()),
        ("beyond Unicode", b"C5,\xF7\xBF\xBF\xBF".to_vec()),
        ("Korean", "C5,특송".into()),
        ("a mark of UTF-8 within", b"C5,\xEF\xBB\xBFFast".to_vec()),
        ("a zero byte", b"C5,Fa\0st".to_vec()),
        ("a zero byte in quotes", b"C5,\"Fa\0st\"".to_vec()),
        ("a bell", b"C5,\x07".to_vec()),
        ("an escape", b"C5,\x1B[31mred".to_vec()),
        ("the end of DOS", b"C5,Fast\x1A".to_vec()),
        ("a carriage return within", b"C5,Fa\rst".to_vec()),
        ("two carriage returns", b"C5,Fast\r\r".to_vec()),
        ("an open quote", b"C5,\"Fast".to_vec()),
        ("an open quote first", b"\"C5,Fast".to_vec()),
        ("letters after a quote", b"C5,\"Fa\"st".to_vec()),
        ("a blank after a quote", b"C5,\"Fast\" ".to_vec()),
        ("a blank before a quote", b"C5, \"Fast\"".to_vec()),
        ("a quote within", b"C5,5\" and 7\" pipes".to_vec()),
        ("one quote within", b"C5,5\" pipe".to_vec()),
        ("two pipes and a row between", b"C5,5\" pipe\nC6,Good\nC7,7\" pipe".to_vec()),
        ("three quotes", b"C5,\"\"\"".to_vec()),
        ("four quotes", b"C5,\"\"\"\"".to_vec()),
        ("backslash and quote", b"C5,\"Fa\\\"st\"".to_vec()),
        ("apostrophes", b"C5,'Fa,st'".to_vec()),
        ("curly quotes", "C5,“Fa,st”".into()),
        ("doubled quotes", b"C5,\"say \"\"no\"\"\"".to_vec()),
        ("a comma in quotes", b"C5,\"Fast, and slow\"".to_vec()),
        ("a line break in quotes", b"C5,\"Fast\nand slow\"".to_vec()),
        ("a line break in quotes, CRLF", b"C5,\"Fast\r\nand slow\"".to_vec()),
        ("ninety lines in quotes", format!("C5,{}", lines(90)).into()),
        ("two hundred lines in quotes", format!("C5,{}", lines(200)).into()),
        ("a field of 900 kB", format!("C5,{}", big(900_000)).into()),
        ("a field of 10 MB", format!("C5,{}", big(10_000_000)).into()),
        ("a field of 10 MB in quotes", format!("C5,\"{}\"", big(10_000_000)).into()),
        ("a field of 10 MB with an open quote", format!("C5,\"{}", big(10_000_000)).into()),
        ("ten lines of 300 kB in quotes", format!("C5,\"{}\"", (big(300_000) + "\n").repeat(10)).into()),
        ("3 MB of Korean", format!("C5,{}", "가".repeat(1_000_000)).into()),
        ("a million commas", format!("C5{}", ",".repeat(1_000_000)).into()),
    ];
    let around = |bytes: Vec<u8>| [COURIERS.as_bytes(), b"C1,Fast\n", &bytes, b"\nC9,Slow\n"].concat();
    rows.into_iter().map(|(name, bytes)| case(format!("row: {name}"), "dim_courier", around(bytes))).collect()
}

/// Values that are none of their column.
fn values() -> Vec<Case> {
    let digits = "9".repeat(400);
    let numbers = [
        "1e400", "-1e400", "1e-400", "-1e-400", "1e309", &digits, "inf", "-inf", "infinity", "nan", "NaN", "-5", "-0",
        "\"1,5\"", "1.000,5", "1 000", "1_000", "1'000", "0x1F", "１２", "٣", "½", "--1", "+", "-", ".", "e5", "1e",
        "1.2.3", "5kg", "5%", "₩5", "$5", "(5)", "null", "NULL", "N/A", "true", "#DIV/0!", "=1+1", "1;2", "+7", " 7 ",
        ".5", "5.", "1E3",
    ];
    let dates = [
        "0000-01-01",
        "0000-00-00",
        "0001-01-01",
        "9999-12-31",
        "10000-01-01",
        "1799-12-31",
        "1800-01-01",
        "2199-12-31",
        "2200-01-01",
        "2023-02-29",
        "1900-02-29",
        "2026-13-01",
        "2026-00-10",
        "2026-01-00",
        "2026-01-32",
        "2026-04-31",
        "2026-1-1",
        "26-01-01",
        "01/02/2026",
        "02.01.2026",
        "20260101",
        "2026-01-01T00:00:00",
        "2026-01-01 00:00",
        "-001-01-01",
        "+026-01-01",
        "2026−01−01",
        "２０２６-01-01",
        "today",
        "46000",
        "Jan 1 2026",
        "2026-W01-1",
        " 2026-01-01 ",
    ];
    let wholes = [
        "0",
        "-1",
        "1.0",
        "1.5",
        "1e3",
        "2147483647",
        "2147483648",
        "-2147483649",
        &digits,
        "one",
        "I",
        "0x1",
        " 7 ",
        "+7",
    ];
    let codes =
        ["12", "1012", "10129", "0101290", "01012x", "０10129", "010129.0", "0101.29", "-10129", " 010129", "HS0101"];
    let columns: [(&str, &[&str]); 4] =
        [("net_mass_kg", &numbers), ("declaration_date", &dates), ("item_no", &wholes), ("hs6", &codes)];
    let one = |column: &'static str, value: &str| {
        let shown: String = value.chars().take(30).collect();
        case(format!("{column}: {shown}"), "fact_item", items(&[item("a", &[(column, value)]), item("b", &[])]))
    };
    columns.into_iter().flat_map(|(column, values)| values.iter().map(move |value| one(column, value))).collect()
}

/// A good file that ends too early.
fn cut() -> Vec<Case> {
    let whole = items(&[item("a", &[("seller_id", "\"S,\n1\"")]), item("b", &[])]);
    let end = whole.len() - 1;
    let places: BTreeSet<usize> = (1..end).step_by(end / 40).chain([ITEM_HEADER.len(), end]).collect();
    places
        .into_iter()
        .map(|at| case(format!("CSV cut after {at} bytes"), "fact_item", &whole.as_bytes()[..at]))
        .collect()
}
