//! The scripts of `tests/sql`, answered in this process. `HAETAE_UPDATE_SNAPSHOTS=1` writes the answers that came into them.

use std::path::Path;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use futures::TryStreamExt;
use haetae_warehouse::query::Engine;
use haetae_warehouse::store::Store;

use crate::edits::prepared;
use crate::files::Place;
use crate::script::{Database, SCRIPTS, pass};

struct InProcess {
    place: Place,
    engine: Engine,
    runtime: tokio::runtime::Runtime,
    version: Option<u64>,
}

impl Database for InProcess {
    fn store(&self) -> Store {
        self.place.store.clone()
    }

    fn ask(&mut self, sql: &str) -> Result<(SchemaRef, Vec<RecordBatch>), String> {
        let answer = self.runtime.block_on(async {
            let snapshot = match self.version {
                Some(version) => self.engine.at(version)?.expect("a version that is kept"),
                None => self.engine.current()?,
            };
            let stream = snapshot.statement(sql).await?.execute(None).await?;
            let schema = stream.schema();
            Ok::<_, haetae_warehouse::Error>((schema, stream.try_collect().await?))
        });
        answer.map_err(|error| error.to_string())
    }

    fn edit(&mut self, sql: &str) -> Result<u64, String> {
        let edited = self.engine.current().and_then(|snapshot| {
            let (changes, rows) = prepared(&self.place, &snapshot, sql, "owner")?;
            changes.commit()?;
            Ok(rows)
        });
        edited.map_err(|error| error.to_string())
    }

    fn at(&mut self, version: Option<u64>) -> Result<(), String> {
        self.version = version;
        Ok(())
    }
}

#[test]
fn the_scripts_are_answered_with_these_values() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sql");
    let bless = std::env::var_os("HAETAE_UPDATE_SNAPSHOTS").is_some().then_some(folder.as_path());
    for (name, script) in SCRIPTS {
        let place = Place::new();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let engine = place.engine();
        pass(name, script, bless, &mut InProcess { place, engine, runtime, version: None });
    }
}
