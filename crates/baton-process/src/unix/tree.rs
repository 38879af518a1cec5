//! A child and its descendants, seen from the launcher: one face for both ways of starting it.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::process::Child;
use tokio::time::{Instant, sleep, sleep_until};

use super::family;
use super::shim::{Order, Says};
use crate::report::{Ending, Exit};

/// How often a process group without a shim is asked whether it is empty; nothing tells us.
const POLL: Duration = Duration::from_millis(10);

pub(super) enum Tree {
    Direct(Box<Direct>),
    Shimmed(Box<Shimmed>),
}

#[derive(Debug)]
pub(super) enum Event {
    Started(u32),
    Failed(Ending),
    Ended(Exit),
    /// No process is left that we could end. The last event.
    Gone,
}

impl Tree {
    pub(super) fn direct(child: Child, grace: Duration) -> Self {
        let group = Group { id: child.id() };
        Self::Direct(Box::new(Direct {
            child,
            group,
            grace,
            announced: false,
            ended: false,
            kill_at: None,
            gone: false,
        }))
    }

    pub(super) fn shimmed(child: Child, control: UnixStream, grace: Duration) -> Self {
        let (read, write) = control.into_split();
        let says = BufReader::new(read).lines();
        let group = Group { id: None };
        Self::Shimmed(Box::new(Shimmed { child, says, write, group, grace, silent: false, gone: false }))
    }

    /// The next thing that happened; pending for ever after [`Event::Gone`]. Dropping this future loses nothing.
    pub(super) async fn event(&mut self) -> Event {
        match self {
            Self::Direct(direct) => direct.event().await,
            Self::Shimmed(shimmed) => shimmed.event().await,
        }
    }

    /// TERM, grace, KILL. Returns at once.
    pub(super) async fn terminate(&mut self) {
        match self {
            Self::Direct(direct) => direct.terminate(),
            Self::Shimmed(shimmed) => shimmed.order(Order::Terminate).await,
        }
    }

    /// KILL for whatever is left. Returns at once.
    pub(super) async fn finish(&mut self) {
        match self {
            Self::Direct(direct) => direct.finish(),
            Self::Shimmed(shimmed) => shimmed.order(Order::Kill).await,
        }
    }

    /// The last resort, when the shim itself does not answer: it may have been stopped by its child.
    pub(super) fn abandon(&mut self) {
        match self {
            Self::Direct(direct) => direct.finish(),
            Self::Shimmed(shimmed) => {
                shimmed.group.kill();
                // An error means that it is gone already.
                let _ = shimmed.child.start_kill();
            }
        }
    }

    /// How long the tree may take from `terminate` to `Gone` before it counts as stuck.
    pub(super) fn patience(&self) -> Duration {
        let grace = match self {
            Self::Direct(direct) => direct.grace,
            Self::Shimmed(shimmed) => shimmed.grace,
        };
        grace.saturating_add(super::shim::KILLING).saturating_add(Duration::from_secs(2))
    }
}

/// A process group that exists; forgotten as soon as its leader's end is known and nobody else is in it.
struct Group {
    id: Option<u32>,
}

impl Group {
    fn signal(&self, signal: Signal) {
        if let Some(pid) = self.pid() {
            // An error means that nobody is left to receive it.
            let _ = kill_process_group(pid, signal);
        }
    }

    fn kill(&self) {
        self.signal(Signal::KILL);
    }

    fn is_empty(&self) -> bool {
        !self.pid().is_some_and(family::group_runs)
    }

    fn pid(&self) -> Option<Pid> {
        self.id.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw)
    }
}

/// A child of our own. Dropping it before it is gone kills its group; the runtime reaps it.
pub(super) struct Direct {
    child: Child,
    group: Group,
    grace: Duration,
    announced: bool,
    ended: bool,
    kill_at: Option<Instant>,
    gone: bool,
}

impl Direct {
    async fn event(&mut self) -> Event {
        if self.gone {
            return std::future::pending().await;
        }
        if let (false, Some(id)) = (self.announced, self.group.id) {
            self.announced = true;
            return Event::Started(id);
        }
        loop {
            if self.ended && self.group.is_empty() {
                self.gone = true;
                return Event::Gone;
            }
            tokio::select! {
                status = self.child.wait(), if !self.ended => {
                    self.ended = true;
                    return Event::Ended(exit_of(status));
                }
                () = until(self.kill_at) => {
                    self.kill_at = None;
                    self.group.kill();
                }
                () = sleep(POLL), if self.ended => {}
            }
        }
    }

    fn terminate(&mut self) {
        self.group.signal(Signal::TERM);
        self.group.signal(Signal::CONT);
        self.kill_at = Instant::now().checked_add(self.grace);
    }

    fn finish(&mut self) {
        self.group.kill();
    }
}

impl Drop for Direct {
    fn drop(&mut self) {
        if !self.gone {
            self.group.kill();
        }
    }
}

/// A child of the shim.
pub(super) struct Shimmed {
    child: Child,
    says: tokio::io::Lines<BufReader<OwnedReadHalf>>,
    write: OwnedWriteHalf,
    group: Group,
    grace: Duration,
    silent: bool,
    gone: bool,
}

impl Shimmed {
    async fn event(&mut self) -> Event {
        while !self.silent {
            match self.says.next_line().await {
                Ok(Some(line)) => {
                    if let Some(event) = Says::parse(&line).map(|says| self.hear(says)) {
                        return event;
                    }
                }
                Ok(None) | Err(_) => self.silent = true,
            }
        }
        if self.gone {
            return std::future::pending().await;
        }
        // Only the shim holds the other end, so the end of the conversation is the end of the shim.
        let _ = self.child.wait().await;
        self.gone = true;
        self.group.kill();
        self.group.id = None;
        Event::Gone
    }

    /// The group is known while the child runs: if the shim is lost then, we kill what we can.
    fn hear(&mut self, says: Says) -> Event {
        match says {
            Says::Started(pid) => {
                self.group.id = Some(pid);
                Event::Started(pid)
            }
            Says::Failed { code, text } => Event::Failed(match code.map(io::Error::from_raw_os_error) {
                Some(error) => Ending::not_started(&error),
                None => Ending::StartFailed { error: text },
            }),
            Says::Ended(exit) => {
                self.group.id = None;
                Event::Ended(exit)
            }
        }
    }

    async fn order(&mut self, order: Order) {
        // An error means that the shim is gone, which `event` reports.
        let _ = self.write.write_all(&[order.byte()]).await;
    }
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

fn exit_of(status: io::Result<ExitStatus>) -> Exit {
    match status {
        Ok(status) => match (status.code(), status.signal()) {
            (Some(code), _) => Exit::Code(code),
            (None, signal) => Exit::Signal(signal.unwrap_or_default()),
        },
        // Cannot happen while nobody else waits for our children.
        Err(_) => Exit::Signal(0),
    }
}
