//! A process that is killed before each operation on the disk leaves the old version or the new one.

use std::env;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::disks::{copy, folder, open, quiet, recorded};
use super::workload::{Damage, Expected, NAMES, STEPS, files_below, mentioned, step};

const ROOT: &str = "HAETAE_TEST_CRASH_ROOT";
const PLAN: &str = "HAETAE_TEST_CRASH_PLAN";

/// The child: does one step and kills itself before the operation that its parent chose.
fn step_and_die(root: &Path, plan: &str) {
    let plan: Vec<u64> = plan.split(' ').map(|text| text.parse().unwrap()).collect();
    let [number, seed, point] = plan[..] else { panic!("{plan:?}") };
    let passed = AtomicUsize::new(0);
    let watch = move |_: &_| {
        if passed.fetch_add(1, Ordering::Relaxed) as u64 == point {
            // SAFETY: it has no argument that could be wrong.
            unsafe { libc::raise(libc::SIGKILL) };
        }
        Ok(())
    };
    let store = open(&root.join("warehouse"), Arc::new(watch));
    step(number as usize, seed, root, &store).unwrap();
}

#[test]
fn a_kill_at_any_point_leaves_one_whole_version() {
    if let Ok(root) = env::var(ROOT) {
        return step_and_die(Path::new(&root), &env::var(PLAN).unwrap());
    }
    let (mut kills, mut damage) = (0, Damage::default());
    for seed in 0..super::rounds() {
        let expected = Expected::of(seed);
        let life = folder();
        for number in 0..STEPS {
            // The operations of this step, counted on a copy.
            let rehearsal = folder();
            copy(life.path(), rehearsal.path());
            let (store, operations) = recorded(&rehearsal.path().join("warehouse"));
            step(number, seed, rehearsal.path(), &store).unwrap();
            let points = operations.lock().unwrap().len();
            for point in 0..points {
                kills += kill_at(life.path(), number, seed, point, &expected, &mut damage);
            }
            step(number, seed, life.path(), &quiet(&life.path().join("warehouse"))).unwrap();
        }
    }
    eprintln!(
        "crash-test: {kills} kills, {} rows lost, {} doubled, {} unreadable",
        damage.lost, damage.doubled, damage.unreadable
    );
    assert!(kills >= 100, "only {kills} kills");
    assert!(damage.none() && damage.first.is_none(), "{damage:?}");
}

/// Returns 1 when the process was killed.
fn kill_at(life: &Path, number: usize, seed: u64, point: usize, expected: &Expected, damage: &mut Damage) -> u32 {
    let place = format!("seed {seed}, {}, before operation {point}", NAMES[number]);
    let trial = folder();
    copy(life, trial.path());
    let ended = Command::new(env::current_exe().unwrap())
        .args(["--exact", "durability::kills::a_kill_at_any_point_leaves_one_whole_version"])
        .env(ROOT, trial.path())
        .env(PLAN, format!("{number} {seed} {point}"))
        .output()
        .unwrap();
    let killed = std::os::unix::process::ExitStatusExt::signal(&ended.status) == Some(libc::SIGKILL);
    assert!(killed, "{place}: {}", String::from_utf8_lossy(&ended.stderr));

    let root = trial.path().join("warehouse");
    damage.look(&root, expected, number, &place);
    // The step is done again by whoever comes next: its rows are there once, and nothing is left over.
    let store = quiet(&root);
    step(number, seed, trial.path(), &store).unwrap();
    let current = store.current().unwrap();
    damage.compare(&store, &current, &expected.versions[&expected.after[number]], &place);
    assert_eq!(files_below(&root, "tmp"), [""; 0], "{place}");
    assert_eq!(files_below(&root, "data"), mentioned(&store), "{place}");
    1
}
