//! A load that is killed at any point leaves the old version or the new one, whole.

use std::env;
use std::process::Command;
use std::sync::mpsc;

use haetae_warehouse::ingest::{Format, ingest_with};
use haetae_warehouse::store::{Step, Store, Writer};

use crate::files::{KCS_LINES, Place, kcs};

const ROOT: &str = "HAETAE_TEST_CRASH_ROOT";
const FILE: &str = "HAETAE_TEST_CRASH_FILE";
const POINT: &str = "HAETAE_TEST_CRASH_POINT";

/// The child: loads the file and kills itself at the point that its parent chose.
fn load_and_die(root: &str) {
    let point: usize = env::var(POINT).unwrap().parse().unwrap();
    let file = env::var(FILE).unwrap().into();
    let mut passed = 0;
    let writer = Writer::open(&Store::open(root).unwrap()).unwrap().on_step(move |_| {
        if passed == point {
            let own = std::process::id().to_string();
            Command::new("kill").args(["-KILL", &own]).status().unwrap();
            loop {
                std::thread::park();
            }
        }
        passed += 1;
    });
    ingest_with(writer, "kcs", &Format::Kcs, &[file], &mut |_| {}).unwrap();
}

#[test]
fn a_kill_at_any_point_leaves_one_whole_version() {
    if let Ok(root) = env::var(ROOT) {
        return load_and_die(&root);
    }
    let mut seen = (0, 0);
    for point in 0.. {
        let place = Place::new();
        place.load_as("kcs", &Format::Kcs, &place.file("old.csv", kcs(&KCS_LINES[..1]))).unwrap();
        let file = place.file("new.csv", kcs(&KCS_LINES[1..]));
        let killed = Command::new(env::current_exe().unwrap())
            .args(["--exact", "crash::a_kill_at_any_point_leaves_one_whole_version"])
            .envs([
                (ROOT, place.store.root().to_str().unwrap()),
                (FILE, file.to_str().unwrap()),
                (POINT, &point.to_string()),
            ])
            .output()
            .unwrap();

        let version = place.store.current_version().unwrap();
        let rows = if version == 1 { "1" } else { "3" };
        let counts = "select count(*), count(distinct declaration_id), (select count(*) from kcs.fact_inspection) as f, \
             (select count(*) from kcs.dim_importer) as i from kcs.fact_item";
        assert_eq!(place.ask(counts), [[rows; 4]], "point {point}, version {version}");

        // The lock went with the process, and the load can be done again, once.
        let again = place.load_as("kcs", &Format::Kcs, &file).unwrap();
        assert_eq!(again.load_id.is_some(), version == 1, "point {point}");
        assert_eq!(place.ask(counts), [["3"; 4]], "point {point}");
        assert_eq!(std::fs::read_dir(place.store.root().join("tmp")).unwrap().count(), 0, "point {point}");
        if killed.status.success() {
            break;
        }
        if version == 1 { seen.0 += 1 } else { seen.1 += 1 }
    }
    // Nine files with three points each, their directories, and four points of the manifest.
    assert!(seen.0 >= 20 && seen.1 == 2, "killed before the new version {} times, after it {} times", seen.0, seen.1);
}

#[test]
fn nothing_is_named_before_it_is_on_the_disk() {
    let place = Place::new();
    let (sender, receiver) = mpsc::channel();
    let writer = Writer::open(&place.store).unwrap().on_step(move |step| sender.send(step).unwrap());
    let file = place.file("kcs.csv", kcs(&KCS_LINES));
    ingest_with(writer, "kcs", &Format::Kcs, &[file], &mut |_| {}).unwrap();
    let steps: Vec<Step> = receiver.iter().collect();
    let count = |step| steps.iter().filter(|s| **s == step).count();
    assert_eq!(count(Step::DataWritten), count(Step::DataSynced));
    assert_eq!(count(Step::DataSynced), count(Step::DataRenamed));
    let first_name = |step| steps.iter().position(|s| *s == step).unwrap();
    let last_name = |step| steps.iter().rposition(|s| *s == step).unwrap();
    for pair in steps.windows(2).filter(|pair| pair[1] == Step::DataRenamed) {
        assert_eq!(pair[0], Step::DataSynced);
    }
    assert!(last_name(Step::DataRenamed) < first_name(Step::DataDirectorySynced));
    let end = [
        Step::DataDirectorySynced,
        Step::ManifestWritten,
        Step::ManifestSynced,
        Step::ManifestRenamed,
        Step::Committed,
    ];
    assert_eq!(steps[steps.len() - 5..], end);
}
