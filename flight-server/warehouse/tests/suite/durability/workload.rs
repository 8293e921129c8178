//! A life of a warehouse in steps, and what it holds after each.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use arrow::util::display::array_value_to_string;
use haetae_warehouse::Result;
use haetae_warehouse::ingest::{Change, Changes, Format, ingest};
use haetae_warehouse::store::{Compaction, Manifest, Retention, Store, compact, vacuum};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::files::{KCS_LINES, kcs};

/// Table -> its rows as text, sorted.
pub type Content = BTreeMap<String, Vec<String>>;

/// How many steps there are.
pub const STEPS: usize = 8;

pub const NAMES: [&str; STEPS] =
    ["ingest", "ingest with rejects", "append", "append again", "delete and upsert", "compact", "replace", "vacuum"];

/// Does one step. Done again after it has succeeded, it changes no row. `folder` is for input files.
pub fn step(number: usize, seed: u64, folder: &Path, store: &Store) -> Result<()> {
    let write = |name: &str, text: String| -> PathBuf {
        let path = folder.join(format!("{number}-{name}"));
        std::fs::write(&path, text).unwrap();
        path
    };
    let couriers = |numbers: std::ops::Range<u64>, word: &str| {
        let lines = numbers.map(|n| format!("C{n},{word} {}\n", (n + seed) * 7919 % 101));
        format!("courier_id,name\n{}", lines.collect::<String>())
    };
    let table = |name: &str| Format::Table(name.to_owned());
    let many = 3 + seed % 40;
    match number {
        0 => ingest(store, "kcs", &Format::Kcs, &[write("a.csv", kcs(&KCS_LINES[..1]))], &mut |_| {}).map(drop),
        1 => {
            let bad = KCS_LINES[1].replace("11352.0", "-1");
            let lines = [KCS_LINES[1], KCS_LINES[2], &bad.replace("85945189", "4")];
            ingest(store, "kcs", &Format::Kcs, &[write("b.csv", kcs(&lines))], &mut |_| {}).map(drop)
        }
        2 | 3 => {
            let first = (number as u64 - 2) * many;
            let file = write("c.csv", couriers(first..first + many, "Courier"));
            ingest(store, "customs", &table("dim_courier"), &[file], &mut |_| {}).map(drop)
        }
        4 => {
            let mut changes = Changes::begin(store)?.with_key(format!("step {seed}"))?;
            let gone = write("d.csv", "declaration_id,item_no\n97061800,1\nunknown,1\n".to_owned());
            changes.apply(Change::Delete, "kcs", &table("fact_item"), vec![gone.into()], &mut |_| {})?;
            let new = write("e.csv", couriers(1..many + 2, "Renamed"));
            changes.apply(Change::Upsert, "customs", &table("dim_courier"), vec![new.into()], &mut |_| {})?;
            changes.commit().map(drop)
        }
        5 => compact(store, &Compaction::default()).map(drop),
        6 => {
            let mut changes = Changes::begin(store)?;
            let all = write("f.csv", couriers(5..12 + many, "Replaced"));
            changes.apply(Change::Replace, "customs", &table("dim_courier"), vec![all.into()], &mut |_| {})?;
            changes.commit().map(drop)
        }
        _ => vacuum(store, &Retention { versions: Some(2), before_ms: None }).map(drop),
    }
}

/// What a version holds; the reason when it cannot be read.
pub fn content(store: &Store, manifest: &Manifest) -> Result<Content, String> {
    let mut found = Content::new();
    for (schema, tables) in &manifest.tables {
        for (table, state) in tables {
            let rows = found.entry(format!("{schema}.{table}")).or_default();
            for file in &state.files {
                let failed = |error: String| format!("{}: {error}", file.path);
                let bytes = std::fs::read(store.root().join(&file.path)).map_err(|error| failed(error.to_string()))?;
                rows.extend(rows_of(bytes).map_err(failed)?);
            }
            // The path of an input differs from place to place.
            if table == "rejects" {
                rows.iter_mut().for_each(|row| *row = row.split('|').filter(|cell| !cell.contains('/')).collect());
            }
            rows.sort();
        }
    }
    Ok(found)
}

thread_local! {
    /// Files that were read, by their bytes: the same ones come up in thousands of trials.
    static READ: RefCell<HashMap<Vec<u8>, Vec<String>>> = RefCell::default();
}

fn rows_of(bytes: Vec<u8>) -> Result<Vec<String>, String> {
    if let Some(rows) = READ.with_borrow(|read| read.get(&bytes).cloned()) {
        return Ok(rows);
    }
    let failed = |error: &dyn std::fmt::Display| error.to_string();
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes.clone()));
    let mut rows = Vec::new();
    for batch in builder.and_then(|builder| builder.build()).map_err(|error| failed(&error))? {
        let batch = batch.map_err(|error| failed(&error))?;
        for row in 0..batch.num_rows() {
            let cells = batch.columns().iter().map(|column| array_value_to_string(column, row).unwrap());
            rows.push(cells.collect::<Vec<_>>().join("|"));
        }
    }
    READ.with_borrow_mut(|read| read.insert(bytes, rows.clone()));
    Ok(rows)
}

/// What each version of a life without accidents holds, and the version after each step.
#[derive(Default)]
pub struct Expected {
    pub versions: BTreeMap<u64, Content>,
    pub after: Vec<u64>,
}

impl Expected {
    pub fn note(&mut self, store: &Store) {
        let current = store.current().unwrap();
        self.versions.entry(current.version).or_insert_with(|| content(store, &current).unwrap());
        self.versions.entry(0).or_default();
        self.after.push(current.version);
    }

    pub fn of(seed: u64) -> Self {
        let folder = super::disks::folder();
        let store = super::disks::quiet(&folder.path().join("warehouse"));
        let mut expected = Self::default();
        for number in 0..STEPS {
            step(number, seed, folder.path(), &store).unwrap();
            expected.note(&store);
        }
        expected
    }
}

/// What went wrong, over all trials.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Damage {
    pub lost: u64,
    pub doubled: u64,
    pub unreadable: u64,
    pub first: Option<String>,
}

impl Damage {
    pub fn none(&self) -> bool {
        self.lost + self.doubled + self.unreadable == 0
    }

    fn say(&mut self, what: String) {
        self.first.get_or_insert(what);
    }

    /// Looks at a warehouse of which `steps` steps were acknowledged, and the next may have been
    /// under way.
    pub fn look(&mut self, root: &Path, expected: &Expected, steps: usize, place: &str) {
        let acknowledged = steps.checked_sub(1).map_or(0, |last| expected.after[last]);
        let under_way = expected.after.get(steps).copied().unwrap_or(acknowledged);
        let store = Store::open(root).unwrap();
        let current = match store.current() {
            Ok(current) => current,
            Err(error) => {
                self.unreadable += 1;
                return self.say(format!("{place}: {error}"));
            }
        };
        if current.version != acknowledged && current.version != under_way {
            self.say(format!("{place}: version {} instead of {acknowledged} or {under_way}", current.version));
        }
        let wanted = if current.version == under_way { under_way } else { acknowledged };
        self.compare(&store, &current, &expected.versions[&wanted], place);
        for version in store.versions().unwrap().iter().filter(|version| version.kept) {
            let number = version.commit.version;
            let Ok(Some(old)) = store.version(number) else {
                self.unreadable += 1;
                return self.say(format!("{place}: version {number} cannot be opened"));
            };
            if let Some(wanted) = expected.versions.get(&number) {
                self.compare(&store, &old, wanted, place);
            }
        }
    }

    pub fn compare(&mut self, store: &Store, manifest: &Manifest, wanted: &Content, place: &str) {
        let found = match content(store, manifest) {
            Ok(found) => found,
            Err(reason) => {
                self.unreadable += 1;
                return self.say(format!("{place}: {reason}"));
            }
        };
        let (mut lost, mut doubled) = (0, 0);
        for table in wanted.keys().chain(found.keys()) {
            let mut counts: BTreeMap<&String, i64> = BTreeMap::new();
            wanted.get(table).into_iter().flatten().for_each(|row| *counts.entry(row).or_default() -= 1);
            found.get(table).into_iter().flatten().for_each(|row| *counts.entry(row).or_default() += 1);
            lost += counts.values().map(|count| count.min(&0).unsigned_abs()).sum::<u64>();
            doubled += counts.values().map(|count| count.max(&0).unsigned_abs()).sum::<u64>();
        }
        if lost + doubled > 0 {
            self.say(format!("{place}: {lost} rows lost, {doubled} rows too many"));
        }
        self.lost += lost;
        self.doubled += doubled;
    }
}

/// The files below a directory, relative to it, sorted.
pub fn files_below(root: &Path, below: &str) -> Vec<String> {
    let (mut found, mut directories) = (Vec::new(), vec![root.join(below)]);
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(&directory).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else {
                found.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

/// The data files that some version mentions, sorted.
pub fn mentioned(store: &Store) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for version in store.versions().unwrap().iter().filter(|version| version.kept) {
        let manifest = store.version(version.commit.version).unwrap().unwrap();
        all.extend(manifest.all_files().map(|file| file.path.clone()));
    }
    all.sort();
    all.dedup();
    all
}
