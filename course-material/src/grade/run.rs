//! Cells, run one after the other in a kernel of their own, to what became of each; bounded in time and memory.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::json;

use super::limits::Limits;
use super::processes::{family, memory};
use super::sandbox::{self, Apart, Isolation, Refused, Started, View};
use crate::error::{Error, Result};

const PROGRAM: &str = include_str!("run.py");
/// Where a client finds the server's password.
const SECRET_VARIABLE: &str = "HAETAE_SECRET_FILE";
const USER_VARIABLE: &str = "HAETAE_USER";
const URL_VARIABLE: &str = "HAETAE_URL";
/// Memory that a single process may claim above what all may use: the kernel has threads with stacks that stay empty.
const CLAIMED: u64 = 2 << 30;
/// The largest file that a run may write.
const LARGEST_FILE: u64 = 1 << 30;
/// How often memory is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// How long stderr may stay open when a run has ended: somebody whom it has left behind may hold it.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// Of which so much is read.
const MOST_WORDS: u64 = 1 << 20;

/// A cell to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub name: String,
    pub code: String,
}

impl Step {
    pub fn new(name: &str, code: &str) -> Self {
        Self { name: name.to_owned(), code: code.to_owned() }
    }
}

/// What became of a cell.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Outcome {
    pub name: String,
    /// `ok`, `error` or `time`.
    pub status: String,
    /// The error, or what was printed.
    pub text: String,
    /// Characters of all output.
    pub size: u64,
    /// Whether the kernel did not come back.
    pub gone: bool,
}

/// A run.
#[derive(Default)]
pub(super) struct Ran {
    pub outcomes: Vec<Outcome>,
    pub notes: Vec<String>,
    pub apart: Apart,
}

/// As whom a run asks the server.
#[derive(Clone, Debug)]
pub struct Login {
    /// The user.
    pub user: String,
    /// The file with the password.
    pub secret: PathBuf,
}

/// The Python that has the kernel.
#[derive(Clone, Debug)]
pub struct Runner {
    /// Its interpreter.
    pub python: PathBuf,
    /// Name of the kernel.
    pub kernel: String,
    /// Whether runs are kept apart from the machine.
    pub isolation: Isolation,
    /// What a run may see of the machine beside the system, the Python and the toolchain.
    pub shown: Vec<PathBuf>,
    /// Who asks the server; whoever the environment names where nobody is named here.
    pub login: Option<Login>,
}

impl Runner {
    /// One with the usual kernel.
    pub fn new(python: PathBuf) -> Self {
        let (isolation, shown) = (Isolation::default(), Vec::new());
        Self { python, kernel: "haetae".to_owned(), isolation, shown, login: None }
    }

    /// Runs cells. What exceeds the limits ends the run; what had run until then is returned.
    pub(super) fn run(&self, steps: &[Step], limits: &Limits) -> Result<Ran> {
        let failed = |reason: String| Error::Runner { reason };
        // An empty folder, so that a cell finds no other file of the course by a relative path.
        let folder = tempfile::tempdir().map_err(|error| failed(format!("no temporary folder: {error}")))?;
        let (Started { mut child, door }, apart, note) = self.start(folder.path(), limits)?;
        let order = json!({
            "kernel": self.kernel,
            "cell_seconds": limits.cell.as_secs_f64(),
            "output": limits.output,
            "steps": steps.iter().map(|step| json!({"name": step.name, "code": step.code})).collect::<Vec<_>>(),
        });
        if let Some(mut stdin) = child.stdin.take() {
            // A program that has ended already says why on stderr.
            let _ = stdin.write_all(order.to_string().as_bytes());
        }
        let mut ran = watch(&mut child, limits);
        let said = end(child);
        drop(door);
        ran.apart = apart;
        if ran.outcomes.is_empty() && ran.notes.is_empty() {
            let last = said.lines().last().unwrap_or("it said nothing").to_owned();
            return Err(failed(format!("{last}; is the kernel installed (`make build`) and does the server run?")));
        }
        ran.notes.extend(note);
        Ok(with_notes(ran, limits))
    }

    /// What one cell prints, in a kernel of its own.
    ///
    /// # Errors
    /// When it cannot be run, or fails; with the reason.
    pub fn printed(&self, code: &str, limits: &Limits) -> Result<String> {
        // It is the course's own.
        let open = Self { isolation: Isolation::Off, ..self.clone() };
        let ran = open.run(&[Step::new("cell", code)], limits)?;
        match ran.outcomes.into_iter().next() {
            Some(outcome) if outcome.status == "ok" && outcome.size <= limits.output => Ok(outcome.text),
            Some(outcome) if outcome.status == "error" => Err(Error::Runner { reason: outcome.text }),
            _ => Err(Error::Runner { reason: ran.notes.join("; ") }),
        }
    }

    /// Starts the program: apart from the machine where that is wished and can be. Says so where it cannot.
    fn start(&self, folder: &Path, limits: &Limits) -> Result<(Started, Apart, Option<String>)> {
        let failed = |error: std::io::Error| Error::Runner {
            reason: format!("{}: {error}; run `make build`, or name a Python with --python", self.python.display()),
        };
        let python = std::path::absolute(&self.python).map_err(failed)?;
        let refused = |refused: Refused| match refused {
            Refused::Machine(reason) | Refused::Asked(reason) => Error::Runner { reason },
            Refused::Program(error) => failed(error),
        };
        let openly = || -> Result<Started> {
            let mut command = self.command(&python, limits).map_err(failed)?;
            command.current_dir(folder);
            sandbox::start_openly(command).map_err(refused)
        };
        if self.isolation == Isolation::Off {
            return Ok((openly()?, Apart::None, None));
        }
        let command = self.command(&python, limits).map_err(failed)?;
        let url = std::env::var(URL_VARIABLE).ok();
        let secret = self.login.as_ref().map(|login| login.secret.clone());
        let secret = secret.or_else(|| std::env::var_os(SECRET_VARIABLE).map(PathBuf::from));
        let read = |path: PathBuf| {
            let why = |error| Error::Runner { reason: format!("the password in {}: {error}", path.display()) };
            std::fs::read(&path).map_err(why)
        };
        let secret = secret.map(read).transpose()?;
        let view = View {
            root: folder,
            python: &python,
            more: &self.shown,
            url: url.as_deref(),
            user: self.login.as_ref().map(|login| login.user.as_str()),
            secret,
        };
        match sandbox::start(command, view) {
            Ok(started) => Ok((started, Apart::Namespaces, None)),
            Err(Refused::Machine(why)) if self.isolation == Isolation::Auto && !limits.rust => {
                let note = format!("the run was not kept apart from the machine ({why}); it ran queries alone");
                Ok((openly()?, Apart::None, Some(note)))
            }
            Err(Refused::Machine(why)) => Err(Error::Runner {
                reason: format!(
                    "the run cannot be kept apart from the machine: {why}. Allow namespaces to users \
                     (docs/guides/training-office.md says how), or pass --isolation off where nothing of worth can be \
                     read or changed"
                ),
            }),
            Err(other) => Err(refused(other)),
        }
    }

    fn command(&self, python: &Path, limits: &Limits) -> std::io::Result<Command> {
        // It starts in another folder, so paths have to be whole. Links are kept: that of a virtual environment says
        // which one it is.
        let mut command = Command::new(python);
        let named = self.login.as_ref().map(|login| login.secret.clone().into_os_string());
        if let Some(secret) = named.or_else(|| std::env::var_os(SECRET_VARIABLE)) {
            command.env(SECRET_VARIABLE, std::path::absolute(secret)?);
        }
        if let Some(login) = &self.login {
            command.env(USER_VARIABLE, &login.user);
        }
        let memory = limits.memory.saturating_add(CLAIMED);
        // SAFETY: it makes system calls alone.
        unsafe { command.pre_exec(move || sandbox::bound(memory, LARGEST_FILE)) };
        command
            .args(["-c", PROGRAM])
            .env_remove("HAETAE_ALLOW_BASH")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Ok(command)
    }
}

/// Reads outcomes until the end, or until a limit is passed.
fn watch(child: &mut Child, limits: &Limits) -> Ran {
    let mut ran = Ran::default();
    let Some(stdout) = child.stdout.take() else { return ran };
    let (told, lines) = channel();
    std::thread::spawn(move || {
        BufReader::new(stdout).lines().map_while(|line| line.ok()).all(|line| told.send(line).is_ok())
    });
    let end = Instant::now() + limits.all;
    loop {
        match lines.recv_timeout(LOOK) {
            Ok(line) => ran.outcomes.extend(serde_json::from_str::<Outcome>(&line)),
            Err(RecvTimeoutError::Disconnected) => return ran,
            Err(RecvTimeoutError::Timeout) => {}
        }
        let family = family(child.id());
        let used = memory(&family);
        if family.len() > limits.processes {
            let (found, most) = (family.len(), limits.processes);
            ran.notes.push(format!("the run was ended: it had {found} processes, {most} are allowed"));
        } else if used > limits.memory {
            ran.notes.push(format!(
                "the run was ended: it took {} MB of memory, {} are allowed",
                used >> 20,
                limits.memory >> 20
            ));
        } else if Instant::now() > end {
            ran.notes.push(format!("the run was ended: it took more than {} s", limits.all.as_secs()));
        } else {
            continue;
        }
        return ran;
    }
}

/// Ends what is left of a run; what it said on stderr.
fn end(mut child: Child) -> String {
    if child.try_wait().ok().flatten().is_none() {
        for process in family(child.id()) {
            // SAFETY: `kill` touches no memory of ours; the processes are ours and our child's.
            unsafe { libc::kill(process as i32, libc::SIGKILL) };
        }
    }
    let said = child.stderr.take().map(last_words).unwrap_or_default();
    let _ = child.wait();
    String::from_utf8_lossy(&said).into_owned()
}

/// What is there to read, until the end or until nothing more comes.
fn last_words(from: impl Read + Send + 'static) -> Vec<u8> {
    let (told, parts) = channel();
    let reader = std::thread::Builder::new().spawn(move || {
        let (mut from, mut part) = (from.take(MOST_WORDS), [0; 4096]);
        while let Ok(size @ 1..) = from.read(&mut part) {
            if told.send(part[..size].to_vec()).is_err() {
                return;
            }
        }
    });
    let until = Instant::now() + LAST_WORDS;
    let mut said = Vec::new();
    while reader.is_ok() {
        let Ok(part) = parts.recv_timeout(until.saturating_duration_since(Instant::now())) else { break };
        said.extend(part);
    }
    said
}

fn with_notes(mut ran: Ran, limits: &Limits) -> Ran {
    for outcome in &ran.outcomes {
        if outcome.status == "time" {
            let name = &outcome.name;
            ran.notes.push(format!("`{name}` took more than {} s and was stopped", limits.cell.as_secs()));
        }
        if outcome.gone {
            ran.notes.push("it did not stop when it was asked to: nothing behind it was run".to_owned());
        }
        if outcome.size > limits.output {
            let size = outcome.size / 1000;
            ran.notes.push(format!("`{}` wrote {size} kB; only the beginning was kept", outcome.name));
        }
    }
    ran
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stderr_that_stays_open_holds_nobody_up() {
        let (ours, mut theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        theirs.write_all(b"the last words").unwrap();
        assert_eq!(last_words(ours), b"the last words");
        drop(theirs);
        assert_eq!(last_words(&b"all"[..]), b"all");
    }
}
