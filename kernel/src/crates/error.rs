//! Why a crate was not added.

/// Why a crate was not added.
#[derive(Debug, thiserror::Error)]
pub enum CrateError {
    /// Cells see it already, and a second one would have other types.
    #[error("{name}{} is part of the toolkit: {remedy}", spaced(.version))]
    OfToolkit {
        /// The crate.
        name: String,
        /// Its version there; empty where the installation does not say.
        version: String,
        /// How code names it.
        remedy: &'static str,
    },
    /// A crate of that name was added before.
    #[error("{name} is there as {known}, and variables may hold its values; restart the kernel to have {wanted}")]
    OtherForm {
        /// The crate.
        name: String,
        /// As it was asked for then.
        known: String,
        /// As it is asked for now.
        wanted: String,
    },
    /// A folder that is not there.
    #[error("cannot open the folder {folder}: {source}")]
    Folder {
        /// Which.
        folder: String,
        /// Why.
        source: std::io::Error,
    },
    /// cargo does not find it.
    #[error("{name} was not found{}", if *.online { "" } else { " on this machine; `%dep --online …` asks the registry" })]
    NotFound {
        /// The crate.
        name: String,
        /// Whether the registry was asked.
        online: bool,
        /// cargo's own words.
        details: Vec<String>,
    },
    /// A crate that is only a program.
    #[error("{name} has no library that a cell could use")]
    NoLibrary {
        /// The crate.
        name: String,
    },
    /// It does not compile.
    #[error("{name} does not compile")]
    Build {
        /// The crate.
        name: String,
        /// The compiler's own words.
        details: Vec<String>,
    },
    /// cargo did not do what it does elsewhere.
    #[error("cargo: {reason}")]
    Cargo {
        /// What is wrong.
        reason: String,
    },
    /// The disk refuses.
    #[error("cannot build crates in {folder}: {source}")]
    Disk {
        /// Where.
        folder: String,
        /// Why.
        source: std::io::Error,
    },
}

fn spaced(version: &str) -> String {
    if version.is_empty() { String::new() } else { format!(" {version}") }
}

impl CrateError {
    /// The tools' own words, to be read below the message.
    pub fn details(&self) -> &[String] {
        match self {
            CrateError::NotFound { details, .. } | CrateError::Build { details, .. } => details,
            _ => &[],
        }
    }
}
