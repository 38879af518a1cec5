//! Hands an open file to another process over a socket, so that nothing is ever inherited by accident.
//!
//! The launcher gives the shim one socket as standard input and sends the child's real input through it. The other way
//! round, an inheritable pipe with a number in the arguments, would leak into every child that is started meanwhile.

use std::io;
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};

/// Sends `file` with one byte of data.
pub(super) fn send(socket: impl AsFd, file: impl AsFd) -> io::Result<()> {
    let files = [file.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut message = SendAncillaryBuffer::new(&mut space);
    if !message.push(SendAncillaryMessage::ScmRights(&files)) {
        return Err(io::Error::other("no room for a file in the message"));
    }
    sendmsg(socket, &[IoSlice::new(b"f")], &mut message, SendFlags::empty())?;
    Ok(())
}

/// Waits for a file. `None` when the other side is gone.
pub(super) fn receive(socket: impl AsFd) -> io::Result<Option<OwnedFd>> {
    let mut byte = [0];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut message = RecvAncillaryBuffer::new(&mut space);
    rustix::io::retry_on_intr(|| recvmsg(&socket, &mut [IoSliceMut::new(&mut byte)], &mut message, flags()))?;
    let file = message.drain().find_map(|part| match part {
        RecvAncillaryMessage::ScmRights(mut files) => files.next(),
        _ => None,
    });
    if let Some(file) = &file {
        rustix::io::fcntl_setfd(file, rustix::io::FdFlags::CLOEXEC)?;
    }
    Ok(file)
}

#[cfg(target_os = "linux")]
fn flags() -> RecvFlags {
    RecvFlags::CMSG_CLOEXEC
}

#[cfg(not(target_os = "linux"))]
fn flags() -> RecvFlags {
    RecvFlags::empty()
}
