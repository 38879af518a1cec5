use std::sync::Arc;

use baton_port::Cancel;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CustomRequest, CustomResult, ErrorCode, ErrorData, ListToolsResult,
    PaginatedRequestParams, ProgressNotificationParam, ProgressToken, ServerConfig, Tool,
};
use rmcp::service::{Peer, RequestContext};
use rmcp::{RoleServer, ServerHandler};
use tokio::sync::{mpsc, oneshot};

use super::calls::{Calls, Outcome};
use super::{arguments, reply, tools};
use crate::face::{FaceError, ProgressReport};

/// Lines of progress that may wait for a client that does not read; further ones are lost.
const WAITING_LINES: usize = 256;

/// Answers what a client asks. All but `tools/call` comes from static data.
pub(crate) struct Server {
    calls: Calls,
}

impl Server {
    pub(crate) fn new(calls: Calls) -> Self {
        Self { calls }
    }

    async fn orchestrate(
        &self,
        params: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> CallToolResponse {
        let request = match arguments::read(params.arguments.unwrap_or_default()) {
            Ok(request) => request,
            Err(error) => return reply::failure(&error).into(),
        };
        let (progress, lines) = Lines::open(&context);
        let cancel = Cancel::default();
        let outcome = match self.calls.start(request, progress, cancel.clone()) {
            Ok(outcome) => outcome,
            Err(error) => return reply::failure(&error).into(),
        };
        let mut ending = std::pin::pin!(lines.relay_until(outcome));
        let outcome = tokio::select! {
            outcome = &mut ending => outcome,
            () = context.ct.cancelled() => {
                cancel.request();
                ending.await
            }
        };
        match outcome {
            Ok(decided) => reply::success(decided).into(),
            Err(error) => reply::failure(&error).into(),
        }
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        tools::server_info()
    }

    async fn list_tools(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(tools::all().to_vec()))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        tools::all().iter().find(|tool| tool.name == name).cloned()
    }

    async fn call_tool(
        &self,
        params: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        match params.name.as_ref() {
            tools::ORCHESTRATE => Ok(self.orchestrate(params, context).await),
            other => Err(ErrorData::invalid_params(format!("unknown tool `{other}`; see tools/list"), None)),
        }
    }

    /// Gets every request that the SDK does not know, and those that it knows but cannot read.
    async fn on_custom_request(
        &self,
        request: CustomRequest,
        _context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        if request.method == "tools/call" {
            return Err(ErrorData::invalid_params("`name` must be a string and `arguments` an object", None));
        }
        let told = format!("there is no method `{}`; see tools/list", request.method);
        Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, told, None))
    }
}

/// Progress on its way from a call to the client, when the client asked for it.
struct Lines {
    lines: mpsc::Receiver<String>,
    peer: Peer<RoleServer>,
    token: Option<ProgressToken>,
    sent: u32,
}

impl Lines {
    fn open(context: &RequestContext<RoleServer>) -> (ProgressReport, Self) {
        let (sender, lines) = mpsc::channel(WAITING_LINES);
        let token = context.meta.get_progress_token();
        let wanted = token.is_some();
        let report: ProgressReport = Arc::new(move |line| {
            if wanted {
                drop(sender.try_send(line));
            }
        });
        (report, Self { lines, peer: context.peer.clone(), token, sent: 0 })
    }

    /// Sends what comes until the call ends, then what is left, so that no progress follows the result.
    async fn relay_until(mut self, mut outcome: oneshot::Receiver<Outcome>) -> Outcome {
        let outcome = loop {
            tokio::select! {
                biased;
                outcome = &mut outcome => break outcome,
                Some(line) = self.lines.recv() => self.send(line).await,
            }
        };
        while let Ok(line) = self.lines.try_recv() {
            self.send(line).await;
        }
        outcome.unwrap_or_else(|_| Err(broken()))
    }

    async fn send(&mut self, line: String) {
        let Some(token) = self.token.clone() else { return };
        self.sent += 1;
        let progress = ProgressNotificationParam::new(token, f64::from(self.sent)).with_message(line);
        // A client that does not take it any more learns the outcome another way, or is gone.
        drop(self.peer.notify_progress(progress).await);
    }
}

fn broken() -> FaceError {
    FaceError {
        message: "the call broke off inside baton".to_owned(),
        hint: "look at the newest runs before asking again: what was paid for is recorded".to_owned(),
    }
}
