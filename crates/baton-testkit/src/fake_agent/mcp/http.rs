//! The fake server on a port of this machine, for tests. It keeps its callers to the rules of the transport: both
//! kinds of answers accepted, and the session named once there is one.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use serde_json::Value;

use super::Server;
use crate::fake_agent::Script;

const SESSION: &str = "session-of-the-fake";

/// How messages are carried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Carriage {
    /// A document where one message is the answer, a stream of events where it is more.
    #[default]
    Plain,
    /// Everything as a stream of events, with comments between.
    Events,
    /// Each POST is answered with this status and body.
    Status(u16, String),
    /// A web page, as from a sign-in page.
    Page,
    /// The call's stream ends before its answer.
    BreaksOff,
    /// The call is never answered.
    Hangs,
    /// An event without an end.
    Flood,
}

/// One request as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Request {
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Serves until it is dropped.
pub struct FakeMcpServer {
    address: std::net::SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl FakeMcpServer {
    /// # Errors
    /// No port.
    pub fn start(script: Script, carriage: Carriage) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let (requests, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let house = House { script, carriage, requests: requests.clone(), stop: stop.clone() };
        let thread = std::thread::spawn(move || house.serve(&listener));
        Ok(Self { address, requests, stop, thread: Some(thread) })
    }

    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        locked(&self.requests).clone()
    }
}

impl Drop for FakeMcpServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the one that waits for a connection.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn locked<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Clone)]
struct House {
    script: Script,
    carriage: Carriage,
    requests: Arc<Mutex<Vec<Request>>>,
    stop: Arc<AtomicBool>,
}

impl House {
    fn serve(&self, listener: &TcpListener) {
        let mut guests = Vec::new();
        for stream in listener.incoming() {
            if self.stop.load(Ordering::SeqCst) {
                break;
            }
            let Ok(stream) = stream else { continue };
            let house = self.clone();
            let Ok(handle) = stream.try_clone() else { continue };
            // A caller that goes away is no fault of ours.
            guests.push((handle, std::thread::spawn(move || drop(house.attend(stream)))));
        }
        for (stream, guest) in guests {
            let _ = stream.shutdown(Shutdown::Both);
            let _ = guest.join();
        }
    }

    /// One connection, request after request.
    fn attend(&self, stream: TcpStream) -> io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut writer = stream;
        while let Some(request) = read_request(&mut reader)? {
            locked(&self.requests).push(request.clone());
            match request.method.as_str() {
                "POST" => self.answer(&request, &mut writer)?,
                "DELETE" => respond(&mut writer, 200, "text/plain", b"")?,
                _ => respond(&mut writer, 405, "text/plain", b"")?,
            }
        }
        Ok(())
    }

    fn answer(&self, request: &Request, writer: &mut TcpStream) -> io::Result<()> {
        let message: Value = serde_json::from_str(&request.body).map_err(io::Error::other)?;
        let method = message["method"].as_str().unwrap_or_default().to_owned();
        let accepts = request.header("accept").unwrap_or_default();
        if !(accepts.contains("application/json") && accepts.contains("text/event-stream")) {
            return respond(writer, 406, "text/plain", b"both kinds of answers must be accepted");
        }
        if method != "initialize" && request.header("mcp-session-id") != Some(SESSION) {
            return respond(writer, 400, "text/plain", b"no session is named");
        }
        match &self.carriage {
            Carriage::Status(status, body) => return respond(writer, *status, "application/json", body.as_bytes()),
            Carriage::Page => return respond(writer, 200, "text/html", b"<html>Please sign in</html>"),
            _ => {}
        }
        if message["id"].is_null() {
            return respond(writer, 202, "text/plain", b"");
        }
        if method == "tools/call" {
            match self.carriage {
                Carriage::Hangs => return wait_for_the_end(writer),
                Carriage::BreaksOff => {
                    stream_head(writer)?;
                    writer.write_all(b": soon\n\n")?;
                    return writer.shutdown(Shutdown::Both);
                }
                Carriage::Flood => return flood(writer),
                _ => {}
            }
        }
        let mut messages = Vec::new();
        Server::new(self.script.clone()).take(&message, &mut |message| {
            messages.push(message);
            Ok(())
        })?;
        match (messages.as_slice(), &self.carriage) {
            ([only], Carriage::Plain) => respond(writer, 200, "application/json", only.to_string().as_bytes()),
            (several, _) => events(writer, several),
        }
    }
}

fn read_request(reader: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let method = line.split(' ').next().unwrap_or_default().to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, value)| value.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    Ok(Some(Request { method, headers, body: String::from_utf8_lossy(&body).into_owned() }))
}

fn respond(writer: &mut TcpStream, status: u16, kind: &str, body: &[u8]) -> io::Result<()> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status} Fake\r\ncontent-type: {kind}\r\nmcp-session-id: {SESSION}\r\n");
    writer.write_all(format!("{head}content-length: {length}\r\n\r\n").as_bytes())?;
    writer.write_all(body)
}

fn stream_head(writer: &mut TcpStream) -> io::Result<()> {
    let head = "HTTP/1.1 200 Fake\r\ncontent-type: text/event-stream\r\n";
    writer.write_all(format!("{head}mcp-session-id: {SESSION}\r\ntransfer-encoding: chunked\r\n\r\n").as_bytes())
}

fn chunk(writer: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    writer.write_all(format!("{:x}\r\n", bytes.len()).as_bytes())?;
    writer.write_all(bytes)?;
    writer.write_all(b"\r\n")
}

fn events(writer: &mut TcpStream, messages: &[Value]) -> io::Result<()> {
    stream_head(writer)?;
    for message in messages {
        chunk(writer, format!(": alive\n\nevent: message\ndata: {message}\n\n").as_bytes())?;
    }
    chunk(writer, b"")
}

fn flood(writer: &mut TcpStream) -> io::Result<()> {
    stream_head(writer)?;
    chunk(writer, b"data: ")?;
    loop {
        chunk(writer, &[b'x'; 4096])?;
    }
}

fn wait_for_the_end(stream: &mut TcpStream) -> io::Result<()> {
    let mut rest = [0; 64];
    while stream.read(&mut rest)? > 0 {}
    Ok(())
}
