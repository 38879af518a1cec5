//! Our side of what a server may say or ask by itself while a tool runs.

use rmcp::model::{
    ClientConfig, ClientResult, ErrorCode, ErrorData, Implementation, ServerNotification, ServerRequest,
};
use rmcp::service::{NotificationContext, RequestContext, RoleClient, Service};
use tokio::sync::mpsc::UnboundedSender;

/// Something that a server said beside its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// It works; with its own words where it has some.
    Progress(String),
    /// It wants something of us that it does not get.
    Asked(&'static str),
}

/// Tells what it hears, and refuses what is asked: no model, no folder and no person of ours is a server's to use.
pub(super) struct Listener(UnboundedSender<Sign>);

impl Listener {
    pub(super) fn new(signs: UnboundedSender<Sign>) -> Self {
        Self(signs)
    }

    fn tell(&self, sign: Sign) {
        // An error says that nobody waits for the answer any more.
        let _ = self.0.send(sign);
    }
}

impl Service<RoleClient> for Listener {
    async fn handle_request(
        &self,
        request: ServerRequest,
        _context: RequestContext<RoleClient>,
    ) -> Result<ClientResult, ErrorData> {
        let wanted = match request {
            ServerRequest::PingRequest(_) => return Ok(ClientResult::empty(())),
            ServerRequest::CreateMessageRequest(_) => "a model of ours",
            ServerRequest::ListRootsRequest(_) => "our folders",
            ServerRequest::ElicitRequest(_) => "a person's answer",
            _ => "something unknown",
        };
        self.tell(Sign::Asked(wanted));
        Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, format!("baton does not give a server {wanted}"), None))
    }

    async fn handle_notification(
        &self,
        notification: ServerNotification,
        _context: NotificationContext<RoleClient>,
    ) -> Result<(), ErrorData> {
        match notification {
            ServerNotification::ProgressNotification(progress) => {
                self.tell(Sign::Progress(progress.params.message.unwrap_or_default()));
            }
            // Events of a server's own kind, as Codex sends them.
            ServerNotification::CustomNotification(_) => self.tell(Sign::Progress(String::new())),
            _ => {}
        }
        Ok(())
    }

    fn get_info(&self) -> ClientConfig {
        let mut info = ClientConfig::default();
        info.client_info = Implementation::new("baton", env!("CARGO_PKG_VERSION"));
        info
    }
}
