//! Each case: what is asked, and what of it is seen.

use baton_script::{Answer, Fault, Recorded, Script, Server};
use serde::Serialize;
use serde_json::Value;

use crate::leftovers;
use crate::place::{Attempt, Place, last_line};
use crate::programs::Case;

const ANSWER: &str = "VERDICT: approve";
const QUESTION: &str = "Is this right, plum 4711?";

/// What came of a case.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Seen {
    /// `ok`, the class of the failure, or what is wrong.
    pub(crate) what: String,
    /// The member's or our own words about it.
    pub(crate) detail: String,
    /// Calls of the model that the server counted.
    pub(crate) calls: u64,
    /// Attempts that baton made.
    pub(crate) attempts: usize,
}

impl Seen {
    pub(crate) fn new(what: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { what: what.into(), detail: detail.into(), ..Self::default() }
    }

    fn of(attempts: &[Attempt]) -> Self {
        let mut classes: Vec<&str> = attempts.iter().map(|attempt| attempt.class.as_str()).collect();
        classes.dedup();
        let detail = attempts.first().map(|attempt| attempt.detail.clone()).unwrap_or_default();
        Self { attempts: attempts.len(), ..Self::new(classes.join(", then "), detail) }
    }
}

/// What a row's cases tell each other.
#[derive(Default)]
pub(crate) struct Memory {
    /// The provider's id of the first case's conversation.
    pub(crate) session: Option<String>,
}

/// Runs one case.
///
/// # Errors
/// What kept it from being run to its end.
pub(crate) async fn run(case: Case, place: &Place, memory: &mut Memory) -> Result<Seen, String> {
    let server = Server::start(Script::always(answer(case))).await.map_err(|error| error.to_string())?;
    let limit = (case == Case::Hang).then_some(place.row.silence_ms);
    place.configure(&server.url(), limit)?;
    let seen = match case {
        Case::First => first(place, memory).await,
        Case::Second => second(place, &server).await,
        Case::Resume => resume(place, memory, &server).await,
        Case::Unauthorized | Case::RateLimited | Case::ServerError | Case::Cut => failure(place).await,
        Case::Hang => hang(place, &server).await,
        Case::Killed => killed(place, &server).await,
        Case::BatonKilled => baton_killed(place, &server).await,
        Case::Large => large(place, &server).await,
        Case::Project => project(place).await,
    };
    seen.map(|seen| counted(case, place, Seen { calls: server.counts().paid, ..seen }))
}

fn counted(case: Case, place: &Place, seen: Seen) -> Seen {
    let fails = matches!(case, Case::Unauthorized | Case::RateLimited | Case::ServerError | Case::Cut);
    if fails && place.row.asks_once && seen.calls != seen.attempts as u64 {
        let detail = format!("{} calls for {} attempts: {}", seen.calls, seen.attempts, seen.detail);
        return Seen { detail, what: "asked again".into(), ..seen };
    }
    seen
}

fn answer(case: Case) -> Answer {
    match case {
        Case::Unauthorized => Answer::fault(Fault::Unauthorized),
        Case::RateLimited => Answer::fault(Fault::RateLimited),
        Case::ServerError => Answer::fault(Fault::ServerError),
        Case::Cut => Answer::fault(Fault::CutMidStream).after_deltas(1),
        Case::Hang | Case::Killed | Case::BatonKilled => Answer::fault(Fault::HangBeforeHead),
        Case::First | Case::Second | Case::Resume | Case::Large | Case::Project => {
            Answer::text(ANSWER).usage(100, 5, 30)
        }
    }
}

/// Asks and reads what came of it; an answer must be the server's.
async fn ask(place: &Place, prompt: &str, more: &[&str]) -> Result<(Seen, Vec<Attempt>), String> {
    let arguments = [&["consult", &place.row.seat, "-", "--yes", "--json"], more].concat();
    let ran = place.run(&arguments, prompt).await?;
    let decision: Value = serde_json::from_str(&ran.stdout).unwrap_or_default();
    let Some(run) = decision["run"].as_str() else {
        return Ok((Seen::new("not chosen", last_line(&ran.stderr)), Vec::new()));
    };
    let attempts = place.attempts(run).await?;
    let mut seen = Seen::of(&attempts);
    if seen.what == "ok" && decision["answer"]["text"].as_str().map(str::trim) != Some(ANSWER) {
        seen = Seen::new("another answer", decision["answer"]["text"].to_string());
    }
    Ok((seen, attempts))
}

async fn first(place: &Place, memory: &mut Memory) -> Result<Seen, String> {
    let (seen, attempts) = ask(place, QUESTION, &["--session", "talk"]).await?;
    memory.session = attempts.last().and_then(|attempt| attempt.session.clone());
    Ok(seen)
}

/// The doctor asks twice in one conversation.
async fn second(place: &Place, server: &Server) -> Result<Seen, String> {
    let ran = place.run(&["doctor", &place.row.seat, "--deep", "--yes", "--json"], "").await?;
    let report: Value = serde_json::from_str(&ran.stdout).map_err(|error| format!("doctor: {error}"))?;
    let seats = report["members"].as_array().cloned().unwrap_or_default();
    let seat = seats.iter().find(|seat| seat["id"] == place.row.seat.as_str()).unwrap_or(&Value::Null);
    let turns = seat["deep"]["turns"].as_array().cloned().unwrap_or_default();
    let class = |turn: &Value| turn["outcome"]["class"].as_str().unwrap_or("nothing").to_owned();
    if seat["version"] != place.version.as_str() {
        return Ok(Seen::new("another version", seat["version"].to_string()));
    }
    let detail = turns.last().map_or(seat["because"].clone(), |turn| turn["detail"].clone());
    let what = match turns.as_slice() {
        [first, second] if class(first) == "ok" && class(second) == "ok" => {
            if knows(&server.requests(), "single word: ready") { "ok".to_owned() } else { "forgotten".to_owned() }
        }
        [only] if class(only) == "ok" => "no session".to_owned(),
        _ => turns.last().map_or("not asked".to_owned(), class),
    };
    Ok(Seen { attempts: turns.len(), ..Seen::new(what, detail.as_str().unwrap_or_default()) })
}

/// Another process goes on with the conversation. `told again`: the program has lost it, and says so; the turn after
/// that begins a new one, in which baton tells what was said.
async fn resume(place: &Place, memory: &Memory, server: &Server) -> Result<Seen, String> {
    let (mut seen, mut attempts) = ask(place, "And this, plum 4712?", &["--session", "talk"]).await?;
    let lost = seen.what == "session_not_found";
    if lost {
        (seen, attempts) = ask(place, "And this, plum 4713?", &["--session", "talk"]).await?;
    }
    let same = memory.session.is_some() && attempts.iter().all(|attempt| attempt.session == memory.session);
    let what = match seen.what.as_str() {
        "ok" if !knows(&server.requests(), QUESTION) => "forgotten",
        "ok" if lost => "told again",
        "ok" if !same => "another session",
        class => class,
    };
    Ok(Seen { what: what.to_owned(), ..seen })
}

async fn failure(place: &Place) -> Result<Seen, String> {
    Ok(ask(place, QUESTION, &[]).await?.0)
}

async fn hang(place: &Place, server: &Server) -> Result<Seen, String> {
    let (seen, _) = ask(place, QUESTION, &[]).await?;
    if server.counts().paid == 0 { Ok(Seen::new("not asked", seen.detail)) } else { Ok(seen) }
}

/// Ends every process that baton started, at once, as a machine without memory does.
async fn killed(place: &Place, server: &Server) -> Result<Seen, String> {
    let asking = ask(place, QUESTION, &[]);
    let killing = async {
        place.within(asked(server)).await?;
        for (pid, _) in programs(place) {
            leftovers::kill(pid);
        }
        Ok::<(), String>(())
    };
    let (seen, killed) = tokio::join!(asking, killing);
    killed.and(seen.map(|(seen, _)| seen))
}

/// Ends baton alone. What it started must go by itself, and the conversation store must stay sound.
async fn baton_killed(place: &Place, server: &Server) -> Result<Seen, String> {
    let mut child = place.start(&["consult", &place.row.seat, QUESTION, "--yes"])?;
    drop(child.stdin.take());
    place.within(asked(server)).await?;
    if programs(place).is_empty() {
        return Ok(Seen::new("not found", "no process of the program was seen"));
    }
    child.kill().await.map_err(|error| error.to_string())?;
    if !leftovers::gone(&place.home()).await {
        return Ok(Seen::new("outlived", ""));
    }
    let runs = place.run(&["runs", "--json"], "").await?;
    let sound = serde_json::from_str::<Value>(&runs.stdout).is_ok();
    Ok(Seen::new(if sound { "ok" } else { "store" }, last_line(&runs.stderr)))
}

async fn large(place: &Place, server: &Server) -> Result<Seen, String> {
    let lines = (0..5_000).map(|number| format!("Line {number:05} of the prompt, which is long.\n"));
    let prompt: String = lines.collect::<String>() + QUESTION;
    let (seen, _) = ask(place, &prompt, &[]).await?;
    let whole = server.requests().iter().any(|request| holds(&body(request), &|text| text.contains(&prompt)));
    if seen.what == "ok" && !whole { Ok(Seen::new("not whole", "")) } else { Ok(seen) }
}

/// What a project can bring that programs start by themselves. Each touches a file of its own name.
const BAIT: &[(&str, &str)] = &[
    (
        ".claude/settings.json",
        r#"{"hooks":{"SessionStart":[{"hooks":[{"type":"command","command":"/usr/bin/touch {marks}/claude-hook"}]}]}}"#,
    ),
    (".mcp.json", r#"{"mcpServers":{"x":{"type":"stdio","command":"/usr/bin/touch","args":["{marks}/mcp.json"]}}}"#),
    (".codex/config.toml", "[mcp_servers.x]\ncommand = \"/usr/bin/touch\"\nargs = [\"{marks}/codex-server\"]\n"),
    (
        ".gemini/settings.json",
        r#"{"mcpServers":{"x":{"command":"/usr/bin/touch","args":["{marks}/gemini-server"]}},
            "tools":{"discoveryCommand":"/usr/bin/touch {marks}/gemini-discovery"},
            "hooks":{"SessionStart":[{"hooks":[{"type":"command","command":"/usr/bin/touch {marks}/gemini-hook"}]}]}}"#,
    ),
    (
        ".qwen/settings.json",
        r#"{"mcpServers":{"x":{"command":"/usr/bin/touch","args":["{marks}/qwen-server"]}},
            "tools":{"discoveryCommand":"/usr/bin/touch {marks}/qwen-discovery"},
            "hooks":{"SessionStart":[{"hooks":[{"type":"command","command":"/usr/bin/touch {marks}/qwen-hook"}]}]}}"#,
    ),
    ("opencode.json", r#"{"mcp":{"x":{"type":"local","command":["/usr/bin/touch","{marks}/opencode-server"]}}}"#),
    (
        ".opencode/plugin/x.js",
        "import { writeFileSync } from 'fs';\nexport const X = async () => { writeFileSync('{marks}/opencode-plugin', ''); return {}; };\n",
    ),
    (".grok/config.toml", "[mcp_servers.x]\ncommand = \"/usr/bin/touch\"\nargs = [\"{marks}/grok-server\"]\n"),
    (
        ".grok/hooks/x.json",
        r#"{"hooks":{"SessionStart":[{"hooks":[{"type":"command","command":"/usr/bin/touch {marks}/grok-hook"}]}]}}"#,
    ),
    (
        ".github/hooks/x.json",
        r#"{"version":1,"hooks":{"sessionStart":[{"type":"command","bash":"/usr/bin/touch {marks}/copilot-hook"}]}}"#,
    ),
];

async fn project(place: &Place) -> Result<Seen, String> {
    let (strange, marks) = place.with_project(BAIT)?;
    let (seen, _) = ask(&strange, QUESTION, &[]).await?;
    let mut started: Vec<String> = leftovers::files(&marks).iter().map(|file| file.display().to_string()).collect();
    started.extend(strange.changed().iter().map(|file| file.display().to_string()));
    if started.is_empty() { Ok(seen) } else { Ok(Seen::new("started", started.join(", "))) }
}

/// Waits until a model was asked. A free call does not count.
async fn asked(server: &Server) {
    let mut arrivals = 0;
    while server.counts().paid == 0 {
        arrivals += 1;
        server.arrived(arrivals).await;
    }
}

/// The processes of a place that are not baton's own.
fn programs(place: &Place) -> Vec<(i32, String)> {
    let baton = std::path::Path::new(env!("CARGO_BIN_EXE_baton"));
    let processes = leftovers::processes(&place.home()).into_iter();
    processes.filter(|(pid, _)| !leftovers::runs(*pid, baton)).collect()
}

fn body(request: &Recorded) -> Value {
    serde_json::from_str(&request.body).unwrap_or_default()
}

/// Whether the last call holds both the question and the answer that came before.
fn knows(requests: &[Recorded], question: &str) -> bool {
    let holds_both = |request: &Recorded| {
        let body = body(request);
        holds(&body, &|text| text.contains(question)) && holds(&body, &|text| text.contains(ANSWER))
    };
    requests.iter().rev().filter(|request| request.paid).any(holds_both)
}

/// Whether a text anywhere in a value satisfies a test.
fn holds(value: &Value, test: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => test(text),
        Value::Array(items) => items.iter().any(|item| holds(item, test)),
        Value::Object(fields) => fields.values().any(|field| holds(field, test)),
        _ => false,
    }
}
