//! One conversation with a server: it is greeted, says which tools it has, one of them is called, and it is left.

use std::io;
use std::pin::pin;
use std::time::Duration;

use baton_port::{Progress, ProgressSink};
use rmcp::model::{CallToolRequestParams, CallToolResponse, ErrorData, JsonObject};
use rmcp::service::{ClientInitializeError, RoleClient, RunningService, ServiceError};
use rmcp::transport::Transport;
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::listen::{Listener, Sign};
use crate::cli::words;
use crate::http::watch::{Stop, Watch};

/// How long leaving may take.
const LEAVE: Duration = Duration::from_secs(2);

/// What is wanted of a server.
#[derive(Clone, Debug)]
pub(super) enum Wish {
    /// The names of its tools.
    Tools,
    Call {
        tool: String,
        arguments: JsonObject,
    },
}

/// What came of it.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
    pub(super) tools: Vec<String>,
    /// What it asked of us and did not get.
    pub(super) asked: Vec<&'static str>,
    pub(super) ended: Ended,
}

#[derive(Clone, Debug)]
pub(super) enum Ended {
    /// The tools are known.
    Listed,
    /// The tool's result, of which nothing was judged.
    Answered(Value),
    NoSuchTool,
    /// An error of the protocol, from the server.
    Refused {
        code: i32,
        message: String,
    },
    /// A message of the right form with the wrong content.
    Unreadable(String),
    /// Nothing goes to the server or comes from it any more.
    Closed,
    Stopped(Stop),
}

/// Talks as `wish` says, within the clocks of `watch`: its first event is the server's greeting. The transport is
/// closed when this returns.
pub(super) async fn converse<T>(transport: T, wish: Wish, watch: Watch, progress: &dyn ProgressSink) -> Said
where
    T: Transport<RoleClient, Error = io::Error> + 'static,
{
    let (signs, heard) = unbounded_channel();
    let mut talk = Talk { watch, heard, progress, asked: Vec::new() };
    let mut said = Said { name: None, version: None, tools: Vec::new(), asked: Vec::new(), ended: Ended::Closed };
    match talk.attend(rmcp::serve_client(Listener::new(signs), transport)).await {
        Err(stop) => said.ended = Ended::Stopped(stop),
        Ok(Err(error)) => said.ended = not_opened(error),
        Ok(Ok(mut service)) => {
            talk.watch.payload();
            said.introduce(&service);
            said.ended = talk.ask(&service, wish, &mut said.tools).await.unwrap_or_else(|ended| ended);
            // An error here tells of the SDK's own task, which is gone either way.
            let _ = service.close_with_timeout(LEAVE).await;
        }
    }
    said.asked = talk.asked;
    said
}

impl Said {
    fn introduce(&mut self, service: &RunningService<RoleClient, Listener>) {
        let server = service.peer().peer_info().and_then(|info| info.server_info.clone());
        let short = |text: String| text.chars().take(80).collect::<String>();
        self.name = server.as_ref().map(|server| short(server.name.clone()));
        self.version = server.map(|server| short(server.version));
    }
}

struct Talk<'a> {
    watch: Watch,
    heard: UnboundedReceiver<Sign>,
    progress: &'a dyn ProgressSink,
    asked: Vec<&'static str>,
}

impl Talk<'_> {
    async fn ask(
        &mut self,
        service: &RunningService<RoleClient, Listener>,
        wish: Wish,
        tools: &mut Vec<String>,
    ) -> Result<Ended, Ended> {
        let listed = self.attend(service.peer().list_all_tools()).await.map_err(Ended::Stopped)?;
        *tools = listed.map_err(not_answered)?.into_iter().map(|tool| tool.name.into_owned()).collect();
        self.watch.payload();
        let (tool, arguments) = match wish {
            Wish::Tools => return Ok(Ended::Listed),
            Wish::Call { tool, .. } if !tools.contains(&tool) => return Ok(Ended::NoSuchTool),
            Wish::Call { tool, arguments } => (tool, arguments),
        };
        self.progress.report(Progress::Thinking);
        let call = CallToolRequestParams::new(tool).with_arguments(arguments);
        let answered = self.attend(service.peer().call_tool_once(call)).await.map_err(Ended::Stopped)?;
        match answered.map_err(not_answered)? {
            CallToolResponse::Complete(result) => {
                serde_json::to_value(result).map(Ended::Answered).map_err(|error| Ended::Unreadable(error.to_string()))
            }
            CallToolResponse::InputRequired(_) => Ok(unexpected("the tool wants more input before it answers")),
            _ => Ok(unexpected("the tool made a task of the question instead of answering it")),
        }
    }

    /// Waits for `future` and takes note of all signs that come meanwhile.
    async fn attend<F: Future>(&mut self, future: F) -> Result<F::Output, Stop> {
        let mut future = pin!(future);
        loop {
            let heard = &mut self.heard;
            let next = async {
                tokio::select! {
                    biased;
                    Some(sign) = heard.recv() => Err(sign),
                    output = &mut future => Ok(output),
                }
            };
            match self.watch.wait(next).await? {
                Ok(output) => return Ok(output),
                Err(sign) => self.note(sign),
            }
        }
    }

    fn note(&mut self, sign: Sign) {
        match sign {
            Sign::Progress(words) => {
                self.watch.payload();
                let is_silent = words.trim().is_empty();
                let doing = || words::doing("says:", &words);
                self.progress.report(if is_silent { Progress::Thinking } else { doing() });
            }
            Sign::Asked(what) => {
                self.progress.report(words::doing("is refused", what));
                if !self.asked.contains(&what) {
                    self.asked.push(what);
                }
            }
        }
    }
}

fn unexpected(because: &str) -> Ended {
    Ended::Unreadable(because.to_owned())
}

fn not_opened(error: ClientInitializeError) -> Ended {
    match error {
        ClientInitializeError::JsonRpcError(error) => refused(error),
        ClientInitializeError::NoCompatibleProtocolVersion { server_supported, .. } => {
            let spoken: Vec<String> = server_supported.iter().map(ToString::to_string).collect();
            unexpected(&format!("it speaks only the versions {} of the protocol", spoken.join(", ")))
        }
        ClientInitializeError::ConnectionClosed(_)
        | ClientInitializeError::TransportError { .. }
        | ClientInitializeError::Cancelled => Ended::Closed,
        // Its own text holds the whole message, of any length.
        _ => unexpected("its answer to the greeting is none"),
    }
}

fn not_answered(error: ServiceError) -> Ended {
    match error {
        ServiceError::McpError(error) => refused(error),
        ServiceError::UnexpectedResponse => unexpected("its answer is of another form than the protocol's"),
        _ => Ended::Closed,
    }
}

fn refused(error: ErrorData) -> Ended {
    let data = error.data.as_ref().and_then(|data| data.as_str().or(data["message"].as_str()).map(str::to_owned));
    let message = match data {
        Some(data) if !error.message.contains(&data) => format!("{}: {data}", error.message),
        _ => error.message.into_owned(),
    };
    Ended::Refused { code: error.code.0, message }
}
