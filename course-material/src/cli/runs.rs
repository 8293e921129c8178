//! Options of a run, to what runs it and what it may use.

use std::path::PathBuf;
use std::time::Duration;

use haetae_course::grade::{Isolation, Limits, Login, Runner};

/// What a submission may use, and how it is kept apart.
#[derive(Debug, clap::Args)]
pub struct Run {
    /// Seconds for one cell.
    #[arg(long, default_value_t = 20)]
    cell_seconds: u64,
    /// Seconds for the whole file.
    #[arg(long, default_value_t = 300)]
    seconds: u64,
    /// Megabytes of memory.
    #[arg(long, default_value_t = 3072)]
    memory_mb: u64,
    /// Run Rust cells of the file, too, where the exercise asks for Rust.
    #[arg(long)]
    rust: bool,
    /// Whether the run is kept apart from the machine: where it can be, for queries; or nothing is run; or not at all,
    /// only where nothing of worth can be read or changed.
    #[arg(long, value_enum, default_value_t)]
    isolation: Apartness,
    /// A file or folder that the run may read beside the system, the Python and the Rust toolchain.
    #[arg(long, value_name = "PATH")]
    show: Vec<PathBuf>,
    /// Who asks the server for the submission, in place of HAETAE_USER: somebody who sees the data of the exercises alone.
    #[arg(long, value_name = "USER", requires = "as_secret_file")]
    as_user: Option<String>,
    /// The file with the password of that user.
    #[arg(long, value_name = "FILE", requires = "as_user")]
    as_secret_file: Option<PathBuf>,
    /// The Python in which the kernel is installed.
    #[arg(long, default_value = ".venv/bin/python")]
    python: PathBuf,
}

/// How a run is kept apart.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum Apartness {
    #[default]
    Auto,
    Required,
    Off,
}

impl Run {
    /// Whether code of a submission could read the password of whoever calls.
    pub fn opens_the_office(&self) -> bool {
        self.rust && self.as_user.is_none()
    }

    pub fn limits(&self) -> Limits {
        Limits {
            cell: Duration::from_secs(self.cell_seconds),
            all: Duration::from_secs(self.seconds),
            memory: self.memory_mb << 20,
            rust: self.rust,
            ..Limits::default()
        }
    }

    pub fn runner(&self) -> Runner {
        let isolation = match self.isolation {
            Apartness::Auto => Isolation::Auto,
            Apartness::Required => Isolation::Required,
            Apartness::Off => Isolation::Off,
        };
        let login = self.as_user.clone().zip(self.as_secret_file.clone());
        let login = login.map(|(user, secret)| Login { user, secret });
        Runner { isolation, shown: self.show.clone(), login, ..Runner::new(self.python.clone()) }
    }
}
