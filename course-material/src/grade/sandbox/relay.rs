//! What goes in: a listening socket of another network, and the address of the server. What comes out: whoever connects
//! there talks to the server, and to nobody else.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::thread::{self, Builder};
use std::time::Duration;

/// Connections at a time; whoever comes then is turned away.
const MOST: usize = 64;
/// Before the next try where a connection could not be taken.
const BREATH: Duration = Duration::from_millis(50);

/// Passes connections on until it is dropped.
#[derive(Debug)]
pub(in crate::grade) struct Relay(TcpListener);

impl Relay {
    pub(super) fn start(listener: TcpListener, server: SocketAddr) -> io::Result<Self> {
        let door = listener.try_clone()?;
        // Each connection has one more of it.
        let live = Arc::new(());
        Builder::new().name("relay".to_owned()).spawn(move || {
            loop {
                match door.accept() {
                    Ok((inside, _)) if Arc::strong_count(&live) <= MOST => {
                        // Whoever is inside sees a server that does not answer, as outside.
                        let Ok(outside) = TcpStream::connect(server) else { continue };
                        let _ = pass_on(&inside, &outside, &live);
                    }
                    Ok(_) => {}
                    // The door is shut.
                    Err(error) if error.raw_os_error() == Some(libc::EINVAL) => return,
                    Err(_) => thread::sleep(BREATH),
                }
            }
        })?;
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
fn pass_on(inside: &TcpStream, outside: &TcpStream, live: &Arc<()>) -> io::Result<()> {
    for stream in [inside, outside] {
        stream.set_nodelay(true)?;
    }
    let ways = [(inside.try_clone()?, outside.try_clone()?), (outside.try_clone()?, inside.try_clone()?)];
    let connection = Arc::new(Arc::clone(live));
    for (mut from, mut to) in ways {
        let connection = Arc::clone(&connection);
        let begun = Builder::new().spawn(move || {
            let _ = io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Write);
            let _ = from.shutdown(Shutdown::Read);
            drop(connection);
        });
        if let Err(error) = begun {
            // The other way, where it has begun, ends as well.
            for stream in [inside, outside] {
                let _ = stream.shutdown(Shutdown::Both);
            }
            return Err(error);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    /// Connects, and waits for the server's word; whether it came.
    fn hears(door: SocketAddr) -> Option<TcpStream> {
        let mut stream = TcpStream::connect(door).unwrap();
        stream.read_exact(&mut [0]).ok().map(|()| stream)
    }

    #[test]
    fn connections_are_bounded_and_their_places_come_back() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = server.local_addr().unwrap();
        thread::spawn(move || {
            for stream in server.incoming() {
                let mut stream = stream.unwrap();
                thread::spawn(move || {
                    stream.write_all(b"!").unwrap();
                    let _ = io::copy(&mut stream, &mut io::sink());
                });
            }
        });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let door = listener.local_addr().unwrap();
        let _relay = Relay::start(listener, at).unwrap();
        let all: Vec<TcpStream> = (0..MOST).map(|_| hears(door).unwrap()).collect();
        assert!(hears(door).is_none());
        drop(all);
        // The threads of those that have ended need a moment.
        while hears(door).is_none() {
            thread::yield_now();
        }
    }
}
