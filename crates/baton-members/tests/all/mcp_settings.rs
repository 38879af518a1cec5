//! What a seat behind a tool may say of it, and what is refused by name.

use baton_core::member::{Effort, Member};
use baton_members::mcp::Settings;
use serde::Deserialize;

use crate::cli_args;

/// A seat without an effort.
pub(crate) fn member(kind: &str, model: Option<&str>, settings: &[(&str, &str)]) -> Member {
    Member { effort: None, ..cli_args::member(kind, model, settings) }
}

#[derive(Deserialize)]
struct File {
    member: Vec<Member>,
}

/// A seat of the catalogue that is behind a tool.
pub(crate) fn seat(id: &str) -> Member {
    let file: File = toml::from_str(include_str!("../../../../catalog/members.toml")).unwrap();
    file.member.into_iter().find(|member| member.channel.kind == "mcp" && member.id.as_str() == id).unwrap()
}

const LEAST: &[(&str, &str)] = &[("program", "server"), ("tool", "ask"), ("argument.prompt", "{prompt}")];

fn refusal(seat: &Member) -> String {
    Settings::read(seat).map_or_else(|error| error.to_string(), |_| "taken".to_owned())
}

fn with(more: &[(&str, &str)]) -> String {
    refusal(&member("mcp", None, &[LEAST, more].concat()))
}

#[test]
fn little_is_needed() {
    assert_eq!(with(&[]), "taken");
    let remote = [("url", "https://example.com/mcp"), ("tool", "ask"), ("argument.q", "Answer: {prompt}")];
    assert_eq!(refusal(&member("mcp", None, &remote)), "taken");
    for id in ["codex-mcp-server", "gemini-mcp-tool", "codex-own-mcp"] {
        assert_eq!(refusal(&seat(id)), "taken", "{id}");
    }
}

#[test]
fn what_cannot_work_is_refused_by_name() {
    for (more, word) in [
        (&[("surprise", "1")][..], "surprise"),
        (&[("argument", "1")], "argument"),
        (&[("tool", "")], "tool"),
        (&[("program", "")], "program"),
        (&[("url", "https://example.com/mcp")], "two servers"),
        (&[("argument.prompt", "fixed")], "{prompt}"),
        (&[("argument.x", "{question}")], "gap"),
        (&[("json.x", "{")], "no JSON"),
        (&[("arg.x", "y")], "arg.N"),
        (&[("start_s", "0")], "seconds"),
        (&[("start_s", "soon")], "seconds"),
        (&[("resume.id", "{session}")], "session"),
        (&[("min_version", "2")], "version_arg"),
        (&[("version_arg", "-v"), ("below_version", "new")], "no version"),
        (&[("outcome.ok", "fine")], "none of"),
        (&[("answer", "a..b")], "no path"),
        (&[("env.", "x")], "variable"),
    ] {
        let because = with(more);
        assert!(because.contains(word), "{more:?}: {because}");
    }
    let lost = member("mcp", Some("large"), LEAST);
    assert!(refusal(&lost).contains("{model}"));
    let lost = Member { effort: Some(Effort::Low), ..member("mcp", None, LEAST) };
    assert!(refusal(&lost).contains("{effort}"));
    let plain = [("url", "http://example.com/mcp"), ("tool", "ask"), ("argument.q", "{prompt}")];
    assert!(refusal(&member("mcp", None, &plain)).contains("plain http"));
    let started = [("url", "https://example.com/mcp"), ("tool", "ask"), ("argument.q", "{prompt}"), ("arg.0", "x")];
    assert!(refusal(&member("mcp", None, &started)).contains("for a program"));
}
