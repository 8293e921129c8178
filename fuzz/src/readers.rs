//! What goes in: bytes as a file. What comes out: rows that are taken or refused, or an error with words in it.

use std::num::NonZero;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex};

use haetae_pipeline::{Pipeline, shipped};
use haetae_warehouse::ingest::{Change, Changes, Format, Source};
use haetae_warehouse::query::{Engine, EngineOptions};
use haetae_warehouse::store::Store;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// Tables with columns of every kind; the first byte of the input picks one, or the layout of the KCS.
const TABLES: [&str; 7] =
    ["fact_item", "fact_inspection", "fact_partner_export", "dim_importer", "dim_office", "dim_hs", "dim_courier"];
/// A message that is taken.
const MESSAGE: &str = include_str!("../message.xml");
/// Messages that are loaded before the warehouse is made anew: each leaves a version.
const LOADS: u32 = 100;

/// A warehouse that nobody needs any more.
struct Place {
    folder: TempDir,
    store: Store,
    engine: Engine,
    loads: u32,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("warehouse")).unwrap();
        let options = EngineOptions { partitions: NonZero::new(1), ..EngineOptions::default() };
        let engine = Engine::new(store.clone(), &options).unwrap();
        Self { folder, store, engine, loads: 0 }
    }

    /// With the lineage of the pipeline in it, which is worked out with the first message that is taken.
    fn with_lineage() -> Self {
        let mut place = Self::new();
        place.load(MESSAGE.as_bytes()).unwrap();
        place
    }

    fn load(&mut self, message: &[u8]) -> haetae_pipeline::Result<()> {
        let file = self.file(message);
        RUNTIME.block_on(haetae_pipeline::run(&self.store, &self.engine, &PIPELINE, &file, &mut |_| {}))?;
        self.loads += 1;
        Ok(())
    }

    fn file(&self, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join("in");
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

static PLACE: LazyLock<Mutex<Place>> = LazyLock::new(|| {
    crate::panics::watch();
    Mutex::new(Place::new())
});
/// The same for messages.
static MESSAGES: LazyLock<Mutex<Place>> = LazyLock::new(|| {
    crate::panics::watch();
    Mutex::new(Place::with_lineage())
});
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Builder::new_current_thread().enable_all().build().unwrap());
static PIPELINE: LazyLock<Pipeline> = LazyLock::new(|| {
    let pipelines = shipped().unwrap();
    pipelines.into_iter().find(|pipeline| pipeline.name == "unipass-import").unwrap()
});

/// Reads a CSV, Parquet or Arrow file for a table; what it is, its first bytes say. `is_meant` tells whether these are
/// bytes that the target is for.
pub fn table(input: &[u8], is_meant: impl Fn(&[u8]) -> bool) {
    let Some((first, bytes)) = input.split_first().filter(|(_, bytes)| is_meant(bytes)) else { return };
    let place = PLACE.lock().unwrap();
    let (schema, format) = match TABLES.get(usize::from(*first) % (TABLES.len() + 1)) {
        Some(table) => ("customs", Format::Table((*table).to_owned())),
        None => ("kcs", Format::Kcs),
    };
    let file = place.file(bytes);
    let mut changes = Changes::begin(&place.store).unwrap();
    // Not committed: what is refused and taken is written, and dropped.
    let read = changes.apply(Change::Append, schema, &format, vec![Source::File(file)], &mut |_| {});
    if let Err(error) = read {
        assert!(!error.to_string().is_empty());
    }
}

/// Whether a file is no other than CSV.
pub fn is_text(bytes: &[u8]) -> bool {
    !is_parquet(bytes) && !is_arrow(bytes)
}

/// Whether a file says that it is Parquet.
pub fn is_parquet(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PAR1")
}

/// Whether a file says that it is Arrow's: the file format or the stream format.
pub fn is_arrow(bytes: &[u8]) -> bool {
    bytes.starts_with(b"ARROW1") || bytes.starts_with(&[0xFF; 4])
}

/// Loads an XML message of import declarations.
pub fn message(input: &[u8]) {
    let mut place = MESSAGES.lock().unwrap();
    if place.loads >= LOADS {
        *place = Place::with_lineage();
    }
    if let Err(error) = place.load(input) {
        assert!(!error.to_string().is_empty());
    }
}
