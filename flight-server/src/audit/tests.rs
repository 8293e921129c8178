//! Audits that are whole, and audits that somebody has been at.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::{Audit, FOLDER, HEAD, LINES, Record, verify};

const KEY: [u8; 32] = [5; 32];

fn audit(root: &Path) -> Audit {
    Audit::open(root, KEY, Arc::new(|| 1_790_000_000_123)).unwrap()
}

fn fill(root: &Path, from: usize, to: usize) {
    let audit = audit(root);
    for n in from..to {
        audit.record(Record { event: "query".into(), statement: format!("select ? -- {n}"), ..Record::default() });
    }
    audit.flush();
    assert_eq!(audit.failure(), None);
}

fn lines(root: &Path) -> Vec<String> {
    let text = fs::read_to_string(root.join(FOLDER).join(LINES)).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn faults(root: &Path, lines: &[String]) -> Vec<String> {
    fs::write(root.join(FOLDER).join(LINES), lines.join("\n") + "\n").unwrap();
    verify(root, &KEY).unwrap().faults
}

#[test]
fn a_whole_audit_is_found_whole_across_starts() {
    let root = tempfile::tempdir().unwrap();
    fill(root.path(), 0, 3);
    fill(root.path(), 3, 5);
    let found = verify(root.path(), &KEY).unwrap();
    assert_eq!((found.records, found.faults.as_slice()), (5, [].as_slice()));
    assert!(lines(root.path())[0].contains("\"time\":\"2026-09-21T14:13:20.123Z\""), "{}", lines(root.path())[0]);
    assert!(
        verify(root.path(), &[6; 32]).unwrap().faults[0].starts_with("line 1 was changed, or made with another key")
    );
}

#[test]
fn whatever_is_done_to_a_line_is_found_at_that_line() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    fill(root, 0, 6);
    let whole = lines(root);
    let but = |change: &dyn Fn(&mut Vec<String>)| {
        let mut changed = whole.clone();
        change(&mut changed);
        faults(root, &changed)
    };
    assert_eq!(but(&|_| {}), Vec::<String>::new());
    for position in 0..whole[2].len() {
        let changed = but(&|lines| {
            let mut bytes = lines[2].clone().into_bytes();
            bytes[position] = if bytes[position] == b'0' { b'1' } else { b'0' };
            lines[2] = String::from_utf8(bytes).unwrap();
        });
        assert!(changed[0].starts_with("line 3 "), "{position}: {changed:?}");
    }
    assert_eq!(but(&|lines| drop(lines.remove(2))), ["line 3: record 3 is missing before record 4"]);
    assert_eq!(but(&|lines| drop(lines.drain(1..4))), ["line 2: records 2 to 4 are missing before record 5"]);
    assert_eq!(but(&|lines| drop(lines.remove(0))), ["line 1: record 1 is missing before record 2"]);
    let moved = but(&|lines| lines.swap(1, 3));
    assert_eq!(moved[0], "line 2: records 2 to 3 are missing before record 4");
    assert!(moved.iter().any(|fault| fault == "line 3: record 3 stands after record 4"), "{moved:?}");
    let twice = but(&|lines| lines.insert(2, lines[1].clone()));
    assert_eq!(twice, ["line 3: record 2 stands after record 2"]);
    assert_eq!(but(&|lines| lines.truncate(4)), ["the end: records 5 to 6 are missing"]);
    assert_eq!(but(&|lines| lines.push("{}".into())), ["line 7 is no record of an audit"]);
    // The server does not add to an audit that is not whole.
    faults(root, &whole[..4]);
    let refused = Audit::open(root, KEY, Arc::new(|| 0)).err().unwrap().to_string();
    assert!(refused.contains("records 5 to 6 are missing"), "{refused}");
}

#[test]
fn the_end_is_not_where_somebody_else_says() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    fill(root, 0, 4);
    let head = root.join(FOLDER).join(HEAD);
    let said = fs::read_to_string(&head).unwrap();
    fs::write(&head, said.replace("\"seq\":4", "\"seq\":3")).unwrap();
    assert_eq!(verify(root, &KEY).unwrap().faults, ["head.json was changed, or made with another key"]);
    fs::remove_file(&head).unwrap();
    assert_eq!(verify(root, &KEY).unwrap().faults, ["head.json is missing: it says how far the records go"]);
}

#[test]
fn one_server_at_a_time_writes_an_audit() {
    let root = tempfile::tempdir().unwrap();
    let first = audit(root.path());
    let refused = Audit::open(root.path(), KEY, Arc::new(|| 0)).err().unwrap().to_string();
    assert!(refused.contains("another server is writing it"), "{refused}");
    drop(first);
    drop(audit(root.path()));
}

#[test]
fn a_line_that_a_crash_cut_short_is_cut_off() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    fill(root, 0, 2);
    let path = root.join(FOLDER).join(LINES);
    let mut text = fs::read_to_string(&path).unwrap();
    text.push_str("{\"seq\":3,\"ti");
    fs::write(&path, text).unwrap();
    fill(root, 2, 4);
    let found = verify(root, &KEY).unwrap();
    assert_eq!((found.records, found.faults.len()), (4, 0));
}
