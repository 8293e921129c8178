//! The scripts of the warehouse's tests, asked by our client over the wire: the same answers as in the process.

use std::path::PathBuf;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use haetae_client::{Client, ConnectOptions};
use haetae_flight_server::SECRET_FILE;
use haetae_warehouse::store::Store;
use tokio::runtime::Handle;

use crate::harness::{Place, Raw, Running};
use crate::script::{Database, SCRIPTS, pass};

struct OverTheWire {
    client: Client,
    /// Our client changes no rows of its own by SQL.
    raw: Raw,
    runtime: Handle,
    root: PathBuf,
}

impl Database for OverTheWire {
    fn store(&self) -> Store {
        Store::open(&self.root).unwrap()
    }

    fn ask(&mut self, sql: &str) -> Result<(SchemaRef, Vec<RecordBatch>), String> {
        let answer = self.client.query(sql).map_err(|error| error.to_string())?;
        Ok((answer.schema, answer.batches))
    }

    fn edit(&mut self, sql: &str) -> Result<u64, String> {
        let edited = self.runtime.block_on(self.raw.execute_update(sql.to_owned(), None));
        edited.map(|rows| rows.try_into().unwrap()).map_err(|error| error.to_string())
    }

    fn at(&mut self, version: Option<u64>) -> Result<(), String> {
        Err(format!("the wire does not know versions, asked for {version:?}"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scripts_are_answered_over_the_wire() {
    for (name, script) in SCRIPTS.into_iter().filter(|(name, _)| *name != "time_travel") {
        let server = Running::over(Place::empty(), std::time::Duration::from_secs(10), None).await;
        let root = server.place.root();
        let options = ConnectOptions::new(&format!("http://{}", server.address)).secret_file(root.join(SECRET_FILE));
        let (raw, runtime) = (server.client().await, Handle::current());
        // The client blocks, and the server needs a thread meanwhile.
        let script = move || {
            let client = Client::connect(&options).unwrap();
            pass(name, script, None, &mut OverTheWire { client, raw, runtime, root });
        };
        tokio::task::spawn_blocking(script).await.unwrap();
    }
}
