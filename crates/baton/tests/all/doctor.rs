//! `baton doctor` in a home of its own, with programs that are shell scripts.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use baton_script::Fault;
use baton_testkit::{Environment, Ran};
use serde_json::Value;

use crate::table::{THREE, Table, all, fault, home, model, says};

const CANARY: &str = "sk-canary-9876543210";

/// A program on the PATH that does what the script says.
fn program(home: &Environment, name: &str, script: &str) -> PathBuf {
    let path = home.bin().join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// A program that prints a version, and leaves a mark when it is asked for anything else.
fn version(home: &Environment, name: &str, line: &str) {
    let mark = home.work().join(format!("{name}-was-started"));
    program(
        home,
        name,
        &format!("[ \"$1\" = --version ] && echo '{line}' && exit 0\necho x > '{}'; exit 1", mark.display()),
    );
}

/// Writes below the user's own home.
fn settings(home: &Environment, name: &str, text: &str) {
    let path = home.home().parent().unwrap().join("user").join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn quiet() -> Environment {
    let home = home();
    home.configure("local_servers = false\n").unwrap();
    home
}

/// A machine where Claude Code is installed and logged in.
fn with_claude(line: &str) -> Environment {
    let home = quiet();
    version(&home, "claude", line);
    settings(&home, ".claude/.credentials.json", "{\"claudeAiOauth\":{\"accessToken\":\"sk-canary-9876543210\"}}");
    home
}

fn report(home: &Environment, arguments: &[&str]) -> (Option<i32>, Value) {
    let ran = home.run(&[&["doctor", "--json"], arguments].concat()).unwrap();
    assert_shows_no_secret(&ran);
    let value: Value = ran.json().unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    assert_eq!(value["schema"], "baton.doctor/1");
    (ran.code, value)
}

fn assert_shows_no_secret(ran: &Ran) {
    assert!(!ran.stdout.contains("canary") && !ran.stderr.contains("canary"), "{}{}", ran.stdout, ran.stderr);
}

fn seat<'a>(report: &'a Value, id: &str) -> &'a Value {
    report["members"].as_array().unwrap().iter().find(|seat| seat["id"] == id).unwrap()
}

fn attention(report: &Value) -> String {
    report["attention"].to_string()
}

fn troubles(report: &Value) -> Vec<&str> {
    report["troubles"].as_array().unwrap().iter().map(|trouble| trouble["id"].as_str().unwrap()).collect()
}

#[test]
fn a_machine_with_nobody_says_what_could_be_there() {
    let home = quiet();
    let (code, value) = report(&home, &[]);
    assert_eq!((code, value["status"].as_str()), (Some(4), Some("no_member")), "{value:#}");
    assert_eq!(seat(&value, "claude")["state"], "absent");
    assert!(seat(&value, "claude")["mend"].as_str().unwrap().contains("npm install"));
    assert_eq!(value["attention"], serde_json::json!([]), "what was never set up is no trouble");
    assert_eq!(value["store"]["state"], "none");
    let screen = home.run(&["doctor"]).unwrap();
    for part in ["any of these is enough", "npm install -g @openai/codex", "0 of "] {
        assert!(screen.stdout.contains(part), "{part}: {}", screen.stdout);
    }
    assert!(!home.home().join("baton.db").exists(), "looking makes no store");
}

#[test]
fn a_sound_machine_is_shown_with_versions_paths_and_who_pays() {
    let home = with_claude("2.1.329 (Claude Code)");
    version(&home, "git", "git version 2.47.1");
    version(&home, "node", "v24.1.0");
    let (code, value) = report(&home, &[]);
    assert_eq!((code, value["status"].as_str()), (Some(0), Some("ok")), "{value:#}");
    let claude = seat(&value, "claude");
    assert_eq!((claude["version"].as_str(), claude["payer"].as_str()), (Some("2.1.329"), Some("subscription")));
    assert_eq!((claude["login"].as_bool(), claude["usable"].as_bool()), (Some(true), Some(true)));
    assert!(claude["program"].as_str().unwrap().ends_with("/bin/claude") && claude["ms"].is_u64());
    let git = value["programs"].as_array().unwrap().iter().find(|tool| tool["program"] == "git").unwrap();
    assert_eq!(git["version"], "2.47.1");
    let screen = home.run(&["doctor"]).unwrap();
    assert_eq!(screen.code, Some(0), "{}", screen.stdout);
    for part in ["2.1.329", "logged in", "subscription", "git", "not there; it starts MCP servers"] {
        assert!(screen.stdout.contains(part), "{part}: {}", screen.stdout);
    }
}

#[test]
fn old_programs_and_programs_of_the_same_name_are_known() {
    let home = with_claude("2.0.64 (Claude Code)");
    version(&home, "grok", "0.0.34");
    version(&home, "gemini", "0.61.0");
    version(&home, "node", "v20.19.0");
    let (code, value) = report(&home, &[]);
    assert_eq!(code, Some(11), "{value:#}");
    assert_eq!(
        troubles(&value),
        [
            "claude-code-key-sent-before-trust",
            "claude-code-protected-files",
            "gemini-cli-switched-off",
            "community-grok-hides-errors",
            "older-node-older-agents",
        ]
    );
    assert!(attention(&value).contains("CVE-2026-21852"));
    let screen = home.run(&["doctor"]).unwrap();
    assert!(screen.stdout.contains("mend: Update it") && screen.stdout.contains("Good to know"), "{}", screen.stdout);
}

#[test]
fn what_is_installed_and_does_not_work_is_broken_and_not_absent() {
    let home = with_claude("2.1.329");
    program(&home, "codex", "echo 'cannot load' >&2; exit 3");
    let (code, value) = report(&home, &[]);
    assert_eq!(code, Some(11), "{value:#}");
    assert_eq!(seat(&value, "codex-high")["state"], "broken");
    assert!(attention(&value).contains("exited with code 3"), "{}", attention(&value));
    let (code, value) = report(&home, &["codex-high"]);
    assert_eq!(code, Some(4), "only the named seat is looked at");
    assert_eq!(value["members"].as_array().unwrap().len(), 1);
}

#[test]
fn a_program_without_a_login_is_told() {
    let home = quiet();
    version(&home, "codex", "codex-cli 0.169.0");
    let (code, value) = report(&home, &["codex-high"]);
    assert_eq!(code, Some(11), "{value:#}");
    assert_eq!(seat(&value, "codex-high")["login"], false);
    assert!(attention(&value).contains("no login"));
}

#[test]
fn a_name_that_is_no_seat_is_bad_input() {
    let ran = quiet().run(&["doctor", "nobody-here"]).unwrap();
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(ran.stderr.contains("there is no member `nobody-here`"), "{}", ran.stderr);
}

#[test]
fn a_broken_store_is_told_and_left_while_the_rest_is_looked_at() {
    let home = with_claude("2.1.329");
    let poem = "this is no database, but a poem ".repeat(40);
    std::fs::write(home.home().join("baton.db"), &poem).unwrap();
    let (code, value) = report(&home, &[]);
    assert_eq!(code, Some(11), "{value:#}");
    assert_eq!(value["store"]["state"], "bad");
    assert!(attention(&value).contains("move the file away"), "{}", attention(&value));
    assert_eq!(seat(&value, "claude")["state"], "ready");
    assert_eq!(std::fs::read_to_string(home.home().join("baton.db")).unwrap(), poem);
}

#[test]
fn a_sound_store_is_checked() {
    let home = with_claude("2.1.329");
    assert_eq!(home.run(&["runs"]).unwrap().code, Some(0));
    let (code, value) = report(&home, &[]);
    assert_eq!((code, value["store"]["state"].as_str()), (Some(0), Some("sound")));
    assert_eq!((value["store"]["schema"].as_u64(), value["store"]["writable"].as_bool()), (Some(1), Some(true)));
}

/// `baton doctor` where the kernel gives no namespaces, which only those of this one call lack; `None` where that cannot
/// be had.
#[expect(clippy::disallowed_methods, reason = "the machine of this call is made another one first")]
fn without_namespaces(home: &Environment, arguments: &str) -> Option<(i32, String)> {
    let script = format!("echo 0 > /proc/sys/user/max_user_namespaces || exit 77; exec \"$0\" doctor {arguments}");
    let folder = home.home().parent().unwrap().to_owned();
    let mut command = std::process::Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "/bin/sh", "-c", &script, env!("CARGO_BIN_EXE_baton")]);
    command.env_clear().current_dir(home.work()).stdin(std::process::Stdio::null());
    for (name, place) in [("BATON_HOME", "home"), ("HOME", "user"), ("TMPDIR", "tmp"), ("PATH", "bin")] {
        command.env(name, folder.join(place));
    }
    let output = command.output().ok()?;
    let text = String::from_utf8(output.stdout).unwrap();
    output.status.code().filter(|_| !text.is_empty()).map(|code| (code, text))
}

#[test]
fn a_check_that_cannot_run_here_is_told_and_one_for_other_projects_is_not() {
    let home = with_claude("2.1.329");
    let check = |more: &str| {
        let check = format!("[[check]]\nid = \"tests\"\ncommand = [\"cargo\", \"test\"]\n{more}");
        home.configure(&format!("local_servers = false\n{check}")).unwrap();
        report(&home, &["claude"])
    };
    let (code, value) = check("");
    let told = attention(&value);
    assert_eq!(code, Some(11), "{value:#}");
    assert!(told.contains("the check tests") && told.contains("run by `cargo`, which is not there"), "{told}");
    assert!(told.contains("Install git") && told.contains("not run with what models write"), "{told}");
    let (_, elsewhere) = check("when_file = \"Cargo.toml\"\n");
    assert!(!attention(&elsewhere).contains("the check tests"), "{elsewhere:#}");
    version(&home, "cargo", "cargo 1.95.0");
    version(&home, "git", "git version 2.47.1");
    let (_, there) = check("");
    let told = attention(&there);
    assert!(!told.contains("the check tests") && !told.contains("Install git"), "{told}");
}

#[test]
fn where_there_is_no_sandbox_it_says_why_and_what_to_do() {
    let home = with_claude("2.1.329");
    let Some((code, text)) = without_namespaces(&home, "--json") else {
        eprintln!("not tested: no namespaces to take away");
        return;
    };
    let value: Value = serde_json::from_str(&text).unwrap();
    let sandbox = &value["sandbox"];
    if sandbox["state"] == "holds" {
        assert_eq!(sandbox["maker"], "bwrap", "a bubblewrap with privileges of its own: {sandbox:#}");
        return;
    }
    assert_eq!((code, sandbox["needed"].as_bool()), (0, Some(false)), "without checks nothing needs it: {value:#}");
    assert!(sandbox["because"].as_str().unwrap().starts_with("unshare: "), "{sandbox:#}");
    assert!(sandbox["mend"].as_str().unwrap().contains("user.max_user_namespaces"), "{sandbox:#}");
    home.configure("local_servers = false\n[[check]]\nid = \"tests\"\ncommand = [\"true\"]\n").unwrap();
    let (code, screen) = without_namespaces(&home, "").unwrap();
    assert_eq!(code, 11, "{screen}");
    for part in ["none, so what models write is not run", "the sandbox: there is none", "mend: User namespaces are"] {
        assert!(screen.contains(part), "{part}: {screen}");
    }
}

#[test]
fn a_sandbox_is_tried_out_and_leaves_nothing() {
    let home = with_claude("2.1.329");
    let (_, value) = report(&home, &[]);
    assert!(["holds", "none"].contains(&value["sandbox"]["state"].as_str().unwrap()), "{value:#}");
    let screen = home.run(&["doctor"]).unwrap().stdout;
    assert!(screen.contains("\n  sandbox "), "{screen}");
    assert_eq!(std::fs::read_dir(home.home().join("worktrees")).map_or(0, Iterator::count), 0);
}

#[test]
fn servers_that_drifted_apart_are_named_and_none_is_started() {
    let home = with_claude("2.1.329");
    version(&home, "npx", "11.0.0");
    let entry = |token: &str, package: &str| {
        format!(
            "{{\"mcpServers\":{{\"files\":{{\"command\":\"npx\",\"args\":[\"-y\",\"{package}\",\"--key\",\"{CANARY}\"],\
             \"env\":{{\"TOKEN\":\"{token}\"}}}},\"far\":{{\"url\":\"https://u:{CANARY}@mcp.example.com/{CANARY}\",\
             \"headers\":{{\"Authorization\":\"Bearer {CANARY}\"}}}}}}}}"
        )
    };
    settings(&home, ".claude.json", &entry(CANARY, "file-server"));
    settings(&home, ".cursor/mcp.json", &entry("sk-canary-other", "file-server@2.0.0"));
    settings(&home, ".codex/config.toml", "[mcp_servers.remote]\ncommand = \"npx\"\nargs = [\"mcp-remote@0.1.15\"]\n");
    home.write(".mcp.json", "{\"mcpServers\":{\"gone\":{\"command\":\"no-such-program\"}}}").unwrap();
    let (code, value) = report(&home, &[]);
    assert_eq!(code, Some(11), "{value:#}");
    assert_eq!(value["drift"].as_array().unwrap().len(), 1, "the far one is the same in both");
    assert_eq!(value["drift"][0]["server"], "files");
    let what: Vec<&str> =
        value["drift"][0]["differences"].as_array().unwrap().iter().map(|one| one["what"].as_str().unwrap()).collect();
    assert_eq!(what, ["arguments", "variable TOKEN"]);
    for part in ["CVE-2025-6514", "gone in Claude Code (project)", "no-such-program", "is not the same everywhere"] {
        assert!(attention(&value).contains(part), "{part}: {}", attention(&value));
    }
    let far =
        &value["settings"][0]["servers"].as_array().unwrap().iter().find(|one| one["name"] == "far").unwrap().clone();
    assert_eq!(
        (far["startedBy"].as_str(), far["headers"][0].as_str()),
        (Some("https://mcp.example.com"), Some("Authorization"))
    );
    let screen = home.run(&["doctor"]).unwrap();
    assert_shows_no_secret(&screen);
    assert!(screen.stdout.contains("variable TOKEN: Claude Code / Cursor"), "{}", screen.stdout);
    assert!(!home.work().join("npx-was-started").exists(), "it was asked for its version and nothing else");
}

#[test]
fn settings_that_cannot_be_read_are_told_without_their_content() {
    let home = with_claude("2.1.329");
    settings(&home, ".gemini/settings.json", &format!("{{\n \"mcpServers\": {CANARY}"));
    let (code, value) = report(&home, &[]);
    assert_eq!(code, Some(11), "{value:#}");
    assert!(attention(&value).contains("it is no JSON: line 2"), "{}", attention(&value));
}

#[test]
fn nobody_is_asked_unless_it_is_told_to() {
    let table = Table::lay(THREE, all(THREE, "approve"));
    let (code, value) = report(&table.home, &[]);
    assert_eq!(code, Some(0), "{value:#}");
    assert_eq!(seat(&value, "ash")["keyPresent"], true);
    assert_eq!(seat(&value, "ash")["deep"], Value::Null);
    let refused = table.run(&["doctor", "--deep"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(3), ""), "without a terminal nobody agrees");
    assert!(refused.stderr.contains("ash-co") && refused.stderr.contains("a turn"), "{}", refused.stderr);
    assert!(table.upstream.requests().is_empty());
}

#[test]
fn a_deep_look_asks_each_seat_and_tells_the_class_of_each_end() {
    let mut rules = all(THREE, "approve");
    rules[1] = model("beech", [fault(Fault::Unauthorized)]);
    rules[2] = model("cork", [says("approve")]);
    let table = Table::lay(THREE, rules);
    let (code, value) = report(&table.home, &["--deep", "--yes"]);
    assert_eq!(code, Some(11), "{value:#}");
    let turn = |id: &str| seat(&value, id)["deep"]["turns"][0].clone();
    assert_eq!((turn("ash")["outcome"]["class"].as_str(), turn("ash")["what"].as_str()), (Some("ok"), Some("turn")));
    assert_eq!(turn("beech")["outcome"]["class"], "auth");
    assert_eq!(turn("cork")["costUsd"], 0.0012);
    assert!(attention(&value).contains("beech") && attention(&value).contains("Log in again"), "{}", attention(&value));
    let mut asked = table.upstream.asked_models();
    asked.sort();
    assert_eq!(asked, ["ash", "beech", "cork"], "each once");
    for request in table.upstream.requests() {
        assert!(request.body.contains("ready"), "{}", request.body);
    }
    let ran = table.run(&["doctor", "--deep", "--yes"]);
    assert!(ran.stderr.ends_with("asking 3 seats, at most 2 minutes a turn ...\n"), "{}", ran.stderr);
    let last = "3 of 25 seats can be asked, 2 of the 3 that were asked answered well, 1 thing needs attention\n";
    assert!(ran.stdout.ends_with(last), "{}", ran.stdout);
}

#[test]
fn a_deep_look_keeps_to_the_spending_cap_and_to_the_seats_named() {
    // A turn of these seats is estimated at just over $0.008.
    let table =
        Table::lay_with(THREE, all(THREE, "approve"), "spend_cap_usd = 0.01\nallow = [\"ash-co\", \"beech-co\"]");
    let (code, value) = report(&table.home, &["--deep", "ash", "beech"]);
    assert_eq!(code, Some(0), "{value:#}");
    assert_eq!(table.upstream.asked_models(), ["ash"]);
    assert!(seat(&value, "beech")["deep"]["skipped"].as_str().unwrap().contains("cap"));
}

#[test]
fn a_seat_that_keeps_conversations_goes_on_with_its_own() {
    let home = with_claude("2.1.329");
    let log = home.work().join("arguments");
    let script = format!(
        "[ \"$1\" = --version ] && echo '2.1.329 (Claude Code)' && exit 0\n\
         echo \"$@\" >> '{}'\n\
         echo '{{\"type\":\"system\",\"subtype\":\"init\",\"session_id\":\"abc-1\",\"model\":\"m\"}}'\n\
         echo '{{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":false,\"result\":\"ready\",\"session_id\":\"abc-1\",\"usage\":{{\"input_tokens\":9,\"output_tokens\":1}}}}'",
        log.display()
    );
    program(&home, "claude", &script);
    let (code, value) = report(&home, &["--deep", "--yes", "claude"]);
    assert_eq!(code, Some(0), "{value:#}");
    let turns = seat(&value, "claude")["deep"]["turns"].as_array().unwrap().clone();
    let seen: Vec<(&str, &str)> =
        turns.iter().map(|turn| (turn["what"].as_str().unwrap(), turn["outcome"]["class"].as_str().unwrap())).collect();
    assert_eq!(seen, [("turn", "ok"), ("resume", "ok")]);
    let arguments = std::fs::read_to_string(log).unwrap();
    assert!(arguments.lines().nth(1).unwrap().contains("abc-1"), "{arguments}");
}

#[test]
fn a_member_of_a_running_baton_asks_nobody() {
    let mut table = Table::lay(THREE, all(THREE, "approve"));
    table.home.set("BATON_DEPTH", "1");
    let ran = table.run(&["doctor", "--deep", "--yes"]);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(table.upstream.requests().is_empty());
}

/// A server of the Model Context Protocol, as far as a look needs one; leaves a mark when it is started.
fn mcp_server(home: &Environment, name: &str) -> PathBuf {
    let mark = home.work().join(format!("{name}-was-started"));
    let tools = r#"{"tools":[{"name":"write_memory","inputSchema":{"type":"object"}}]}"#;
    let hello =
        r#"{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"n","version":"1.2.3"}}"#;
    let script = format!(
        "echo \"$NOTES_TOKEN\" > '{}'\nwhile read -r line; do\n  id=${{line##*\\\"id\\\":}}; id=${{id%%[,\\}}]*}}\n  case \"$line\" in\n    \
         *initialize\\\"*) echo \"{{\\\"jsonrpc\\\":\\\"2.0\\\",\\\"id\\\":$id,\\\"result\\\":\"'{hello}}}' ;;\n    \
         *tools/list*) echo \"{{\\\"jsonrpc\\\":\\\"2.0\\\",\\\"id\\\":$id,\\\"result\\\":\"'{tools}}}' ;;\n  esac\ndone",
        mark.display()
    );
    program(home, name, &script);
    mark
}

#[test]
fn mcp_servers_are_started_by_a_deep_look_only_and_those_of_a_project_never() {
    let home = quiet();
    let own = mcp_server(&home, "notes-server");
    let brought = mcp_server(&home, "brought-server");
    let off = mcp_server(&home, "off-server");
    version(&home, "claude", "2.1.329 (Claude Code)");
    home.configure(&format!(
        "local_servers = false\n[mcp_servers.notes]\ncommand = \"notes-server\"\nenv = {{ NOTES_TOKEN = {CANARY:?} }}\n\
         [[member]]\nid = \"claude\"\nmcp_servers = [\"notes\"]\n"
    ))
    .unwrap();
    let theirs = "{\"mcpServers\":{\"gone\":{\"url\":\"http://127.0.0.1:1/mcp\"},\
                  \"off\":{\"command\":\"off-server\",\"disabled\":true}}}";
    settings(&home, ".claude.json", theirs);
    std::fs::write(home.work().join(".mcp.json"), "{\"mcpServers\":{\"b\":{\"command\":\"brought-server\"}}}").unwrap();
    let (_, value) = report(&home, &[]);
    assert_eq!(value["ownMcpServers"][0]["members"], "claude");
    assert_eq!(value["mcpLooks"].as_array().map(Vec::len), Some(0));
    assert!(!own.exists(), "nothing is started without --deep");
    let (_, value) = report(&home, &["--deep", "--yes"]);
    let looks = value["mcpLooks"].as_array().unwrap();
    let told: Vec<(&str, &Value)> = looks.iter().map(|look| (look["name"].as_str().unwrap(), &look["tools"])).collect();
    assert_eq!(told, [("gone", &Value::Array(vec![])), ("notes", &serde_json::json!(["write_memory"]))]);
    assert_eq!(looks[0]["trouble"]["outcome"]["class"], "not_installed");
    assert_eq!(looks[1]["version"], "1.2.3");
    assert_eq!(std::fs::read_to_string(&own).unwrap().trim(), CANARY, "it gets its variables");
    assert!(!brought.exists() && !off.exists());
    let attention = value["attention"].as_array().unwrap();
    assert!(attention.iter().any(|one| one["mend"].as_str().unwrap().contains("port")), "{attention:?}");
    assert_eq!(seat(&value, "claude")["state"], "ready", "its server is known");
    let screen = home.run(&["doctor", "--deep", "--yes"]).unwrap();
    assert_shows_no_secret(&screen);
    assert!(screen.stdout.contains("1 tools") && screen.stdout.contains("who gets them"), "{}", screen.stdout);
}
