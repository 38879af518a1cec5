//! HTTP itself: heads, bodies, connections, and the end of the server.

use std::io::ErrorKind;

use baton_script::{Answer, Fault, Reply, Script, Server, ViolationKind, serve_forever};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::client::{CHAT, Ending, ask, call, failing, playing, post, send};

const BODY: &str = r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#;

/// Reads until the text ends with `end`.
async fn read_to(stream: &mut TcpStream, end: &str) -> String {
    let mut raw = Vec::new();
    while !raw.ends_with(end.as_bytes()) {
        assert!(stream.read_buf(&mut raw).await.unwrap() > 0, "closed before {end:?}");
    }
    String::from_utf8(raw).unwrap()
}

#[tokio::test]
async fn a_connection_serves_many_requests() {
    let server = playing(Answer::text("ok")).await;
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    for number in 1..=3 {
        stream.write_all(post(CHAT.0, &[], BODY).as_bytes()).await.unwrap();
        let response = read_to(&mut stream, "\"system_fingerprint\":\"fp_scripted\"}").await;
        assert!(response.contains(&format!("chatcmpl-{number:06}")));
        assert!(!response.contains("connection: close"));
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn requests_that_are_sent_ahead_are_answered_in_order() {
    let server = playing(Answer::text("ok")).await;
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let two = post(CHAT.0, &[], BODY) + &post(CHAT.0, &["connection: close"], BODY);
    stream.write_all(two.as_bytes()).await.unwrap();
    let mut raw = String::new();
    stream.read_to_string(&mut raw).await.unwrap();
    let first = raw.find("chatcmpl-000001").unwrap();
    assert!(first < raw.find("chatcmpl-000002").unwrap());
}

#[tokio::test]
async fn a_body_may_come_in_chunks_and_byte_by_byte() {
    let server = playing(Answer::text("ok")).await;
    let (left, right) = BODY.split_at(20);
    let chunked = format!(
        "POST /v1/chat/completions HTTP/1.1\r\ncontent-type: application/json\r\n\
         x-api-key: k\r\ntransfer-encoding: Chunked\r\nconnection: close\r\n\r\n\
         {:x};note=1\r\n{left}\r\n{:X}\r\n{right}\r\n0\r\nx-trailer: 1\r\n\r\n",
        left.len(),
        right.len()
    );
    assert_eq!(send(&server, &chunked).await.status, 200);
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.set_nodelay(true).unwrap();
    for byte in chunked.as_bytes() {
        stream.write_all(&[*byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    let mut raw = String::new();
    stream.read_to_string(&mut raw).await.unwrap();
    assert!(raw.starts_with("HTTP/1.1 200 OK\r\n"));
    assert_eq!(server.requests().iter().filter(|request| request.body == BODY).count(), 2);
    assert_eq!(server.violations(), []);
}

#[tokio::test]
async fn a_client_that_asks_first_is_told_to_go_on() {
    let server = playing(Answer::text("ok")).await;
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let request = post(CHAT.0, &["expect: 100-continue"], BODY);
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    stream.write_all(format!("{head}\r\n\r\n").as_bytes()).await.unwrap();
    read_to(&mut stream, "HTTP/1.1 100 Continue\r\n\r\n").await;
    stream.write_all(body.as_bytes()).await.unwrap();
    read_to(&mut stream, "fp_scripted\"}").await;
}

#[tokio::test]
async fn what_is_no_http_is_refused() {
    let cases = [
        ("hello\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\ncontent-length: many\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\ncontent-length: 67108865\r\n\r\n", 413),
        ("POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", 400),
        ("POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nfffffffffff\r\n", 413),
        ("POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc\r\n", 400),
    ];
    for (bytes, status) in cases {
        let server = playing(Answer::text("ok")).await;
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        stream.write_all(bytes.as_bytes()).await.unwrap();
        // The server may close while a part of the request is unread, which is a reset.
        let mut raw = Vec::new();
        let _ = stream.read_to_end(&mut raw).await;
        let start = format!("HTTP/1.1 {status} ");
        assert!(raw.starts_with(start.as_bytes()), "{bytes:?}");
        assert_eq!(server.violations()[0].kind, ViolationKind::MalformedHttp);
        assert_eq!(server.counts().paid, 0);
    }
}

#[tokio::test]
async fn a_request_that_breaks_off_is_listed_and_answers_nobody() {
    let server = playing(Answer::text("ok")).await;
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(b"POST / HTTP/1.1\r\ncontent-length: 10\r\n\r\nabc").await.unwrap();
    stream.shutdown().await.unwrap();
    server.arrived(1).await;
    assert_eq!(server.violations()[0].kind, ViolationKind::MalformedHttp);
    assert_eq!(server.requests(), []);
}

#[tokio::test]
async fn the_root_answers_and_unknown_paths_do_not() {
    let server = playing(Answer::text("ok")).await;
    let closing = |line: &str| format!("{line} HTTP/1.1\r\nconnection: close\r\n\r\n");
    assert_eq!(send(&server, &closing("GET /")).await.text(), r#"{"status":"ok"}"#);
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(closing("HEAD /").as_bytes()).await.unwrap();
    let mut head = String::new();
    stream.read_to_string(&mut head).await.unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.ends_with("\r\n\r\n"));
    let unknown = send(&server, &closing("GET /api/tags")).await;
    assert_eq!(unknown.status, 404);
    assert_eq!(unknown.json()["error"]["message"], "Invalid URL (GET /api/tags)");
}

#[tokio::test]
async fn a_paced_stream_comes_in_a_chunk_for_each_event() {
    let reply = Reply { text: "abc".into(), delta_characters: 1, ..Reply::default() };
    let server = playing(Answer { reply, ..Answer::default() }.gap_ms(1)).await;
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(call(CHAT, true).as_bytes()).await.unwrap();
    let mut raw = String::new();
    stream.read_to_string(&mut raw).await.unwrap();
    assert!(raw.contains("\r\ne\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"));
    assert_eq!(raw.matches("\n\n\r\n").count(), 6);
}

#[tokio::test]
async fn a_client_that_leaves_is_noticed_during_a_delay_and_a_hang() {
    for answer in [Answer::text("late").delay_ms(3_600_000), Answer::fault(Fault::HangBeforeHead)] {
        let server = playing(answer).await;
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        stream.write_all(call(CHAT, true).as_bytes()).await.unwrap();
        server.arrived(1).await;
        assert_eq!(server.connections(), 1);
        drop(stream);
        server.idle().await;
    }
}

#[tokio::test]
async fn shutdown_leaves_no_listener_and_no_connection() {
    let server = failing(Fault::HangMidStream).await;
    let address = server.address();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(call(CHAT, true).as_bytes()).await.unwrap();
    server.arrived(1).await;
    server.shutdown().await;
    let error = TcpStream::connect(address).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    TcpListener::bind(address).await.expect("the port is free again");
}

#[tokio::test]
async fn a_server_that_is_dropped_stops_too() {
    let server = failing(Fault::EndlessTokens).await;
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(call(CHAT, true).as_bytes()).await.unwrap();
    server.arrived(1).await;
    drop(server);
    let mut buffer = vec![0; 1 << 16];
    while !matches!(stream.read(&mut buffer).await, Ok(0) | Err(_)) {}
}

#[tokio::test]
async fn it_serves_on_a_listener_of_the_caller() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let script = Script::always(Answer::text("from elsewhere"));
    let client = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(call(CHAT, false).as_bytes()).await.unwrap();
        let mut raw = String::new();
        stream.read_to_string(&mut raw).await.unwrap();
        raw
    };
    tokio::select! {
        ended = serve_forever(script, listener) => panic!("it ended: {ended:?}"),
        raw = client => assert!(raw.contains("from elsewhere")),
    }
}

#[tokio::test]
async fn the_url_is_the_address() {
    let server = Server::start(Script::new()).await.unwrap();
    assert_eq!(server.url(), format!("http://{}", server.address()));
    assert!(server.address().ip().is_loopback());
    assert_eq!(ask(&server, CHAT, false).await.ending, Ending::Proper);
}
