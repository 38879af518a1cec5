//! The only calls that start a process, and the pipes around it.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::future::Future;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::os::unix::process::CommandExt;
use std::pin::Pin;
use std::process::{Child, Command as StdCommand, Stdio};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::net::unix::pipe;

use super::handover;
use super::tree::Tree;
use crate::command::{Command, Stdin};
use crate::launcher::Shim;
use crate::vitals::Vitals;

/// A child that was started, directly or by the shim, with our ends of its pipes.
pub(super) struct Started {
    pub(super) tree: Tree,
    pub(super) stdout: pipe::Receiver,
    pub(super) stderr: pipe::Receiver,
    pub(super) feed: Feed,
}

/// Writes the child's input, then closes it; true when the child took all of it.
pub(super) type Feed = Pin<Box<dyn Future<Output = bool> + Send>>;

/// The child's ends of its pipes.
struct Ends {
    stdin: OwnedFd,
    stdout: OwnedFd,
    stderr: OwnedFd,
}

pub(super) fn start(shim: Option<&Shim>, command: Command) -> io::Result<Started> {
    let (stdout, stdout_end) = output_pipe()?;
    let (stderr, stderr_end) = output_pipe()?;
    let (feed, stdin_end) = input(command.stdin, command.vitals)?;
    let ends = Ends { stdin: stdin_end, stdout: stdout_end, stderr: stderr_end };
    let mut process = match shim {
        Some(shim) => std_command(shim.program.as_os_str()),
        None => std_command(command.program.as_os_str()),
    };
    process.env_clear().envs(&command.environment).current_dir(&command.directory);
    let tree = match shim {
        None => {
            process.args(&command.arguments);
            start_directly(process, ends, command.limits.grace)?
        }
        Some(shim) => {
            process.args(&shim.arguments).arg(command.limits.grace.as_millis().to_string());
            process.arg(&command.program).args(&command.arguments);
            start_under_shim(process, ends, command.limits.grace)?
        }
    };
    Ok(Started { tree, stdout, stderr, feed })
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that starts children")]
pub(super) fn std_command(program: &OsStr) -> StdCommand {
    StdCommand::new(program)
}

fn start_directly(mut process: StdCommand, ends: Ends, grace: Duration) -> io::Result<Tree> {
    process.process_group(0).stdin(ends.stdin).stdout(ends.stdout).stderr(ends.stderr);
    let child = tokio::process::Command::from(process).spawn()?;
    Ok(Tree::direct(child, grace))
}

fn start_under_shim(mut process: StdCommand, ends: Ends, grace: Duration) -> io::Result<Tree> {
    let (ours, theirs) = StdUnixStream::pair()?;
    handover::send(&ours, &ends.stdin)?;
    process.stdin(OwnedFd::from(theirs)).stdout(ends.stdout).stderr(ends.stderr);
    ours.set_nonblocking(true)?;
    let control = UnixStream::from_std(ours)?;
    let child = tokio::process::Command::from(process)
        .spawn()
        .map_err(|error| io::Error::other(format!("the shim did not start: {error}")))?;
    Ok(Tree::shimmed(child, control, grace))
}

fn output_pipe() -> io::Result<(pipe::Receiver, OwnedFd)> {
    let (reader, writer) = io::pipe()?;
    Ok((pipe::Receiver::from_owned_fd(reader.into())?, writer.into()))
}

fn input(stdin: Stdin, vitals: Vitals) -> io::Result<(Feed, OwnedFd)> {
    if matches!(stdin, Stdin::Empty) {
        return Ok((Box::pin(std::future::ready(true)), File::open("/dev/null")?.into()));
    }
    let (reader, writer) = io::pipe()?;
    let sender = pipe::Sender::from_owned_fd(writer.into())?;
    Ok((Box::pin(feed(sender, stdin, vitals)), reader.into()))
}

/// A child that does not read makes a write fail (its end is closed) or wait (it is not): neither is an error here.
async fn feed(mut sender: pipe::Sender, stdin: Stdin, vitals: Vitals) -> bool {
    match stdin {
        Stdin::Empty => true,
        Stdin::Bytes(bytes) => write(&mut sender, &bytes, &vitals).await,
        Stdin::Open(mut queue) => {
            while let Some(bytes) = queue.0.recv().await {
                if !write(&mut sender, &bytes, &vitals).await {
                    return false;
                }
            }
            true
        }
    }
}

async fn write(sender: &mut pipe::Sender, bytes: &[u8], vitals: &Vitals) -> bool {
    let mut rest = bytes;
    while !rest.is_empty() {
        match sender.write(rest).await {
            Ok(taken @ 1..) => {
                vitals.took(taken);
                rest = rest.get(taken..).unwrap_or_default();
            }
            Ok(0) | Err(_) => return false,
        }
    }
    true
}

/// The start on the shim's side: environment and directory are those that the launcher gave to the shim.
pub(super) fn spawn_in_own_group(program: &OsStr, arguments: &[OsString], streams: [OwnedFd; 3]) -> io::Result<Child> {
    let [stdin, stdout, stderr] = streams.map(Stdio::from);
    std_command(program).args(arguments).process_group(0).stdin(stdin).stdout(stdout).stderr(stderr).spawn()
}
