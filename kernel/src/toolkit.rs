//! Where the prebuilt toolkit lies and how rustc is told of it. See
//! `docs/decisions/0001-toolkit-as-one-dylib.md`.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

/// Folder beside the kernel's executable that `install` fills.
pub const FOLDER: &str = "toolkit";
/// File beside it that names the compiler it was built with.
pub const COMPILER: &str = "rustc-version";
/// File beside it with names and versions of the crates that a cell sees through the toolkit.
pub const VERSIONS: &str = "crate-versions";
/// File name of the dylib.
pub const LIBRARY: &str = "libhaetae.so";

/// The staged toolkit together with the compiler that it was built with.
#[derive(Clone, Debug)]
pub struct Toolkit {
    folder: PathBuf,
    sysroot: PathBuf,
    /// Compiler arguments for the crates that `%dep` has added; shared by all clones.
    crates: Arc<Mutex<Vec<String>>>,
    /// The compiler's version, as in `1.95.0`.
    pub rustc_version: String,
}

impl Toolkit {
    /// The toolkit beside the running executable.
    ///
    /// # Errors
    /// When it was never staged or there is no `rustc`.
    pub fn find() -> Result<Self> {
        let executable = std::env::current_exe().context("where is this executable?")?;
        Self::in_folder(&executable.parent().unwrap_or(Path::new("/")).join(FOLDER))
    }

    /// The toolkit that is staged in a folder.
    ///
    /// # Errors
    /// As [`Toolkit::find`].
    pub fn in_folder(folder: &Path) -> Result<Self> {
        let folder = folder.to_owned();
        if !folder.join(LIBRARY).is_file() {
            bail!("there is no {LIBRARY} in {}; run `make build`", folder.display());
        }
        let sysroot = PathBuf::from(rustc(&["--print", "sysroot"])?);
        let version = rustc(&["--version"])?;
        let rustc_version = version.split_whitespace().nth(1).unwrap_or_default().to_owned();
        Ok(Self { folder, sysroot, crates: Arc::default(), rustc_version })
    }

    /// Folder of the dylib, the metadata and the index.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The dylib.
    pub fn library(&self) -> PathBuf {
        self.folder.join(LIBRARY)
    }

    /// The compiler itself, not rustup's proxy, which costs a process start a cell.
    pub fn rustc(&self) -> PathBuf {
        self.sysroot.join("bin/rustc")
    }

    /// Compiler arguments with which a crate sees the toolkit and nothing has to be built.
    pub fn rustc_arguments(&self) -> Vec<String> {
        let mut arguments = vec![
            "-Cprefer-dynamic".to_owned(),
            "--extern".to_owned(),
            format!("haetae={}", self.library().display()),
            "-L".to_owned(),
            format!("dependency={}", self.folder.display()),
        ];
        arguments.extend(self.crates.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned());
        arguments
    }

    /// From here on code sees crates beside the toolkit, by these compiler arguments.
    pub fn set_crates(&self, arguments: Vec<String>) {
        *self.crates.lock().unwrap_or_else(PoisonError::into_inner) = arguments;
    }

    /// The version of a crate that a cell sees through the toolkit, where the installation has noted it.
    pub fn version_of(&self, name: &str) -> Option<String> {
        let versions = std::fs::read_to_string(self.folder.join(VERSIONS)).ok()?;
        versions.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned))
    }

    /// cargo of the same toolchain.
    pub fn cargo(&self) -> PathBuf {
        let cargo = self.sysroot.join("bin/cargo");
        if cargo.is_file() { cargo } else { PathBuf::from("cargo") }
    }

    /// Folders in which the worker finds the toolkit and the standard library.
    pub fn library_path(&self) -> Result<String> {
        let standard = rustc(&["--print", "target-libdir"])?;
        let mut path = format!("{}:{standard}", self.folder.display());
        if let Ok(inherited) = std::env::var("LD_LIBRARY_PATH")
            && !inherited.is_empty()
        {
            path.push(':');
            path.push_str(&inherited);
        }
        Ok(path)
    }
}

/// Runs `rustc` of the toolchain in force; its output without the line end.
pub fn rustc(arguments: &[&str]) -> Result<String> {
    let output = Command::new("rustc")
        .args(arguments)
        .output()
        .context("cannot run rustc: is the Rust toolchain on the PATH?")?;
    if !output.status.success() {
        bail!("rustc {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
