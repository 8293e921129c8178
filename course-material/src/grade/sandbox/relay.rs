//! What goes in: a listening socket of another network, and the address of the server. What comes out: whoever connects
//! there talks to the server, and to nobody else.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::thread;

/// Passes connections on until it is dropped.
#[derive(Debug)]
pub(in crate::grade) struct Relay(TcpListener);

impl Relay {
    pub(super) fn start(listener: TcpListener, server: SocketAddr) -> io::Result<Self> {
        let door = listener.try_clone()?;
        thread::spawn(move || {
            // Ends when the door is shut.
            while let Ok((inside, _)) = door.accept() {
                // Whoever is inside sees a server that does not answer, as outside.
                let Ok(outside) = TcpStream::connect(server) else { continue };
                let _ = pass_on(inside, outside);
            }
        });
        Ok(Self(listener))
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // SAFETY: the socket is open. It wakes the thread that waits at it, which dropping it does not.
        unsafe { libc::shutdown(self.0.as_raw_fd(), libc::SHUT_RDWR) };
    }
}

/// Both ways, each in a thread, until one side ends.
fn pass_on(inside: TcpStream, outside: TcpStream) -> io::Result<()> {
    for stream in [&inside, &outside] {
        stream.set_nodelay(true)?;
    }
    for (mut from, mut to) in [(inside.try_clone()?, outside.try_clone()?), (outside, inside)] {
        thread::spawn(move || {
            let _ = io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Write);
            let _ = from.shutdown(Shutdown::Read);
        });
    }
    Ok(())
}
