//! From bytes to messages of a server, within bounds. Pure.

use rmcp::model::ServerJsonRpcMessage;

/// JSON values that one message may hold, counted by the marks that separate them: parsed, four mebibytes of small
/// numbers take a hundred times that.
const MOST_MARKS: usize = 200_000;

/// The message in a line or an event; `None` for everything else.
pub(super) fn message(bytes: &[u8]) -> Option<ServerJsonRpcMessage> {
    let bytes = bytes.trim_ascii();
    if !bytes.starts_with(b"{") || has_too_many_values(bytes) {
        return None;
    }
    serde_json::from_slice(bytes).ok()
}

fn has_too_many_values(bytes: &[u8]) -> bool {
    let (mut marks, mut quoted, mut escaped) = (0, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            b'[' | b'{' | b',' | b':' if !quoted => marks += 1,
            _ => {}
        }
    }
    marks > MOST_MARKS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_told_from_noise() {
        let result = br#" {"jsonrpc":"2.0","id":1,"result":{"content":[]}} "#;
        assert!(matches!(message(result), Some(ServerJsonRpcMessage::Response(_))));
        let odd = br#"{"jsonrpc":"2.0","method":"codex/event","params":{"msg":{"type":"task_started"}}}"#;
        assert!(matches!(message(odd), Some(ServerJsonRpcMessage::Notification(_))));
        for noise in [&b""[..], b"npm warn deprecated", b"[]", b"{", b"{}", b"\xff{", b"{\"jsonrpc\":\"2.0\"}"] {
            assert!(message(noise).is_none(), "{noise:?}");
        }
    }

    #[test]
    fn a_message_that_would_unfold_in_memory_is_none() {
        let result =
            |filling: &str| format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"content":[],"x":[{filling}0]}}}}"#);
        assert!(message(result(&"0,".repeat(1_000)).as_bytes()).is_some());
        assert!(message(result(&"0,".repeat(300_000)).as_bytes()).is_none());
        assert!(message(result(&format!("\"{}\\\"{}\",", ",".repeat(300_000), ":")).as_bytes()).is_some());
    }
}
