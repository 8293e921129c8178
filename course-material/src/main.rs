//! What goes in: the command line. What comes out: notebooks of the course, or what a submission is worth.

mod cli;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Parser, Subcommand};
use haetae_course::grade::{Runner, grade};
use haetae_course::progress::Ledger;
use haetae_course::project::{self, Order};
use haetae_course::{Course, build, check, progress};

/// Builds the course, checks it, and grades what trainees hand in.
#[derive(Debug, Parser)]
#[command(name = "haetae-course", version, about)]
struct Arguments {
    /// Folder with the sources.
    #[arg(long, value_name = "DIR", default_value = "course-material", global = true)]
    sources: PathBuf,
    /// Folder for the notebooks of the course.
    #[arg(long, value_name = "DIR", default_value = "notebooks/course", global = true)]
    notebooks: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes the notebooks from the sources.
    Build,
    /// Says what is wrong with the sources, and which notebooks are not up to date.
    Check,
    /// Runs a submission and says what it is worth. Needs HAETAE_URL and HAETAE_SECRET_FILE, as in the lab.
    Grade {
        /// The notebook that was handed in.
        file: PathBuf,
        /// The number of the trainee whose it has to be.
        #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=999_999))]
        trainee: Option<u32>,
        /// Print the report as JSON.
        #[arg(long)]
        json: bool,
        /// Add the report to this file, which `progress` reads.
        #[arg(long, value_name = "FILE")]
        ledger: Option<PathBuf>,
        #[command(flatten)]
        run: Box<cli::runs::Run>,
    },
    /// Keeps cohorts in the warehouse: who takes part, what they hand in, what it is worth, certificates, statistics.
    Cohort {
        #[command(subcommand)]
        command: cli::cohort::Command,
    },
    /// Makes a data project: a folder NAME for trainees, and NAME-private with the findings that are kept apart. Asks the server
    /// that HAETAE_URL and HAETAE_SECRET_FILE name for all findings; it must not be that of the trainees.
    NewProject {
        /// Small letters, digits and `-`.
        name: String,
        /// Lines declared from this day on are private.
        #[arg(long, value_name = "DAY", default_value = "2021-01-01")]
        cut: String,
        /// Where both folders are made.
        #[arg(long, value_name = "DIR", default_value = ".")]
        folder: PathBuf,
        /// The Python in which the kernel is installed.
        #[arg(long, default_value = ".venv/bin/python")]
        python: PathBuf,
    },
    /// Says how good a project's predictions are on the findings that were kept apart.
    ScoreProject {
        /// Lines declaration_id,item_no,score with these words on top.
        predictions: PathBuf,
        /// The file findings.csv of NAME-private.
        #[arg(long, value_name = "FILE")]
        private: PathBuf,
        /// Share of lines that is opened.
        #[arg(long, default_value_t = 0.1)]
        rate: f64,
        /// Print the figures as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Shows the best points of each trainee in each module, and how far each cohort is.
    Progress {
        #[command(flatten)]
        files: Files,
    },
    /// Shows for each question how many have it right, and what was said to the others most often.
    Statistics {
        #[command(flatten)]
        files: Files,
    },
    /// Prints the certificate of a trainee who has passed all modules of a level, as Markdown.
    Certificate {
        #[command(flatten)]
        files: Files,
        /// The trainee's number.
        #[arg(long, value_name = "NUMBER")]
        trainee: u32,
        /// basic, intermediate or advanced.
        #[arg(long, default_value = "basic", value_parser = ["basic", "intermediate", "advanced"])]
        level: String,
    },
}

/// What was handed in, and by whom it may be.
#[derive(Debug, clap::Args)]
struct Files {
    /// The file that `grade --ledger` has written.
    #[arg(long, value_name = "FILE")]
    ledger: PathBuf,
    /// Those who are enrolled: a line NUMBER,COHORT each. Without it, everybody counts.
    #[arg(long, value_name = "FILE")]
    roster: Option<PathBuf>,
}

impl Files {
    fn read(&self) -> haetae_course::Result<Ledger> {
        Ledger::read(&self.ledger, self.roster.as_deref())
    }
}

fn main() -> Result<ExitCode> {
    let Arguments { sources, notebooks, command } = Arguments::parse();
    let course = Course::read(&sources)?;
    match command {
        Command::Build => {
            for path in build::write(&course, &notebooks)? {
                println!("{}", path.display());
            }
        }
        Command::Check => {
            let stale = check::stale(&course, &notebooks)?;
            if !stale.is_empty() {
                stale.iter().for_each(|mistake| eprintln!("{mistake}"));
                bail!("{} notebooks are not up to date", stale.len());
            }
            println!("{} modules, all notebooks up to date", course.modules.len());
        }
        Command::Grade { file, trainee, json, ledger, run } => {
            server_is_named()?;
            let report = grade(&course, &file, trainee, &run.runner(), &run.limits())?;
            if let Some(ledger) = ledger {
                progress::record(&ledger, &report)?;
            }
            if json {
                println!("{}", serde_json::to_string_pretty(&report)?);
            } else {
                print!("{report}");
            }
            if report.points < report.of {
                return Ok(ExitCode::from(2));
            }
        }
        Command::Cohort { command } => command.run(&course)?,
        Command::NewProject { name, cut, folder, python } => {
            server_is_named()?;
            let runner = Runner::new(python);
            let made = project::make(&course, &Order { name, cut, folder }, &runner)?;
            println!("{}: {} findings, for trainees", made.public.display(), made.public_findings);
            println!("{}: {} findings, to be kept apart", made.private.display(), made.private_findings);
        }
        Command::ScoreProject { predictions, private, rate, json } => {
            let scored = project::score(&predictions, &private, rate)?;
            if json {
                println!("{}", serde_json::to_string_pretty(&scored)?);
            } else {
                print!("{scored}");
            }
        }
        Command::Progress { files } => print!("{}", files.read()?.table(&course)),
        Command::Statistics { files } => print!("{}", files.read()?.statistics(&course)),
        Command::Certificate { files, trainee, level } => {
            print!("{}", files.read()?.certificate(&course, trainee, &level)?);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn server_is_named() -> Result<()> {
    if std::env::var_os("HAETAE_URL").is_none() {
        bail!(
            "HAETAE_URL is not set: start the lab (`make lab`), and export HAETAE_URL and HAETAE_SECRET_FILE as docs/guides/course.md has them"
        );
    }
    Ok(())
}
