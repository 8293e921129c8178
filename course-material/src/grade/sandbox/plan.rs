//! What goes in: a Python with the kernel, and what else may be seen. What comes out: the steps that make a file system with
//! these things and nothing else, and the variables that hold in it.

use std::collections::BTreeSet;
use std::ffi::{CString, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::enter::Step;

/// Programs and libraries of the system. Links among them stay links.
const SYSTEM: [&str; 9] = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store"];
/// Of the settings those without which programs are not found, started or named; no keys, no passwords.
const SETTINGS: [&str; 8] = [
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/passwd",
    "/etc/group",
    "/etc/nsswitch.conf",
    "/etc/localtime",
];
const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];
/// What a run writes, compiled cells for the most part, is in memory and bounded.
const ROOM: &str = "mode=0755,size=1g,nr_inodes=200k";
/// Variables of the caller that hold inside as well.
const KEPT: [&str; 7] = ["PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "RUSTUP_TOOLCHAIN", "HAETAE_USER"];

/// Folders inside.
pub(super) const HOME: &str = "/tmp/home";
pub(super) const WORK: &str = "/tmp/work";
pub(super) const SECRET: &str = "/tmp/secret";

/// A home for the toolchain, named by a variable or below the home of the caller.
fn home_of(variable: &str, name: &str) -> Option<PathBuf> {
    let named = std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    named.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(name)))
}

/// What has to be seen for a kernel to start: the environment of the Python, the Python itself where it lies elsewhere, and the
/// Rust toolchain.
fn needed(python: &Path) -> io::Result<Vec<PathBuf>> {
    let prefix = |program: &Path| program.parent().and_then(Path::parent).map(Path::to_owned);
    let real = python.canonicalize()?;
    let mut shown: Vec<PathBuf> = [prefix(python), prefix(&real)].into_iter().flatten().collect();
    let (here, home) = (std::env::current_dir()?, std::env::var_os("HOME").map(PathBuf::from));
    if let Some(wide) = shown.iter().find(|prefix| holds_more(prefix, &here, home.as_deref())) {
        return Err(io::Error::other(format!(
            "a run would see all of {}, where this Python is installed and other things are; name the Python of a virtual \
             environment, in a folder of its own",
            wide.display()
        )));
    }
    shown.extend(home_of("RUSTUP_HOME", ".rustup"));
    // Its programs alone: there may be a password for a registry beside them.
    shown.extend(home_of("CARGO_HOME", ".cargo").map(|home| home.join("bin")));
    Ok(shown)
}

/// Whether a folder in which a Python is installed is more than that: one that holds the course or a home, or the local
/// programs of a user. What is of the system is seen anyway.
fn holds_more(prefix: &Path, here: &Path, home: Option<&Path>) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let prefix = real(prefix);
    if SYSTEM.iter().any(|system| prefix.starts_with(system)) {
        return false;
    }
    real(here).starts_with(&prefix)
        || home.is_some_and(|home| real(home).starts_with(&prefix) || real(&home.join(".local")) == prefix)
}

/// The variables inside; all others of the caller are gone.
pub(super) fn variables() -> Vec<(OsString, OsString)> {
    let kept = KEPT.iter().filter_map(|name| Some((OsString::from(*name), std::env::var_os(name)?)));
    let mut variables: Vec<(OsString, OsString)> = kept.collect();
    for (name, at) in
        [("HOME", HOME), ("TMPDIR", "/tmp"), ("HAETAE_DATA_DIR", "/tmp/home/data"), ("CARGO_HOME", "/tmp/home/cargo")]
    {
        variables.push((name.into(), at.into()));
    }
    variables.extend(home_of("RUSTUP_HOME", ".rustup").map(|home| ("RUSTUP_HOME".into(), home.into())));
    variables
}

/// The steps, below `root`, an empty folder. `secret` is what a client logs in with.
pub(super) fn steps(root: &Path, python: &Path, more: &[PathBuf], secret: Option<&[u8]>) -> io::Result<Vec<Step>> {
    let mut made = Making { root, folders: BTreeSet::new(), steps: Vec::new() };
    made.steps.push(Step::Memory { at: text(root)?, options: CString::new(ROOM)? });
    let system = SYSTEM.iter().chain(&SETTINGS).map(PathBuf::from);
    let mut shown: Vec<PathBuf> = system.chain(needed(python)?).chain(more.iter().cloned()).collect();
    // What a link leads to, for those of the system too: it may lead out of what is shown.
    let targets = shown.iter().filter(|path| path.is_symlink()).filter_map(|path| path.canonicalize().ok());
    shown.extend(targets.collect::<Vec<_>>());
    // What lies in a folder that is shown anyway needs no place of its own, which could not be made there.
    shown.sort();
    shown.dedup();
    let mut tops: Vec<PathBuf> = Vec::new();
    for path in shown {
        if !tops.iter().any(|top| path.starts_with(top)) {
            made.show(&path)?;
            tops.push(path);
        }
    }
    for device in DEVICES {
        let at = made.within(Path::new(device))?;
        made.steps.push(Step::Place(text(&at)?));
        made.steps.push(Step::Device { from: CString::new(device)?, at: text(&at)? });
    }
    for folder in ["/proc", "/dev/shm", "/var/tmp", HOME, WORK] {
        made.folder(Path::new(folder))?;
    }
    made.steps.push(Step::Processes(text(&made.at(Path::new("/proc")))?));
    if let Some(secret) = secret {
        made.steps.push(Step::File { at: text(&made.at(Path::new(SECRET)))?, bytes: secret.to_vec() });
    }
    made.steps.push(Step::Root(text(root)?));
    made.steps.push(Step::Work(CString::new(WORK)?));
    Ok(made.steps)
}

fn text(path: &Path) -> io::Result<CString> {
    Ok(CString::new(path.as_os_str().as_bytes())?)
}

struct Making<'a> {
    root: &'a Path,
    folders: BTreeSet<PathBuf>,
    steps: Vec<Step>,
}

impl Making<'_> {
    fn at(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    fn folder(&mut self, path: &Path) -> io::Result<()> {
        if path == Path::new("/") || !self.folders.insert(path.to_owned()) {
            return Ok(());
        }
        if let Some(above) = path.parent() {
            self.folder(above)?;
        }
        self.steps.push(Step::Folder(text(&self.at(path))?));
        Ok(())
    }

    /// The place of something whose folder is there.
    fn within(&mut self, path: &Path) -> io::Result<PathBuf> {
        if let Some(above) = path.parent() {
            self.folder(above)?;
        }
        Ok(self.at(path))
    }

    /// Shows what is at a path; nothing where nothing is.
    fn show(&mut self, path: &Path) -> io::Result<()> {
        let Ok(found) = path.symlink_metadata() else { return Ok(()) };
        let at = self.within(path)?;
        if found.is_symlink() {
            self.steps.push(Step::Link { to: text(&path.read_link()?)?, at: text(&at)? });
            return Ok(());
        }
        match found.is_dir() {
            true => self.folder(path)?,
            false => self.steps.push(Step::Place(text(&at)?)),
        }
        self.steps.push(Step::Show { from: text(path)?, at: text(&at)? });
        Ok(())
    }
}

/// What a step was about, for people.
pub(super) fn describe(step: &Step) -> String {
    let at = |path: &CString| path.to_string_lossy().into_owned();
    match step {
        Step::Memory { .. } => "make an empty file system".to_owned(),
        Step::Folder(path) | Step::Place(path) | Step::Link { at: path, .. } | Step::File { at: path, .. } => {
            format!("make {}", at(path))
        }
        Step::Show { from, .. } | Step::Device { from, .. } => {
            format!("show {} without letting it be changed", at(from))
        }
        Step::Processes(_) => "show the processes of the run alone (/proc)".to_owned(),
        Step::Root(_) | Step::Work(_) => "go into the new file system".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_python_does_not_open_what_lies_around_it() {
        let (here, home) = (Path::new("/srv-x/course"), Path::new("/home-x/kim"));
        let wide = |prefix: &str| holds_more(Path::new(prefix), here, Some(home));
        for refused in ["/", "/srv-x", "/srv-x/course", "/home-x", "/home-x/kim", "/home-x/kim/.local"] {
            assert!(wide(refused), "{refused}");
        }
        for fine in
            ["/usr", "/usr/local", "/srv-x/course/.venv", "/home-x/kim/.local/share/uv/python/3.13", "/opt-x/python"]
        {
            assert!(!wide(fine), "{fine}");
        }
    }
}
