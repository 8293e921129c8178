//! Cells, run one after the other in a kernel of their own, to what became of each; bounded in time and memory.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::json;

use super::limits::Limits;
use crate::error::{Error, Result};

const PROGRAM: &str = include_str!("run.py");
/// Where a client finds the server's password.
const SECRET_VARIABLE: &str = "HAETAE_SECRET_FILE";
/// How often memory is looked at.
const LOOK: Duration = Duration::from_millis(200);

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
}

/// The Python that has the kernel.
#[derive(Clone, Debug)]
pub struct Runner {
    /// Its interpreter.
    pub python: PathBuf,
    /// Name of the kernel.
    pub kernel: String,
}

impl Runner {
    /// Runs cells. What exceeds the limits ends the run; what had run until then is returned.
    pub(super) fn run(&self, steps: &[Step], limits: &Limits) -> Result<Ran> {
        let failed = |reason: String| Error::Runner { reason };
        // An empty folder, so that a cell finds no other file of the course by a relative path.
        let folder = tempfile::tempdir().map_err(|error| failed(format!("no temporary folder: {error}")))?;
        let mut child = self.start(folder.path()).map_err(|error| {
            failed(format!("{}: {error}; run `make build`, or name a Python with --python", self.python.display()))
        })?;
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
        let ran = watch(&mut child, limits);
        let said = end(child);
        if ran.outcomes.is_empty() && ran.notes.is_empty() {
            let last = said.lines().last().unwrap_or("it said nothing").to_owned();
            return Err(failed(format!("{last}; is the kernel installed (`make build`) and does the server run?")));
        }
        Ok(with_notes(ran, limits))
    }

    /// What one cell prints, in a kernel of its own.
    ///
    /// # Errors
    /// When it cannot be run, or fails; with the reason.
    pub fn printed(&self, code: &str, limits: &Limits) -> Result<String> {
        let ran = self.run(&[Step::new("cell", code)], limits)?;
        match ran.outcomes.into_iter().next() {
            Some(outcome) if outcome.status == "ok" && outcome.size <= limits.output => Ok(outcome.text),
            Some(outcome) if outcome.status == "error" => Err(Error::Runner { reason: outcome.text }),
            _ => Err(Error::Runner { reason: ran.notes.join("; ") }),
        }
    }

    fn start(&self, folder: &Path) -> std::io::Result<Child> {
        // It starts in another folder, so paths have to be whole. Links are kept: that of a virtual environment says
        // which one it is.
        let mut command = Command::new(std::path::absolute(&self.python)?);
        if let Some(secret) = std::env::var_os(SECRET_VARIABLE) {
            command.env(SECRET_VARIABLE, std::path::absolute(secret)?);
        }
        command
            .args(["-c", PROGRAM])
            .current_dir(folder)
            .env_remove("HAETAE_ALLOW_BASH")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
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
        let used = memory(&family(child.id()));
        if used > limits.memory {
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
    let mut said = String::new();
    if child.try_wait().ok().flatten().is_none() {
        for process in family(child.id()) {
            // SAFETY: `kill` touches no memory of ours; the processes are ours and our child's.
            unsafe { libc::kill(process as i32, libc::SIGKILL) };
        }
    }
    if let Some(mut stderr) = child.stderr.take() {
        let _ = std::io::Read::read_to_string(&mut stderr, &mut said);
    }
    let _ = child.wait();
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

/// A process and all that it has started, and they.
fn family(root: u32) -> Vec<u32> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(process) = entry.file_name().to_string_lossy().parse() else { continue };
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
        // The name in brackets may hold anything.
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse().ok());
        if let Some(parent) = parent {
            children.entry(parent).or_default().push(process);
        }
    }
    let mut family = vec![root];
    let mut at = 0;
    while at < family.len() {
        family.extend(children.get(&family[at]).into_iter().flatten());
        at += 1;
    }
    family
}

/// Resident memory of processes, without what is mapped from files.
fn memory(processes: &[u32]) -> u64 {
    let own = |process: &u32| {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let line = status.lines().find(|line| line.starts_with("RssAnon:"))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    };
    processes.iter().filter_map(own).sum::<u64>() << 10
}
