//! What evcxr takes for cargo: a cell's crate -> shared object, by one call of rustc.
//!
//! evcxr starts cargo for each cell, which needs longer to find that there is nothing else to build than a small
//! cell takes to compile. So this program stands on evcxr's path under the names of cargo and of rustup, which
//! evcxr asks for cargo's place. It compiles cells itself and hands everything else to the real ones.

use anyhow::{Context, Result};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// The path as it was before ours stood at its beginning, for everything but evcxr.
pub const PATH_VARIABLE: &str = "HAETAE_PATH";
/// The compiler's messages about the last cell, below the folder of the cells' crate.
pub const MESSAGES: &str = "target/messages.json";

/// Names under which this program answers evcxr.
const NAMES: [&str; 2] = ["cargo", "rustup"];
/// Set by evcxr where it builds a cell: the file in which it wants to find the shared object's path.
const OBJECT_VARIABLE: &str = "EVCXR_EXECUTION_SO_PATH";
/// Where the evaluator's runtime begins in a cell's source, and what comes next.
const RUNTIME: &str = "\nmod evcxr_internal_runtime {\n";
const ENTRY: &str = "\n#[unsafe(no_mangle)]";
/// The name of the cells' crate.
const CRATE: &str = "ctx";

/// Makes a folder in which this program has its other names; the path with it at its beginning.
///
/// # Errors
/// When the disk refuses.
pub fn stage(folder: &Path) -> Result<OsString> {
    fs::create_dir_all(folder)?;
    let own = std::env::current_exe()?;
    for name in NAMES {
        std::os::unix::fs::symlink(&own, folder.join(name))?;
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path));
    Ok(std::env::join_paths(folders)?)
}

/// Where this program was called by one of its other names: does what it was called for.
pub fn called() -> Option<ExitCode> {
    let arguments: Vec<_> = std::env::args_os().collect();
    let own = PathBuf::from(arguments.first()?);
    let name = own.file_name().and_then(OsStr::to_str).filter(|name| NAMES.contains(name))?;
    let words: Vec<&str> = arguments[1..].iter().filter_map(|word| word.to_str()).collect();
    let done = match (name, words.as_slice()) {
        ("rustup", ["which", "cargo"]) => {
            // evcxr has found this program in the folder that stands first on its path.
            let path = std::env::var_os("PATH").unwrap_or_default();
            println!("{}", std::env::split_paths(&path).next().unwrap_or_default().join("cargo").display());
            return Some(ExitCode::SUCCESS);
        }
        ("cargo", [.., "build", "--target", _, "--message-format=json"]) => match std::env::var_os(OBJECT_VARIABLE) {
            Some(object) if is_alone() => compile(Path::new(&object)),
            _ => hand_over(name, &arguments[1..]),
        },
        _ => hand_over(name, &arguments[1..]),
    };
    Some(done.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    }))
}

/// Whether the crate of this folder needs no other.
fn is_alone() -> bool {
    let manifest = fs::read_to_string("Cargo.toml").unwrap_or_default();
    manifest.split_once("[dependencies]").is_some_and(|(_, needed)| needed.trim().is_empty())
}

/// The path for programs of the analyst's.
pub fn outer_path() -> OsString {
    std::env::var_os(PATH_VARIABLE).or_else(|| std::env::var_os("PATH")).unwrap_or_default()
}

fn hand_over(name: &str, arguments: &[OsString]) -> Result<ExitCode> {
    let error = Command::new(name).args(arguments).env("PATH", outer_path()).exec();
    Err(error).with_context(|| format!("cannot run {name}"))
}

/// A cell's source that takes the evaluator's runtime from the toolkit, where it stands compiled, and not from its own
/// text, which takes rustc as long as a small cell. Every line stays where it is: messages of the compiler name them.
fn with_runtime_of_toolkit(source: &str) -> Option<String> {
    let start = source.find(RUNTIME)? + 1;
    let end = start + source[start..].find(ENTRY)?;
    let lines = "\n".repeat(source[start..end].matches('\n').count());
    Some(format!("{}use haetae::variables as evcxr_internal_runtime;{lines}{}", &source[..start], &source[end..]))
}

/// Compiles the crate of this folder with the settings that evcxr has written into its manifest.
fn compile(object: &Path) -> Result<ExitCode> {
    let target = fs::canonicalize(".")?.join("target");
    fs::create_dir_all(&target)?;
    let manifest = fs::read_to_string("Cargo.toml")?;
    let level = manifest.lines().find_map(|line| line.strip_prefix("opt-level = ")).unwrap_or("0");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let flags = std::env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let source = fs::read_to_string("src/lib.rs")?;
    if let Some(shorter) = with_runtime_of_toolkit(&source) {
        fs::write("src/lib.rs", shorter)?;
    }
    let output = Command::new(rustc)
        .args(["--crate-name", CRATE, "--edition=2024", "--crate-type=cdylib", "--emit=link", "--error-format=json"])
        .arg(format!("-Copt-level={level}"))
        .args(["-Cdebuginfo=0", "-Cdebug-assertions=on", "-Coverflow-checks=on", "-Ccodegen-units=1"])
        .arg("--out-dir")
        .arg(&target)
        .args(flags.split('\x1f').filter(|flag| !flag.is_empty()))
        .arg("src/lib.rs")
        .output()
        .context("cannot run rustc")?;
    fs::write(MESSAGES, &output.stderr)?;
    std::io::stderr().write_all(&output.stderr)?;
    if !output.status.success() {
        return Ok(ExitCode::FAILURE);
    }
    fs::write(object, target.join(format!("lib{CRATE}.so")).as_os_str().as_encoded_bytes())?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runtime_is_the_toolkits_and_lines_stay() {
        let source =
            "use x;\nmod evcxr_internal_runtime {\n// one\nmod two {}\n}\n#[unsafe(no_mangle)]\npub fn f() {}\n";
        let expected =
            "use x;\nuse haetae::variables as evcxr_internal_runtime;\n\n\n\n#[unsafe(no_mangle)]\npub fn f() {}\n";
        assert_eq!(with_runtime_of_toolkit(source).as_deref(), Some(expected));
        assert_eq!(with_runtime_of_toolkit("#[unsafe(no_mangle)]\nfn f() {}"), None);
    }
}
