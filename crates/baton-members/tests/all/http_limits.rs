//! Caps, deadlines, cancelling, and the connections that are left.

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

use baton_core::outcome::{Deadline, Outcome};
use baton_port::{Cancel, Caps, Channel, Progress};
use baton_script::{Answer, Fault, Script, Server};

use crate::http_support::{Kind, Seen, ask, channel, member, request, streamed};

const SOON: Duration = Duration::from_millis(60);

async fn server(answer: Answer) -> Server {
    Server::start(Script::always(answer)).await.unwrap()
}

#[tokio::test]
async fn one_line_of_fifty_megabytes_is_refused_before_it_is_stored() {
    for kind in Kind::ALL {
        let server = server(Answer::fault(Fault::HugeLine)).await;
        let mut request = request("hello");
        request.caps = Caps::default();
        let turn = ask(&member(kind, &server.url(), &[]), &request).await;
        assert_eq!(turn.outcome, Outcome::TooMuchOutput);
        assert!(turn.detail.contains("one event"), "{}", turn.detail);
        assert!(turn.transcript.cut);
        assert!(turn.transcript.bytes.capacity() <= 8 << 20, "{}", turn.transcript.bytes.capacity());
    }
}

#[tokio::test]
async fn tokens_without_end_meet_the_total_cap() {
    for stream in [true, false] {
        let server = server(Answer::fault(Fault::EndlessTokens)).await;
        let mut request = request("hello");
        request.caps = Caps { total: 10_000, line: 5_000 };
        let turn = ask(&member(Kind::OpenAi, &server.url(), &[streamed(stream)]), &request).await;
        assert_eq!(turn.outcome, Outcome::TooMuchOutput);
        let body = turn.transcript.bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
        assert_eq!(turn.transcript.bytes.len() - body, 10_000);
    }
}

#[tokio::test]
async fn a_whole_event_may_not_pass_the_cap_either() {
    let server = server(Answer::text("x".repeat(3_000))).await;
    let mut request = request("hello");
    request.caps.line = 1_000;
    for kind in Kind::ALL {
        let mut answered = member(kind, &server.url(), &[]);
        answered.model = Some("m".repeat(1_000));
        assert_eq!(ask(&answered, &request).await.outcome, Outcome::TooMuchOutput);
    }
}

#[tokio::test]
async fn a_steady_stream_meets_the_total_deadline_only() {
    let server = server(Answer::text("x".repeat(5_000)).gap_ms(3)).await;
    let mut request = request("hello");
    request.deadlines.total = SOON;
    request.deadlines.idle = Duration::from_secs(20);
    let turn = ask(&member(Kind::OpenAi, &server.url(), &[]), &request).await;
    assert_eq!(turn.outcome, Outcome::TimedOut { deadline: Deadline::Total });
    assert!(turn.text.is_none() && !turn.transcript.bytes.is_empty());
}

#[tokio::test]
async fn cancelling_ends_a_turn_at_every_stage() {
    for fault in [Fault::HangBeforeHead, Fault::HangAfterHead, Fault::HangMidStream, Fault::KeepAliveOnly] {
        for stream in [true, false] {
            let server = server(Answer::fault(fault).after_deltas(1)).await;
            let request = request("hello");
            let cancel: Cancel = request.cancel.clone();
            let member = member(Kind::OpenAi, &server.url(), &[streamed(stream)]);
            let (turn, ()) = tokio::join!(ask(&member, &request), async {
                server.arrived(1).await;
                cancel.request();
            });
            assert_eq!(turn.outcome, Outcome::Cancelled, "{fault:?}");
            server.idle().await;
        }
    }
}

#[tokio::test]
async fn a_turn_that_is_cancelled_before_is_never_sent() {
    let server = server(Answer::text("hi")).await;
    let request = request("hello");
    request.cancel.request();
    let turn = ask(&member(Kind::OpenAi, &server.url(), &[]), &request).await;
    assert_eq!(turn.outcome, Outcome::Cancelled);
    assert_eq!(server.counts().requests, 0);
}

#[tokio::test]
async fn turns_that_end_well_share_a_connection() {
    for kind in Kind::ALL {
        for stream in [true, false] {
            let server = server(Answer::text("hi")).await;
            let channel = channel(&member(kind, &server.url(), &[streamed(stream)]));
            for _ in 0..4 {
                assert_eq!(channel.turn(&request("hello")).await.outcome, Outcome::Ok);
            }
            assert_eq!(server.connections(), 1, "{kind:?} {stream}");
        }
    }
}

#[tokio::test]
async fn progress_counts_every_byte_of_the_text() {
    let text = "äöü and more ".repeat(20);
    let server = server(Answer::text(&text).gap_ms(1)).await;
    let seen = Arc::new(Seen::default());
    let mut request = request("hello");
    request.progress = seen.clone();
    let turn = ask(&member(Kind::Anthropic, &server.url(), &[]), &request).await;
    assert_eq!(turn.text.as_deref(), Some(text.as_str()));
    let seen = seen.0.lock().unwrap();
    assert_eq!(seen[..2], [Progress::Started, Progress::Thinking]);
    let bytes = |progress: &Progress| if let Progress::Text { bytes } = progress { *bytes } else { 0 };
    assert_eq!(seen.iter().map(bytes).sum::<usize>(), text.len());
}

#[tokio::test]
async fn nobody_at_the_address_is_not_there() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("http://127.0.0.1:{port}");
    let turn = ask(&member(Kind::OpenAi, &address, &[]), &request("hello")).await;
    assert_eq!(turn.outcome, Outcome::NotInstalled);
    assert!(turn.detail.contains(&format!("nothing answers at {address}")), "{}", turn.detail);
}

#[tokio::test]
async fn an_encrypted_address_that_speaks_plainly_is_not_there() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").unwrap();
        // Closing with bytes unread would reset the connection, and the answer might be lost.
        let _ = stream.read(&mut [0; 4096]);
    });
    let turn = ask(&member(Kind::OpenAi, &address, &[]), &request("hello")).await;
    assert_eq!(turn.outcome, Outcome::NotInstalled);
    assert!(turn.detail.starts_with(&format!("no secure connection to {address}")), "{}", turn.detail);
    server.join().unwrap();
}
