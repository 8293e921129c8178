//! What a training office asks for on the command line, to what is done.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Subcommand;
use haetae_course::Course;
use haetae_course::cohort::{self, Cohort, Office, Order, PROGRESS, Person, STATISTICS, people};

use super::runs::Run;

/// Commands about cohorts. All need HAETAE_URL and HAETAE_SECRET_FILE of somebody who may write the schema `course`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Makes a cohort, and tells the warehouse of the modules as they are now.
    Create {
        /// Small letters, digits and `-`.
        cohort: String,
        /// What it is called.
        #[arg(long)]
        title: Option<String>,
        /// First day of the course; today unless said.
        #[arg(long, value_name = "DAY")]
        starts: Option<String>,
        /// Last day of the course.
        #[arg(long, value_name = "DAY")]
        ends: Option<String>,
    },
    /// Enrols trainees.
    Enrol {
        /// The cohort.
        cohort: String,
        /// A line NUMBER or NUMBER,NAME for each.
        #[arg(long, value_name = "FILE", required_unless_present = "trainee")]
        roster: Option<PathBuf>,
        /// One trainee's number, in place of a roster.
        #[arg(long, value_name = "NUMBER", conflicts_with = "roster", value_parser = clap::value_parser!(u32).range(1..=999_999))]
        trainee: Option<u32>,
        /// That trainee's name.
        #[arg(long, requires = "trainee")]
        name: Option<String>,
        /// Day of the enrolment; today unless said.
        #[arg(long, value_name = "DAY")]
        on: Option<String>,
    },
    /// Takes what a trainee hands in, to be graded later.
    Submit {
        /// The cohort.
        cohort: String,
        /// The trainee's number.
        #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=999_999))]
        trainee: u32,
        /// The notebooks.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// The folder of the office, where copies are kept.
        #[arg(long, value_name = "DIR")]
        folder: PathBuf,
        /// Day on which they were handed in; today unless said.
        #[arg(long, value_name = "DAY")]
        on: Option<String>,
    },
    /// Grades what was handed in and has no grade yet. With --rust, --as-user has to name who asks the server for a submission.
    Grade {
        /// The cohort.
        cohort: String,
        /// The folder of the office.
        #[arg(long, value_name = "DIR")]
        folder: PathBuf,
        /// How many at a time.
        #[arg(long, default_value_t = 2)]
        jobs: usize,
        #[command(flatten)]
        run: Box<Run>,
    },
    /// Takes reports that `grade --ledger` has written, each as something that was handed in and graded.
    Record {
        /// The cohort.
        cohort: String,
        /// The file with the reports.
        #[arg(long, value_name = "FILE")]
        ledger: PathBuf,
        /// Day on which it was handed in; today unless said.
        #[arg(long, value_name = "DAY")]
        on: Option<String>,
    },
    /// Shows how far each trainee is, and each cohort.
    Progress {
        /// The cohort; all of them without it.
        cohort: Option<String>,
        /// Print the queries instead, to be changed and run elsewhere.
        #[arg(long)]
        sql: bool,
    },
    /// Shows how modules and questions went: completion, points, the hardest questions, days.
    Statistics {
        /// The cohort; all of them without it.
        cohort: Option<String>,
        /// Print the queries instead, to be changed and run elsewhere.
        #[arg(long)]
        sql: bool,
    },
    /// Records and prints the certificate of a trainee who has passed all modules of a level, as Markdown.
    Certificate {
        /// The cohort.
        cohort: String,
        /// The trainee's number.
        #[arg(long, value_name = "NUMBER")]
        trainee: u32,
        /// basic, intermediate or advanced.
        #[arg(long, default_value = "basic", value_parser = ["basic", "intermediate", "advanced"])]
        level: String,
        /// Day of the certificate; today unless said.
        #[arg(long, value_name = "DAY")]
        on: Option<String>,
    },
}

fn day(text: Option<String>) -> Result<i32> {
    Ok(text.map_or_else(|| Ok(cohort::today()), |text| cohort::day(&text))?)
}

impl Command {
    pub fn run(self, course: &Course) -> Result<()> {
        match self {
            Self::Progress { sql: true, .. } => print_sql(&PROGRESS),
            Self::Statistics { sql: true, .. } => print_sql(&STATISTICS),
            asked => asked.run_with(course, &Office::open()?)?,
        }
        Ok(())
    }

    fn run_with(self, course: &Course, office: &Office) -> Result<()> {
        match self {
            Self::Create { cohort, title, starts, ends } => {
                let ends = ends.map(|day| cohort::day(&day)).transpose()?;
                let title = title.unwrap_or_else(|| cohort.clone());
                office.create(course, &Cohort { name: cohort, title, starts: day(starts)?, ends })?;
            }
            Self::Enrol { cohort, roster, trainee, name, on } => {
                let mut who = roster.map(|file| people(&file)).transpose()?.unwrap_or_default();
                who.extend(trainee.map(|trainee| Person { trainee, name }));
                println!("{} of {} are new in {cohort}", office.enrol(&cohort, &who, day(on)?)?, who.len());
            }
            Self::Submit { cohort, trainee, files, folder, on } => {
                for handed in office.submit(course, (&cohort, trainee), &files, &folder, day(on)?)? {
                    let before = if handed.before { "  handed in before" } else { "" };
                    println!("{}  {}{before}", handed.id, handed.module);
                }
            }
            Self::Grade { cohort, folder, jobs, run } => {
                if run.opens_the_office() {
                    bail!(
                        "--rust needs --as-user and --as-secret-file: a submission could read the office's password and change \
                         grades. Name a user who sees the data of the exercises alone"
                    );
                }
                let (runner, limits) = (run.runner(), run.limits());
                let order = Order { folder: &folder, runner: &runner, limits: &limits, jobs };
                let count = office.grade(course, &cohort, &order, &mut |one| match one {
                    Ok(graded) => print!("{}", graded.report),
                    Err(error) => eprintln!("{error}"),
                })?;
                println!("{} graded", count.graded);
                if count.left > 0 {
                    bail!(
                        "{} without a grade: their files cannot be read, or are not those that were handed in",
                        count.left
                    );
                }
            }
            Self::Record { cohort, ledger, on } => {
                println!("{} reports are new in {cohort}", office.record(&cohort, &ledger, day(on)?)?);
            }
            Self::Progress { cohort, .. } => print!("{}", office.figures(&PROGRESS, cohort.as_deref())?),
            Self::Statistics { cohort, .. } => print!("{}", office.figures(&STATISTICS, cohort.as_deref())?),
            Self::Certificate { cohort, trainee, level, on } => {
                print!("{}", office.certificate(&cohort, trainee, &level, day(on)?)?);
            }
        }
        Ok(())
    }
}

/// With all cohorts in place of the parameter, so that they run as they stand.
fn print_sql(figures: &[(&str, &str)]) {
    for (title, sql) in figures {
        println!("-- {title}\n{};\n", sql.replace("$1", "'%'").trim_end());
    }
}
