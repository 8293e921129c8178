//! What goes in: record batches. What comes out: Parquet files, in a folder that appears whole or
//! not at all.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;

use crate::error::SynthError;

/// The folders of a data set: what is served, and what is kept back.
const FOLDERS: [&str; 2] = ["tables", "truth"];
/// Lines of a row group: small enough to skip by date, large enough to compress.
const ROW_GROUP: usize = 131_072;
/// Columns whose values hardly repeat: a dictionary would only cost time.
const PLAIN: [&str; 42] = [
    "declaration_id",
    "quantity",
    "net_mass_kg",
    "item_price_krw",
    "additional_duty_krw",
    "address",
    "amendment_id",
    "amount_krw",
    "assets_krw",
    "bank_account",
    "bill_id",
    "business_no",
    "container_no",
    "cost_of_sales_krw",
    "current_assets_krw",
    "current_liabilities_krw",
    "customs_value_krw",
    "document_no",
    "document_text",
    "duty_krw",
    "equity_krw",
    "file_name",
    "freight_krw",
    "gross_mass_kg",
    "height_share",
    "insurance_krw",
    "inventory_krw",
    "invoice_amount",
    "left_share",
    "liabilities_krw",
    "net_income_krw",
    "operating_profit_krw",
    "payable_krw",
    "payment_id",
    "phone",
    "revenue_krw",
    "sha256",
    "tax_base_krw",
    "tax_krw",
    "top_share",
    "vat_krw",
    "width_share",
];

/// One Parquet file in the making.
pub struct TableWriter {
    path: PathBuf,
    writer: ArrowWriter<File>,
}

impl TableWriter {
    /// Opens `folder/table.parquet`. The same batches give the same bytes: nothing about the time,
    /// the machine or the version is written.
    ///
    /// # Errors
    /// A file that cannot be created.
    pub fn create(folder: &Path, table: &str, schema: SchemaRef) -> Result<Self, SynthError> {
        let path = folder.join(format!("{table}.parquet"));
        let file = File::create(&path).map_err(|e| io("create", &path, e))?;
        let level = ZstdLevel::try_new(1).map_err(|source| SynthError::Parquet { path: path.clone(), source })?;
        let mut properties = WriterProperties::builder()
            .set_created_by("haetae-synth".to_owned())
            .set_compression(Compression::ZSTD(level))
            .set_max_row_group_row_count(Some(ROW_GROUP));
        for column in PLAIN {
            properties = properties.set_column_dictionary_enabled(ColumnPath::from(column), false);
        }
        let writer = ArrowWriter::try_new(file, schema, Some(properties.build()))
            .map_err(|source| SynthError::Parquet { path: path.clone(), source })?;
        Ok(Self { path, writer })
    }

    /// Adds a batch.
    ///
    /// # Errors
    /// A full disk, or a batch of another schema.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), SynthError> {
        self.writer.write(batch).map_err(|source| SynthError::Parquet { path: self.path.clone(), source })
    }

    /// Writes the footer and waits until the disk has the file.
    ///
    /// # Errors
    /// A full disk.
    pub fn finish(self) -> Result<(), SynthError> {
        let Self { path, writer } = self;
        let file = writer.into_inner().map_err(|source| SynthError::Parquet { path: path.clone(), source })?;
        file.sync_all().map_err(|e| io("save", &path, e))
    }
}

/// The output folder while it is being filled.
pub struct Output {
    target: PathBuf,
    partial: PathBuf,
    kept: bool,
}

impl Output {
    /// Prepares `target.partial` with its folders. `target` itself must be absent, empty, or (with
    /// `force`) hold a data set and nothing else.
    ///
    /// # Errors
    /// A target that is something else, or a disk that refuses.
    pub fn prepare(target: &Path, force: bool) -> Result<Self, SynthError> {
        let Some(name) = target.file_name() else {
            let reason = "it has no name of its own; give a folder, such as data/demo";
            return Err(SynthError::BadOutput { path: target.to_owned(), reason });
        };
        match contents(target)? {
            names if names.is_empty() => {}
            _ if !force => return Err(SynthError::NotEmpty { path: target.to_owned() }),
            names => only_a_data_set(target, names)?,
        }
        let partial = target.with_file_name(with_suffix(name, ".partial"));
        remove_data_set(&partial)?;
        for folder in FOLDERS {
            let path = partial.join(folder);
            fs::create_dir_all(&path).map_err(|e| io("create", &path, e))?;
        }
        Ok(Self { target: target.to_owned(), partial, kept: false })
    }

    /// One of the folders to write into.
    pub fn folder(&self, name: &str) -> PathBuf {
        self.partial.join(name)
    }

    /// Gives the folder its name. What stood there before is removed only now.
    ///
    /// # Errors
    /// A disk that refuses; the old data set is then still there, under its name or with `.old`.
    pub fn commit(mut self) -> Result<(), SynthError> {
        let old = self.target.with_file_name(with_suffix(self.target.file_name().unwrap_or_default(), ".old"));
        if self.target.exists() {
            remove_data_set(&old)?;
            fs::rename(&self.target, &old).map_err(|e| io("rename", &self.target, e))?;
        }
        fs::rename(&self.partial, &self.target).map_err(|e| io("rename", &self.partial, e))?;
        self.kept = true;
        let parent = self.target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(parent).and_then(|d| d.sync_all()).map_err(|e| io("save", parent, e))?;
        remove_data_set(&old)
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if !self.kept {
            // A half-made folder is of no use; if it cannot be removed now, the next run will.
            let _ = fs::remove_dir_all(&self.partial);
        }
    }
}

fn io(what: &'static str, path: &Path, source: std::io::Error) -> SynthError {
    SynthError::Io { what, path: path.to_owned(), source }
}

fn with_suffix(name: &std::ffi::OsStr, suffix: &str) -> OsString {
    let mut name = name.to_owned();
    name.push(suffix);
    name
}

/// Names in the folder; none where there is no folder.
fn contents(path: &Path) -> Result<Vec<OsString>, SynthError> {
    match fs::read_dir(path) {
        Ok(entries) => {
            let names: Result<Vec<_>, _> = entries.map(|e| e.map(|e| e.file_name())).collect();
            names.map_err(|e| io("read", path, e))
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) if e.kind() == std::io::ErrorKind::NotADirectory => Err(SynthError::BadOutput {
            path: path.to_owned(),
            reason: "it, or a folder on the way to it, is a file; give a folder",
        }),
        Err(e) => Err(io("read", path, e)),
    }
}

/// Guards against the removal of anything that this program did not make.
fn only_a_data_set(path: &Path, names: Vec<OsString>) -> Result<(), SynthError> {
    match names.into_iter().find(|n| !FOLDERS.iter().any(|f| n == f)) {
        Some(other) => {
            Err(SynthError::NotADataSet { path: path.to_owned(), found: other.to_string_lossy().into_owned() })
        }
        None => Ok(()),
    }
}

fn remove_data_set(path: &Path) -> Result<(), SynthError> {
    only_a_data_set(path, contents(path)?)?;
    match fs::remove_dir_all(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(io("remove", path, e)),
        _ => Ok(()),
    }
}
