//! Seats, requests and a server of literal bytes for the tests of the HTTP channels.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use baton_core::ids::MemberId;
use baton_core::member::{ChannelSpec, Limits, Member, Nature, Payer};
use baton_members::http::{Client, HttpChannel, Secret};
use baton_port::{Cancel, Caps, Channel, Deadlines, Progress, ProgressSink, SessionUse, Turn, TurnRequest};

pub(crate) const KEY: &str = "sk-test-0123456789abcdef";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    OpenAi,
    Responses,
    Anthropic,
    Gemini,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::OpenAi, Self::Responses, Self::Anthropic, Self::Gemini];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::OpenAi => "openai-chat",
            Self::Responses => "openai-responses",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
        }
    }

    /// What the catalogue puts behind a server's address.
    pub(crate) fn base(self, url: &str) -> String {
        match self {
            Self::OpenAi | Self::Responses => format!("{url}/v1"),
            Self::Gemini => format!("{url}/v1beta"),
            Self::Anthropic => url.to_owned(),
        }
    }
}

pub(crate) fn member(kind: Kind, url: &str, settings: &[(&str, &str)]) -> Member {
    let mut all = BTreeMap::from([("base_url".to_owned(), kind.base(url)), ("key_env".into(), "TEST_KEY".into())]);
    all.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    Member {
        id: MemberId::parse("seat").unwrap(),
        nature: Nature::Model,
        vendor: "vendor".into(),
        family: "family".into(),
        channel: ChannelSpec { kind: kind.name().into(), settings: all },
        model: Some("m-1".into()),
        effort: None,
        tier: 1,
        strengths: vec![],
        context_window: 100_000,
        price: None,
        payer: Payer::Key,
        account: "account".into(),
        limits: Limits::default(),
        scripted: false,
    }
}

pub(crate) fn channel(member: &Member) -> HttpChannel {
    HttpChannel::new(member, Some(Secret::new(KEY)), Arc::new(Client::new())).unwrap()
}

pub(crate) fn streamed(yes: bool) -> (&'static str, &'static str) {
    ("stream", if yes { "true" } else { "false" })
}

#[derive(Default)]
pub(crate) struct Seen(pub(crate) Mutex<Vec<Progress>>);

impl ProgressSink for Seen {
    fn report(&self, progress: Progress) {
        self.0.lock().unwrap().push(progress);
    }
}

/// A request with limits that no test reaches unless it sets others.
pub(crate) fn request(prompt: &str) -> TurnRequest {
    let long = Duration::from_secs(20);
    TurnRequest {
        prompt: prompt.into(),
        effort: None,
        schema: None,
        session: SessionUse::None,
        history: vec![],
        directory: std::env::temp_dir(),
        deadlines: Deadlines { first_event: long, idle: long, total: long },
        caps: Caps { total: 64 << 10, line: 32 << 10 },
        cancel: Cancel::default(),
        progress: Arc::new(Seen::default()),
    }
}

pub(crate) async fn ask(member: &Member, request: &TurnRequest) -> Turn {
    channel(member).turn(request).await
}

/// Answers one request with these bytes and closes the connection.
pub(crate) struct Literal {
    pub(crate) url: String,
    thread: JoinHandle<String>,
}

impl Literal {
    pub(crate) fn start(response: impl Into<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let response = response.into();
        let thread = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let request = read_request(&mut stream);
            stream.write_all(&response).unwrap();
            request
        });
        Self { url, thread }
    }

    /// The request as it came.
    pub(crate) fn request(self) -> String {
        self.thread.join().unwrap()
    }
}

fn read_request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        let read = stream.read(&mut piece).unwrap();
        if read == 0 {
            return text;
        }
        bytes.extend_from_slice(&piece[..read]);
    }
}

/// A whole response with a length, from its status line, headers and body.
pub(crate) fn response(head: &str, body: &str) -> String {
    let head = head.trim_end().replace('\n', "\r\n");
    format!("{head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}
