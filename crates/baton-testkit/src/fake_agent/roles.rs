//! What the fake is when it is not an agent: its own child, or a stand-in for baton.

use std::ffi::OsString;
use std::io::{self, Read};
use std::process::{Child, Command, Stdio};

use baton_process::{Flow, Launcher, Limits, Shim, Stdin};

use super::output;

/// Starts the fake again as `role` and returns when that is in its role. Inherits the standard streams, save where
/// `detached`.
#[expect(clippy::disallowed_methods, reason = "an agent that starts children carelessly is what is played here")]
pub(crate) fn start_child(role: &str, detached: bool) -> io::Result<Child> {
    let (mut ready, theirs) = io::pipe()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(role).stdin(theirs_as_stdin(theirs));
    if detached {
        command.stdout(Stdio::null()).stderr(Stdio::null());
    }
    let child = command.spawn()?;
    // The command holds our copy of the other end, which must close for the end to be seen.
    drop(command);
    ready.read_to_end(&mut Vec::new())?;
    Ok(child)
}

/// The end that the child closes when it is ready: as its standard input, for that is the one stream it can let go of.
fn theirs_as_stdin(writer: io::PipeWriter) -> Stdio {
    Stdio::from(writer)
}

/// Holds the inherited output open for ever.
pub(crate) fn hold() -> i32 {
    ready_then_stay()
}

/// The same in a session of its own, where signals to the group do not reach.
pub(crate) fn daemon() -> i32 {
    match rustix::process::setsid() {
        Ok(_) => ready_then_stay(),
        Err(error) => output::own_failure(&error.into()),
    }
}

fn ready_then_stay() -> i32 {
    match close_stdin() {
        Ok(()) => stay(),
        Err(error) => output::own_failure(&error),
    }
}

fn close_stdin() -> io::Result<()> {
    let nothing = std::fs::File::open("/dev/null")?;
    Ok(rustix::stdio::dup2_stdin(nothing)?)
}

/// Does nothing until somebody ends the process.
pub(crate) fn stay() -> ! {
    loop {
        std::thread::park();
    }
}

/// Runs a fake agent under a launcher with a shim, as baton does, without limits in time.
pub(crate) fn host() -> i32 {
    match run_host() {
        Ok(code) => code,
        Err(error) => output::own_failure(&error),
    }
}

fn run_host() -> io::Result<i32> {
    let fake = std::env::current_exe()?;
    let shim = Shim { program: fake.clone(), arguments: vec![OsString::from("__shim")] };
    let never = Limits::UNLIMITED;
    let limits = Limits { first_output: never, idle: never, total: never, ..Limits::default() };
    let command = baton_process::Command::new(fake, std::env::current_dir()?)
        .envs(std::env::vars_os())
        .stdin(Stdin::Bytes(b"a prompt from the host".to_vec()))
        .limits(limits);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let launcher = Launcher::with_shim(shim);
    let report = runtime.block_on(launcher.run(command, std::future::pending(), &mut |_| Flow::Payload));
    output::error_line(&format!("the agent ended: {:?}", report.ending))?;
    Ok(0)
}
