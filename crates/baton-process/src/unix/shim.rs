//! The shim's own work: see [`crate::shim`].
//!
//! Conversation over the socket that is its standard input: first comes the child's real input; then the shim says
//! `started PID` or `failed …`, later `exited CODE` or `signalled NUMBER`; the launcher sends [`Order`]s. The end of
//! the conversation on the launcher's side means that the launcher is gone.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, Signal, WaitOptions, kill_process_group, setrlimit, setsid, wait};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::signal::unix::{Signal as SignalStream, SignalKind, signal};
use tokio::time::{Instant, sleep_until};

use super::{family, handover, spawn};
use crate::report::Exit;

/// How long KILL is repeated. Only a process stuck in the kernel, or one that became another user's, outlasts it.
pub(super) const KILLING: Duration = Duration::from_secs(3);

/// The pause between two rounds of KILL, for those born between two looks.
const ROUND: Duration = Duration::from_millis(5);

/// The shim's exit code for its own failures. Nobody but a person reads it.
const OWN_FAILURE: i32 = 125;

/// What the launcher wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Terminate,
    Kill,
}

impl Order {
    pub(super) fn byte(self) -> u8 {
        match self {
            Self::Terminate => b'T',
            Self::Kill => b'K',
        }
    }
}

/// What the shim reports, one line each.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Says {
    Started(u32),
    Failed { code: Option<i32>, text: String },
    Ended(Exit),
}

impl Says {
    fn line(&self) -> String {
        match self {
            Self::Started(pid) => format!("started {pid}\n"),
            Self::Failed { code, text } => {
                format!("failed {} {}\n", code.unwrap_or_default(), text.replace('\n', " "))
            }
            Self::Ended(Exit::Code(code)) => format!("exited {code}\n"),
            Self::Ended(Exit::Signal(signal)) => format!("signalled {signal}\n"),
        }
    }

    pub(super) fn parse(line: &str) -> Option<Self> {
        let (word, rest) = line.split_once(' ')?;
        match word {
            "started" => Some(Self::Started(rest.parse().ok()?)),
            "exited" => Some(Self::Ended(Exit::Code(rest.parse().ok()?))),
            "signalled" => Some(Self::Ended(Exit::Signal(rest.parse().ok()?))),
            "failed" => {
                let (code, text) = rest.split_once(' ')?;
                let code = code.parse().ok().filter(|code| *code != 0);
                Some(Self::Failed { code, text: text.to_owned() })
            }
            _ => None,
        }
    }
}

pub(crate) fn main(arguments: &mut dyn Iterator<Item = OsString>) -> i32 {
    let result = match Plan::parse(arguments) {
        Some(plan) => plan.carry_out(),
        None => Err(io::Error::other("this is an internal command of the launcher")),
    };
    result.unwrap_or_else(|error| {
        // Nobody to tell when even this fails.
        let _ = writeln!(io::stderr(), "shim: {error}");
        OWN_FAILURE
    })
}

/// What to start.
struct Plan {
    grace: Duration,
    program: OsString,
    arguments: Vec<OsString>,
}

impl Plan {
    fn parse(arguments: &mut dyn Iterator<Item = OsString>) -> Option<Self> {
        let grace = arguments.next()?.to_str()?.parse::<u128>().ok()?;
        Some(Self {
            grace: Duration::from_millis(u64::try_from(grace).unwrap_or(u64::MAX)),
            program: arguments.next()?,
            arguments: arguments.collect(),
        })
    }

    fn carry_out(self) -> io::Result<i32> {
        confine()?;
        let control = StdUnixStream::from(rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)?);
        let Some(stdin) = handover::receive(&control)? else {
            return Ok(OWN_FAILURE);
        };
        let stdout = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 3)?;
        let stderr = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stderr(), 3)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(self.supervise(control, [stdin, stdout, stderr]))
    }

    async fn supervise(self, control: StdUnixStream, streams: [OwnedFd; 3]) -> io::Result<i32> {
        control.set_nonblocking(true)?;
        let mut control = UnixStream::from_std(control)?;
        // Before the start: an early end of the child must not be missed.
        let signals = Signals::listen()?;
        let spawned = spawn::spawn_in_own_group(&self.program, &self.arguments, streams);
        let leader = match spawned {
            Ok(child) => child.id(),
            Err(error) => {
                let says = Says::Failed { code: error.raw_os_error(), text: error.to_string() };
                control.write_all(says.line().as_bytes()).await?;
                return Ok(OWN_FAILURE);
            }
        };
        // Now the end of the child's output can be seen: the shim holds none of it.
        let_go_of_streams()?;
        let mut watch = Watch {
            control,
            listening: true,
            signals,
            leader: i32::try_from(leader).ok().and_then(Pid::from_raw),
            grace: self.grace,
            phase: Phase::Running,
            exit: None,
        };
        watch.say(&Says::Started(leader)).await;
        watch.see_it_end().await;
        Ok(watch.exit_code())
    }
}

/// Sets what the child inherits and what makes the shim the parent of its orphans.
fn confine() -> io::Result<()> {
    // Fails only for the leader of a group, which the launcher does not make it.
    let _ = setsid();
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    adopt_orphans()
}

/// Whether orphaned descendants become children of the shim, so that no child left means no descendant left.
const ADOPTS_ORPHANS: bool = cfg!(target_os = "linux");

#[cfg(target_os = "linux")]
fn adopt_orphans() -> io::Result<()> {
    Ok(rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?)
}

#[cfg(not(target_os = "linux"))]
fn adopt_orphans() -> io::Result<()> {
    Ok(())
}

fn let_go_of_streams() -> io::Result<()> {
    let nothing = File::options().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&nothing)?;
    rustix::stdio::dup2_stdout(&nothing)?;
    rustix::stdio::dup2_stderr(&nothing)?;
    Ok(())
}

struct Signals {
    child: SignalStream,
    terminate: SignalStream,
    interrupt: SignalStream,
    hangup: SignalStream,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            child: signal(SignalKind::child())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// True when the shim itself is asked to end.
    async fn next(&mut self) -> bool {
        tokio::select! {
            _ = self.child.recv() => false,
            _ = self.terminate.recv() => true,
            _ = self.interrupt.recv() => true,
            _ = self.hangup.recv() => true,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Running,
    /// TERM was sent.
    Terminating {
        kill_at: Option<Instant>,
    },
    /// KILL is sent in rounds.
    Killing {
        next: Instant,
        give_up: Instant,
    },
}

struct Watch {
    control: UnixStream,
    listening: bool,
    signals: Signals,
    /// Until it was reaped: so long nobody else can have its id. Where orphans are not adopted it is kept, as the
    /// only handle on them.
    leader: Option<Pid>,
    grace: Duration,
    phase: Phase,
    exit: Option<Exit>,
}

impl Watch {
    /// Returns when no descendant is left, or when KILL was repeated long enough.
    async fn see_it_end(&mut self) {
        self.follow().await;
        if !ADOPTS_ORPHANS {
            self.signal_all(Signal::KILL);
        }
    }

    async fn follow(&mut self) {
        while self.reap().await {
            let mut order = [0];
            let wake = self.wake();
            tokio::select! {
                read = self.control.read(&mut order), if self.listening => match read {
                    Ok(1..) if order == [Order::Kill.byte()] => self.kill(),
                    Ok(1..) => self.terminate(),
                    Ok(0) | Err(_) => self.launcher_is_gone(),
                },
                asked_to_end = self.signals.next() => if asked_to_end { self.terminate() },
                () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => {
                    if !self.on_time() {
                        return;
                    }
                }
            }
        }
    }

    fn wake(&self) -> Option<Instant> {
        match self.phase {
            Phase::Running => None,
            Phase::Terminating { kill_at } => kill_at,
            Phase::Killing { next, .. } => Some(next),
        }
    }

    /// False when it is time to give up.
    fn on_time(&mut self) -> bool {
        match self.phase {
            Phase::Running => true,
            Phase::Terminating { .. } => {
                self.kill();
                true
            }
            Phase::Killing { give_up, .. } => {
                let now = Instant::now();
                self.signal_all(Signal::KILL);
                self.phase = Phase::Killing { next: now + ROUND, give_up };
                now < give_up
            }
        }
    }

    fn launcher_is_gone(&mut self) {
        self.listening = false;
        match self.exit {
            Some(_) => self.kill(),
            None => self.terminate(),
        }
    }

    fn terminate(&mut self) {
        if self.phase == Phase::Running {
            self.signal_all(Signal::TERM);
            // A stopped process would otherwise sleep through the grace.
            self.signal_all(Signal::CONT);
            self.phase = Phase::Terminating { kill_at: Instant::now().checked_add(self.grace) };
        }
    }

    fn kill(&mut self) {
        if !matches!(self.phase, Phase::Killing { .. }) {
            self.signal_all(Signal::KILL);
            let now = Instant::now();
            self.phase = Phase::Killing { next: now + ROUND, give_up: now + KILLING };
        }
    }

    /// The group at once, so that nobody forks away between two kills; then everybody outside it, one by one. Nobody
    /// gets a signal twice: some programs read a second TERM as an order to drop everything.
    fn signal_all(&self, signal: Signal) {
        if let Some(leader) = self.leader {
            // An error means that the group is empty.
            let _ = kill_process_group(leader, signal);
        }
        family::signal(signal, self.leader);
    }

    /// Collects the ended; false when no child is left.
    async fn reap(&mut self) -> bool {
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) => {
                    if self.exit.is_none() && self.leader == Some(pid) {
                        let exit = match (status.exit_status(), status.terminating_signal()) {
                            (Some(code), _) => Exit::Code(code),
                            (None, signal) => Exit::Signal(signal.unwrap_or_default()),
                        };
                        self.leader_ended(exit).await;
                    }
                }
                Ok(None) => return true,
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return false,
            }
        }
    }

    async fn leader_ended(&mut self, exit: Exit) {
        self.exit = Some(exit);
        if ADOPTS_ORPHANS {
            self.leader = None;
        }
        self.say(&Says::Ended(exit)).await;
    }

    async fn say(&mut self, says: &Says) {
        // A launcher that cannot hear is gone, which the reading side notices.
        let _ = self.control.write_all(says.line().as_bytes()).await;
    }

    fn exit_code(&self) -> i32 {
        match self.exit {
            Some(Exit::Code(code)) => code,
            Some(Exit::Signal(signal)) => 128 + signal,
            None => OWN_FAILURE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_understood() {
        let all = [
            Says::Started(12),
            Says::Ended(Exit::Code(3)),
            Says::Ended(Exit::Signal(9)),
            Says::Failed { code: Some(2), text: "No such file".to_owned() },
            Says::Failed { code: None, text: "odd".to_owned() },
        ];
        for says in all {
            assert_eq!(Says::parse(says.line().trim_end_matches('\n')), Some(says));
        }
    }

    #[test]
    fn nonsense_is_not() {
        for line in ["", "started", "started x", "exited", "hello world", "failed 2"] {
            assert_eq!(Says::parse(line), None, "{line}");
        }
    }

    #[test]
    fn a_call_by_hand_fails_and_starts_nothing() {
        let marker = std::env::temp_dir().join("baton-shim-must-not-start");
        let arguments = ["soon".into(), "/usr/bin/touch".into(), marker.clone().into_os_string()];
        assert_eq!(main(&mut arguments.into_iter()), OWN_FAILURE);
        assert_eq!(main(&mut std::iter::empty()), OWN_FAILURE);
        assert!(!marker.exists());
    }
}
