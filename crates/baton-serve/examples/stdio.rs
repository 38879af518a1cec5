//! The MCP server on the standard streams with a face that asks nobody, to try clients and inspectors on.

use std::sync::Arc;

use baton_core::ids::RunId;
use baton_port::{BoxFuture, Cancel};
use baton_serve::{
    Face, FaceError, OrchestrateReply, OrchestrateRequest, ProgressReport, ServeError, serve_stdio, standard_streams,
};
use serde_json::json;

struct Echo;

impl Face for Echo {
    fn orchestrate(
        &self,
        request: OrchestrateRequest,
        progress: ProgressReport,
        cancel: Cancel,
    ) -> BoxFuture<'_, Result<OrchestrateReply, FaceError>> {
        Box::pin(async move {
            progress("nobody asked".to_owned());
            if request.task == "wait" {
                cancel.requested().await;
                return Err(FaceError { message: "cancelled".to_owned(), hint: "call again".to_owned() });
            }
            let run = RunId::parse("example")
                .map_err(|error| FaceError { message: error.to_string(), hint: String::new() })?;
            let decision =
                json!({"schema": "baton.decision/1", "recommendation": "proceed", "reasoning": [request.task]});
            Ok(OrchestrateReply { run, decision, text: format!("**proceed**: {}", request.task) })
        })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), ServeError> {
    let (input, output) = standard_streams();
    serve_stdio(Arc::new(Echo), input, output).await
}
