//! What goes in: files of a table, a rule for the rows that stay. What comes out: the same files
//! without the other rows. Files in which every row stays are left alone.

use arrow::array::{BooleanArray, BooleanBuilder, RecordBatch};
use arrow::compute::filter_record_batch;

use super::manifest::DataFile;
use super::parquet_file::{BATCH_ROWS, read};
use super::transaction::Transaction;
use crate::{Error, Result};

impl Transaction {
    /// Removes from `files` of a table the rows for which `stays` says no, and returns how many.
    /// `stays` sees the columns `columns` of some rows at a time. In memory are one bit for each row
    /// of a file, and one batch.
    pub fn retain(
        &mut self,
        schema: &str,
        table: &str,
        files: &[DataFile],
        sort: &[&str],
        columns: &[&str],
        stays: &dyn Fn(&RecordBatch) -> Result<BooleanArray>,
    ) -> Result<u64> {
        let mut removed = 0;
        for file in files {
            let path = self.path(file);
            let failed = || format!("read {}", path.display());
            let mut flags = BooleanBuilder::with_capacity(file.rows as usize);
            for batch in read(&path, Some(columns), BATCH_ROWS)? {
                flags.append_array(&stays(&batch.map_err(Error::data(failed()))?)?);
            }
            let flags = flags.finish();
            let gone = flags.len() - flags.true_count();
            if gone == 0 {
                continue;
            }
            removed += gone as u64;
            let mut kept = Vec::new();
            if flags.true_count() > 0 {
                let mut sink = None;
                let mut first = 0;
                for batch in read(&path, None, BATCH_ROWS)? {
                    let batch = batch.map_err(Error::data(failed()))?;
                    let part = flags.slice(first, batch.num_rows());
                    first += batch.num_rows();
                    let rows = filter_record_batch(&batch, &part).map_err(Error::data("drop rows"))?;
                    let sink = match &mut sink {
                        Some(sink) => sink,
                        none => none.insert(self.sink(&batch.schema(), sort)?),
                    };
                    sink.write(&rows)?;
                }
                if let Some(sink) = sink {
                    kept.push(self.finish(sink)?);
                }
            }
            self.swap(schema, table, std::slice::from_ref(file), kept);
            self.draft(schema, table).changes_rows = true;
        }
        Ok(removed)
    }
}
