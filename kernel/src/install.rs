//! `haetae-kernel install`: puts the kernel, the toolkit's dylib and what rustc needs to know of it
//! into a Python environment, and writes the kernelspec.

use crate::protocol::about;
use crate::toolkit::{self, LIBRARY};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// Installs into `prefix` what the build described in `artifacts` has made.
///
/// # Errors
/// When the build's description names no toolkit, or the environment cannot be written.
pub fn install(prefix: &Path, artifacts: &Path) -> Result<()> {
    let prefix = prefix
        .canonicalize()
        .with_context(|| format!("there is no environment {}; run `make setup`", prefix.display()))?;
    let built = Built::read(artifacts)?;
    let home = prefix.join("share/haetae");
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

/// A hard link where the file system allows it: the dylib and its metadata are several 100 MB.
fn place(from: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        return Ok(());
    }
    fs::hard_link(from, to)
        .or_else(|_| fs::copy(from, to).map(drop))
        .with_context(|| format!("cannot place {}", to.display()))
}

fn write_kernelspec(prefix: &Path, kernel: &Path) -> Result<()> {
    let folder = prefix.join("share/jupyter/kernels/haetae");
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
                } else if extension == "rmeta" {
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
