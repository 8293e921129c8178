//! A program that runs what strangers have written, to the same program where it sees nothing but what it needs: no network
//! but the server, no file of the course or of another trainee, no process of others. By namespaces of Linux
//! (`man 7 namespaces`), which no rights are needed for where the machine allows them to its users.

mod enter;
mod handover;
mod plan;
mod relay;

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use serde::{Deserialize, Serialize};

use self::enter::{NAMESPACES, NETWORK, Plan, RIGHTS, USERS};
pub(super) use self::relay::Relay;

pub(super) use self::enter::bound;

/// Whether runs have to be kept apart from the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// Where the machine allows it. Where it does not, queries alone are run, and the report says so.
    #[default]
    Auto,
    /// Or nothing is run.
    Required,
    /// Not at all.
    Off,
}

/// What kept a run apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Apart {
    /// Namespaces of its own.
    Namespaces,
    /// Nothing.
    #[default]
    None,
}

impl fmt::Display for Apart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Namespaces => "namespaces",
            Self::None => "none",
        })
    }
}

/// A program that has started, and what it needs as long as it runs.
#[derive(Debug)]
pub(in crate::grade) struct Started {
    pub(super) child: Child,
    /// To be kept until the run has ended.
    pub(super) door: Option<Relay>,
}

/// Why there is none.
pub(super) enum Refused {
    /// The machine does not allow it; the step, and its reason.
    Machine(String),
    /// What was asked for cannot be had; why, and what to do.
    Asked(String),
    /// The program itself.
    Program(io::Error),
}

/// What a run sees.
pub(super) struct View<'a> {
    /// An empty folder of the machine, where the new file system is put together.
    pub root: &'a Path,
    pub python: &'a Path,
    /// More files and folders that are shown.
    pub more: &'a [PathBuf],
    /// The server's address, `http://host:port`, the user and the password, as far as they are known.
    pub url: Option<&'a str>,
    pub user: Option<&'a str>,
    pub secret: Option<Vec<u8>>,
}

/// Starts `command` in such a place. Its folder and its variables are those of the place.
pub(super) fn start(mut command: Command, view: View<'_>) -> Result<Started, Refused> {
    let server = view.url.map(address).transpose().map_err(Refused::Asked)?;
    let prepared = || -> io::Result<(Plan, UnixStream, UnixStream)> {
        let (ours, theirs) = UnixStream::pair()?;
        // SAFETY: both only ask.
        let (uid, gid) = unsafe { (libc::geteuid(), libc::getegid()) };
        let plan = Plan {
            steps: plan::steps(view.root, view.python, view.more, view.secret.as_deref())?,
            uid_map: format!("{uid} {uid} 1").into_bytes(),
            gid_map: format!("{gid} {gid} 1").into_bytes(),
            port: server.map_or(1, |server| server.port()),
            channel: theirs.as_raw_fd(),
        };
        Ok((plan, ours, theirs))
    };
    let (plan, ours, theirs) = prepared().map_err(Refused::Program)?;
    command.env_clear().envs(plan::variables());
    if let Some(server) = server {
        command.env("HAETAE_URL", format!("http://127.0.0.1:{}", server.port()));
    }
    if let Some(user) = view.user {
        command.env("HAETAE_USER", user);
    }
    if view.secret.is_some() {
        command.env("HAETAE_SECRET_FILE", plan::SECRET);
    }
    let told: Vec<String> = plan.steps.iter().map(plan::describe).collect();
    // SAFETY: `enter` allocates nothing and takes no lock.
    unsafe { command.pre_exec(move || plan.enter()) };
    let spawned = command.spawn();
    drop(theirs);
    let child = match spawned {
        Ok(child) => child,
        Err(error) => {
            ours.set_nonblocking(true).map_err(Refused::Program)?;
            return Err(match handover::receive(ours.as_raw_fd()) {
                Some(Err((step, number))) => {
                    let what = match step {
                        NAMESPACES => "make namespaces (unshare)",
                        USERS => "take over the user (uid_map)",
                        NETWORK => "make a loopback of its own",
                        RIGHTS => "give up rights",
                        step => told.get(step as usize).map_or("", String::as_str),
                    };
                    Refused::Machine(format!("cannot {what}: {}", io::Error::from_raw_os_error(number)))
                }
                _ => Refused::Program(error),
            });
        }
    };
    let door = match (handover::receive(ours.as_raw_fd()), server) {
        (Some(Ok(socket)), server) => {
            // SAFETY: the socket was received a moment ago and belongs to nobody else.
            let listener = unsafe { TcpListener::from_raw_fd(socket) };
            server.map(|server| Relay::start(listener, server)).transpose().map_err(Refused::Program)?
        }
        _ => None,
    };
    Ok(Started { child, door })
}

/// The same without a place of its own.
pub(super) fn start_openly(mut command: Command) -> Result<Started, Refused> {
    Ok(Started { child: command.spawn().map_err(Refused::Program)?, door: None })
}

fn address(url: &str) -> Result<SocketAddr, String> {
    if url.starts_with("https://") {
        return Err(format!(
            "HAETAE_URL is {url}: a run that is kept apart from the machine reaches a server over http:// alone. Name one \
             on this machine, or pass --isolation off where nothing of worth can be read or changed"
        ));
    }
    let wrong = || format!("HAETAE_URL: expected an address such as http://127.0.0.1:50051, found `{url}`");
    let host = url.split_once("://").map_or(url, |(_, rest)| rest).split('/').next().unwrap_or_default();
    host.to_socket_addrs().map_err(|_| wrong())?.next().ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_as_a_run_can_reach_it() {
        assert_eq!(address("http://127.0.0.1:50051").unwrap(), SocketAddr::from(([127, 0, 0, 1], 50_051)));
        let refused = address("https://warehouse.example:443").unwrap_err();
        assert!(refused.contains("over http:// alone"), "{refused}");
        assert!(address("nothing").unwrap_err().contains("found `nothing`"));
    }
}
