//! The listener, its connections, and the way of a request to its answer.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::clock;
use crate::dialect::{Dialect, Failure};
use crate::http::{ReadError, Request, read_request};
use crate::invariant::{Body, Door, Limit, Violation, ViolationKind, of_any, of_call};
use crate::performance::{Next, Wanted, perform};
use crate::plan::{Plan, Scene, own_error, plain};
use crate::script::{Answer, Script, ScriptError};
use crate::state::{Call, Counts, Recorded, State};

/// A server that plays a script on a loopback port.
///
/// It owns every task that it starts. [`Server::shutdown`] waits for them; dropping the server stops
/// them without waiting.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stage: Arc<Stage>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error(transparent)]
    Script(#[from] ScriptError),
    #[error("no loopback port could be opened: {0}")]
    Listen(#[from] io::Error),
}

impl Server {
    /// Starts on a free port of 127.0.0.1. Must be called within a tokio runtime, of either flavour,
    /// with I/O and time enabled.
    ///
    /// # Errors
    /// A script that cannot be played; no port.
    pub async fn start(script: Script) -> Result<Self, ServerError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        Self::start_on(script, listener)
    }

    /// As [`Server::start`], on a listener of the caller.
    ///
    /// # Errors
    /// A script that cannot be played; a listener without an address.
    pub fn start_on(script: Script, listener: TcpListener) -> Result<Self, ServerError> {
        let stage = Arc::new(Stage::new(script)?);
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(Arc::clone(&stage), listener, stopped));
        Ok(Self { address, stage, stop, tasks })
    }

    /// `http://127.0.0.1:PORT`, without a path.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Every request so far, in the order of arrival; empty with [`crate::Recording::Counts`].
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.stage.state().requests.clone()
    }

    /// What was wrong with the requests so far, in the order of arrival.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        self.stage.state().violations.clone()
    }

    #[must_use]
    pub fn counts(&self) -> Counts {
        self.stage.state().counts.clone()
    }

    /// Connections that are open now.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.stage.activity.borrow().connections
    }

    /// Waits until so many requests have arrived and are recorded; their answers may be under way.
    pub async fn arrived(&self, requests: u64) {
        self.until(|activity| activity.requests >= requests).await;
    }

    /// Waits until no connection is open: every client has let go of its calls.
    pub async fn idle(&self) {
        self.until(|activity| activity.connections == 0).await;
    }

    /// Stops: afterwards nothing listens and no connection is open.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
    }

    async fn until(&self, mut reached: impl FnMut(&Activity) -> bool) {
        // The sender lives in the stage that `self` holds, so the channel cannot be closed.
        let _ = self.stage.activity.subscribe().wait_for(|activity| reached(activity)).await;
    }
}

/// Plays a script on a listener until the future is dropped.
///
/// # Errors
/// A script that cannot be played. Once it serves, it never returns.
pub async fn serve_forever(script: Script, listener: TcpListener) -> Result<(), ServerError> {
    let stage = Arc::new(Stage::new(script)?);
    let (_stop, stopped) = watch::channel(false);
    accept(stage, listener, stopped).await;
    Ok(())
}

#[derive(Debug, Default)]
struct Activity {
    requests: u64,
    connections: usize,
}

/// All that connections share.
#[derive(Debug)]
struct Stage {
    script: Script,
    models: Vec<String>,
    state: Mutex<State>,
    activity: watch::Sender<Activity>,
}

/// Counts a connection for as long as it lives, however it ends.
struct Presence(Arc<Stage>);

impl Presence {
    fn new(stage: Arc<Stage>) -> Self {
        stage.activity.send_modify(|activity| activity.connections += 1);
        Self(stage)
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.0.activity.send_modify(|activity| activity.connections -= 1);
    }
}

async fn accept(stage: Arc<Stage>, listener: TcpListener, mut stopped: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = told_to_stop(&mut stopped) => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(converse(Presence::new(Arc::clone(&stage)), stream));
                }
                // Out of descriptors: others must close theirs first.
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            },
        }
    }
    drop(listener);
    connections.shutdown().await;
}

/// Waits for the word, or until nobody is left who could give it.
async fn told_to_stop(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stop| *stop).await;
}

/// Serves the requests of one connection, one after the other.
async fn converse(presence: Presence, mut stream: TcpStream) {
    let stage = &presence.0;
    let mut buffer = Vec::new();
    // Without it small writes would wait for acknowledgements; a refusal costs only time.
    let _ = stream.set_nodelay(true);
    loop {
        let (plan, wanted, next) = match read_request(&mut stream, &mut buffer).await {
            Ok(Some(request)) => {
                let next = if request.keep_alive { Next::Request } else { Next::Nothing };
                let head_only = request.method == "HEAD";
                let wanted = if head_only { Wanted::HeadOnly } else { Wanted::HeadAndBody };
                (stage.answer(request), wanted, next)
            }
            Err(ReadError::Malformed { status, message }) => {
                (stage.refuse(status, message), Wanted::HeadAndBody, Next::Nothing)
            }
            Ok(None) | Err(ReadError::Io(_)) => return,
        };
        match perform(&mut stream, &plan, wanted, next).await {
            Ok(Next::Request) => {}
            Ok(Next::Nothing) | Err(_) => return,
        }
    }
}

/// What a path and method ask for.
#[derive(Clone, Copy)]
enum Route {
    Completion(Dialect),
    CountTokens,
    Models,
    Root,
    Unknown,
}

impl Route {
    fn of(request: &Request) -> Self {
        let path = request.path();
        let reads = request.method == "GET" || request.method == "HEAD";
        match request.method.as_str() {
            "POST" if path.ends_with("/chat/completions") => Self::Completion(Dialect::Chat),
            "POST" if path.ends_with("/messages") => Self::Completion(Dialect::Messages),
            "POST" if path.ends_with("/responses") => Self::Completion(Dialect::Responses),
            "POST" if path.ends_with(":generateContent") || path.ends_with(":streamGenerateContent") => {
                Self::Completion(Dialect::Gemini)
            }
            "POST" if path.ends_with("/messages/count_tokens") => Self::CountTokens,
            _ if reads && path.ends_with("/models") => Self::Models,
            _ if reads && (path == "/" || path.is_empty()) => Self::Root,
            _ => Self::Unknown,
        }
    }

    fn dialect(self, request: &Request) -> Dialect {
        match self {
            Self::Completion(dialect) => dialect,
            Self::CountTokens => Dialect::Messages,
            _ if request.header("anthropic-version").is_some() => Dialect::Messages,
            _ if is_googles(request) => Dialect::Gemini,
            _ => Dialect::Chat,
        }
    }
}

/// A list of models may be asked for without a key, and by a path of another version.
fn is_googles(request: &Request) -> bool {
    request.path().starts_with("/v1beta/") || request.header("x-goog-api-key").is_some()
}

impl Stage {
    fn new(script: Script) -> Result<Self, ScriptError> {
        script.validate()?;
        Ok(Self {
            models: script.model_names(),
            state: Mutex::new(State::new(&script)),
            activity: watch::Sender::new(Activity::default()),
            script,
        })
    }

    /// A panic elsewhere leaves the state as it was between two requests, so it can be used.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Judges, answers and records a request.
    fn answer(&self, request: Request) -> Plan {
        let route = Route::of(&request);
        let plan = match route {
            Route::Completion(dialect) => self.complete(dialect, request),
            Route::CountTokens => self.side_call(route, request, "count_tokens"),
            Route::Models => self.side_call(route, request, "models"),
            Route::Root | Route::Unknown => self.other(route, request),
        };
        self.announce();
        plan
    }

    fn complete(&self, dialect: Dialect, request: Request) -> Plan {
        let (mut body, unread) = Body::read(&request.body);
        if dialect == Dialect::Gemini {
            body.read_address(request.path());
        }
        let mut found = of_any(&request, self.door());
        found.extend(of_call(&request, dialect, &body, unread, Limit::Needed));
        let mut state = self.state();
        let id = state.arrive();
        let call = Call { request: &request, model: body.model.as_deref(), only_named: None };
        let chosen = state.answer(&self.script, &call);
        if chosen.is_none() {
            found.push(ViolationKind::NoRule);
        }
        state.violate(id, found);
        state.record(&self.script, id, request, chosen.map(|(index, _)| index), true);
        drop(state);
        match chosen {
            Some((_, answer)) => scene(id, dialect, answer, &body).plan(),
            None => own_error(dialect, id, 400, "no rule of the script matches this call"),
        }
    }

    /// A free call: its own answer, unless a rule names it.
    fn side_call(&self, route: Route, request: Request, word: &'static str) -> Plan {
        let dialect = route.dialect(&request);
        let mut found = of_any(&request, self.door());
        let mut body = Body::default();
        if let Route::CountTokens = route {
            let (read, unread) = Body::read(&request.body);
            found.extend(of_call(&request, dialect, &read, unread, Limit::Free));
            body = read;
        } else {
            // Lists of models are asked for without a key, to find out what a server is.
            found.retain(|kind| *kind != ViolationKind::KeyMissing);
        }
        let size = request.body.len();
        let mut state = self.state();
        let id = state.arrive();
        let call = Call { request: &request, model: body.model.as_deref(), only_named: Some(word) };
        let chosen = state.answer(&self.script, &call);
        state.violate(id, found);
        state.record(&self.script, id, request, chosen.map(|(index, _)| index), false);
        drop(state);
        match (chosen, route) {
            (Some((_, answer)), _) if answer.fault.is_some() => scene(id, dialect, answer, &body).plan(),
            (Some((_, answer)), Route::CountTokens) => count_of_tokens(id, answer.reply.usage.input),
            // Four bytes for a token: near enough for a budget.
            (None, Route::CountTokens) => count_of_tokens(id, (size / 4) as u64),
            _ => plain(dialect, id, 200, dialect.models(&self.models)),
        }
    }

    fn other(&self, route: Route, request: Request) -> Plan {
        let dialect = route.dialect(&request);
        let mut found = of_any(&request, Door::Open);
        found.retain(|kind| *kind == ViolationKind::KeyInUrl);
        let message = format!("Invalid URL ({} {})", request.method, request.path());
        let mut state = self.state();
        let id = state.arrive();
        state.violate(id, found);
        state.record(&self.script, id, request, None, false);
        drop(state);
        match route {
            Route::Root => plain(dialect, id, 200, "{\"status\":\"ok\"}".to_owned()),
            _ => own_error(dialect, id, 404, &message),
        }
    }

    /// Bytes that are no request: counted and listed, but there is nothing to record.
    fn refuse(&self, status: u16, message: &str) -> Plan {
        let mut state = self.state();
        let id = state.arrive();
        state.violate(id, vec![ViolationKind::MalformedHttp]);
        drop(state);
        self.announce();
        let body = Dialect::Chat.error(&Failure::own(status, message), id);
        plain(Dialect::Chat, id, status, body)
    }

    fn announce(&self) {
        let requests = self.state().counts.requests;
        self.activity.send_modify(|activity| activity.requests = requests.max(activity.requests));
    }

    fn door(&self) -> Door {
        if self.script.open { Door::Open } else { Door::Keyed }
    }
}

fn count_of_tokens(id: u64, tokens: u64) -> Plan {
    plain(Dialect::Messages, id, 200, format!("{{\"input_tokens\":{tokens}}}"))
}

fn scene<'a>(id: u64, dialect: Dialect, answer: &'a Answer, body: &'a Body) -> Scene<'a> {
    Scene {
        id,
        dialect,
        answer,
        model: body.model.as_deref().unwrap_or("scripted"),
        streamed: body.stream.unwrap_or(false),
        include_usage: body.include_usage(),
        schema: body.form.schema(dialect),
        now: clock::unix_seconds(SystemTime::now()),
    }
}
