//! SQL of DataFusion's own sqllogictest files, over the wire and in the process: the same rows, or the same words where
//! it is refused. `HAETAE_SLT_DIR` names the folder of the files. No part of `make test`, which says that it is ignored:
//! `make release-test` runs it by scripts/sqllogictest, which fetches the files.
//!
//! Most of it makes tables first, which SQL cannot here: such statements are refused on both sides and are counted apart.
//! What the files expect is not compared: it is DataFusion's with features that are not built in.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use futures::TryStreamExt;
use haetae_client::{Client, ConnectOptions};
use haetae_flight_server::SECRET_FILE;
use haetae_warehouse::query::{Engine, EngineOptions};
use haetae_warehouse::store::Store;

use crate::harness::{Place, Running, options};
use crate::script::answer;

const VARIABLE: &str = "HAETAE_SLT_DIR";
/// What is another thing each time it is asked.
const CHANGING: [&str; 7] = ["random", "uuid", "now(", "current_", "explain", "today(", "version("];

#[derive(Default)]
struct Count {
    asked: usize,
    /// With rows, in the process.
    answered: usize,
    /// Of these: the same rows over the wire.
    same: usize,
    /// Refused with the same words, of those that are refused in the process.
    same_words: usize,
    /// The rest, those that are answered in the process apart.
    others: [Vec<String>; 2],
}

/// The statements and queries of a file.
fn records(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("query ") || line.starts_with("statement ") {
            let body: Vec<&str> =
                lines.by_ref().take_while(|line| !line.trim().is_empty() && *line != "----").collect();
            found.push(body.join("\n"));
        }
    }
    found
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in folder.read_dir().unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => found.extend(files(&entry.path())),
            false if entry.path().extension().is_some_and(|extension| extension == "slt") => found.push(entry.path()),
            false => {}
        }
    }
    found.sort();
    found
}

fn rows(asked: Result<(SchemaRef, Vec<RecordBatch>), String>) -> Result<Vec<String>, String> {
    // A value that has no text in this version of Arrow is not shown on either side.
    let shown = asked.map(|(schema, batches)| catch_unwind(AssertUnwindSafe(|| answer(&schema, &batches, true))));
    shown.and_then(|shown| shown.map(|(types, rows)| [vec![types], rows].concat()).map_err(|_| "no text".to_owned()))
}

fn compare(sql: &str, engine: &Engine, runtime: &tokio::runtime::Runtime, client: &Client, count: &mut Count) {
    let here = runtime.block_on(async {
        let stream = engine.current()?.statement(sql).await?.execute(None).await?;
        let schema = stream.schema();
        Ok::<_, haetae_warehouse::Error>((schema, stream.try_collect().await?))
    });
    let there = client.query(sql).map(|found| (found.schema, found.batches)).map_err(|error| error.to_string());
    // Of two functions with names that are as near, DataFusion proposes now one and now the other.
    let words = |error: String| error.split("\nDid you mean").next().unwrap_or_default().to_owned();
    let (here, there) = (rows(here.map_err(|error| words(error.to_string()))), rows(there.map_err(words)));
    count.asked += 1;
    count.answered += usize::from(here.is_ok());
    match (here, there) {
        (Ok(here), Ok(there)) if here == there => count.same += 1,
        (Err(here), Err(there)) if here == there => count.same_words += 1,
        (here, there) => {
            let told = format!("{sql}\n  here: {here:?}\n  wire: {there:?}");
            count.others[usize::from(here.is_err())].push(told);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "make release-test runs it, by scripts/sqllogictest"]
async fn scripts_of_datafusion_are_answered_as_in_the_process() {
    let folder = std::env::var_os(VARIABLE).expect("HAETAE_SLT_DIR names the folder of the scripts");
    let server = Running::serving(Place::empty(), &options()).await;
    let root = server.place.root();
    let login = ConnectOptions::new(&format!("http://{}", server.address)).secret_file(root.join(SECRET_FILE));
    // The client blocks, and the server needs a thread meanwhile.
    let count = tokio::task::spawn_blocking(move || {
        let client = Client::connect(&login).unwrap();
        let engine = Engine::new(Store::open(&root).unwrap(), &EngineOptions::default()).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let mut count = Count::default();
        for file in files(Path::new(&folder)) {
            for sql in records(&std::fs::read_to_string(&file).unwrap()) {
                let lower = sql.to_lowercase();
                if !CHANGING.iter().any(|word| lower.contains(word)) {
                    compare(&sql, &engine, &runtime, &client, &mut count);
                }
            }
        }
        count
    });
    let count = tokio::time::timeout(Duration::from_secs(3600), count).await.unwrap().unwrap();
    for other in count.others.iter().flat_map(|others| others.iter().take(20)) {
        println!("{other}");
    }
    let refused = count.asked - count.answered;
    println!(
        "sqllogictest: {} records, {} answered, {} of them the same over the wire; {refused} refused, {} with the same words",
        count.asked, count.answered, count.same, count.same_words
    );
    assert!(count.answered >= 1000, "expected at least 1,000 queries that need no table, found {}", count.answered);
    assert!(count.same * 100 >= count.answered * 95, "{} of {} are the same", count.same, count.answered);
    assert!(
        count.same_words * 100 >= refused * 95,
        "{} of {refused} are refused with the same words",
        count.same_words
    );
}
