//! The channel of the Agent Client Protocol against true agents, with a scripted model server on loopback: what the table of
//! `cargo xtask e2e` does not ask.
//!
//! Runs where `BATON_TRUE_ACP_AGENTS` names a folder whose `node_modules` holds `@qwen-code/qwen-code`, `opencode-ai`
//! and `@github/copilot`; says loudly that it was skipped elsewhere. Keys are dummies, homes are private, and the
//! caller's environment reaches no program.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use baton_core::outcome::Outcome;
use baton_members::acp::AcpChannel;
use baton_members::cli::Environment;
use baton_port::{Cancel, Channel, Progress, ProgressSink, SessionUse, Turn, TurnRequest};
use baton_process::Launcher;
use baton_script::{Answer, Fault, Script, Server};

use crate::cli_args::{member, request};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Agent {
    Qwen,
    OpenCode,
    Copilot,
}

const ALL: [Agent; 3] = [Agent::Qwen, Agent::OpenCode, Agent::Copilot];

fn agents() -> Option<PathBuf> {
    let folder = std::env::var_os("BATON_TRUE_ACP_AGENTS").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("SKIPPED: BATON_TRUE_ACP_AGENTS does not name a folder with true agents");
    }
    folder
}

fn on_runtime<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// A home and a project of its own, and a server that plays a script.
struct Stage {
    agent: Agent,
    folder: tempfile::TempDir,
    server: Server,
    path: OsString,
}

impl Stage {
    async fn new(agents: &Path, agent: Agent, answer: Answer) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["home/.config/opencode", "project", "tmp"] {
            std::fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        let binaries = agents.join("node_modules/.bin");
        let path = std::env::join_paths([binaries.as_path(), Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
        Self { agent, folder, server: Server::start(Script::always(answer)).await.unwrap(), path }
    }

    fn at(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        let base = format!("{}/v1", self.server.url());
        let texts =
            |pairs: &[(&'static str, &str)]| pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        match self.agent {
            Agent::Qwen => texts(&[
                ("program", "qwen"),
                ("arg.0", "--acp"),
                ("arg.1", "--auth-type=openai"),
                ("arg.2", "--model={model}"),
                ("mode", "plan"),
                ("usage", "meta"),
                ("env.OPENAI_BASE_URL", &base),
                ("env.OPENAI_API_KEY", "test-key"),
            ]),
            Agent::OpenCode => {
                let configuration = OPENCODE.replace("BASE", &base);
                std::fs::write(self.at("home/.config/opencode/opencode.json"), configuration).unwrap();
                texts(&[
                    ("program", "opencode"),
                    ("arg.0", "acp"),
                    ("model_via", "session"),
                    ("mode", "plan"),
                    ("env.OPENCODE_DISABLE_MODELS_FETCH", "true"),
                    ("env.OPENCODE_DISABLE_AUTOUPDATE", "true"),
                ])
            }
            Agent::Copilot => texts(&[
                ("program", "copilot"),
                ("arg.0", "--acp"),
                ("usage", "session"),
                ("error_texts", "Error: "),
                ("retry_messages", "Info: *etrying"),
                ("env.COPILOT_OFFLINE", "true"),
                ("env.COPILOT_AUTO_UPDATE", "false"),
                ("env.COPILOT_PROVIDER_BASE_URL", &base),
                ("env.COPILOT_PROVIDER_TYPE", "openai"),
                ("env.COPILOT_PROVIDER_WIRE_API", "completions"),
                ("env.COPILOT_PROVIDER_API_KEY", "test-key"),
                ("env.COPILOT_MODEL", "scripted"),
            ]),
        }
    }

    fn channel(&self) -> AcpChannel {
        let settings = self.settings();
        let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let model = if self.agent == Agent::OpenCode { "mock/scripted" } else { "scripted" };
        let variables =
            [("HOME", self.at("home").into()), ("TMPDIR", self.at("tmp").into()), ("PATH", self.path.clone())];
        let environment = Environment::new(variables.map(|(name, value)| (OsString::from(name), value)));
        AcpChannel::new(&member("acp", Some(model), &settings), Launcher::without_shim(), environment).unwrap()
    }

    fn request(&self, session: SessionUse) -> TurnRequest {
        TurnRequest { directory: self.at("project").into(), ..request("Is this right?", session) }
    }

    async fn turn(&self, name: &str, request: &TurnRequest) -> Turn {
        let turn = self.channel().turn(request).await;
        println!("{:?} {name}: {:?} {:?} {:?} {:?}", self.agent, turn.outcome, turn.detail, turn.text, turn.usage);
        assert!(!String::from_utf8_lossy(&turn.transcript.bytes).contains("test-key"));
        turn
    }
}

const OPENCODE: &str = r#"{"autoupdate":false,"share":"disabled","model":"mock/other","provider":{"mock":{
    "npm":"@ai-sdk/openai-compatible","name":"mock","options":{"baseURL":"BASE","apiKey":"test-key"},
    "models":{"scripted":{"name":"scripted"},"other":{"name":"other"}}}}}"#;

#[test]
fn a_session_over_two_processes() {
    let Some(agents) = agents() else { return };
    on_runtime(async {
        for agent in ALL {
            let answer = Answer::text("VERDICT: approve").usage(100, 5, 10);
            let stage = Stage::new(&agents, agent, answer).await;
            let first = stage.turn("success", &stage.request(SessionUse::None)).await;
            assert_eq!((&first.outcome, first.text.as_deref()), (&Outcome::Ok, Some("VERDICT: approve")));
            let usage = first.usage.unwrap();
            assert_eq!((usage.input_tokens, usage.cached_tokens, usage.output_tokens), (100, 10, 5), "{agent:?}");
            let id = first.provenance.session.unwrap();
            let second = stage.turn("resume", &stage.request(SessionUse::Resume { id })).await;
            assert_eq!((second.outcome, second.text.as_deref()), (Outcome::Ok, Some("VERDICT: approve")));
            let asked = stage.server.requests().last().unwrap().body.clone();
            assert!(asked.contains("VERDICT: approve"), "the second request holds the first answer");
            let lost = SessionUse::Resume { id: "0e0e0e0e-0e0e-4e0e-8e0e-0e0e0e0e0e0e".to_owned() };
            assert_eq!(stage.turn("no_such_session", &stage.request(lost)).await.outcome, Outcome::SessionNotFound);
        }
    });
}

/// Wishes to stop once the model was asked.
struct Impatient(Cancel);

impl ProgressSink for Impatient {
    fn report(&self, progress: Progress) {
        if progress == Progress::Thinking {
            self.0.request();
        }
    }
}

#[test]
fn a_wish_to_stop_is_heard() {
    let Some(agents) = agents() else { return };
    on_runtime(async {
        for agent in ALL {
            let stage = Stage::new(&agents, agent, Answer::fault(Fault::HangBeforeHead)).await;
            let cancel = Cancel::default();
            let progress = Arc::new(Impatient(cancel.clone()));
            let request = TurnRequest { cancel, progress, ..stage.request(SessionUse::None) };
            let turn = stage.turn("interrupted", &request).await;
            assert_eq!((turn.outcome, turn.detail.as_str()), (Outcome::Cancelled, "was cancelled"), "{agent:?}");
            let said = String::from_utf8_lossy(&turn.transcript.bytes).into_owned();
            println!(
                "{agent:?} says by itself that it was cancelled: {}",
                said.contains(r#""stopReason":"cancelled""#)
            );
        }
    });
}
