//! What goes in: a pipeline. What comes out: for each column of its tables, the columns that it is made of, as the
//! plan of its steps reads them: for the value, and to choose or join the rows.

use std::collections::{BTreeMap, BTreeSet};

use haetae_warehouse::ingest::headers;
use haetae_warehouse::query::{Engine, STAGE};

use crate::declared::Source;
use crate::{Error, Pipeline, Result, document, steps};

/// The word that stands for the file.
const FILE: &str = "file";

/// One column that a column is made of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// Table that was loaded.
    pub table: String,
    /// Its column.
    pub column: String,
    /// `file`, or a table of the warehouse with its schema.
    pub source_table: String,
    /// Column of the file or of the table.
    pub source_column: String,
    /// Header or path in the file.
    pub source_path: Option<String>,
}

/// What the columns of a pipeline's tables are made of, in the order of their names.
///
/// # Errors
/// Steps that do not fit the tables.
pub async fn edges(engine: &Engine, pipeline: &Pipeline) -> Result<Vec<Edge>> {
    let mut found = match &pipeline.source {
        Source::Direct { format, .. } => {
            let edge = |(header, table, column): (String, &str, &str)| Edge {
                table: table.to_owned(),
                column: column.to_owned(),
                source_table: FILE.to_owned(),
                source_column: header.clone(),
                source_path: Some(header),
            };
            headers(format)?.into_iter().map(edge).collect()
        }
        Source::Messages { columns, .. } => read_by_steps(engine, pipeline, columns).await?,
        Source::Documents { .. } => read_by_steps(engine, pipeline, &document::columns()).await?,
    };
    found.sort();
    Ok(found)
}

async fn read_by_steps(
    engine: &Engine,
    pipeline: &Pipeline,
    columns: &BTreeMap<String, Vec<String>>,
) -> Result<Vec<Edge>> {
    let snapshot = steps::stage(engine, columns.keys(), &[])?;
    let mut found = Vec::new();
    for column in pipeline.table.columns {
        let sql = steps::sql(pipeline, &format!("t.\"{}\"", column.name));
        let failed = |source| Error::Steps { pipeline: pipeline.name.clone(), source };
        let stream = snapshot.statement(&sql).await.map_err(failed)?.execute(None).await.map_err(failed)?;
        let reads: &BTreeMap<String, BTreeSet<String>> = stream.reads();
        for (table, names) in reads {
            let staged = table.strip_prefix(STAGE).is_some_and(|rest| rest.starts_with('.'));
            for name in names.iter().filter(|name| !staged || *name != "source_row") {
                let path = columns.get(name).filter(|_| staged);
                found.push(Edge {
                    table: pipeline.table.name.to_owned(),
                    column: column.name.to_owned(),
                    source_table: if staged { FILE.to_owned() } else { table.clone() },
                    source_column: name.clone(),
                    source_path: path.map(|path| path.join("/")),
                });
            }
        }
    }
    Ok(found)
}
