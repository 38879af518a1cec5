//! A server that is started here: messages are the lines of its standard input and output.

use std::future::ready;
use std::io;
use std::pin::pin;
use std::time::Duration;

use baton_port::{Cancel, ProgressSink};
use baton_process::{Command, Flow, Input, Launcher, Limits, Report, Stdin};
use rmcp::model::{ClientJsonRpcMessage, ServerJsonRpcMessage};
use rmcp::service::RoleClient;
use rmcp::transport::Transport;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::talk::{Said, Wish, converse};
use super::wire;
use crate::cli::heard::Heard;
use crate::http::watch::Watch;

/// From the end of its input to the wish that the server stops: some need a moment to leave.
const LEAVE: Duration = Duration::from_secs(1);

/// What came of one start.
pub(super) struct Ran {
    pub(super) said: Said,
    pub(super) report: Report,
    /// All of its standard output, up to the cap.
    pub(super) received: Vec<u8>,
    pub(super) heard: Heard,
}

/// Starts the server, talks as `wish` says, and ends it. Nothing of it is left when this returns.
///
/// The clocks are `watch`'s; those of the command are switched off. Its limits in bytes hold.
pub(super) async fn run(
    launcher: &Launcher,
    mut command: Command,
    limits: Limits,
    wish: Wish,
    watch: Watch,
    progress: &dyn ProgressSink,
) -> Ran {
    let (stdin, input) = Stdin::open();
    let unlimited = Limits::UNLIMITED;
    command =
        command.stdin(stdin).limits(Limits { first_output: unlimited, idle: unlimited, total: unlimited, ..limits });
    let (sender, messages) = unbounded_channel();
    let stop = Cancel::default();
    let talk = converse(Lines { input: Some(input), messages }, wish, watch, progress);
    let (mut received, mut heard) = (Vec::new(), Heard::default());
    let process = async {
        let report = launcher
            .run(command, stop.requested(), &mut |line| {
                received.extend_from_slice(line.bytes);
                if line.terminated {
                    received.push(b'\n');
                }
                match wire::message(line.bytes) {
                    Some(message) => {
                        heard.messages += 1;
                        // An error says that nobody listens any more.
                        let _ = sender.send(message);
                    }
                    None => heard.other(line.bytes),
                }
                Flow::Payload
            })
            .await;
        drop(sender);
        report
    };
    let (said, report) = together(talk, process, &stop).await;
    Ran { said, report, received, heard }
}

/// The talk ends when the process does. The process ends when the talk did: by itself, as its input is closed then,
/// or by `stop`.
async fn together(
    talk: impl Future<Output = Said>,
    process: impl Future<Output = Report>,
    stop: &Cancel,
) -> (Said, Report) {
    let (mut talk, mut process) = (pin!(talk), pin!(process));
    let said = tokio::select! {
        said = &mut talk => said,
        report = &mut process => return (talk.await, report),
    };
    let report = match tokio::time::timeout(LEAVE, &mut process).await {
        Ok(report) => report,
        Err(_) => {
            stop.request();
            process.await
        }
    };
    (said, report)
}

/// The SDK's way to the lines.
struct Lines {
    /// Gone after the end: the server's input is closed then.
    input: Option<Input>,
    messages: UnboundedReceiver<ServerJsonRpcMessage>,
}

impl Transport<RoleClient> for Lines {
    type Error = io::Error;

    fn send(&mut self, message: ClientJsonRpcMessage) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let line = serde_json::to_vec(&message).map(|mut line| {
            line.push(b'\n');
            line
        });
        let closed = || io::Error::from(io::ErrorKind::BrokenPipe);
        ready(match (&self.input, line) {
            (Some(input), Ok(line)) => input.send(line).map_err(|_| closed()),
            (None, Ok(_)) => Err(closed()),
            (_, Err(error)) => Err(io::Error::other(error)),
        })
    }

    async fn receive(&mut self) -> Option<ServerJsonRpcMessage> {
        self.messages.recv().await
    }

    async fn close(&mut self) -> io::Result<()> {
        self.input = None;
        Ok(())
    }
}
