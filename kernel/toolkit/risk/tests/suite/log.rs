//! The decision log: whole as it was written, and each change to a line found at that line.

use crate::data::says;
use crate::lanes::{items, table};
use haetae_risk::{DecisionLog, DecisionTable, Head, Origin, Quota, verify, verify_after};

fn origin() -> Origin {
    Origin {
        by: "score".into(),
        at: "2026-03-03T18:00:00Z".into(),
        model: "gbdt-7".into(),
        data: "warehouse-41".into(),
    }
}

fn written() -> (Vec<String>, Head) {
    let (frame, probability) = items(1);
    let mut log = DecisionLog::new();
    let mut lines =
        log.append(&table().decide(&frame.head(Some(180)), &probability[..180]).unwrap(), &origin()).unwrap();
    // Read back, and the second day added.
    let mut log = DecisionLog::read(lines.iter().map(String::as_str), Some(log.head())).unwrap();
    lines.extend(log.append(&table().decide(&frame.tail(Some(180)), &probability[180..]).unwrap(), &origin()).unwrap());
    (lines, log.head().clone())
}

fn faults(lines: &[String], head: &Head) -> Vec<String> {
    verify(lines.iter().map(String::as_str), Some(head)).faults.iter().map(ToString::to_string).collect()
}

#[test]
fn a_whole_log_is_found_whole_and_is_the_same_again() {
    let (lines, head) = written();
    let found = verify(lines.iter().map(String::as_str), Some(&head));
    assert_eq!((found.records, found.faults.len(), &found.head), (360, 0, &head));
    assert_eq!(written().0, lines);
    let first: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!(
        (first["seq"].as_u64(), first["day"].as_str(), first["by"].as_str()),
        (Some(1), Some("2026-03-02"), Some("score"))
    );
    assert!(first["reason"].as_str().unwrap().len() > 10 && first["chance"].as_f64().unwrap() > 0.0);
}

#[test]
fn whatever_is_done_to_a_line_is_found_there() {
    let (lines, head) = written();
    let but = |change: &dyn Fn(&mut Vec<String>)| {
        let mut changed = lines[..8].to_vec();
        change(&mut changed);
        let kept = verify(lines[..8].iter().map(String::as_str), None).head;
        faults(&changed, &kept)
    };
    assert_eq!(but(&|_| {}), Vec::<String>::new());
    for position in 0..lines[2].len() {
        let found = but(&|lines| {
            let mut bytes = lines[2].clone().into_bytes();
            bytes[position] = if bytes[position] == b'0' { b'1' } else { b'0' };
            lines[2] = String::from_utf8_lossy(&bytes).into_owned();
        });
        assert!(found[0].starts_with("line 3 "), "{position}: {found:?}");
    }
    assert!(
        but(&|lines| drop(lines.remove(2)))[0].starts_with("line 3 is record 4, expected record 3: lines are missing")
    );
    assert!(
        but(&|lines| lines.insert(3, lines[2].clone()))[0]
            .starts_with("line 4 is record 3, expected record 4: it stands twice")
    );
    assert!(but(&|lines| lines.swap(1, 4))[0].starts_with("line 2 is record 5"));
    assert_eq!(but(&|lines| lines.truncate(6)), ["line 7 is missing: the log goes to record 6, expected 8"]);
    assert!(but(&|lines| lines.push("{}".into()))[0].starts_with("line 9 is no record"));
    // Another log's line in its place, whose own hash is right.
    let (frame, probability) = items(9);
    let other = table().decide(&frame.head(Some(180)), &probability[..180]).unwrap();
    let other = DecisionLog::new().append(&other, &origin()).unwrap();
    assert!(but(&|lines| lines[4] = other[4].clone())[0].starts_with("line 5 does not follow from the line before"));
    // A whole chain computed anew is seen by the head alone.
    assert_eq!(faults(&other, &verify(other.iter().map(String::as_str), None).head), Vec::<String>::new());
    assert!(!faults(&other, &head).is_empty());
    says(DecisionLog::read(lines[1..].iter().map(String::as_str), None), "decision log, line 1: is record 2");
}

#[test]
fn no_day_is_decided_twice_under_one_version() {
    let (frame, probability) = items(1);
    let (lines, _) = written();
    let mut log = DecisionLog::read(lines.iter().map(String::as_str), None).unwrap();
    let before = log.head().clone();
    let again = table().decide(&frame, &probability).unwrap();
    says(log.append(&again, &origin()), "2026-03-02, office `Busan`, version `v1`: was decided already (record 1)");
    assert_eq!(*log.head(), before, "nothing was added");
    let challenger = DecisionTable::new("v2").quota_for_all(Quota { yellow: 1, red: 1, blue: 1 });
    assert_eq!(log.append(&challenger.decide(&frame, &probability).unwrap(), &origin()).unwrap().len(), 360);
    says(log.append(&again, &Origin { by: String::new(), ..origin() }), "decision log, by: expected a text");
}

#[test]
fn a_log_goes_on_behind_its_head_and_is_verified_in_parts() {
    let (lines, head) = written();
    let (frame, probability) = items(1);
    let first = verify(lines[..180].iter().map(String::as_str), None).head;
    let mut log = DecisionLog::after(first.clone());
    let second = table().decide(&frame.tail(Some(180)), &probability[180..]).unwrap();
    assert_eq!(log.append(&second, &origin()).unwrap(), lines[180..]);
    assert_eq!(log.head(), &head);
    let part = |lines: &[String]| verify_after(&first, lines.iter().map(String::as_str), Some(&head));
    let whole = part(&lines[180..]);
    assert_eq!((whole.records, whole.faults.len(), whole.head), (180, 0, head.clone()));
    let mut changed = lines[180..].to_vec();
    changed[7] = changed[7].replace("\"lane\":\"", "\"lane\":\"not ");
    let found = part(&changed);
    assert_eq!((found.faults.len(), found.faults[0].line), (1, 188), "counted from the beginning of the log");
    assert!(!part(&lines[181..]).faults.is_empty() && !part(&lines[180..359]).faults.is_empty());
    assert_eq!(part(&[]).faults.len(), 1);
}
