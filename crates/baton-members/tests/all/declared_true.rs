//! Declared programs of the catalogue themselves, with a scripted model server on loopback. Each runs where
//! `BATON_TRUE_AGENTS` names a folder whose `node_modules` holds it, and says loudly that it was skipped elsewhere.
//! What is asked of all programs alike is in the table of `cargo xtask e2e`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use baton_core::member::Member;
use baton_core::outcome::Outcome;
use baton_members::cli::{DeclaredChannel, Environment};
use baton_port::{Channel, SessionUse, Turn, TurnRequest};
use baton_process::Launcher;
use baton_script::{Answer, Fault, Script, Server};

use crate::cli_args::request;
use crate::declared_catalog::seat;

const SESSION: &str = "0e0e0e0e-0e0e-4e0e-8e0e-0e0e0e0e0e0e";
const PROGRAMS: [&str; 3] = ["copilot", "qwen-code", "opencode"];

struct Stage {
    folder: tempfile::TempDir,
    server: Server,
    path: OsString,
    member: Member,
}

impl Stage {
    /// `None` where the program is not there.
    async fn new(id: &str, script: Script) -> Option<Self> {
        let binaries = std::env::var_os("BATON_TRUE_AGENTS").map(|root| PathBuf::from(root).join("node_modules/.bin"));
        let member = seat(id);
        let found = binaries.filter(|binaries| binaries.join(&member.channel.settings["program"]).exists());
        let Some(binaries) = found else {
            eprintln!("SKIPPED: BATON_TRUE_AGENTS names no folder with the true {id}");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        for name in ["home/.config/opencode", "project", "tmp"] {
            std::fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        let path = std::env::join_paths([binaries.as_path(), Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
        Some(Self { folder, server: Server::start(script).await.unwrap(), path, member })
    }

    fn at(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// The record of the catalogue, led to the scripted server.
    fn channel(&self) -> DeclaredChannel {
        let base = format!("{}/v1", self.server.url());
        let mut member = self.member.clone();
        let opencode = member.id.as_str() == "opencode";
        member.model = Some(if opencode { "mock/scripted" } else { "scripted" }.to_owned());
        let configuration = OPENCODE.replace("BASE", &base);
        std::fs::write(self.at("home/.config/opencode/opencode.json"), configuration).unwrap();
        if member.id.as_str() == "qwen-code" {
            member.channel.settings.insert("arg.0".into(), "--auth-type=openai".into());
        }
        for (name, value) in [
            ("COPILOT_OFFLINE", "true"),
            ("COPILOT_PROVIDER_BASE_URL", &base),
            ("COPILOT_PROVIDER_TYPE", "openai"),
            ("COPILOT_PROVIDER_WIRE_API", "completions"),
            ("COPILOT_PROVIDER_API_KEY", "test-key"),
            ("OPENAI_BASE_URL", &base),
            ("OPENAI_API_KEY", "test-key"),
        ] {
            member.channel.settings.insert(format!("env.{name}"), value.to_owned());
        }
        let fixed = [("HOME", self.at("home")), ("TMPDIR", self.at("tmp")), ("LANG", "C.UTF-8".to_owned())];
        let fixed = fixed.into_iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        let environment = Environment::new(fixed.chain([("PATH".into(), self.path.clone())]));
        DeclaredChannel::new(&member, Launcher::without_shim(), environment).unwrap()
    }

    async fn turn(&self, session: SessionUse) -> Turn {
        let asked = TurnRequest { directory: self.at("project").into(), ..request("Is this right?", session) };
        let asked = TurnRequest { effort: None, ..asked };
        let turn = self.channel().turn(&asked).await;
        println!("{} {:?} {:?} {:?}", self.member.id, turn.outcome, turn.detail, turn.usage);
        turn
    }
}

const OPENCODE: &str = r#"{"autoupdate":false,"share":"disabled","provider":{"mock":{"npm":"@ai-sdk/openai-compatible",
"options":{"baseURL":"BASE","apiKey":"test-key"},"models":{"scripted":{}}}}}"#;

fn on_runtime<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

#[test]
fn more_failures_have_their_class() {
    on_runtime(async {
        for id in PROGRAMS {
            let fault = Answer::fault(Fault::ContextTooLong);
            let Some(stage) = Stage::new(id, Script::always(fault)).await else { continue };
            let turn = stage.turn(SessionUse::None).await;
            assert_eq!(turn.outcome, Outcome::ContextTooLong, "{id} {}", turn.detail);
            assert!(!String::from_utf8_lossy(&turn.transcript.bytes).contains("test-key"), "{id}");
            let Some(stage) = Stage::new(id, Script::always(Answer::text("unused"))).await else { continue };
            let lost = stage.turn(SessionUse::Resume { id: SESSION.to_owned() }).await;
            assert_eq!(lost.outcome, Outcome::SessionNotFound, "{id} {}", lost.detail);
        }
    });
}
