//! An open socket of one process, to another one that has the other end of a channel. Nothing here allocates.

use std::mem::zeroed;
use std::os::fd::RawFd;

/// Sends an open socket to the parent.
pub(super) fn send(channel: RawFd, socket: RawFd) -> Result<(), ()> {
    let mut byte = [0_u8; 1];
    let mut part = libc::iovec { iov_base: byte.as_mut_ptr().cast(), iov_len: byte.len() };
    let mut space = [0_u64; 4];
    // SAFETY: the space is larger than, and aligned as, a header with one number.
    unsafe {
        let mut message: libc::msghdr = zeroed();
        message.msg_iov = &mut part;
        message.msg_iovlen = 1;
        message.msg_control = space.as_mut_ptr().cast();
        message.msg_controllen = libc::CMSG_SPACE(size_of::<RawFd>() as u32) as _;
        let head = libc::CMSG_FIRSTHDR(&message);
        if head.is_null() {
            return Err(());
        }
        (*head).cmsg_level = libc::SOL_SOCKET;
        (*head).cmsg_type = libc::SCM_RIGHTS;
        (*head).cmsg_len = libc::CMSG_LEN(size_of::<RawFd>() as u32) as _;
        libc::CMSG_DATA(head).cast::<RawFd>().write_unaligned(socket);
        if libc::sendmsg(channel, &message, libc::MSG_NOSIGNAL) == 1 { Ok(()) } else { Err(()) }
    }
}

/// What the other end has sent: a socket, or a step and the number of an error; `None` where it said nothing.
pub(super) fn receive(channel: RawFd) -> Option<Result<RawFd, (u32, i32)>> {
    let mut bytes = [0_u8; 8];
    let mut part = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    let mut space = [0_u64; 4];
    // SAFETY: as in `send`.
    unsafe {
        let mut message: libc::msghdr = zeroed();
        message.msg_iov = &mut part;
        message.msg_iovlen = 1;
        message.msg_control = space.as_mut_ptr().cast();
        message.msg_controllen = size_of_val(&space) as _;
        let size = libc::recvmsg(channel, &mut message, libc::MSG_CMSG_CLOEXEC);
        let head = libc::CMSG_FIRSTHDR(&message);
        if size == 1 && !head.is_null() && (*head).cmsg_type == libc::SCM_RIGHTS {
            return Some(Ok(libc::CMSG_DATA(head).cast::<RawFd>().read_unaligned()));
        }
        let number = |at: usize| bytes[at..at + 4].try_into().unwrap_or_default();
        (size == 8).then(|| Err((u32::from_ne_bytes(number(0)), i32::from_ne_bytes(number(4)))))
    }
}
