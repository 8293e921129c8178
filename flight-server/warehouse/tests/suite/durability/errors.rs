//! A full disk and a broken one, at each operation: an error that names the file, and nothing lost.

use std::io::ErrorKind;

use super::disks::{copy, folder, quiet, recorded, recorded_but};
use super::workload::{Damage, Expected, NAMES, files_below, mentioned, step};

#[test]
fn an_error_at_any_point_changes_nothing_and_can_be_tried_again() {
    let expected = Expected::of(0);
    let life = folder();
    let (mut errors, mut harmless, mut damage) = (0, 0, Damage::default());
    for (number, name) in NAMES.iter().enumerate() {
        let rehearsal = folder();
        copy(life.path(), rehearsal.path());
        let (store, operations) = recorded(&rehearsal.path().join("warehouse"));
        let opening = operations.lock().unwrap().len();
        step(number, 0, rehearsal.path(), &store).unwrap();
        let points = operations.lock().unwrap().len();
        for point in opening..points {
            let kind = if point % 2 == 0 { ErrorKind::StorageFull } else { ErrorKind::Other };
            let place = format!("{name}, operation {point} refused with {kind}");
            let trial = folder();
            copy(life.path(), trial.path());
            let root = trial.path().join("warehouse");
            let store = recorded_but(&root, point, kind).0;
            match step(number, 0, trial.path(), &store) {
                Err(error) => {
                    let message = error.to_string();
                    let said = message.contains(&std::io::Error::from(kind).to_string());
                    assert!(said && message.contains(root.to_str().unwrap()), "{place}: {message}");
                    errors += 1;
                }
                // Only cleaning up may fail without anybody being told.
                Ok(()) => harmless += 1,
            }
            damage.look(&root, &expected, number, &place);
            let store = quiet(&root);
            step(number, 0, trial.path(), &store).unwrap();
            let current = store.current().unwrap();
            damage.compare(&store, &current, &expected.versions[&expected.after[number]], &place);
            assert_eq!(files_below(&root, "tmp"), [""; 0], "{place}");
            assert_eq!(files_below(&root, "data"), mentioned(&store), "{place}");
        }
        step(number, 0, life.path(), &quiet(&life.path().join("warehouse"))).unwrap();
    }
    eprintln!("crash-test: {errors} errors of the disk, {harmless} more while cleaning up");
    assert!(errors >= 100 && harmless <= 60, "{errors} errors, {harmless} without one");
    assert!(damage.none() && damage.first.is_none(), "{damage:?}");
}
