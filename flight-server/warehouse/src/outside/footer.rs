//! What goes in: a Parquet file from elsewhere. What comes out: its columns, or an error that names it where it is no
//! whole file, or has other columns than its table.

use std::fs::File;
use std::path::Path;

use arrow::datatypes::{DataType, SchemaRef, TimeUnit};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};

use super::{OutsideFile, wrong};
use crate::ingest::{guard, made_schema, plain_type};
use crate::store::{OutsideKind, OutsideTable};
use crate::{Error, Result};

/// The columns of a file, after its footer and its pages were found to claim no more than there is.
pub(super) fn columns(path: &Path) -> Result<SchemaRef> {
    let bad = |found: String| wrong(path, "a whole Parquet file", found);
    let file = File::open(path).map_err(Error::io("open", path))?;
    guard::parquet_footer(&file).map_err(bad)?;
    let metadata = guard::no_panic(|| ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())).map_err(bad)?;
    guard::parquet_pages(&file, metadata.metadata()).map_err(bad)?;
    Ok(metadata.schema().clone())
}

/// Fails where a file cannot be read as one of the table. Columns that the table does not have are left out. Those
/// that a file of a Delta Lake table lacks are null: they were added later.
pub(crate) fn check(table: &OutsideTable, file: &OutsideFile) -> Result<()> {
    let found = columns(&file.path)?;
    for field in made_schema(&table.columns)?.fields() {
        if table.partitions.contains(field.name()) {
            continue;
        }
        let expected = || format!("the column {} as {}", field.name(), field.data_type());
        let fields: Vec<_> = found.fields().iter().filter(|other| other.name() == field.name()).collect();
        match fields.as_slice() {
            [] if table.kind == OutsideKind::Delta => {}
            [] => {
                let names: Vec<&str> = found.fields().iter().map(|field| field.name().as_str()).collect();
                return Err(wrong(&file.path, expected(), format!("none; it has {}", names.join(", "))));
            }
            [one] if fits(table.kind, &plain_type(one.data_type()), field.data_type()) => {}
            [one] => return Err(wrong(&file.path, expected(), one.data_type().to_string())),
            _ => return Err(wrong(&file.path, expected(), "it twice")),
        }
    }
    Ok(())
}

/// Whether every value is what the table says it is.
fn fits(kind: OutsideKind, found: &DataType, wanted: &DataType) -> bool {
    // Spark writes times of a Delta Lake table without zone, in a form that counts nanoseconds; they are UTC.
    let old = matches!(found, DataType::Timestamp(TimeUnit::Nanosecond, None));
    found == wanted || (kind == OutsideKind::Delta && old && matches!(wanted, DataType::Timestamp(..)))
}
