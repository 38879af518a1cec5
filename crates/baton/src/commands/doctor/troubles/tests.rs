use std::collections::BTreeMap;

use super::*;
use crate::commands::doctor::data::Data;

fn program(name: &str, output: &str) -> Program {
    Program {
        name: name.into(),
        output: Some(output.into()),
        version: Version::find(output).map(|(version, _)| version),
    }
}

fn server(name: &str, line: &str) -> Server {
    let mut words = line.split(' ').map(str::to_owned);
    Server {
        place: "Cursor".into(),
        name: name.into(),
        enabled: true,
        of_project: false,
        command: words.next(),
        arguments: words.collect(),
        address: None,
        variables: BTreeMap::new(),
        headers: BTreeMap::new(),
    }
}

/// The ids that apply, with a question mark where only the version is missing.
fn ids(programs: &[Program], servers: &[Server], models: &[(&str, &str)]) -> Vec<String> {
    let data = Data::built_in().unwrap();
    let servers: Vec<&Server> = servers.iter().collect();
    let models: Vec<(String, String)> =
        models.iter().map(|(seat, model)| ((*seat).to_owned(), (*model).to_owned())).collect();
    let facts = Facts { programs, servers: &servers, models: &models };
    let mark = |finding: &Finding<'_>| if finding.certain { "" } else { "?" };
    let found = matching(&data.troubles, &facts);
    found.iter().map(|finding| format!("{}{}", finding.trouble.id, mark(finding))).collect()
}

#[test]
fn a_sound_machine_has_no_troubles() {
    let programs =
        [program("claude", "2.1.329 (Claude Code)"), program("codex", "codex-cli 0.169.0"), program("node", "v24.1.0")];
    let servers = [server("files", "node server.js"), server("grok", "grok-mcp")];
    assert_eq!(ids(&programs, &servers, &[("claude", "sonnet")]), Vec::<String>::new());
}

#[test]
fn versions_decide_about_programs() {
    assert_eq!(ids(&[program("codex", "codex-cli 0.22.9")], &[], &[]), ["codex-home-from-project"]);
    assert_eq!(ids(&[program("codex", "codex-cli 0.23.0")], &[], &[]), Vec::<String>::new());
    assert_eq!(
        ids(&[program("claude", "2.0.64")], &[], &[]),
        ["claude-code-key-sent-before-trust", "claude-code-protected-files"]
    );
    assert_eq!(ids(&[program("claude", "2.1.100")], &[], &[]), ["claude-code-shared-temporary-path"]);
    assert_eq!(ids(&[program("codex", "dev build")], &[], &[]), ["codex-home-from-project?"]);
    assert_eq!(ids(&[program("node", "v20.19.1")], &[], &[]), ["older-node-older-agents"]);
}

#[test]
fn two_programs_of_one_name_are_told_apart_by_what_they_print() {
    assert_eq!(ids(&[program("grok", "grok 1.0.41 (abc)")], &[], &[]), ["two-programs-named-grok"]);
    assert_eq!(ids(&[program("grok", "0.0.34")], &[], &[]), ["community-grok-hides-errors"]);
    let silent = Program { name: "grok".into(), output: None, version: None };
    assert_eq!(ids(&[silent], &[], &[]), Vec::<String>::new(), "nothing is said of what is not known");
}

#[test]
fn servers_are_known_by_name_package_and_command() {
    let npx = |line: &str| ids(&[], &[server("mine", line)], &[]);
    assert_eq!(npx("npx mcp-remote@0.1.15"), ["mcp-remote-injection", "npx-first-start"]);
    assert_eq!(npx("npx mcp-remote@0.1.16"), ["npx-first-start"]);
    assert_eq!(npx("npx mcp-remote"), ["mcp-remote-injection?", "npx-first-start"]);
    assert_eq!(npx("npx gemini-mcp-tool@1.1.5")[0], "gemini-mcp-tool-injection");
    assert_eq!(npx("npx gemini-mcp-tool@1.1.8")[0], "gemini-mcp-tool-other-program");
    assert_eq!(npx("uvx serena-agent==1.5.1"), ["serena-dashboard", "uvx-first-start"]);
    assert_eq!(npx("uvx serena-agent==2.1.0"), ["serena-memory-tools", "uvx-first-start"]);
    assert_eq!(ids(&[], &[server("Serena", "python -m x")], &[]), ["serena-dashboard?", "serena-memory-tools?"]);
}

#[test]
fn a_removed_subcommand_depends_on_the_programs_version() {
    let entry = || [server("codex", "/opt/bin/codex mcp-server")];
    assert_eq!(ids(&[program("codex", "codex-cli 0.169.0")], &entry(), &[]), ["codex-mcp-server-removed"]);
    assert_eq!(ids(&[program("codex", "codex-cli 0.151.0")], &entry(), &[]), Vec::<String>::new());
    assert_eq!(ids(&[], &entry(), &[]), Vec::<String>::new(), "without the program it cannot start anyway");
}

#[test]
fn retired_models_are_found_in_seats() {
    let seats = [("fast", "cheetah"), ("wide", "Code-Supernova-1-million"), ("claude", "opus")];
    assert_eq!(ids(&[], &[], &seats), ["cheetah-withdrawn", "code-supernova-withdrawn"]);
}

#[test]
fn certain_subjects_are_not_mixed_with_possible_ones() {
    let data = Data::built_in().unwrap();
    let servers = [server("pinned", "npx mcp-remote@0.1.0"), server("open", "npx mcp-remote")];
    let servers: Vec<&Server> = servers.iter().collect();
    let facts = Facts { programs: &[], servers: &servers, models: &[] };
    let found = matching(&data.troubles, &facts);
    assert_eq!(found[0].subjects, ["pinned in Cursor"]);
    assert!(found[0].needs_attention() && !found[1].needs_attention());
    assert_eq!(found[1].subjects, ["pinned in Cursor", "open in Cursor"]);
}

#[test]
fn patterns_fit_whole_texts() {
    for (pattern, text) in [("*", ""), ("a*", "A"), ("grok *", "Grok 1.0\n"), ("*b*d", "abcd"), ("a*c*c", "abcbc")] {
        assert!(fits(pattern, text), "{pattern} {text}");
    }
    for (pattern, text) in [("a", "ab"), ("a*", "ba"), ("a*b*", "a"), ("*c", "cd"), ("a*a", "a")] {
        assert!(!fits(pattern, text), "{pattern} {text}");
    }
}

#[test]
fn a_wrong_entry_is_refused() {
    let whole = "id = \"x-1\"\ndate = \"2026-01-01\"\nlevel = \"note\"\ntext = \"T.\"\nmend = \"M.\"\nsource = \"s\"\n";
    let read = |applies: &str| toml::from_str::<Trouble>(&format!("{whole}applies = {applies}")).ok();
    assert_eq!(read("{ program = \"p\", below = \"1.0\" }").unwrap().problem(), None);
    for applies in [
        "{}",
        "{ below = \"1\" }",
        "{ model = \"m\", below = \"1\" }",
        "{ server = \"s\", output = \"o\" }",
        "{ program = \"p\", from = \"2\", below = \"2\" }",
    ] {
        assert!(read(applies).unwrap().problem().is_some(), "{applies}");
    }
    for applies in ["{ program = \"p\", below = \"latest\" }", "{ progam = \"p\" }"] {
        assert!(read(applies).is_none(), "{applies}");
    }
}
