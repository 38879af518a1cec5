//! Processes that stay, with the true programs, against a scripted model server on loopback.
//!
//! Runs where `BATON_TRUE_AGENTS` names a folder whose `node_modules` holds `@anthropic-ai/claude-code`,
//! `@openai/codex`, `@qwen-code/qwen-code` and `@github/copilot`; says loudly that it was skipped elsewhere. Keys are
//! dummies, homes are private, and the caller's environment reaches no program. Each test prints what its turns took;
//! `docs/performance.md` has those of `what_a_warm_turn_saves`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use baton_core::outcome::{Deadline, Outcome};
use baton_members::warm::{Limits, Pool};
use baton_members::{Tools, open};
use baton_port::{Cancel, Channel, Exchange, Progress, ProgressSink, SessionUse, Turn, TurnRequest};
use baton_process::Launcher;
use baton_script::{Answer, Fault, Script, Server};

use crate::cli_args::{member, request};

const SESSION: &str = "0e0e0e0e-0e0e-4e0e-8e0e-0e0e0e0e0e0e";
const QUESTIONS: [&str; 5] = ["Is this right?", "And that?", "And all of it?", "And why?", "And now?"];
const ANSWER: &str = "VERDICT: approve";

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

#[derive(Clone, Copy, Debug, PartialEq)]
enum Program {
    Claude,
    Codex,
    Qwen,
    Copilot,
}

const OWN: [Program; 2] = [Program::Claude, Program::Codex];

/// A home and a project of its own, and a server that plays a script.
struct Stage {
    program: Program,
    folder: tempfile::TempDir,
    server: Server,
    path: OsString,
}

impl Stage {
    async fn new(agents: &Path, program: Program, script: Script) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["home", "state", "project", "tmp"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let binaries = agents.join("node_modules/.bin");
        let path = std::env::join_paths([binaries.as_path(), Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
        Self { program, folder, server: Server::start(script).await.unwrap(), path }
    }

    fn at(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn channel(&self, pool: &Pool) -> Arc<dyn Channel> {
        let (url, state) = (self.server.url(), self.at("state"));
        let base = format!("{url}/v1");
        let (kind, model, settings): (_, _, Vec<(&str, &str)>) = match self.program {
            Program::Claude => ("claude-cli", "sonnet", claude(&url, &state)),
            Program::Codex => ("codex-cli", "scripted", codex(&base, &state)),
            Program::Qwen => ("acp", "scripted", qwen(&base)),
            Program::Copilot => ("acp", "scripted", copilot(&base)),
        };
        let fixed = [("HOME", self.at("home")), ("TMPDIR", self.at("tmp")), ("LANG", "C.UTF-8".to_owned())];
        let fixed = fixed.into_iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        let variables = fixed.chain([("PATH".into(), self.path.clone())]);
        let tools = Tools::new(Launcher::without_shim(), variables).with_pool(pool.clone());
        open(&member(kind, Some(model), &settings), &tools).unwrap()
    }

    /// The turn with this number, from 0, of a session whose earlier ones were answered.
    fn request(&self, number: usize, session: SessionUse) -> TurnRequest {
        let history = QUESTIONS[..number]
            .iter()
            .map(|question| Exchange { prompt: (*question).to_owned(), answer: ANSWER.to_owned() });
        let directory = self.at("project").into();
        TurnRequest { directory, history: history.collect(), ..request(QUESTIONS[number], session) }
    }

    async fn timed(&self, channel: &Arc<dyn Channel>, what: &str, request: TurnRequest) -> Turn {
        let begun = Instant::now();
        let turn = channel.turn(&request).await;
        let took = begun.elapsed().as_millis();
        println!("{:?}, {what}: {took} ms, {:?} {} {:?}", self.program, turn.outcome, turn.detail, turn.usage);
        turn
    }

    /// Whether a model call holds all of these.
    fn was_asked(&self, texts: &[&str]) -> bool {
        let requests = self.server.requests();
        requests
            .iter()
            .filter(|request| request.paid)
            .any(|request| texts.iter().all(|text| request.body.contains(text)))
    }
}

fn claude<'a>(url: &'a str, state: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![("env.ANTHROPIC_BASE_URL", url), ("env.ANTHROPIC_API_KEY", "test-key"), ("env.CLAUDE_CONFIG_DIR", state)]
}

fn codex<'a>(base: &'a str, state: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("env.CODEX_HOME", state),
        ("env.MOCK_KEY", "test-key"),
        ("config.model_provider", "mock"),
        ("config.model_providers.mock.name", "mock"),
        ("config.model_providers.mock.base_url", base),
        ("config.model_providers.mock.env_key", "MOCK_KEY"),
        ("config.model_providers.mock.wire_api", "responses"),
        ("config.model_providers.mock.request_max_retries", "0"),
        ("config.model_providers.mock.stream_max_retries", "0"),
    ]
}

fn qwen(base: &str) -> Vec<(&str, &str)> {
    vec![
        ("program", "qwen"),
        ("arg.0", "--acp"),
        ("arg.1", "--auth-type=openai"),
        ("arg.2", "--model={model}"),
        ("mode", "plan"),
        ("usage", "meta"),
        ("env.OPENAI_BASE_URL", base),
        ("env.OPENAI_API_KEY", "test-key"),
    ]
}

fn copilot(base: &str) -> Vec<(&str, &str)> {
    vec![
        ("program", "copilot"),
        ("arg.0", "--acp"),
        ("usage", "session"),
        ("error_texts", "Error: \nInfo: *etrying"),
        ("env.COPILOT_OFFLINE", "true"),
        ("env.COPILOT_AUTO_UPDATE", "false"),
        ("env.COPILOT_PROVIDER_BASE_URL", base),
        ("env.COPILOT_PROVIDER_TYPE", "openai"),
        ("env.COPILOT_PROVIDER_WIRE_API", "completions"),
        ("env.COPILOT_PROVIDER_API_KEY", "test-key"),
        ("env.COPILOT_MODEL", "scripted"),
    ]
}

fn script() -> Script {
    Script::always(Answer::text(ANSWER).usage(100, 5, 30))
}

fn new_session() -> SessionUse {
    SessionUse::New { id: SESSION.to_owned() }
}

fn resumed(turn: &Turn) -> SessionUse {
    SessionUse::Resume { id: turn.provenance.session.clone().unwrap() }
}

#[test]
fn a_second_turn_goes_through_the_same_process_and_a_third_resumes_in_another() {
    let Some(agents) = agents() else { return };
    on_runtime(async {
        for program in OWN {
            let stage = Stage::new(&agents, program, script()).await;
            let pool = Pool::default();
            let channel = stage.channel(&pool);
            let first =
                stage.timed(&channel, "first turn of a process that stays", stage.request(0, new_session())).await;
            assert_eq!((&first.outcome, pool.resting()), (&Outcome::Ok, 1), "{program:?} {}", first.detail);
            let second = stage.timed(&channel, "second turn, warm", stage.request(1, resumed(&first))).await;
            assert_eq!((&second.outcome, pool.running()), (&Outcome::Ok, 1), "{program:?} {}", second.detail);
            assert!(stage.was_asked(&[QUESTIONS[0], ANSWER, QUESTIONS[1]]), "{program:?}: it knows the first turn");
            pool.close().await;
            assert_eq!(pool.running(), 0);
            let pool = Pool::default();
            let third = stage.request(2, resumed(&first));
            let third = stage.timed(&stage.channel(&pool), "third turn, resumed in a new process", third).await;
            assert_eq!(third.outcome, Outcome::Ok, "{program:?} {}", third.detail);
            assert!(stage.was_asked(&[QUESTIONS[0], QUESTIONS[1], QUESTIONS[2]]), "{program:?}: and both");
            for turn in [&first, &second, &third] {
                let usage = turn.usage.unwrap_or_else(|| panic!("{program:?} tells its tokens"));
                let counts = (usage.input_tokens, usage.cached_tokens, usage.output_tokens);
                assert_eq!(counts, (100, 30, 5), "{program:?}: this turn's alone");
                assert_eq!(turn.provenance.session, first.provenance.session);
                assert!(turn.provenance.program_version.is_some());
                assert!(!String::from_utf8_lossy(&turn.transcript.bytes).contains("test-key"));
            }
            let cost = |turn: &Turn| turn.usage.and_then(|usage| usage.reported_cost);
            assert!(cost(&second).is_none() || cost(&second) == cost(&first), "not the sum: {:?}", cost(&second));
            assert_eq!(stage.server.counts().paid, 3);
            pool.close().await;
        }
    });
}

/// The turns that a warm one is compared with.
#[test]
fn turns_of_one_process_each_go_on_with_a_session_of_one_that_stayed() {
    let Some(agents) = agents() else { return };
    on_runtime(async {
        for program in OWN {
            let stage = Stage::new(&agents, program, script()).await;
            let (warm, cold) = (Pool::default(), Pool::new(Limits { most: 0, ..Limits::default() }));
            let first =
                stage.timed(&stage.channel(&cold), "first turn, one process", stage.request(0, new_session())).await;
            let second = stage.request(1, resumed(&first));
            let second = stage.timed(&stage.channel(&cold), "second turn, one process", second).await;
            assert_eq!((first.outcome, &second.outcome), (Outcome::Ok, &Outcome::Ok), "{}", second.detail);
            let third = stage.request(2, resumed(&second));
            let third = stage.timed(&stage.channel(&warm), "third turn, a process that stays", third).await;
            assert_eq!((third.outcome, warm.resting()), (Outcome::Ok, 1), "{program:?} {}", third.detail);
            assert!(stage.was_asked(&[QUESTIONS[0], QUESTIONS[1], QUESTIONS[2]]));
            warm.close().await;
        }
    });
}

#[test]
fn agents_of_the_protocol_stay_too() {
    let Some(agents) = agents() else { return };
    on_runtime(async {
        for program in [Program::Qwen, Program::Copilot] {
            let stage = Stage::new(&agents, program, script()).await;
            let pool = Pool::default();
            let channel = stage.channel(&pool);
            let first =
                stage.timed(&channel, "first turn of a process that stays", stage.request(0, new_session())).await;
            assert_eq!((&first.outcome, pool.resting()), (&Outcome::Ok, 1), "{program:?} {}", first.detail);
            let second = stage.timed(&channel, "second turn, warm", stage.request(1, resumed(&first))).await;
            assert_eq!((&second.outcome, pool.running()), (&Outcome::Ok, 1), "{program:?} {}", second.detail);
            assert!(stage.was_asked(&[QUESTIONS[0], ANSWER, QUESTIONS[1]]), "{program:?}: it knows the first turn");
            let input = |turn: &Turn| turn.usage.map(|usage| usage.input_tokens);
            assert_eq!((input(&first), input(&second)), (Some(100), Some(100)), "{program:?}: this turn's alone");
            pool.close().await;
        }
    });
}

/// Prints the middle one of three turns each: with a process a turn, and with one that stays.
#[test]
fn what_a_warm_turn_saves() {
    let Some(agents) = agents() else { return };
    on_runtime(async {
        for program in [Program::Claude, Program::Codex, Program::Qwen, Program::Copilot] {
            let stage = Stage::new(&agents, program, script()).await;
            let (warm, cold) = (Pool::default(), Pool::new(Limits { most: 0, ..Limits::default() }));
            let mut medians = Vec::new();
            for pool in [&cold, &warm] {
                let channel = stage.channel(pool);
                let id = SESSION.replace("4e", if medians.is_empty() { "4a" } else { "4b" });
                let first = channel.turn(&stage.request(0, SessionUse::New { id })).await;
                assert_eq!(first.outcome, Outcome::Ok, "{program:?} {}", first.detail);
                let mut took = Vec::new();
                for number in 1..4 {
                    let begun = Instant::now();
                    let turn = channel.turn(&stage.request(number, resumed(&first))).await;
                    took.push(begun.elapsed().as_millis());
                    assert_eq!(turn.outcome, Outcome::Ok, "{program:?} {}", turn.detail);
                }
                took.sort_unstable();
                medians.push(took[1]);
            }
            println!("{program:?}: later turns of a session, cold {} ms, warm {} ms", medians[0], medians[1]);
            assert_eq!(warm.resting(), 1, "{program:?}");
            warm.close().await;
        }
    });
}

#[test]
fn a_failure_in_a_process_that_stays_has_the_class_of_one_that_does_not() {
    let Some(agents) = agents() else { return };
    let cases = [
        (Fault::Unauthorized, Outcome::Auth),
        (Fault::RateLimited, Outcome::RateLimited { retry_after_ms: None }),
        (Fault::ServerError, Outcome::Overloaded),
        (Fault::InsufficientQuota, Outcome::QuotaExhausted),
        (Fault::ContextTooLong, Outcome::ContextTooLong),
        (Fault::CutMidStream, Outcome::Partial),
    ];
    on_runtime(async {
        for program in OWN {
            for (fault, outcome) in &cases {
                let stage = Stage::new(&agents, program, Script::always(Answer::fault(*fault).after_deltas(1))).await;
                let pool = Pool::default();
                let turn = stage.timed(&stage.channel(&pool), fault.name(), stage.request(0, new_session())).await;
                assert_eq!(&turn.outcome, outcome, "{program:?} {} {}", fault.name(), turn.detail);
                assert_eq!((pool.resting(), pool.running()), (0, 0), "{program:?} {}", fault.name());
                assert_eq!(stage.server.counts().paid, 1, "{program:?} {}", fault.name());
            }
        }
    });
}

/// Wishes to stop once the model is asked.
struct Stops(Cancel);

impl ProgressSink for Stops {
    fn report(&self, progress: Progress) {
        if progress == Progress::Thinking {
            self.0.request();
        }
    }
}

#[test]
fn a_server_that_hangs_meets_the_deadline_or_the_wish_to_stop() {
    let Some(agents) = agents() else { return };
    on_runtime(async {
        for program in OWN {
            let stage = Stage::new(&agents, program, Script::always(Answer::fault(Fault::HangBeforeHead))).await;
            let pool = Pool::default();
            let channel = stage.channel(&pool);
            let mut late = stage.request(0, new_session());
            late.deadlines.idle = Duration::from_millis(900);
            let turn = stage.timed(&channel, "hangs", late).await;
            assert_eq!(turn.outcome, Outcome::TimedOut { deadline: Deadline::Idle }, "{}", turn.detail);
            let cancel = Cancel::default();
            let session = SessionUse::New { id: SESSION.replace("4e", "4f") };
            let progress = Arc::new(Stops(cancel.clone()));
            let stopped = TurnRequest { cancel, progress, ..stage.request(0, session) };
            let turn = stage.timed(&channel, "is cancelled", stopped).await;
            assert_eq!((turn.outcome, pool.running()), (Outcome::Cancelled, 0));
        }
    });
}
