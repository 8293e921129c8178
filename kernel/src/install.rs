//! `haetae-kernel install`: puts the kernel, the toolkit's dylib and what rustc needs to know of it
//! into a Python environment, and writes the kernelspec.

use crate::crates;
use crate::index::{self, build};
use crate::inference::Inference;
use crate::protocol::about;
use crate::toolkit::{self, LIBRARY, Toolkit};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Folder below the prefix for the kernel and the toolkit.
const HOME: &str = "share/haetae";
/// Folder below the prefix for the kernelspec.
pub const KERNELSPEC: &str = "share/jupyter/kernels/haetae";

/// Installs into `prefix` what the build described in `artifacts` has made.
///
/// # Errors
/// When the build's description names no toolkit, or the environment cannot be written.
pub fn install(prefix: &Path, artifacts: Option<&Path>) -> Result<()> {
    let prefix = prefix
        .canonicalize()
        .with_context(|| format!("there is no environment {}; run `make setup`", prefix.display()))?;
    // `make build` leaves cargo's messages above the folder of this program.
    let executable = std::env::current_exe()?;
    let kept = executable.ancestors().nth(2).unwrap_or(Path::new("/")).join("haetae-artifacts.json");
    let artifacts = artifacts.unwrap_or(&kept);
    let built = Built::read(artifacts)?;
    let home = prefix.join(HOME);
    let staged = home.join(toolkit::FOLDER);
    let fresh = home.join("toolkit.new");
    if fresh.exists() {
        fs::remove_dir_all(&fresh)?;
    }
    fs::create_dir_all(&fresh)?;
    for file in built.metadata.iter().chain([&built.library]) {
        let name = file.file_name().context("an artifact without a name")?;
        place(file, &fresh.join(name))?;
    }
    fs::write(fresh.join(toolkit::COMPILER), toolkit::rustc(&["--version"])? + "\n")?;
    fs::write(fresh.join(toolkit::VERSIONS), versions(&fs::read_to_string(artifacts)?))?;
    write_index(&fresh, artifacts)?;
    if staged.exists() {
        fs::remove_dir_all(&staged)?;
    }
    fs::rename(&fresh, &staged)?;
    let kernel = home.join("haetae-kernel");
    if kernel.exists() {
        fs::remove_file(&kernel)?;
    }
    // A copy, so that a later build does not change the kernel under a running notebook.
    fs::copy(std::env::current_exe()?, &kernel)?;
    write_kernelspec(&prefix, &kernel)?;
    println!("kernel `{}` installed in {}", about::DISPLAY_NAME, prefix.display());
    Ok(())
}

/// Removes the kernel and its kernelspec from `prefix`.
///
/// # Errors
/// When a folder cannot be removed.
pub fn uninstall(prefix: &Path) -> Result<()> {
    let mut found = false;
    for folder in [prefix.join(KERNELSPEC), prefix.join(HOME)] {
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
            found = true;
        }
    }
    let done = if found { "removed from" } else { "was not installed in" };
    println!("kernel `{}` {done} {}", about::DISPLAY_NAME, prefix.display());
    Ok(())
}

/// A hard link where the file system allows it: the dylib and its metadata are several 100 MB.
fn place(from: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        return Ok(());
    }
    fs::hard_link(from, to)
        .or_else(|_| fs::copy(from, to).map(drop))
        .with_context(|| format!("cannot place {}", to.display()))
}

/// Writes down what the toolkit holds, for completion. Which names a cell sees without a path, the
/// compiler says: a check imports each of them, and what fails is left out.
fn write_index(staged: &Path, artifacts: &Path) -> Result<()> {
    let (mut index, nameless) = build::types(&fs::read_to_string(artifacts)?);
    let toolkit = Toolkit::in_folder(staged)?;
    let folder = tempfile::tempdir()?;
    let names: Vec<String> = index.prelude.keys().filter(|name| !name.ends_with('!')).cloned().collect();
    let missing = Inference::new(toolkit, folder.path().to_owned()).not_in_prelude(&names);
    let missing = missing.context("the compiler did not answer")?;
    index.restrict(&missing, &nameless);
    fs::write(staged.join(index::FILE), serde_json::to_vec(&index)?)?;
    Ok(())
}

/// A line `NAME VERSION` for each crate that a cell sees through the toolkit, from cargo's messages.
fn versions(artifacts: &str) -> String {
    let messages = artifacts.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    // `registry+https://…#polars@0.55.0`
    let packages = messages.filter_map(|message| Some(message["package_id"].as_str()?.rsplit_once('#')?.1.to_owned()));
    let named = packages.filter(|package| {
        package.split_once('@').is_some_and(|(name, _)| crates::OF_TOOLKIT.iter().any(|(known, _)| *known == name))
    });
    let lines: BTreeSet<String> = named.map(|package| package.replacen('@', " ", 1) + "\n").collect();
    lines.into_iter().collect()
}

fn write_kernelspec(prefix: &Path, kernel: &Path) -> Result<()> {
    let folder = prefix.join(KERNELSPEC);
    fs::create_dir_all(&folder)?;
    let sysroot = PathBuf::from(toolkit::rustc(&["--print", "sysroot"])?);
    let toolchain = sysroot.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let spec = about::kernelspec(&kernel.display().to_string(), &toolchain);
    fs::write(folder.join("kernel.json"), serde_json::to_string_pretty(&spec)? + "\n")?;
    Ok(())
}

/// What cargo says it has built.
struct Built {
    library: PathBuf,
    metadata: Vec<PathBuf>,
}

impl Built {
    fn read(artifacts: &Path) -> Result<Self> {
        let text = fs::read_to_string(artifacts).with_context(|| format!("cannot read {}", artifacts.display()))?;
        let mut library = None;
        let mut metadata = Vec::new();
        for line in text.lines() {
            let Ok(message) = serde_json::from_str::<Value>(line) else { continue };
            if message["reason"] != "compiler-artifact" {
                continue;
            }
            for file in message["filenames"].as_array().into_iter().flatten() {
                let file = PathBuf::from(file.as_str().unwrap_or_default());
                let extension = file.extension().and_then(|e| e.to_str()).unwrap_or("");
                if file.file_name().is_some_and(|name| name == LIBRARY) {
                    library = Some(file);
                } else if extension == "rmeta" || extension == "so" {
                    // The only other dylibs are procedural macros, which crates may re-export.
                    metadata.push(file);
                }
            }
        }
        let Some(library) = library else {
            bail!("{} names no {LIBRARY}; run `make build`", artifacts.display());
        };
        metadata.sort();
        metadata.dedup();
        Ok(Self { library, metadata })
    }
}
