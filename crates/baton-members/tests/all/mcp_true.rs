//! The channel of the Model Context Protocol against true servers, with a scripted model server on loopback.
//!
//! Runs where `BATON_TRUE_MCP_SERVERS` names a folder whose `node_modules` holds the servers, and for Serena its
//! Python environment in `serena`; says loudly what was skipped elsewhere. Keys are dummies, homes are private, and the
//! caller's environment reaches no program.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use baton_core::member::Member;
use baton_core::outcome::Outcome;
use baton_members::cli::Environment;
use baton_members::http::Client;
use baton_members::mcp::{Inspected, McpChannel, Server as ToolServer, Way};
use baton_members::{SERVERS, Tools, open};
use baton_port::{Availability, Cancel, Channel, SessionUse, Turn, TurnRequest};
use baton_process::Launcher;
use baton_script::{Answer, Fault, Script, Server};

use crate::cli_args::request;
use crate::mcp_settings::{member, seat};

const LONG: Duration = Duration::from_secs(60);

fn on_runtime<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// A home and a project of its own, and a server that plays a script.
struct Stage {
    folder: tempfile::TempDir,
    model: Server,
    path: OsString,
}

impl Stage {
    /// `None` where the program is not there.
    async fn new(program: &str, answer: Answer) -> Option<Self> {
        let servers = std::env::var_os("BATON_TRUE_MCP_SERVERS").map(PathBuf::from).unwrap_or_default();
        let places = [servers.join("node_modules/.bin"), servers.join("serena/bin")];
        if !places.iter().any(|place| place.join(program).exists()) {
            eprintln!("SKIPPED: BATON_TRUE_MCP_SERVERS names no folder with the true {program}");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        for name in ["home/.codex", "home/.gemini", "project", "tmp"] {
            std::fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        let system = [PathBuf::from("/usr/bin"), PathBuf::from("/bin")];
        let path = std::env::join_paths(places.into_iter().chain(system)).unwrap();
        let stage = Self { folder, model: Server::start(Script::always(answer)).await.unwrap(), path };
        let base = format!("{}/v1", stage.model.url());
        std::fs::write(stage.at("home/.codex/config.toml"), CODEX.replace("BASE", &base)).unwrap();
        Some(stage)
    }

    fn at(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn channel(&self, seat: &Member) -> McpChannel {
        let fixed = [
            ("HOME", self.at("home")),
            ("TMPDIR", self.at("tmp")),
            ("LANG", "C.UTF-8".to_owned()),
            ("MOCK_KEY", "test-key-1".to_owned()),
        ];
        let fixed = fixed.into_iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        let environment = Environment::new(fixed.chain([("PATH".into(), self.path.clone())]));
        McpChannel::new(seat, Launcher::without_shim(), environment, Arc::new(Client::new()), |_| None).unwrap()
    }

    async fn turn(&self, seat: &Member) -> Turn {
        let asked = TurnRequest {
            directory: self.at("project").into(),
            effort: None,
            ..request("Is this right?", SessionUse::None)
        };
        let mut seat = seat.clone();
        seat.channel.settings.insert("env.MOCK_KEY".into(), "test-key-1".into());
        let turn = self.channel(&seat).turn(&asked).await;
        println!("{} {:?} {:?} {:?}", seat.id, turn.outcome, turn.detail, turn.text);
        assert!(!String::from_utf8_lossy(&turn.transcript.bytes).contains("test-key-1"));
        turn
    }

    async fn look(&self, settings: &[(&str, &str)]) -> Inspected {
        let needed = [("tool", "any"), ("argument.prompt", "{prompt}")];
        let seat = member("mcp", None, &[settings, &needed].concat());
        self.channel(&seat).inspect(Path::new(&self.at("project")), LONG, &Cancel::default()).await
    }
}

const CODEX: &str = r#"
model_provider = "mock"
[model_providers.mock]
name = "mock"
base_url = "BASE"
env_key = "MOCK_KEY"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0
"#;

#[test]
fn codex_behind_its_wrapper() {
    on_runtime(async {
        let seat = seat("codex-mcp-server");
        let Some(stage) = Stage::new("codex-mcp-server", Answer::text("VERDICT: approve")).await else { return };
        assert_eq!(stage.channel(&seat).probe().await, Availability::Ready { version: None });
        let turn = stage.turn(&seat).await;
        assert_eq!((turn.outcome, turn.text.as_deref()), (Outcome::Ok, Some("VERDICT: approve")));
        let asked = stage.model.requests().last().unwrap().body.clone();
        assert!(
            asked.contains("Is this right?") && asked.contains(seat.model.as_ref().unwrap()),
            "our model, not its own"
        );
        for (fault, outcome) in [(Fault::Unauthorized, Outcome::Auth), (Fault::ContextTooLong, Outcome::ContextTooLong)]
        {
            let Some(stage) = Stage::new("codex-mcp-server", Answer::fault(fault)).await else { return };
            let turn = stage.turn(&seat).await;
            assert_eq!((turn.outcome, turn.text), (outcome, None), "{}", turn.detail);
        }
    });
}

#[test]
fn gemini_behind_its_wrapper_without_the_program() {
    on_runtime(async {
        let Some(stage) = Stage::new("gemini-mcp", Answer::text("unused")).await else { return };
        if std::env::split_paths(&stage.path).any(|place| place.join("gemini").exists()) {
            eprintln!("SKIPPED: the true gemini is there, and this test is for where it is not");
            return;
        }
        let turn = stage.turn(&seat("gemini-mcp-tool")).await;
        assert_eq!((turn.outcome, turn.text), (Outcome::NotInstalled, None), "{}", turn.detail);
    });
}

#[test]
fn a_codex_that_lost_its_own_server_is_not_asked() {
    on_runtime(async {
        let Some(stage) = Stage::new("codex", Answer::text("unused")).await else { return };
        let found = stage.channel(&seat("codex-own-mcp")).probe().await;
        let Availability::NotReady { because, .. } = found else { panic!("{found:?}") };
        assert!(because.contains("0.152"), "{because}");
    });
}

#[test]
fn a_server_with_every_feature_answers_and_is_refused_what_it_asks() {
    on_runtime(async {
        let program = "mcp-server-everything";
        let Some(stage) = Stage::new(program, Answer::text("unused")).await else { return };
        let settings = |tool, argument| [("program", program), ("tool", tool), (argument, "{prompt}")];
        let found = stage.look(&[("program", program)]).await;
        println!("{found:?}");
        assert!(found.trouble.is_none() && found.tools.contains(&"echo".to_owned()), "{found:?}");
        let turn = stage.turn(&member("mcp", None, &settings("echo", "argument.message"))).await;
        assert_eq!((turn.outcome, turn.text.as_deref()), (Outcome::Ok, Some("Echo: Is this right?")));
        let wrong = stage.turn(&member("mcp", None, &settings("echo", "argument.wrong"))).await;
        assert_eq!(wrong.outcome, Outcome::Rejected, "{}", wrong.detail);
        let missing = stage.turn(&member("mcp", None, &settings("nothing", "argument.message"))).await;
        assert!(missing.outcome == Outcome::Rejected && missing.detail.contains("echo"), "{}", missing.detail);
    });
}

#[test]
fn tools_that_are_no_voters_are_told_by_a_look() {
    on_runtime(async {
        let program = "mcp-server-sequential-thinking";
        if let Some(stage) = Stage::new(program, Answer::text("unused")).await {
            let found = stage.look(&[("program", program)]).await;
            assert_eq!((found.tools, found.trouble), (vec!["sequentialthinking".to_owned()], None));
        }
        let Some(stage) = Stage::new("serena", Answer::text("unused")).await else { return };
        let project = stage.at("project");
        let words = ["start-mcp-server", "--project", &project, "--agent-interface", "tools"];
        let quiet = ["--enable-web-dashboard", "false", "--transport", "stdio"];
        let names = ["arg.0", "arg.1", "arg.2", "arg.3", "arg.4", "arg.5", "arg.6", "arg.7", "arg.8"];
        let arguments = names.into_iter().zip(words.into_iter().chain(quiet));
        let settings: Vec<(&str, &str)> = [("program", "serena")].into_iter().chain(arguments).collect();
        let found = stage.look(&settings).await;
        println!("{found:?}");
        assert!(found.tools.contains(&"write_memory".to_owned()) && found.trouble.is_none(), "{found:?}");
    });
}

/// A session of this seat, which may use the tools of the server with every feature. The secret reaches that server by
/// whatever way the program has for it.
async fn session_with_tools(stage: &Stage, kind: &str, model: &str, settings: &[(&str, &str)]) -> Turn {
    let fixed = [
        ("HOME", stage.at("home")),
        ("TMPDIR", stage.at("tmp")),
        ("LANG", "C.UTF-8".to_owned()),
        ("EVERYTHING_TOKEN", "secret-token-1".to_owned()),
    ];
    let fixed = fixed.into_iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
    let tools = Tools::new(Launcher::without_shim(), fixed.chain([("PATH".into(), stage.path.clone())]));
    let way = Way::Program {
        program: "mcp-server-everything".into(),
        arguments: vec![],
        variables: [("PATH".to_owned(), stage.path.to_str().unwrap().to_owned())].into(),
        inherit: vec!["EVERYTHING_TOKEN".into()],
    };
    tools.admit([ToolServer { name: "everything".into(), way, start: None }]);
    let seat = member(kind, Some(model), &[settings, &[(SERVERS, "everything")]].concat());
    let asked = TurnRequest {
        directory: stage.at("project").into(),
        effort: None,
        ..request("Is this right?", SessionUse::None)
    };
    let turn = open(&seat, &tools).unwrap().turn(&asked).await;
    println!("{kind} {:?} {:?} {:?}", turn.outcome, turn.detail, turn.text);
    assert!(!String::from_utf8_lossy(&turn.transcript.bytes).contains("secret-token-1"));
    turn
}

const OPENCODE: &str = r#"{"autoupdate":false,"share":"disabled","model":"mock/other","provider":{"mock":{
    "npm":"@ai-sdk/openai-compatible","name":"mock","options":{"baseURL":"BASE","apiKey":"test-key"},
    "models":{"scripted":{"name":"scripted"},"other":{"name":"other"}}}}}"#;

/// Whether the model was offered a tool with this name in it.
fn was_offered(stage: &Stage, tool: &str) -> bool {
    stage.model.requests().iter().any(|request| request.body.contains(tool))
}

#[test]
fn sessions_of_the_programs_get_the_servers_that_their_seats_name() {
    on_runtime(async {
        let answer = || Answer::text("VERDICT: approve");
        if let Some(stage) = Stage::new("codex", answer()).await {
            let key = [("env.MOCK_KEY", "test-key-1")];
            let turn = session_with_tools(&stage, "codex-cli", "scripted", &key).await;
            assert_eq!(turn.outcome, Outcome::Ok, "{}", turn.detail);
            assert!(was_offered(&stage, "mcp__everything"));
        }
        if let Some(stage) = Stage::new("claude", answer()).await {
            let (url, state) = (stage.model.url(), stage.at("home"));
            let settings = [
                ("env.ANTHROPIC_BASE_URL", url.as_str()),
                ("env.ANTHROPIC_API_KEY", "test-key"),
                ("env.CLAUDE_CONFIG_DIR", &state),
            ];
            let turn = session_with_tools(&stage, "claude-cli", "sonnet", &settings).await;
            assert_eq!(turn.outcome, Outcome::Ok, "{}", turn.detail);
            assert!(was_offered(&stage, "mcp__everything__echo"));
        }
        if let Some(stage) = Stage::new("opencode", answer()).await {
            let configuration = OPENCODE.replace("BASE", &format!("{}/v1", stage.model.url()));
            std::fs::create_dir_all(stage.at("home/.config/opencode")).unwrap();
            std::fs::write(stage.at("home/.config/opencode/opencode.json"), configuration).unwrap();
            let settings = [
                ("program", "opencode"),
                ("arg.0", "acp"),
                ("model_via", "session"),
                ("env.OPENCODE_DISABLE_MODELS_FETCH", "true"),
                ("env.OPENCODE_DISABLE_AUTOUPDATE", "true"),
            ];
            let turn = session_with_tools(&stage, "acp", "mock/scripted", &settings).await;
            assert_eq!(turn.outcome, Outcome::Ok, "{}", turn.detail);
            assert!(was_offered(&stage, "everything_echo"));
        }
    });
}
