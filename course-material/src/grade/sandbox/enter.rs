//! What goes in: prepared steps, in a process that was forked a moment ago. What comes out: the same process with a network,
//! a file system and process numbers of its own, without rights over any of them.
//!
//! Nothing here allocates or takes a lock: another thread of the parent may hold it in the moment of the fork.

use std::ffi::{CStr, CString};
use std::io;
use std::mem::zeroed;
use std::os::fd::RawFd;
use std::ptr::null;

use libc::{c_int, c_ulong, pid_t};

use super::handover::send;

/// Capabilities that there may be; the kernel refuses larger numbers than it knows, which does no harm.
const CAPABILITIES: c_ulong = 63;
/// linux/mount.h: MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID.
const READ_ONLY: u64 = 0x1 | 0x2;
/// Waiting connections of the one door to the server.
const WAITING: c_int = 64;

/// Something that is put into the new root, or made of it.
#[derive(Debug)]
pub(super) enum Step {
    /// An empty file system in memory.
    Memory {
        at: CString,
        options: CString,
    },
    Folder(CString),
    /// An empty file, for a device to be shown at.
    Place(CString),
    Link {
        to: CString,
        at: CString,
    },
    /// What is at `from`, with all below it; nobody can write to it.
    Show {
        from: CString,
        at: CString,
    },
    /// The same as it is: a device.
    Device {
        from: CString,
        at: CString,
    },
    Processes(CString),
    /// A file that only its owner reads.
    File {
        at: CString,
        bytes: Vec<u8>,
    },
    /// Everything becomes this folder.
    Root(CString),
    Work(CString),
}

/// How far it came. The numbers go over the channel.
pub(super) const NAMESPACES: u32 = u32::MAX;
pub(super) const USERS: u32 = u32::MAX - 1;
pub(super) const NETWORK: u32 = u32::MAX - 2;
pub(super) const RIGHTS: u32 = u32::MAX - 3;

/// All that is done.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
    pub(super) uid_map: Vec<u8>,
    pub(super) gid_map: Vec<u8>,
    /// Where the server is found on the loopback of the new network.
    pub(super) port: u16,
    /// Takes the listening socket, or what has failed.
    pub(super) channel: RawFd,
}

#[repr(C)]
struct MountAttributes {
    set: u64,
    clear: u64,
    propagation: u64,
    users: u64,
}

type Done<T = ()> = Result<T, u32>;

impl Plan {
    /// Comes back in the process that is to become the program; two others stay behind and wait for it.
    pub(super) fn enter(&self) -> io::Result<()> {
        self.go().map_err(|step| {
            let error = io::Error::last_os_error();
            let mut told = [0_u8; 8];
            told[..4].copy_from_slice(&step.to_ne_bytes());
            told[4..].copy_from_slice(&error.raw_os_error().unwrap_or_default().to_ne_bytes());
            // SAFETY: the bytes live as long as the call.
            unsafe { libc::send(self.channel, told.as_ptr().cast(), told.len(), libc::MSG_NOSIGNAL) };
            error
        })
    }

    fn go(&self) -> Done {
        let kinds = libc::CLONE_NEWUSER
            | libc::CLONE_NEWNS
            | libc::CLONE_NEWNET
            | libc::CLONE_NEWPID
            | libc::CLONE_NEWIPC
            | libc::CLONE_NEWUTS;
        // SAFETY: it changes this process alone, which has one thread.
        ok(unsafe { libc::unshare(kinds) }, NAMESPACES)?;
        write_to(c"/proc/self/setgroups", b"deny", USERS)?;
        write_to(c"/proc/self/uid_map", &self.uid_map, USERS)?;
        write_to(c"/proc/self/gid_map", &self.gid_map, USERS)?;
        // After the change of users, which takes the wish back.
        // SAFETY: a plain system call.
        ok(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as c_ulong) }, NAMESPACES)?;
        // The first process of the new numbers: when it ends, so do all others.
        fork_and_wait(NAMESPACES)?;
        let listener = self.network()?;
        for (at, step) in self.steps.iter().enumerate() {
            step.take(at as u32)?;
        }
        send(self.channel, listener).map_err(|()| NETWORK)?;
        // The program is not the first one, which the kernel treats in its own way and Jupyter takes for no parent.
        fork_and_wait(NAMESPACES)?;
        give_up_rights()
    }

    /// A loopback on which the server's port, and nothing else, has somebody listening; who that is the parent decides.
    fn network(&self) -> Done<RawFd> {
        // SAFETY: plain system calls with structures on this stack.
        unsafe {
            let socket = libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0);
            ok(socket, NETWORK)?;
            let mut lo: libc::ifreq = zeroed();
            lo.ifr_name[0] = b'l' as libc::c_char;
            lo.ifr_name[1] = b'o' as libc::c_char;
            lo.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
            ok(libc::ioctl(socket, libc::SIOCSIFFLAGS as _, &lo), NETWORK)?;
            libc::close(socket);
            let listener = libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0);
            ok(listener, NETWORK)?;
            let mut address: libc::sockaddr_in = zeroed();
            address.sin_family = libc::AF_INET as libc::sa_family_t;
            address.sin_port = self.port.to_be();
            address.sin_addr.s_addr = u32::from_ne_bytes([127, 0, 0, 1]);
            let size = size_of::<libc::sockaddr_in>() as libc::socklen_t;
            ok(libc::bind(listener, (&raw const address).cast(), size), NETWORK)?;
            ok(libc::listen(listener, WAITING), NETWORK)?;
            Ok(listener)
        }
    }
}

impl Step {
    fn take(&self, number: u32) -> Done {
        let flags = libc::MS_NOSUID | libc::MS_NODEV;
        // SAFETY: all texts end with a zero and live as long as the plan.
        unsafe {
            match self {
                Self::Memory { at, options } => {
                    // Nothing that is mounted here is seen outside.
                    ok(libc::mount(null(), c"/".as_ptr(), null(), libc::MS_REC | libc::MS_PRIVATE, null()), number)?;
                    let kind = c"tmpfs".as_ptr();
                    ok(libc::mount(kind, at.as_ptr(), kind, flags, options.as_ptr().cast()), number)
                }
                Self::Folder(at) => match libc::mkdir(at.as_ptr(), 0o755) {
                    -1 if io::Error::last_os_error().raw_os_error() == Some(libc::EEXIST) => Ok(()),
                    done => ok(done, number),
                },
                Self::Place(at) => {
                    let flags = libc::O_CREAT | libc::O_WRONLY | libc::O_CLOEXEC;
                    let file = libc::open(at.as_ptr(), flags, 0o644);
                    ok(file, number)?;
                    libc::close(file);
                    Ok(())
                }
                Self::Link { to, at } => ok(libc::symlink(to.as_ptr(), at.as_ptr()), number),
                Self::Show { from, at } => {
                    bind(from, at, number)?;
                    let set = MountAttributes { set: READ_ONLY, clear: 0, propagation: 0, users: 0 };
                    let size = size_of::<MountAttributes>();
                    let (at, all) = (at.as_ptr(), libc::AT_RECURSIVE);
                    let done = libc::syscall(libc::SYS_mount_setattr, libc::AT_FDCWD, at, all, &raw const set, size);
                    ok(done as c_int, number)
                }
                Self::Device { from, at } => bind(from, at, number),
                Self::Processes(at) => {
                    let kind = c"proc".as_ptr();
                    ok(libc::mount(kind, at.as_ptr(), kind, flags | libc::MS_NOEXEC, null()), number)
                }
                Self::File { at, bytes } => {
                    let flags = libc::O_CREAT | libc::O_EXCL | libc::O_WRONLY | libc::O_CLOEXEC;
                    let file = libc::open(at.as_ptr(), flags, 0o600);
                    ok(file, number)?;
                    let written = libc::write(file, bytes.as_ptr().cast(), bytes.len());
                    libc::close(file);
                    ok(if written == bytes.len() as isize { 0 } else { -1 }, number)
                }
                Self::Root(at) => {
                    ok(libc::chdir(at.as_ptr()), number)?;
                    // Onto itself: what was the root lies on top then, and is taken off.
                    let here = c".".as_ptr();
                    ok(libc::syscall(libc::SYS_pivot_root, here, here) as c_int, number)?;
                    ok(libc::umount2(here, libc::MNT_DETACH), number)
                }
                Self::Work(at) => ok(libc::chdir(at.as_ptr()), number),
            }
        }
    }
}

fn ok(done: c_int, step: u32) -> Done {
    if done < 0 { Err(step) } else { Ok(()) }
}

/// With all mounts below: the kernel lets nobody look under one that hides something.
unsafe fn bind(from: &CStr, at: &CStr, step: u32) -> Done {
    // SAFETY: both end with a zero.
    let done = unsafe { libc::mount(from.as_ptr(), at.as_ptr(), null(), libc::MS_BIND | libc::MS_REC, null()) };
    ok(done, step)
}

fn write_to(path: &CStr, bytes: &[u8], step: u32) -> Done {
    // SAFETY: the path ends with a zero, and the bytes live as long as the calls.
    unsafe {
        let file = libc::open(path.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
        ok(file, step)?;
        let written = libc::write(file, bytes.as_ptr().cast(), bytes.len());
        libc::close(file);
        ok(if written == bytes.len() as isize { 0 } else { -1 }, step)
    }
}

/// Goes on in a child; the process that called it does nothing but wait for that, and ends as it ends.
fn fork_and_wait(step: u32) -> Done {
    // SAFETY: there is one thread; what follows in the parent are system calls alone.
    unsafe {
        let child = libc::fork();
        ok(child, step)?;
        if child == 0 {
            // Whoever kills the one that waits ends this one too.
            return ok(libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as c_ulong), step);
        }
        // Its memory has what the caller knows: the program must not look into it.
        libc::prctl(libc::PR_SET_DUMPABLE, 0 as c_ulong);
        // Who waits for the end of an output, or for the program to start, must not wait for this one.
        libc::syscall(libc::SYS_close_range, 0, c_int::MAX, 0);
        wait_for(child)
    }
}

unsafe fn wait_for(child: pid_t) -> ! {
    loop {
        let mut status = 0;
        // SAFETY: the number lives as long as the call.
        let ended = unsafe { libc::waitpid(-1, &mut status, 0) };
        let interrupted = ended < 0 && io::Error::last_os_error().raw_os_error() == Some(libc::EINTR);
        if ended == child || (ended < 0 && !interrupted) {
            let code = if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { 1 };
            // SAFETY: it ends this process.
            unsafe { libc::_exit(code) }
        }
    }
}

/// The program may not change what was made here, nor take rights from files that give them.
fn give_up_rights() -> Done {
    // SAFETY: plain system calls.
    unsafe {
        ok(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1 as c_ulong, 0 as c_ulong, 0 as c_ulong, 0 as c_ulong), RIGHTS)?;
        for capability in 0..=CAPABILITIES {
            libc::prctl(libc::PR_CAPBSET_DROP, capability);
        }
        // Asked once more, in case that was refused.
        for capability in 0..=CAPABILITIES {
            ok(if libc::prctl(libc::PR_CAPBSET_READ, capability) == 1 { -1 } else { 0 }, RIGHTS)?;
        }
        ok(libc::setsid().min(0), RIGHTS)
    }
}

/// Bounds that hold for each process, whatever it is called and wherever it goes.
pub(in crate::grade) fn bound(memory: u64, file: u64) -> io::Result<()> {
    let limits = [(libc::RLIMIT_CORE, 0), (libc::RLIMIT_DATA, memory), (libc::RLIMIT_FSIZE, file)];
    for (which, most) in limits {
        let limit = libc::rlimit { rlim_cur: most as libc::rlim_t, rlim_max: most as libc::rlim_t };
        // SAFETY: the structure lives as long as the call.
        if unsafe { libc::setrlimit(which, &limit) } < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}
