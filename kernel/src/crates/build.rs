//! A list of crates -> libraries, by cargo, and compiler arguments that name them.

use super::{CrateError, Progress};
use crate::processes::Group;
use crate::toolkit::Toolkit;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// Lines of the tools' output that are kept for a message.
const KEPT_LINES: usize = 60;

/// The cargo project whose dependencies are the crates of a notebook.
pub(super) struct Project {
    folder: PathBuf,
    /// Shared by all kernels, so that a crate is compiled once.
    target: PathBuf,
    cargo: PathBuf,
    rustc: PathBuf,
}

/// What came out.
pub(super) struct Built {
    /// Compiler arguments for all crates.
    pub(super) arguments: Vec<String>,
    /// Version of the one that is new.
    pub(super) version: String,
}

impl Project {
    pub(super) fn new(toolkit: &Toolkit, folder: PathBuf) -> Self {
        let target = cache_folder().unwrap_or_else(|| folder.clone()).join("target");
        Self { folder, target, cargo: toolkit.cargo(), rustc: toolkit.rustc() }
    }

    /// The name of the crate in a folder.
    pub(super) async fn name_of(&self, folder: &Path) -> Result<String, CrateError> {
        let manifest = folder.join("Cargo.toml");
        let mut command = self.cargo("metadata", false);
        command.args(["--format-version=1", "--no-deps", "--manifest-path"]).arg(&manifest);
        command.current_dir(folder);
        let not_found = |details| CrateError::NotFound { name: manifest.display().to_string(), online: true, details };
        let (output, said, ended_well) = read(command, |_| ()).await?;
        if !ended_well {
            return Err(not_found(said));
        }
        let metadata: Value = serde_json::from_str(&output).unwrap_or_default();
        let manifest_of = |package: &&Value| package["manifest_path"].as_str().map(Path::new) == Some(&manifest);
        let package = metadata["packages"].as_array().into_iter().flatten().find(manifest_of);
        let name = package.and_then(|package| package["name"].as_str());
        name.map(str::to_owned).ok_or_else(|| not_found(vec!["it is a workspace and no crate".to_owned()]))
    }

    /// Builds `crates` (names and specifications), of which `new` is the one that was not there before.
    pub(super) async fn build(
        &self,
        crates: &[(&str, &str)],
        new: &str,
        online: bool,
        watch: &mut impl FnMut(Progress),
    ) -> Result<Built, CrateError> {
        self.write(crates).map_err(|source| self.refused(source))?;
        let mut resolve = self.cargo("metadata", !online);
        resolve.arg("--format-version=1");
        let mut progress = Progress { label: new.to_owned(), done: 0, of: 1 };
        watch(progress.clone());
        let (output, said, ended_well) = read(resolve, |line| progress.hear(new, &line, watch)).await?;
        if !ended_well {
            return Err(CrateError::NotFound { name: new.to_owned(), online, details: said });
        }
        let metadata: Value = serde_json::from_str(&output).unwrap_or_default();
        let wanted = direct(&metadata);
        let code_name = new.replace('-', "_");
        let Some((_, id)) = wanted.iter().find(|(name, _)| *name == code_name) else {
            return Err(CrateError::NoLibrary { name: new.to_owned() });
        };
        let package = metadata["packages"].as_array().into_iter().flatten().find(|package| package["id"] == **id);
        let version = package.and_then(|package| package["version"].as_str()).unwrap_or_default().to_owned();
        progress.of = parts(&metadata);
        let mut compile = self.cargo("build", !online);
        compile.arg("--message-format=json-render-diagnostics");
        let (output, said, ended_well) = read(compile, |line| progress.hear(new, &line, watch)).await?;
        if !ended_well {
            return Err(CrateError::Build { name: new.to_owned(), details: said });
        }
        watch(Progress { done: progress.of, label: new.to_owned(), ..progress });
        let arguments = self.place(&output, &wanted).map_err(|source| self.refused(source))?;
        Ok(Built { arguments, version })
    }

    fn refused(&self, source: std::io::Error) -> CrateError {
        CrateError::Disk { folder: self.folder.display().to_string(), source }
    }

    fn write(&self, crates: &[(&str, &str)]) -> std::io::Result<()> {
        std::fs::create_dir_all(self.folder.join("src"))?;
        std::fs::write(self.folder.join("src/lib.rs"), "")?;
        let dependencies: String = crates.iter().map(|(name, of)| format!("{name} = {of}\n")).collect();
        // Cells are not optimised as a rule; what they call should be.
        let manifest = format!(
            "[package]\nname = \"haetae-notebook\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
             [profile.dev]\nopt-level = 3\ndebug = false\n\n[workspace]\n\n[dependencies]\n{dependencies}"
        );
        std::fs::write(self.folder.join("Cargo.toml"), manifest)
    }

    fn cargo(&self, subcommand: &str, offline: bool) -> Command {
        let mut command = Command::new(&self.cargo);
        command
            .arg(subcommand)
            .current_dir(&self.folder)
            .env("RUSTC", &self.rustc)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_TERM_COLOR", "never")
            .env("CARGO_TERM_PROGRESS_WHEN", "never")
            // The toolkit may hold the same crate in the same version, and rustc wants them told apart.
            .env("RUSTFLAGS", "-Cmetadata=haetae-notebook");
        for inherited in ["CARGO_ENCODED_RUSTFLAGS", "CARGO_MAKEFLAGS", "MAKEFLAGS", "RUSTC_WRAPPER"] {
            command.env_remove(inherited);
        }
        if offline {
            command.arg("--offline");
        }
        command
    }

    /// Puts what was built where no other build can change it; compiler arguments that name it.
    fn place(&self, messages: &str, wanted: &[(String, String)]) -> std::io::Result<Vec<String>> {
        let folder = self.folder.join("libraries");
        std::fs::create_dir_all(&folder)?;
        let mut libraries = BTreeMap::new();
        let mut native = BTreeSet::new();
        for message in messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            let texts = |field: &str| -> Vec<String> {
                message[field].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
            };
            native.extend(texts("linked_paths"));
            let files = texts("filenames");
            let with = |ending: &'static str| files.iter().filter(move |file| file.ends_with(ending));
            // Only a procedural macro has no other library than the `.so`.
            let Some(file) = with(".rlib").chain(with(".so")).next().map(Path::new) else { continue };
            let Some(name) = file.file_name() else { continue };
            let placed = folder.join(name);
            if placed.exists() {
                std::fs::remove_file(&placed)?;
            }
            std::fs::hard_link(file, &placed).or_else(|_| std::fs::copy(file, &placed).map(drop))?;
            libraries.insert(message["package_id"].as_str().unwrap_or_default().to_owned(), placed);
        }
        let named = wanted.iter().filter_map(|(name, id)| Some((name, libraries.get(id)?)));
        let externs = named.flat_map(|(name, file)| ["--extern".to_owned(), format!("{name}={}", file.display())]);
        let dependency = ["-L".to_owned(), format!("dependency={}", folder.display())];
        let native = native.iter().flat_map(|path| ["-L".to_owned(), path.clone()]);
        Ok(externs.chain(dependency).chain(native).collect())
    }
}

impl Progress {
    /// Takes a line of cargo's; tells `watch` where it says something new.
    fn hear(&mut self, new: &str, line: &Line<'_>, watch: &mut impl FnMut(Progress)) {
        const NEWS: [&str; 5] = ["Blocking", "Compiling", "Downloaded", "Downloading", "Updating"];
        match line {
            Line::Out(line) if is_artifact(line) => self.done += 1,
            Line::Err(line) if NEWS.iter().any(|word| line.trim_start().starts_with(word)) => {
                self.label = format!("{new}: {}", line.trim());
            }
            _ => return,
        }
        watch(self.clone());
    }
}

/// Name in code, and package, of the project's own dependencies.
fn direct(metadata: &Value) -> Vec<(String, String)> {
    let resolve = &metadata["resolve"];
    let root = resolve["nodes"].as_array().into_iter().flatten().find(|node| node["id"] == resolve["root"]);
    let dependencies = root.and_then(|node| node["deps"].as_array()).into_iter().flatten();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    dependencies.filter_map(|of| Some((text(&of["name"])?, text(&of["pkg"])?))).collect()
}

/// Whether a message of cargo's says that a part of a crate is there.
fn is_artifact(line: &str) -> bool {
    line.contains("\"reason\":\"compiler-artifact\"") && !line.contains("\"name\":\"haetae_notebook\"")
}

/// Libraries and build scripts of all packages, as far as they may be built.
fn parts(metadata: &Value) -> usize {
    let nodes: BTreeSet<&str> =
        metadata["resolve"]["nodes"].as_array().into_iter().flatten().filter_map(|node| node["id"].as_str()).collect();
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let used = packages.filter(|package| {
        package["name"] != "haetae-notebook" && package["id"].as_str().is_some_and(|id| nodes.contains(id))
    });
    let targets = used.flat_map(|package| package["targets"].as_array().into_iter().flatten());
    let kinds = ["lib", "rlib", "proc-macro", "custom-build"];
    targets.filter(|target| kinds.iter().any(|kind| target["kind"][0] == **kind)).count()
}

/// A line of a program's output.
enum Line<'a> {
    Out(&'a str),
    Err(&'a str),
}

/// Runs a program; its standard output, the end of what it said on the other, and whether it ended well.
async fn read(command: Command, mut watch: impl FnMut(Line<'_>)) -> Result<(String, Vec<String>, bool), CrateError> {
    let failed = |error: std::io::Error| CrateError::Cargo { reason: error.to_string() };
    let mut group = Group::start(command).map_err(failed)?;
    let mut out = lines(group.child.stdout.take());
    let mut err = lines(group.child.stderr.take());
    let (mut output, mut said) = (String::new(), Vec::new());
    let (mut out_open, mut err_open) = (true, true);
    while out_open || err_open {
        tokio::select! {
            line = out.next_line(), if out_open => match line.map_err(failed)? {
                Some(line) => {
                    watch(Line::Out(&line));
                    output.push_str(&line);
                    output.push('\n');
                }
                None => out_open = false,
            },
            line = err.next_line(), if err_open => match line.map_err(failed)? {
                Some(line) => {
                    watch(Line::Err(&line));
                    said.push(line);
                }
                None => err_open = false,
            },
        }
    }
    let status = group.child.wait().await.map_err(failed)?;
    let first = said.len().saturating_sub(KEPT_LINES);
    Ok((output, said.split_off(first), status.success()))
}

/// A stream's lines; a stream that is not there has none.
fn lines<R: AsyncRead + Send + Unpin + 'static>(
    stream: Option<R>,
) -> tokio::io::Lines<BufReader<Box<dyn AsyncRead + Send + Unpin>>> {
    let stream: Box<dyn AsyncRead + Send + Unpin> = match stream {
        Some(stream) => Box::new(stream),
        None => Box::new(tokio::io::empty()),
    };
    BufReader::new(stream).lines()
}

/// Where crates are kept between kernels.
fn cache_folder() -> Option<PathBuf> {
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = named("XDG_CACHE_HOME").or_else(|| named("HOME").map(|home| home.join(".cache")))?;
    Some(cache.join("haetae/crates"))
}
