//! The channels against the true programs, with a scripted model server on loopback: what the table of
//! `cargo xtask e2e` does not ask.
//!
//! Runs where `BATON_TRUE_AGENTS` names a folder whose `node_modules` holds `@anthropic-ai/claude-code` and
//! `@openai/codex`; says loudly that it was skipped elsewhere. Keys are dummies, homes are private, and the caller's
//! environment reaches no program.

use std::ffi::OsString;
use std::future::Future;
use std::path::{Path, PathBuf};

use baton_core::outcome::Outcome;
use baton_members::cli::{ClaudeChannel, CodexChannel, Environment};
use baton_port::{Channel, SessionUse, Turn, TurnRequest};
use baton_process::Launcher;
use baton_script::{Answer, Fault, Script, Server};

use crate::cli_args::{member, request};

const SESSION: &str = "0e0e0e0e-0e0e-4e0e-8e0e-0e0e0e0e0e0e";

fn agents() -> Option<PathBuf> {
    let folder = std::env::var_os("BATON_TRUE_AGENTS").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("SKIPPED: BATON_TRUE_AGENTS does not name a folder with the true programs");
    }
    folder
}

fn on_runtime<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// A home and a project of its own, and a server that plays a script.
struct Stage {
    folder: tempfile::TempDir,
    server: Server,
    path: OsString,
}

#[derive(Clone, Copy, PartialEq)]
enum Program {
    Claude,
    Codex,
}

impl Stage {
    async fn new(agents: &Path, script: Script) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["home", "state", "project", "tmp"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let binaries = agents.join("node_modules/.bin");
        let path = std::env::join_paths([binaries.as_path(), Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
        Self { folder, server: Server::start(script).await.unwrap(), path }
    }

    fn at(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn environment(&self) -> Environment {
        let fixed = [("HOME", self.at("home")), ("TMPDIR", self.at("tmp")), ("LANG", "C.UTF-8".to_owned())];
        let fixed = fixed.into_iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        Environment::new(fixed.chain([("PATH".into(), self.path.clone())]))
    }

    fn channel(&self, program: Program, more: &[(&str, &str)]) -> Box<dyn Channel> {
        let model = if program == Program::Claude { "sonnet" } else { "scripted" };
        self.channel_for(program, model, more)
    }

    fn channel_for(&self, program: Program, model: &str, more: &[(&str, &str)]) -> Box<dyn Channel> {
        let (url, state) = (self.server.url(), self.at("state"));
        let base = format!("{url}/v1");
        let launcher = Launcher::without_shim();
        match program {
            Program::Claude => {
                let settings = [
                    ("env.ANTHROPIC_BASE_URL", url.as_str()),
                    ("env.ANTHROPIC_API_KEY", "test-key"),
                    ("env.CLAUDE_CONFIG_DIR", &state),
                ];
                let seat = member("claude-cli", Some(model), &[&settings, more].concat());
                Box::new(ClaudeChannel::new(&seat, launcher, self.environment()).unwrap())
            }
            Program::Codex => {
                let settings = [
                    ("env.CODEX_HOME", state.as_str()),
                    ("env.MOCK_KEY", "test-key"),
                    ("config.model_provider", "mock"),
                    ("config.model_providers.mock.name", "mock"),
                    ("config.model_providers.mock.base_url", &base),
                    ("config.model_providers.mock.env_key", "MOCK_KEY"),
                    ("config.model_providers.mock.wire_api", "responses"),
                    ("config.model_providers.mock.request_max_retries", "0"),
                    ("config.model_providers.mock.stream_max_retries", "0"),
                ];
                let seat = member("codex-cli", Some(model), &[&settings, more].concat());
                Box::new(CodexChannel::new(&seat, launcher, self.environment()).unwrap())
            }
        }
    }

    fn request(&self, session: SessionUse) -> TurnRequest {
        TurnRequest { directory: self.at("project").into(), ..request("Is this right?", session) }
    }

    async fn turn(&self, program: Program, session: SessionUse) -> Turn {
        let turn = self.channel(program, &[]).turn(&self.request(session)).await;
        println!("{:?} {:?} {:?}", turn.outcome, turn.detail, turn.usage);
        turn
    }
}

const BOTH: [Program; 2] = [Program::Claude, Program::Codex];

#[test]
fn two_turns_of_one_session() {
    let Some(agents) = agents() else { return };
    on_runtime(async {
        for program in BOTH {
            let answer = Answer::text("VERDICT: approve").usage(100, 5, 30);
            let stage = Stage::new(&agents, Script::always(answer)).await;
            let first = stage.turn(program, SessionUse::New { id: SESSION.to_owned() }).await;
            assert_eq!((&first.outcome, first.text.as_deref()), (&Outcome::Ok, Some("VERDICT: approve")));
            let usage = first.usage.unwrap();
            assert_eq!((usage.input_tokens, usage.cached_tokens, usage.output_tokens), (100, 30, 5));
            let session = first.provenance.session.unwrap();
            assert!(program == Program::Codex || session == SESSION);
            let second = stage.turn(program, SessionUse::Resume { id: session.clone() }).await;
            assert_eq!((&second.outcome, second.provenance.session), (&Outcome::Ok, Some(session)));
            let both = (usage.reported_cost, second.usage.and_then(|usage| usage.reported_cost));
            assert_eq!(both.0, both.1, "the second turn costs as much as the first, not the sum");
            assert_eq!(stage.server.counts().paid, 2);
            let asked = stage.server.requests().last().unwrap().body.clone();
            assert!(asked.contains("VERDICT: approve"), "the second request holds the first answer");
        }
    });
}

#[test]
fn a_turn_without_a_session_leaves_none_and_asks_once() {
    let Some(agents) = agents() else { return };
    on_runtime(async {
        for program in BOTH {
            let stage = Stage::new(&agents, Script::always(Answer::text("yes"))).await;
            let turn = stage.turn(program, SessionUse::None).await;
            assert_eq!((turn.outcome, turn.text.as_deref()), (Outcome::Ok, Some("yes")));
            assert_eq!(stage.server.counts().paid, 1);
            let session = turn.provenance.session.unwrap();
            let turn = stage.turn(program, SessionUse::Resume { id: session }).await;
            assert_eq!(turn.outcome, Outcome::SessionNotFound);
            assert_eq!(stage.server.counts().paid, 1);
        }
    });
}

#[test]
fn more_failures_of_the_server_have_their_class() {
    let Some(agents) = agents() else { return };
    let cases = [
        (Fault::Overloaded, Outcome::Overloaded),
        (Fault::InsufficientQuota, Outcome::QuotaExhausted),
        (Fault::ContextTooLong, Outcome::ContextTooLong),
        (Fault::ModelNotFound, Outcome::Rejected),
    ];
    on_runtime(async {
        for program in BOTH {
            for (fault, outcome) in &cases {
                let answer = Answer::fault(*fault).after_deltas(1);
                let stage = Stage::new(&agents, Script::always(answer)).await;
                let turn = stage.turn(program, SessionUse::None).await;
                assert_eq!(&turn.outcome, outcome, "{} {}", fault.name(), turn.detail);
                // For a model that it does not know Claude asks once more, whatever it is told.
                let asked = if *fault == Fault::ModelNotFound { 1..=2 } else { 1..=1 };
                assert!(
                    asked.contains(&stage.server.counts().paid),
                    "{} asked {:?}",
                    fault.name(),
                    stage.server.counts()
                );
                assert!(!String::from_utf8_lossy(&turn.transcript.bytes).contains("test-key"));
            }
        }
    });
}

#[test]
fn a_refused_connection_ends() {
    let Some(agents) = agents() else { return };
    on_runtime(async {
        for program in BOTH {
            let stage = Stage::new(&agents, Script::always(Answer::text("unused"))).await;
            let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            let (anthropic, openai) = (format!("http://{nobody}"), format!("http://{nobody}/v1"));
            let elsewhere = match program {
                Program::Claude => ("env.ANTHROPIC_BASE_URL", anthropic.as_str()),
                Program::Codex => ("config.model_providers.mock.base_url", openai.as_str()),
            };
            let turn = stage.channel(program, &[elsewhere]).turn(&stage.request(SessionUse::None)).await;
            println!("{:?} {:?}", turn.outcome, turn.detail);
            assert_eq!(turn.outcome, Outcome::Overloaded, "{}", turn.detail);
        }
    });
}

#[test]
fn a_model_named_as_an_option_is_asked_for_as_a_model() {
    let Some(agents) = agents() else { return };
    on_runtime(async {
        for program in BOTH {
            let stage = Stage::new(&agents, Script::always(Answer::text("yes"))).await;
            let channel = stage.channel_for(program, "--version", &[]);
            let turn = channel.turn(&stage.request(SessionUse::None)).await;
            println!("{:?} {:?}", turn.outcome, turn.detail);
            let bodies = stage.server.requests().into_iter().filter(|request| request.paid).map(|request| request.body);
            assert!(bodies.into_iter().any(|body| body.contains(r#""model":"--version""#)));
        }
    });
}

/// A user who registered baton with Codex does not get a baton inside of each member.
#[test]
fn batons_own_entry_is_not_started() {
    let Some(agents) = agents() else { return };
    on_runtime(async {
        let stage = Stage::new(&agents, Script::always(Answer::text("yes"))).await;
        let marker = stage.at("marker");
        let entry = |name: &str| format!("[mcp_servers.{name}]\ncommand = \"/usr/bin/touch\"\nargs = [\"{marker}\"]\n");
        let configuration = Path::new(&stage.at("state")).join("config.toml");
        std::fs::write(&configuration, entry("baton")).unwrap();
        assert_eq!(stage.turn(Program::Codex, SessionUse::None).await.outcome, Outcome::Ok);
        assert!(!Path::new(&marker).exists());
        std::fs::write(&configuration, entry("another")).unwrap();
        let without = stage.channel(Program::Codex, &[("user_config", "ignore")]);
        assert_eq!(without.turn(&stage.request(SessionUse::None)).await.outcome, Outcome::Ok);
        assert!(!Path::new(&marker).exists());
        assert_eq!(stage.turn(Program::Codex, SessionUse::None).await.outcome, Outcome::Ok);
        assert!(Path::new(&marker).exists(), "another entry of the user's is started");
    });
}
