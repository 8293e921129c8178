//! The processes around this kernel: those that it has started, which may have to be ended, and the one that
//! has started it.

use std::fs;
use std::time::Duration;

/// Environment variable by which Jupyter tells a kernel that it is to end with its parent.
const PARENT_VARIABLE: &str = "JPY_PARENT_PID";
/// Between two looks at the parent.
const LOOK_UP: Duration = Duration::from_secs(1);
/// Between two looks at processes that have been told to end.
const LOOK_AT_ENDING: Duration = Duration::from_millis(1);
/// The longest wait for them: one that hangs in a device cannot end before the device answers.
const ENDING: Duration = Duration::from_secs(2);

/// Comes back when the front end that has started this kernel is gone without a word; never, where it was
/// started to live on its own.
pub async fn abandoned() {
    let parent = std::os::unix::process::parent_id;
    let named = std::env::var(PARENT_VARIABLE).ok().and_then(|text| text.parse().ok());
    if named != Some(parent()) {
        return std::future::pending().await;
    }
    while named == Some(parent()) {
        tokio::time::sleep(LOOK_UP).await;
    }
}
use std::os::unix::process::CommandExt;
use std::process::Stdio;

/// Ends (`SIGKILL`) every child of this process and what these have started, except `spared`.
///
/// evcxr waits for cargo without telling which process it is, so the children are read from `/proc`.
pub fn end_children(spared: Option<u32>) {
    let seen = seen();
    let mut doomed = vec![std::process::id()];
    let mut next = 0;
    while let Some(&parent) = doomed.get(next) {
        let children = seen.iter().filter(|process| process.parent == parent && Some(process.id) != spared);
        doomed.extend(children.map(|child| child.id));
        next += 1;
    }
    for process in doomed.into_iter().skip(1).filter_map(|id| libc::pid_t::try_from(id).ok()) {
        // SAFETY: a signal to a descendant of this process; one that has just ended is no error.
        unsafe { libc::kill(process, libc::SIGKILL) };
    }
}

/// A program in a process group of its own, which ends with all that it has started.
pub struct Group {
    /// The program.
    pub child: tokio::process::Child,
    id: Option<libc::pid_t>,
}

impl Group {
    /// Starts a program without input; its output can be read.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(mut command: std::process::Command) -> std::io::Result<Self> {
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = tokio::process::Command::from(command).spawn()?;
        let id = child.id().and_then(|id| libc::pid_t::try_from(id).ok());
        Ok(Self { child, id })
    }

    /// Asks the whole group to end.
    pub fn ask_to_end(&self) {
        self.signal(libc::SIGTERM);
    }

    /// Ends the whole group.
    pub fn end(&self) {
        self.signal(libc::SIGKILL);
    }

    /// Ends the whole group and waits until nothing of it runs: a signal is only a request, and a process that
    /// waits for its turn on a busy machine is still there when the signal has been sent.
    pub async fn ended(&self) {
        self.end();
        let Some(id) = self.id else { return };
        let gone = async {
            while seen().iter().any(|process| process.group == id && process.runs) {
                tokio::time::sleep(LOOK_AT_ENDING).await;
            }
        };
        // Nothing is left to be done about one that does not end.
        let _ = tokio::time::timeout(ENDING, gone).await;
    }

    fn signal(&self, signal: libc::c_int) {
        if let Some(id) = self.id {
            // SAFETY: a signal to the group that was made for this program; one that is empty is no error.
            unsafe { libc::killpg(id, signal) };
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.end();
    }
}

/// A process as `/proc` shows it.
struct Seen {
    id: u32,
    parent: u32,
    group: libc::pid_t,
    /// False for one that has ended and whose parent has not asked how.
    runs: bool,
}

/// Every process that can be seen.
fn seen() -> Vec<Seen> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| {
            let id = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            // The name in brackets may hold blanks and brackets itself; state, parent and group follow it.
            let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
            let runs = !matches!(fields.next()?, "Z" | "X");
            Some(Seen { id, parent: fields.next()?.parse().ok()?, group: fields.next()?.parse().ok()?, runs })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};
    use std::sync::Mutex;

    /// Held by a test with children: the other one ends every child of this process.
    static CHILDREN: Mutex<()> = Mutex::new(());

    #[test]
    fn children_of_children_end_and_the_spared_one_stays() {
        let _alone = CHILDREN.lock().unwrap();
        let start = |script: &str| Command::new("sh").args(["-c", script]).stdin(Stdio::piped()).spawn().unwrap();
        // Each waits for its input to close, which it does not.
        let mut nested = start("sh -c 'read line'; true");
        let mut spared = start("read line");
        end_children(Some(spared.id()));
        assert!(!nested.wait().unwrap().success());
        assert!(spared.try_wait().unwrap().is_none());
        drop(spared.stdin.take());
        spared.wait().unwrap();
    }
    #[tokio::test]
    #[expect(clippy::await_holding_lock, reason = "nothing else runs on this test's runtime")]
    async fn nothing_of_a_group_runs_when_it_has_ended() {
        let _alone = CHILDREN.lock().unwrap();
        let mut script = Command::new("bash");
        script.args(["-c", "trap '' TERM; for i in {1..50}; do sleep 1000 & done; wait"]);
        let group = Group::start(script).unwrap();
        let id = group.id.unwrap();
        let running = || seen().iter().filter(|process| process.group == id && process.runs).count();
        while running() < 51 {
            tokio::task::yield_now().await;
        }
        group.ended().await;
        assert_eq!(running(), 0);
    }
}
