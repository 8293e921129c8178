//! Tables outside of the warehouse: Parquet folders, Delta Lake logs, what is refused, and who sees what. Tables that
//! another program has written are read in `flight-server/tests/test_outside.py`.

mod catalogue;
mod delta;
mod folders;
mod policies;

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use haetae_warehouse::Result;
use haetae_warehouse::ingest::Changes;
use haetae_warehouse::outside::{ALLOWED_FILE, PartitionType, Wanted, look};
use haetae_warehouse::store::{OutsideEntry, OutsideKind};
use parquet::arrow::ArrowWriter;

use crate::files::Place;

/// A warehouse, and a folder beside it in which tables may lie.
struct Beside {
    place: Place,
    lake: PathBuf,
}

impl Beside {
    fn new() -> Self {
        let place = Place::new();
        let lake = place.folder.path().canonicalize().unwrap().join("lake");
        fs::create_dir(&lake).unwrap();
        let beside = Self { place, lake };
        beside.allow(&[&beside.lake]);
        beside
    }

    fn allow(&self, folders: &[&Path]) {
        let folders: Vec<String> = folders.iter().map(|folder| format!("{:?}", folder.to_str().unwrap())).collect();
        let text = format!("folders = [{}]\n", folders.join(", "));
        let file = self.place.store.root().join(ALLOWED_FILE);
        fs::write(&file, text).unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(0o644)).unwrap();
    }

    fn wanted(&self, kind: OutsideKind, folder: &str) -> Wanted {
        let entry = OutsideEntry {
            title: "Trade".to_owned(),
            description: "One month of trade.".to_owned(),
            owner: "Statistics".to_owned(),
            steward: "Kim".to_owned(),
            class: "secret".to_owned(),
            classification: "raw_text".to_owned(),
        };
        Wanted { kind, folder: self.lake.join(folder), version: None, partitions: Vec::new(), entry }
    }

    fn register(&self, name: &str, wanted: Wanted) -> Result<u64> {
        let mut changes = Changes::begin(&self.place.store)?;
        changes.register(name, look(self.place.store.root(), wanted)?);
        Ok(changes.commit()?.version)
    }

    fn refused(&self, wanted: Wanted) -> String {
        look(self.place.store.root(), wanted).unwrap_err().to_string()
    }
}

fn ids(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn names(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

/// Writes a Parquet file and returns its size.
fn write(path: &Path, columns: &[(&str, ArrayRef)]) -> u64 {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let batch = RecordBatch::try_from_iter(columns.iter().map(|(name, values)| (*name, values.clone()))).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    fs::metadata(path).unwrap().len()
}

fn cut(path: &Path) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
}

/// A Parquet folder in two folders of months.
fn months(beside: &Beside) {
    let trade = beside.lake.join("trade");
    write(&trade.join("month=2026-01-01/a.parquet"), &[("id", ids(&[1, 2])), ("name", names(&["a", "b"]))]);
    write(&trade.join("month=2026-02-01/b.parquet"), &[("id", ids(&[3])), ("name", names(&["c"]))]);
    write(&trade.join("month=__HIVE_DEFAULT_PARTITION__/c.parquet"), &[("id", ids(&[4])), ("name", names(&["d"]))]);
    fs::write(trade.join("_SUCCESS"), "").unwrap();
    fs::write(trade.join("_read.me"), "no table").unwrap();
}

fn monthly(beside: &Beside) -> Wanted {
    let partitions = vec![("month".to_owned(), PartitionType::Date)];
    Wanted { partitions, ..beside.wanted(OutsideKind::Parquet, "trade") }
}
