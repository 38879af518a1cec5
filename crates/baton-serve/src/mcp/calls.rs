use std::collections::HashMap;
use std::sync::Arc;

use baton_port::Cancel;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::{Id, JoinSet};

use crate::face::{Face, FaceError, OrchestrateReply, OrchestrateRequest, ProgressReport};

/// Calls that may run at once.
const RUNNING_CALLS: usize = 64;

pub(crate) type Outcome = Result<OrchestrateReply, FaceError>;

/// One use of a tool, on its way to the face.
pub(crate) struct Call {
    request: OrchestrateRequest,
    progress: ProgressReport,
    cancel: Cancel,
    answer: oneshot::Sender<Outcome>,
    place: OwnedSemaphorePermit,
}

/// Hands calls to [`work`].
pub(crate) struct Calls {
    queue: mpsc::UnboundedSender<Call>,
    places: Arc<Semaphore>,
}

pub(crate) fn queue() -> (Calls, mpsc::UnboundedReceiver<Call>) {
    let (queue, calls) = mpsc::unbounded_channel();
    (Calls { queue, places: Arc::new(Semaphore::new(RUNNING_CALLS)) }, calls)
}

impl Calls {
    /// Starts a call. Its outcome never comes when the face panicked.
    pub(crate) fn start(
        &self,
        request: OrchestrateRequest,
        progress: ProgressReport,
        cancel: Cancel,
    ) -> Result<oneshot::Receiver<Outcome>, FaceError> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| busy())?;
        let (answer, outcome) = oneshot::channel();
        let call = Call { request, progress, cancel, answer, place };
        self.queue.send(call).map_err(|_| closing())?;
        Ok(outcome)
    }
}

fn busy() -> FaceError {
    FaceError {
        message: format!("{RUNNING_CALLS} calls are running already; this one was not started"),
        hint: "wait for one to end, or cancel one, and call again".to_owned(),
    }
}

fn closing() -> FaceError {
    FaceError {
        message: "the server is ending; this call was not started".to_owned(),
        hint: "start the server again and repeat the call".to_owned(),
    }
}

/// Runs the calls. They live here and not in the protocol's tasks, because those are given up some seconds after the
/// input ends, and a call's end must be awaited however long its members take to stop.
pub(crate) async fn work(face: Arc<dyn Face>, mut queue: mpsc::UnboundedReceiver<Call>, stop: Cancel) {
    let mut running = Running::default();
    let mut stopping = false;
    loop {
        tokio::select! {
            biased;
            () = stop.requested(), if !stopping => {
                stopping = true;
                running.cancel_all();
            }
            call = queue.recv() => match call {
                Some(call) if stopping => drop(call.answer.send(Err(closing()))),
                Some(call) => running.start(Arc::clone(&face), call),
                None => break,
            },
            () = running.one_ends(), if !running.tasks.is_empty() => {}
        }
    }
    stop.request();
    running.cancel_all();
    while !running.tasks.is_empty() {
        running.one_ends().await;
    }
}

#[derive(Default)]
struct Running {
    tasks: JoinSet<()>,
    cancels: HashMap<Id, Cancel>,
}

impl Running {
    fn start(&mut self, face: Arc<dyn Face>, call: Call) {
        let Call { request, progress, cancel, answer, place } = call;
        let shared = cancel.clone();
        let task = self.tasks.spawn(async move {
            let outcome = face.orchestrate(request, progress, shared).await;
            drop(place);
            // Nobody waits any more when the client has gone; the run is recorded all the same.
            drop(answer.send(outcome));
        });
        self.cancels.insert(task.id(), cancel);
    }

    fn cancel_all(&self) {
        self.cancels.values().for_each(Cancel::request);
    }

    async fn one_ends(&mut self) {
        let id = match self.tasks.join_next_with_id().await {
            Some(Ok((id, ()))) => id,
            Some(Err(error)) => error.id(),
            None => return,
        };
        self.cancels.remove(&id);
    }
}
