//! The scripted model server on a thread of its own, for tests that run programs.

use std::sync::Arc;
use std::thread::JoinHandle;

use baton_script::{Counts, Recorded, Script, Server, ServerError};
use tokio::sync::oneshot;

/// A scripted server that serves until it is dropped.
pub struct Upstream {
    server: Arc<Server>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Upstream {
    /// # Errors
    /// A script that cannot be played, or no port.
    pub fn start(script: Script) -> Result<Self, ServerError> {
        let (ready, started) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let Ok(runtime) = runtime else { return };
            runtime.block_on(async move {
                match Server::start(script).await {
                    Ok(server) => {
                        let _ = ready.send(Ok(Arc::new(server)));
                        let _ = stopped.await;
                    }
                    Err(error) => drop(ready.send(Err(error))),
                }
            });
        });
        let gone = || ServerError::Listen(std::io::Error::other("the server's thread ended"));
        let server = started.recv().map_err(|_| gone())??;
        Ok(Self { server, stop: Some(stop), thread: Some(thread) })
    }

    #[must_use]
    pub fn url(&self) -> String {
        self.server.url()
    }

    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.server.requests()
    }

    #[must_use]
    pub fn counts(&self) -> Counts {
        self.server.counts()
    }

    /// The models that were asked, in the order of arrival.
    #[must_use]
    pub fn asked_models(&self) -> Vec<String> {
        let model = |request: &Recorded| {
            let body: serde_json::Value = serde_json::from_str(&request.body).ok()?;
            Some(body.get("model")?.as_str()?.to_owned())
        };
        self.requests().iter().filter_map(model).collect()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
