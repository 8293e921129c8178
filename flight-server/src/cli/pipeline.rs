//! What goes in: a pipeline and files. What comes out: loaded tables, and a line about each file.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use haetae_pipeline::declared::{self, Source};
use haetae_pipeline::{Outcome, Pipeline, shipped, shipped_of_tables};
use haetae_warehouse::ingest::Ingested;
use haetae_warehouse::names::{hint, near};
use haetae_warehouse::query::{Engine, EngineOptions};
use haetae_warehouse::store::Store;

/// What `pipeline` is told.
#[derive(Debug, Args)]
pub struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Load files by a pipeline, each in a commit of its own
    ///
    /// A file whose content the pipeline has loaded is passed over, so that the command can be made again after it
    /// was interrupted, and with a folder that has got new files. A file that cannot be used changes nothing; the
    /// others are loaded, and the command fails at its end.
    Run(Run),
    /// List the pipelines that come with the program
    List,
    /// Show a pipeline: what it reads, its steps and checks
    Show(Show),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    haetae-server pipeline run --warehouse wh unipass-import messages/\n  \
    haetae-server pipeline run --warehouse wh generated demo/tables\n  \
    haetae-server pipeline run --warehouse wh our-pipeline.toml today.xml")]
struct Run {
    /// Directory of the warehouse; it is created where it does not exist
    #[arg(long, value_name = "DIR")]
    warehouse: PathBuf,
    /// Name of a pipeline that comes with the program, or a TOML file
    #[arg(value_name = "PIPELINE")]
    pipeline: String,
    /// Files, and folders whose files end as the pipeline wants
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  haetae-server pipeline show unipass-import")]
struct Show {
    /// Name of a pipeline that comes with the program, or a TOML file
    #[arg(value_name = "PIPELINE")]
    pipeline: String,
}

/// Why not everything was loaded or shown.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The pipeline.
    #[error(transparent)]
    Pipeline(#[from] haetae_pipeline::Error),
    /// The warehouse refused.
    #[error(transparent)]
    Warehouse(#[from] haetae_warehouse::Error),
    /// The system refused something that queries need.
    #[error("cannot start: {0}")]
    System(#[from] std::io::Error),
    /// There is nothing to do, or not all could be done.
    #[error("{0}")]
    Other(String),
}

/// Does what was asked, and prints it.
pub fn run(options: &Options) -> Result<(), Failure> {
    match &options.action {
        Action::Run(options) => load(options),
        Action::List => list(),
        Action::Show(options) => show(options),
    }
}

fn find(name: &str) -> Result<Pipeline, Failure> {
    let path = Path::new(name);
    if path.extension().is_some_and(|ending| ending == "toml") {
        return Ok(declared::read(path)?);
    }
    let all = shipped()?;
    let mut known: Vec<String> = all.iter().map(|pipeline| pipeline.name.clone()).collect();
    known.extend(shipped_of_tables()?.iter().filter_map(|list| list.first()).map(|pipeline| pipeline.name.clone()));
    all.into_iter().find(|pipeline| pipeline.name == name).ok_or_else(|| {
        let meant = hint(&near(name, known.iter().map(String::as_str)));
        let all = known.join(", ");
        Failure::Other(format!("there is no pipeline \"{name}\".{meant} The pipelines are {all}; or name a TOML file"))
    })
}

/// The pipelines of all tables that bear a name.
fn of_tables(name: &str) -> Result<Option<Vec<Pipeline>>, Failure> {
    let bears = |list: &Vec<Pipeline>| list.first().is_some_and(|pipeline| pipeline.name == name);
    Ok(shipped_of_tables()?.into_iter().find(bears))
}

/// What is to be loaded by which pipeline. Of a pipeline of all tables each file has that of its own.
fn planned(options: &Run) -> Result<Vec<(Pipeline, PathBuf)>, Failure> {
    let Some(list) = of_tables(&options.pipeline)? else {
        let pipeline = find(&options.pipeline)?;
        let files = haetae_pipeline::files(&pipeline, &options.paths)?;
        if files.is_empty() {
            let endings = pipeline.source.endings().join(" or ");
            return Err(Failure::Other(format!("no file there ends with {endings}; nothing was loaded")));
        }
        return Ok(files.into_iter().map(|file| (pipeline.clone(), file)).collect());
    };
    let mut planned = Vec::new();
    for pipeline in list {
        let own = |file: &PathBuf| {
            let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            pipeline.source.endings().contains(&name)
        };
        let files = haetae_pipeline::files(&pipeline, &options.paths)?;
        planned.extend(files.into_iter().filter(own).map(|file| (pipeline.clone(), file)));
    }
    let stranger = options.paths.iter().find(|path| !path.is_dir() && planned.iter().all(|(_, file)| file != *path));
    if let Some(path) = stranger {
        let path = path.display();
        return Err(Failure::Other(format!(
            "{path} is called as no table, such as fact_item.parquet; nothing was loaded"
        )));
    }
    match planned.is_empty() {
        true => Err(Failure::Other(
            "no file there is called as a table, such as fact_item.parquet; nothing was loaded".into(),
        )),
        false => Ok(planned),
    }
}

fn load(options: &Run) -> Result<(), Failure> {
    let planned = planned(options)?;
    let store = Store::open(&options.warehouse)?;
    let engine = Engine::new(store.clone(), &EngineOptions::default())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let bar = indicatif::ProgressBar::new_spinner();
    let mut failed = 0;
    for (pipeline, file) in &planned {
        bar.set_message(file.display().to_string());
        let mut progress = |_: haetae_warehouse::ingest::Progress<'_>| bar.tick();
        let done = runtime.block_on(haetae_pipeline::run(&store, &engine, pipeline, file, &mut progress));
        match done {
            Ok(outcome) => bar.suspend(|| println!("{}: {}", file.display(), told(pipeline, &outcome))),
            Err(error) => {
                failed += 1;
                bar.suspend(|| eprintln!("{}: error: {error}", file.display()));
            }
        }
    }
    bar.finish_and_clear();
    match failed {
        0 => Ok(()),
        some => Err(Failure::Other(format!("{some} of {} files were not loaded", planned.len()))),
    }
}

fn told(pipeline: &Pipeline, outcome: &Outcome) -> String {
    match outcome {
        Outcome::Skipped { version } => format!("loaded before, in version {version}"),
        Outcome::Loaded(done) => {
            let Ingested { accepted, rejected, version, skipped, .. } = done.as_ref();
            if let (0, 0, Some(before)) = (*accepted, *rejected, skipped.first()) {
                return format!("its content was loaded before, by load {}", before.load_id);
            }
            let refused = match rejected {
                0 => String::new(),
                some => format!(", refused {some} (in {}.rejects)", pipeline.schema),
            };
            format!("loaded {accepted} rows{refused}; safe on the disk as version {version}")
        }
    }
}

fn list() -> Result<(), Failure> {
    for pipeline in shipped()? {
        println!("{:<16} {:<18} {}", pipeline.name, target(&pipeline), pipeline.says);
    }
    for pipeline in shipped_of_tables()?.iter().filter_map(|list| list.first()) {
        println!("{:<16} {:<18} {}", pipeline.name, format!("{}.*", pipeline.schema), pipeline.says);
    }
    Ok(())
}

fn target(pipeline: &Pipeline) -> String {
    format!("{}.{}", pipeline.schema, pipeline.table.name)
}

fn show(options: &Show) -> Result<(), Failure> {
    if let Some(list) = of_tables(&options.pipeline)? {
        for pipeline in &list {
            println!("{}: into {}, {}", pipeline.name, target(pipeline), pipeline.source.endings().join(" or "));
        }
        return Ok(());
    }
    let pipeline = find(&options.pipeline)?;
    println!("{}: {}", pipeline.name, pipeline.says);
    println!("into {}, files ending with {}", target(&pipeline), pipeline.source.endings().join(" or "));
    if let Source::Messages { record, columns, .. } = &pipeline.source {
        println!("a row for each {}:", record.join("/"));
        columns.iter().for_each(|(name, path)| println!("  {name:<16} {}", path.join("/")));
    }
    for step in &pipeline.steps {
        println!("step {}:\n{}", step.name, step.sql.trim());
    }
    for check in &pipeline.checks {
        println!("check {}: {} ({})", check.column, check.says, check.expect);
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use haetae_warehouse::ingest::Skipped;

    use super::*;

    #[test]
    fn a_file_that_was_named_and_is_no_table_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (good, stranger) = (folder.path().join("fact_item.parquet"), folder.path().join("fact_items.parquet"));
        for file in [&good, &stranger] {
            std::fs::write(file, "").unwrap();
        }
        let run = |paths: Vec<PathBuf>| {
            planned(&Run { warehouse: PathBuf::new(), pipeline: "generated".to_owned(), paths })
                .map(|planned| planned.len())
        };
        let message = run(vec![good.clone(), stranger]).unwrap_err().to_string();
        assert!(message.contains("fact_items.parquet is called as no table"), "{message}");
        assert_eq!(run(vec![good]).unwrap(), 1);
        // In a folder others may lie beside.
        assert_eq!(run(vec![folder.path().to_path_buf()]).unwrap(), 1);
    }

    #[test]
    fn content_that_was_passed_over_is_not_told_as_loaded() {
        let kcs = find("kcs").unwrap();
        let skipped = vec![Skipped { file: "a.csv".into(), load_id: 7 }];
        let passed = Outcome::Loaded(Box::new(Ingested { version: 9, skipped, ..Ingested::default() }));
        assert_eq!(told(&kcs, &passed), "its content was loaded before, by load 7");
        let loaded = Ingested { version: 9, accepted: 2, rejected: 1, ..Ingested::default() };
        let expected = "loaded 2 rows, refused 1 (in kcs.rejects); safe on the disk as version 9";
        assert_eq!(told(&kcs, &Outcome::Loaded(Box::new(loaded))), expected);
    }
}
