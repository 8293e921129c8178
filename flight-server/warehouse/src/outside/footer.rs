//! What goes in: a Parquet file from elsewhere. What comes out: its columns, or an error that names it where it is no
//! whole file, or has other columns than its table.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::basic::Type as Physical;
use parquet::schema::types::SchemaDescriptor;

use super::{OutsideFile, wrong};
use crate::ingest::{guard, made_schema, plain_type};
use crate::store::{OutsideKind, OutsideTable};
use crate::{Error, Result};

/// The columns of a file as they are read, after its footer and its pages were found to claim no more than there is.
pub(super) fn columns(kind: OutsideKind, path: &Path) -> Result<SchemaRef> {
    let bad = |found: String| wrong(path, "a whole Parquet file", found);
    let file = File::open(path).map_err(Error::io("open", path))?;
    guard::parquet_footer(&file).map_err(bad)?;
    let metadata = guard::no_panic(|| ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())).map_err(bad)?;
    guard::parquet_pages(&file, metadata.metadata()).map_err(bad)?;
    Ok(old_times(kind, metadata.metadata().file_metadata().schema_descr(), metadata.schema()))
}

/// The unit in which times of the old form INT96 are read. It counts nanoseconds, of which 64 bits end in 2262; what
/// lies beyond, such as 9999-12-31 for "never", would come out as another time.
pub(crate) const OLD_TIMES: &str = "us";

/// The zone that such times are in: Spark writes those of a Delta Lake table in UTC; a file says nothing of it.
pub(crate) fn zone_of_old_times(kind: OutsideKind) -> Option<&'static str> {
    match kind {
        OutsideKind::Delta => Some("UTC"),
        OutsideKind::Parquet => None,
    }
}

/// The columns with times of the old form as they are read.
fn old_times(kind: OutsideKind, file: &SchemaDescriptor, columns: &SchemaRef) -> SchemaRef {
    let is_old = |field: &FieldRef| {
        let column = file.columns().iter().find(|column| column.path().parts() == [field.name().as_str()]);
        column.is_some_and(|column| column.physical_type() == Physical::INT96)
    };
    let read = DataType::Timestamp(TimeUnit::Microsecond, zone_of_old_times(kind).map(Into::into));
    let field = |field: &FieldRef| -> Field {
        let plain = field.as_ref().clone();
        if is_old(field) { plain.with_data_type(read.clone()) } else { plain }
    };
    Arc::new(Schema::new(columns.fields().iter().map(field).collect::<Vec<_>>()))
}

/// Fails where a file cannot be read as one of the table. Columns that the table does not have are left out. Those
/// that a file of a Delta Lake table lacks are null: they were added later.
pub(crate) fn check(table: &OutsideTable, file: &OutsideFile) -> Result<()> {
    let found = columns(table.kind, &file.path)?;
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
            [one] if plain_type(one.data_type()) == *field.data_type() => {}
            [one] => return Err(wrong(&file.path, expected(), one.data_type().to_string())),
            _ => return Err(wrong(&file.path, expected(), "it twice")),
        }
    }
    Ok(())
}
