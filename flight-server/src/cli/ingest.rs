//! What goes in: files. What comes out: a loaded table, and a few lines about it.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use haetae_warehouse::ingest::{Change, Changes, Format, Ingested, Progress, Source};
use haetae_warehouse::names::{hint, near};
use haetae_warehouse::store::Store;
use haetae_warehouse::{DEFAULT_SCHEMA, REJECTS};
use indicatif::{ProgressBar, ProgressStyle};

/// The schema of KCS files, unless another is named.
const KCS_SCHEMA: &str = "kcs";

/// What `ingest` is told.
#[derive(Debug, Args)]
#[command(
    override_usage = "haetae-server ingest --warehouse DIR [--schema SCHEMA] [--change CHANGE] TABLE FILE...\n       \
                      haetae-server ingest --warehouse DIR --format kcs FILE...\n       \
                      haetae-server ingest --warehouse DIR [--schema SCHEMA] [--change CHANGE] --format folder FOLDER",
    after_help = "Examples:\n  \
        haetae-server ingest --warehouse wh fact_item declarations-2026.csv\n  \
        haetae-server ingest --warehouse wh dim_importer importers.parquet\n  \
        haetae-server ingest --warehouse wh --format kcs df_syn_train_eng.csv df_syn_valid_eng.csv\n  \
        haetae-server ingest --warehouse wh --format folder demo/tables\n  \
        haetae-server ingest --warehouse wh --change upsert --key corrections-0302 fact_item corrected.arrow\n  \
        haetae-server ingest --warehouse wh --change delete fact_item keys.csv\n\n\
        CSV files are UTF-8, separated by commas, with the column names in the first line, in any order. Files to \
        delete by hold the key columns of the table and nothing else."
)]
pub struct Options {
    /// Directory of the warehouse; it is created where it does not exist
    #[arg(long, value_name = "DIR")]
    warehouse: PathBuf,
    /// Schema to load into: customs or kcs [default: customs; with --format kcs: kcs]
    #[arg(long, value_name = "SCHEMA")]
    schema: Option<String>,
    /// How the files are laid out
    #[arg(long, value_enum, default_value_t = Layout::Table)]
    format: Layout,
    /// What is done with the rows
    #[arg(long, value_enum, default_value_t = Rows::Append)]
    change: Rows,
    /// Name of this call: made again with the same files it changes nothing, with others it fails
    #[arg(long, value_name = "NAME")]
    key: Option<String>,
    /// The table, then the files to load into it (with --format kcs: the files only; with --format folder: the folder)
    #[arg(value_name = "TABLE FILE", required = true)]
    words: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Layout {
    /// One table; the file has the table's own columns
    Table,
    /// Declarations of the Korea Customs Service, 22 columns: they go to fact_item, fact_inspection
    /// and the dimension tables
    Kcs,
    /// A folder of files that are called as their tables, such as fact_item.parquet; all of them are one commit
    Folder,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Rows {
    /// Add them; a row whose key is there already is refused
    Append,
    /// Put them in the place of the whole table
    Replace,
    /// Put them in the place of rows with the same keys, and add the others
    Upsert,
    /// Remove the rows whose keys the files hold
    Delete,
}

impl From<Rows> for Change {
    fn from(rows: Rows) -> Self {
        match rows {
            Rows::Append => Self::Append,
            Rows::Replace => Self::Replace,
            Rows::Upsert => Self::Upsert,
            Rows::Delete => Self::Delete,
        }
    }
}

/// Why nothing was loaded.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command line names no file.
    #[error(
        "expected a table and at least one file, found only \"{}\"; for example: haetae-server ingest --warehouse DIR \
         fact_item FILE",
        only.display()
    )]
    NoFile {
        /// The one word that was found.
        only: PathBuf,
    },
    /// The command line names something else than one folder.
    #[error(
        "expected one folder of files that are called as their tables, found {found}; for example: haetae-server \
             ingest --warehouse DIR --format folder demo/tables"
    )]
    NoFolder {
        /// What was found.
        found: String,
    },
    /// A file in the folder is called as no table.
    #[error("{} is called as no table: there is no table \"{table}\".{} Nothing was loaded; take the file out of the \
             folder, or load the others by their names", file.display(), meant(table))]
    NoTable {
        /// The file.
        file: PathBuf,
        /// What the table would be.
        table: String,
    },
    /// The folder cannot be read.
    #[error("cannot read the folder {}: {source}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The warehouse refused.
    #[error(transparent)]
    Warehouse(#[from] haetae_warehouse::Error),
}

fn meant(table: &str) -> String {
    hint(&near(table, haetae_schema::tables().iter().map(|table| table.name)))
}

/// Loads the files and prints what was done.
pub fn run(options: &Options) -> Result<(), Failure> {
    let parts = match (options.format, options.words.as_slice()) {
        (Layout::Kcs, files) => vec![(Format::Kcs, files.to_vec())],
        (Layout::Folder, [folder]) => tables_of(folder)?,
        (Layout::Folder, words) => return Err(Failure::NoFolder { found: format!("{} words", words.len()) }),
        (Layout::Table, [table, files @ ..]) if !files.is_empty() => {
            vec![(Format::Table(table.display().to_string()), files.to_vec())]
        }
        (Layout::Table, words) => return Err(Failure::NoFile { only: words.first().cloned().unwrap_or_default() }),
    };
    let usual = if options.format == Layout::Kcs { KCS_SCHEMA } else { DEFAULT_SCHEMA };
    let schema = options.schema.as_deref().unwrap_or(usual);
    let store = Store::open(&options.warehouse)?;
    let bar = progress_bar();
    let done = change(&store, options, schema, parts, &mut |progress| show(&bar, progress));
    bar.finish_and_clear();
    print!("{}", report(schema, &done?));
    Ok(())
}

/// The files of a folder with the tables that they are called as, in the order of their names. Hidden files and
/// folders in it are left out.
fn tables_of(folder: &Path) -> Result<Vec<(Format, Vec<PathBuf>)>, Failure> {
    let failed = |source| Failure::Folder { folder: folder.to_path_buf(), source };
    if !folder.is_dir() {
        return Err(Failure::NoFolder { found: folder.display().to_string() });
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        let path = entry.path();
        // Links are followed; one that leads nowhere fails where it is read, by its name.
        if !hidden && (path.is_file() || !path.exists()) {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(Failure::NoFolder { found: format!("no file in {}", folder.display()) });
    }
    let part = |file: PathBuf| {
        let table = file.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        match haetae_schema::table(&table) {
            Some(_) => Ok((Format::Table(table), vec![file])),
            None => Err(Failure::NoTable { file, table }),
        }
    };
    files.into_iter().map(part).collect()
}

/// Loads one table after another, as one commit: the memory is that of the largest.
fn change(
    store: &Store,
    options: &Options,
    schema: &str,
    parts: Vec<(Format, Vec<PathBuf>)>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> haetae_warehouse::Result<Ingested> {
    let mut changes = Changes::begin(store)?;
    if let Some(key) = &options.key {
        changes = changes.with_key(key)?;
    }
    for (format, files) in parts {
        let sources = files.into_iter().map(Source::File).collect();
        changes.apply(options.change.into(), schema, &format, sources, progress)?;
    }
    changes.commit()
}

/// Drawn on standard error, and only where that is a terminal.
fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    let style =
        ProgressStyle::with_template("{msg} {wide_bar} {percent}%").unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style);
    bar
}

fn show(bar: &ProgressBar, progress: Progress<'_>) {
    let name = progress.file.file_name().map_or_else(|| progress.file.display(), |name| Path::new(name).display());
    let seconds = bar.elapsed().as_secs_f64().max(0.001);
    let speed = (progress.rows as f64 / seconds) as u64;
    bar.set_length(progress.total.max(1));
    bar.set_position(progress.done);
    let doing = if progress.done >= progress.total { "sorting and writing" } else { "reading" };
    bar.set_message(format!("{doing} {name}: {} rows, {speed} rows/s", progress.rows));
}

fn report(schema: &str, done: &Ingested) -> String {
    let mut text = String::new();
    let mut line = |words: String| text = std::mem::take(&mut text) + &words + "\n";
    for skipped in &done.skipped {
        line(format!("skipped {}: load {} has taken the same content", skipped.file.display(), skipped.load_id));
    }
    if done.repeated {
        line(format!("nothing to do; the same call with this key has made version {}", done.version));
        return text;
    }
    let Some(load_id) = done.load_id else {
        line(format!("nothing to load; the warehouse stays at version {}", done.version));
        return text;
    };
    for (table, rows) in done.tables.iter().filter(|(table, _)| table != REJECTS) {
        line(format!("loaded {rows} rows into {schema}.{table}"));
    }
    if done.removed > 0 {
        line(format!("removed {} rows", done.removed));
    }
    if done.rejected > 0 {
        let query =
            format!("select line_number, column_name, reason from {schema}.{REJECTS} where load_id = {load_id}");
        line(format!("refused {} rows; to see them: {query}", done.rejected));
    }
    line(format!("load {load_id} is safe on the disk; the warehouse is at version {}", done.version));
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn links_in_a_folder_are_followed() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let file = elsewhere.path().join("of-today.csv");
        std::fs::write(&file, "").unwrap();
        let link = |to: &Path, name: &str| std::os::unix::fs::symlink(to, folder.path().join(name)).unwrap();
        link(&file, "fact_item.csv");
        // A folder is none of the files; a link that leads nowhere is one that cannot be read.
        link(elsewhere.path(), "more");
        link(&elsewhere.path().join("gone"), "dim_office.csv");
        let found: Vec<PathBuf> = tables_of(folder.path()).unwrap().into_iter().flat_map(|(_, files)| files).collect();
        assert_eq!(found, ["dim_office.csv", "fact_item.csv"].map(|name| folder.path().join(name)));
    }
}
