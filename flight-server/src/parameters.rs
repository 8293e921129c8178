//! What goes in: values for parameters, as a client sends them. What comes out: one batch of them, and the bytes in which
//! tickets and handles carry it.

use std::io::Cursor;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::Schema;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use arrow_flight::FlightData;
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::error::FlightError;
use bytes::Bytes;
use futures::{Stream, TryStreamExt};
use tonic::Status;

use crate::{Result, status};

/// Parameter values travel in the ticket; clients take no message above four mebibytes by default.
const PARAMETER_BYTES: usize = 2 << 20;

/// Values for parameters, as one batch; no more than is kept of them.
pub(crate) async fn collected(
    values: impl Stream<Item = Result<FlightData, Status>> + Send + 'static,
) -> Result<RecordBatch, Status> {
    let unreadable =
        |error: FlightError| Status::invalid_argument(format!("cannot read the parameter values: {error}"));
    let values = values.map_err(|status| FlightError::Tonic(Box::new(status)));
    let mut values = FlightRecordBatchStream::new_from_flight_data(values);
    let mut batches = Vec::new();
    let mut bytes = 0;
    while let Some(batch) = values.try_next().await.map_err(unreadable)? {
        bytes += batch.get_array_memory_size();
        // Checked again when encoded; this bounds what is collected before that.
        if bytes > 16 * PARAMETER_BYTES {
            return Err(too_many_values());
        }
        batches.push(batch);
    }
    let schema = values.schema().cloned().unwrap_or_else(|| Schema::empty().into());
    concat_batches(&schema, &batches).map_err(status::internal("take over the parameter values"))
}

pub(crate) fn write_parameters(values: &RecordBatch) -> Result<Bytes, Status> {
    let failed = "keep the parameter values";
    let mut writer = StreamWriter::try_new(Vec::new(), &values.schema()).map_err(status::internal(failed))?;
    writer.write(values).map_err(status::internal(failed))?;
    let bytes = writer.into_inner().map_err(status::internal(failed))?;
    if bytes.len() > PARAMETER_BYTES { Err(too_many_values()) } else { Ok(bytes.into()) }
}

fn too_many_values() -> Status {
    Status::resource_exhausted(format!(
        "the parameter values take more than {PARAMETER_BYTES} bytes; bind fewer rows at a time"
    ))
}

pub(crate) fn read_parameters(bytes: &Bytes) -> Result<Option<RecordBatch>, Status> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let failed = "read the bound parameter values";
    let reader = StreamReader::try_new(Cursor::new(bytes), None).map_err(status::internal(failed))?;
    let schema = reader.schema();
    let batches = reader.collect::<Result<Vec<_>, _>>().map_err(status::internal(failed))?;
    concat_batches(&schema, &batches).map(Some).map_err(status::internal(failed))
}
