//! A power cut after each operation on the disk, in the worst states that it may leave: names that
//! were not synced are there or not, content that was not synced is there, torn, empty or zeros.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::disks::{Op, folder, quiet, recorded, recorded_but};
use super::workload::{Damage, Expected, NAMES, STEPS, step};

/// A disk with what is on it for sure, and what may be.
#[derive(Default, Clone)]
struct Simulated {
    files: Vec<Node>,
    /// Names on the disk.
    names: BTreeMap<PathBuf, usize>,
    /// Names as the processes see them.
    seen: BTreeMap<PathBuf, usize>,
    /// Changes of names that no sync has put on the disk, each for itself: (name, what it stands for).
    pending: Vec<(PathBuf, Option<usize>)>,
}

#[derive(Default, Clone)]
struct Node {
    directory: bool,
    synced: usize,
    content: Vec<u8>,
}

/// What a power cut does with what was not synced. Numbers choose by chance.
#[derive(Debug, Clone, Copy)]
struct Cut {
    names: Fate,
    content: Fate,
}

#[derive(Debug, Clone, Copy)]
enum Fate {
    Gone,
    Kept,
    /// Half of it (content), or every second one (names).
    Half,
    /// Content only: the length is right, and the bytes are zeros.
    Zeros,
    Chance(u64),
}

impl Simulated {
    fn apply(&mut self, op: &Op) {
        match op {
            Op::MakeDirectory(path) => self.create(path, true),
            Op::Create(path) => self.create(path, false),
            Op::Write(path, bytes) => {
                let index = self.seen[path];
                self.files[index].content.extend_from_slice(bytes);
            }
            Op::SyncFile(path) => {
                let node = &mut self.files[self.seen[path]];
                node.synced = node.content.len();
            }
            Op::SyncDirectory(path) => {
                for (name, stands_for) in std::mem::take(&mut self.pending) {
                    if name.parent() == Some(path) {
                        set(&mut self.names, name, stands_for);
                    } else {
                        self.pending.push((name, stands_for));
                    }
                }
            }
            Op::Rename(from, to) => {
                let index = self.seen.remove(from).unwrap();
                self.seen.insert(to.clone(), index);
                self.pending.push((to.clone(), Some(index)));
                self.pending.push((from.clone(), None));
            }
            Op::Remove(path) => {
                self.seen.remove(path);
                self.pending.push((path.clone(), None));
            }
        }
    }

    fn create(&mut self, path: &Path, directory: bool) {
        self.files.push(Node { directory, ..Node::default() });
        self.seen.insert(path.to_path_buf(), self.files.len() - 1);
        self.pending.push((path.to_path_buf(), Some(self.files.len() - 1)));
    }

    /// What a power cut leaves: the names in order, and their content; directories have none.
    fn cut(&self, cut: Cut) -> Vec<(PathBuf, Option<Vec<u8>>)> {
        let mut names = self.names.clone();
        for (position, (name, stands_for)) in self.pending.iter().enumerate() {
            let happened = match cut.names {
                Fate::Gone => false,
                Fate::Kept | Fate::Zeros => true,
                Fate::Half => position % 2 == 0,
                Fate::Chance(seed) => chance(seed, position).is_multiple_of(2),
            };
            if happened {
                set(&mut names, name.clone(), *stands_for);
            }
        }
        let left = names.into_iter().map(|(name, index)| {
            let node = &self.files[index];
            let mut content = node.content.clone();
            let unsynced = content.len() - node.synced;
            match cut.content {
                Fate::Gone => content.truncate(node.synced),
                Fate::Kept => {}
                Fate::Half => content.truncate(node.synced + unsynced / 2),
                Fate::Zeros => content[node.synced..].fill(0),
                Fate::Chance(seed) => match chance(seed, index) % 3 {
                    0 => content.truncate(node.synced + chance(seed, index + 1) as usize % (unsynced + 1)),
                    1 => content[node.synced..].fill(0),
                    _ => {}
                },
            }
            (name, (!node.directory).then_some(content))
        });
        left.collect()
    }
}

/// Puts below `to` what a power cut has left below `from`.
fn restore(left: &[(PathBuf, Option<Vec<u8>>)], from: &Path, to: &Path) {
    // In the order of names a directory comes before what is in it.
    for (name, content) in left {
        let target = to.join(name.strip_prefix(from).unwrap());
        match content {
            // The directory that it was in is gone.
            _ if !target.parent().is_some_and(Path::is_dir) => {}
            Some(content) => std::fs::write(target, content).unwrap(),
            None => std::fs::create_dir(&target).unwrap(),
        }
    }
}

fn set(names: &mut BTreeMap<PathBuf, usize>, name: PathBuf, stands_for: Option<usize>) {
    match stands_for {
        Some(index) => drop(names.insert(name, index)),
        None => drop(names.remove(&name)),
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014).
fn chance(seed: u64, position: usize) -> u64 {
    let mut z = seed.wrapping_add((position as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

const WORST: [Cut; 4] = [
    Cut { names: Fate::Kept, content: Fate::Gone },
    Cut { names: Fate::Gone, content: Fate::Kept },
    Cut { names: Fate::Kept, content: Fate::Zeros },
    Cut { names: Fate::Half, content: Fate::Half },
];

/// A recorded life: its operations, and how many there were when each step was acknowledged.
struct Recorded {
    operations: Vec<Op>,
    acknowledged: Vec<usize>,
    folder: tempfile::TempDir,
}

impl Recorded {
    fn life(seed: u64) -> Self {
        let folder = self::folder();
        let (store, notes) = recorded(&folder.path().join("warehouse"));
        let mut acknowledged = Vec::new();
        for number in 0..STEPS {
            step(number, seed, folder.path(), &store).unwrap();
            acknowledged.push(notes.lock().unwrap().len());
        }
        let operations = notes.lock().unwrap().clone();
        Self { operations, acknowledged, folder }
    }

    /// Cuts the power after each operation, in each of the worst ways and in `by_chance` others.
    /// Operations for which `forgotten` says yes are not carried out: the disk lies.
    fn cut_everywhere(
        &self,
        seed: u64,
        expected: &Expected,
        by_chance: u64,
        again: bool,
        forgotten: impl Fn(&Op) -> bool,
    ) -> (u64, Damage) {
        let (mut disk, mut cuts, mut damage) = (Simulated::default(), 0, Damage::default());
        // Many cuts leave the same; each state is looked at once.
        let mut seen = HashSet::new();
        for done in 0..=self.operations.len() {
            if let Some(op) = done.checked_sub(1).map(|last| &self.operations[last]).filter(|op| !forgotten(op)) {
                disk.apply(op);
            }
            let steps = self.acknowledged.iter().filter(|end| **end <= done).count();
            let others = (0..by_chance).map(|n| Fate::Chance(seed << 32 | (done as u64) << 8 | n));
            let others = others.map(|fate| Cut { names: fate, content: fate });
            for cut in WORST.into_iter().chain(others) {
                cuts += 1;
                let left = disk.cut(cut);
                if !seen.insert(BuildHasherDefault::<DefaultHasher>::default().hash_one((steps, &left))) {
                    continue;
                }
                let trial = folder();
                restore(&left, self.folder.path(), trial.path());
                let root = trial.path().join("warehouse");
                let place = format!("seed {seed}, after operation {done}, {steps} steps acknowledged, {cut:?}");
                damage.look(&root, expected, steps, &place);
                // Whoever was interrupted does it again.
                if again && steps < STEPS {
                    let store = quiet(&root);
                    step(steps, seed, trial.path(), &store).unwrap();
                    let current = store.current().unwrap();
                    damage.compare(&store, &current, &expected.versions[&expected.after[steps]], &place);
                }
            }
        }
        (cuts, damage)
    }
}

#[test]
fn a_power_cut_at_any_point_loses_nothing_that_was_acknowledged() {
    let (mut cuts, mut lost, mut doubled, mut unreadable, mut first) = (0, 0, 0, 0, None);
    for seed in 0..super::rounds() {
        let by_chance = if super::rounds() > 1 { 4 } else { 1 };
        let (n, damage) = Recorded::life(seed).cut_everywhere(seed, &Expected::of(seed), by_chance, true, |_| false);
        cuts += n;
        lost += damage.lost;
        doubled += damage.doubled;
        unreadable += damage.unreadable;
        first = first.or(damage.first);
    }
    eprintln!("crash-test: {cuts} power cuts, {lost} rows lost, {doubled} doubled, {unreadable} unreadable");
    assert_eq!((lost + doubled + unreadable, first), (0, None));
}

/// The null control: what the test above would say of a store that forgets to sync something.
#[test]
fn a_missing_sync_is_caught() {
    let (expected, life) = (Expected::of(0), Recorded::life(0));
    let data = |path: &Path| path.extension().is_some_and(|extension| extension == "parquet");
    let root = life.folder.path().join("warehouse");
    type Forgotten<'a> = Box<dyn Fn(&Op) -> bool + 'a>;
    let forgetful: [(&str, Forgotten<'_>); 5] = [
        ("data files", Box::new(move |op| matches!(op, Op::SyncFile(path) if data(path)))),
        ("manifests", Box::new(move |op| matches!(op, Op::SyncFile(path) if !data(path)))),
        (
            "names of data files",
            Box::new(|op| matches!(op, Op::SyncDirectory(path) if path.starts_with(root.join("data")))),
        ),
        ("names of manifests", {
            let root = root.clone();
            Box::new(move |op| matches!(op, Op::SyncDirectory(path) if *path == root))
        }),
        ("the warehouse itself", {
            let parent = life.folder.path().to_path_buf();
            Box::new(move |op| matches!(op, Op::SyncDirectory(path) if *path == parent))
        }),
    ];
    for (what, forgotten) in forgetful {
        let (cuts, damage) = life.cut_everywhere(0, &expected, 0, false, forgotten);
        eprintln!("crash-test: null control without syncing {what}: {cuts} power cuts, {damage:?}");
        assert!(!damage.none(), "without syncing {what} nothing is lost: the test sees nothing");
    }
}

/// A commit that fails after its manifest was renamed is done again, which is a no-op that is
/// acknowledged. From then on it must survive a power cut.
#[test]
fn what_is_answered_with_already_there_is_on_the_disk() {
    let expected = Expected::of(0);
    let mut damage = Damage::default();
    for fails in 0.. {
        let folder = self::folder();
        let root = folder.path().join("warehouse");
        // From the beginning, so that the simulated disk knows all files.
        let (store, notes) = recorded(&root);
        step(0, 0, folder.path(), &store).unwrap();
        let mut operations = notes.lock().unwrap().clone();
        let (store, notes) = recorded_but(&root, fails, ErrorKind::Other);
        let failed = step(1, 0, folder.path(), &store).is_err();
        if !failed && notes.lock().unwrap().len() <= fails {
            break;
        }
        step(1, 0, folder.path(), &store).unwrap();
        operations.extend(notes.lock().unwrap().iter().cloned());
        let mut disk = Simulated::default();
        operations.iter().for_each(|op| disk.apply(op));
        for cut in WORST {
            let trial = self::folder();
            restore(&disk.cut(cut), folder.path(), trial.path());
            let place = format!("{} failed at operation {fails} and was done again, {cut:?}", NAMES[1]);
            damage.look(&trial.path().join("warehouse"), &expected, 2, &place);
        }
    }
    assert!(damage.none() && damage.first.is_none(), "{damage:?}");
}
