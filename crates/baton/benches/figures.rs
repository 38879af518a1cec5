//! The figures of `docs/performance.md`, as JSON on standard output: `cargo bench -p baton --bench figures`.
//!
//! The upstream is the scripted server, in a process of its own: this program starts itself once more for it. What is
//! measured is baton: the whole way of a task through engine, channels and store, upstream time taken off where the
//! upstream waits.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a bench prints, and stops at the first surprise")]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use baton_core::catalog::Rules;
use baton_core::ids::MemberId;
use baton_core::member::{ChannelSpec, Limits, Member, Nature, Payer, Price};
use baton_core::run::{Inputs, RULES_VERSION};
use baton_core::task::{Complexity, Hints, Question, Task};
use baton_core::units::Timestamp;
use baton_core::workflow::{Act, Artefact, Node, When, Who, Workflow};
use baton_engine::{Channels, Engine, Ports, Silent};
use baton_members::Tools;
use baton_port::{Blobs, BoxFuture, Cancel, Channel, Clock, Ids, Journal, Rows};
use baton_process::Launcher;
use baton_script::{Answer, Recording, Script, Server};
use baton_store::{MemoryStore, SqliteStore};
use serde_json::{Value, json};
use tokio::task::JoinSet;

const UPSTREAM: &str = "--upstream";

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    if let Some(at) = arguments.iter().position(|argument| argument == UPSTREAM) {
        runtime.block_on(serve(arguments[at + 1].parse().expect("milliseconds")));
        return;
    }
    // `cargo test --all-targets` builds and runs benches with this flag: nothing is measured then.
    if arguments.iter().any(|argument| argument == "--test") {
        return;
    }
    let figures = runtime.block_on(measure());
    println!("{figures:#}");
}

async fn measure() -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    let sync = baton_store::fdatasync_cost(folder.path()).expect("a folder to write in");
    let version = median(50, start_version);
    let mcp = median(30, || start_mcp().0);
    let idle_kib = start_mcp().1;
    let memory_fan = fan_out(Store::Memory).await;
    let synced_fan = fan_out(Store::Synced).await;
    let panels = panels().await;
    json!({
        "load_average": std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim(),
        "fdatasync_ms": millis(sync),
        "version_ms": millis(version),
        "mcp_to_tools_list_ms": millis(mcp),
        "mcp_idle_rss_mib": idle_kib as f64 / 1024.0,
        "fan_out_8_at_100_ms_added_ms": { "memory": millis(memory_fan), "synced": millis(synced_fan),
            "synced_less_3_fdatasync": millis(synced_fan) - 3.0 * millis(sync) },
        "panels_1000_of_5_at_0_ms_synced": panels,
    })
}

fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

fn median(times: usize, mut measured: impl FnMut() -> Duration) -> Duration {
    measured();
    let mut all: Vec<Duration> = (0..times).map(|_| measured()).collect();
    all.sort_unstable();
    all[times / 2]
}

#[expect(clippy::disallowed_methods, reason = "what is measured is the start of a whole process")]
fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_baton"));
    command.env_clear().env("PATH", "/nonexistent").env("BATON_HOME", "/nonexistent/baton").stderr(Stdio::null());
    command
}

fn start_version() -> Duration {
    let begun = Instant::now();
    let output = command().arg("--version").output().expect("baton runs");
    assert!(output.status.success());
    begun.elapsed()
}

/// From the start of `baton mcp` to the answer to `tools/list`; and what the process then holds in memory, in KiB.
fn start_mcp() -> (Duration, u64) {
    let begun = Instant::now();
    let mut child = command().arg("mcp").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("baton runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
    let initialize = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"bench","version":"0"}}}"#;
    let mut line = String::new();
    writeln!(stdin, "{initialize}").expect("a pipe");
    stdout.read_line(&mut line).expect("an answer");
    writeln!(stdin, r#"{{"jsonrpc":"2.0","method":"notifications/initialized"}}"#).expect("a pipe");
    writeln!(stdin, r#"{{"jsonrpc":"2.0","id":2,"method":"tools/list"}}"#).expect("a pipe");
    line.clear();
    stdout.read_line(&mut line).expect("an answer");
    let took = begun.elapsed();
    assert!(line.contains("orchestrate"), "{line}");
    let resident = status_kib(&format!("/proc/{}/status", child.id()), "VmRSS:");
    drop(stdin);
    child.wait().expect("baton ends");
    (took, resident)
}

fn status_kib(path: &str, key: &str) -> u64 {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
    line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[derive(Clone, Copy)]
enum Store {
    Memory,
    Synced,
}

/// Eight members that each answer after 100 ms: what the whole task takes beyond that, median of 20.
async fn fan_out(store: Store) -> Duration {
    let upstream = Upstream::start(100);
    let bench = Bench::new(store, &upstream.url, 8);
    bench.task().await;
    let mut all = Vec::new();
    for _ in 0..20 {
        let begun = Instant::now();
        bench.task().await;
        all.push(begun.elapsed().saturating_sub(Duration::from_millis(100)));
    }
    all.sort_unstable();
    all[10]
}

/// A thousand tasks of five members each, 64 at a time, every one synced to disk.
async fn panels() -> Value {
    const TASKS: usize = 1_000;
    const IN_FLIGHT: usize = 64;
    let upstream = Upstream::start(0);
    let bench = Arc::new(Bench::new(Store::Synced, &upstream.url, 5));
    bench.task().await;
    let begun = Instant::now();
    let mut running = JoinSet::new();
    let mut started = 0;
    let mut ended = 0;
    while ended < TASKS {
        while started < TASKS && running.len() < IN_FLIGHT {
            let bench = bench.clone();
            running.spawn(async move { bench.task().await });
            started += 1;
        }
        running.join_next().await.expect("a task runs").expect("a task ends");
        ended += 1;
    }
    let seconds = begun.elapsed().as_secs_f64();
    json!({
        "tasks_per_second": (TASKS as f64 / seconds).round(),
        "peak_rss_mib": status_kib("/proc/self/status", "VmHWM:") as f64 / 1024.0,
        "cpu_ms_per_task": cpu_seconds() * 1e3 / TASKS as f64,
    })
}

/// User and system time of this process: the bench's own share, the upstream's not counted.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

struct Bench {
    engine: Engine,
    inputs: Inputs,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new(store: Store, url: &str, members: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (journal, blobs, rows): (Arc<dyn Journal>, Arc<dyn Blobs>, Arc<dyn Rows>) = match store {
            Store::Memory => {
                let store = Arc::new(MemoryStore::default());
                (store.clone(), store.clone(), store)
            }
            Store::Synced => {
                let store =
                    Arc::new(SqliteStore::open(folder.path(), baton_store::Options::default()).expect("a store"));
                (store.clone(), store.clone(), store)
            }
        };
        let tools = Arc::new(Tools::new(Launcher::without_shim(), Vec::new()));
        let channels = Arc::new(Open::new(tools));
        let ports = Ports { journal, blobs, rows, channels, clock: Arc::new(Now), ids: Arc::new(Random) };
        let members: Vec<Member> = (0..members).map(|index| member(index, url)).collect();
        let inputs = inputs(members);
        Self { engine: Engine::new(ports, "bench".into(), folder.path().to_owned()), inputs, _folder: folder }
    }

    async fn task(&self) {
        let cancel = Cancel::default();
        let (_, state) = self.engine.run(self.inputs.clone(), Vec::new(), &Silent, &cancel).await.expect("a run");
        let decision = state.decision.expect("a decision");
        assert_eq!(decision.model_count, self.inputs.members.len());
    }
}

fn member(index: usize, url: &str) -> Member {
    let id = format!("m{index}");
    Member {
        id: MemberId::parse(&id).expect("a name"),
        nature: Nature::Model,
        vendor: format!("v{index}"),
        family: id.clone(),
        channel: ChannelSpec {
            kind: "openai-chat".into(),
            settings: [("base_url".into(), format!("{url}/v1")), ("stream".into(), "false".into())].into(),
        },
        model: Some("m".into()),
        effort: None,
        tier: 2,
        strengths: Vec::new(),
        context_window: 100_000,
        price: Some(Price { input: 1, output: 1 }),
        payer: Payer::Local,
        account: id,
        limits: Limits { concurrent: 1_000, ..Limits::default() },
        scripted: true,
    }
}

fn inputs(members: Vec<Member>) -> Inputs {
    let ask = Act::Ask { who: Who::Team, template: "t".into(), with: vec![Artefact::Attachments], draft: false };
    let node = |id: &str, act: Act| Node { id: id.into(), when: When::Always, act };
    Inputs {
        rules_version: RULES_VERSION,
        task: Task {
            prompt: "Is this retry loop safe?".into(),
            attachments: Vec::new(),
            hints: Hints {
                complexity: Some(Complexity::Complex),
                question: Some(Question::Verdict),
                ..Hints::default()
            },
            workspace: None,
        },
        workflow: Workflow {
            name: "bench".into(),
            about: String::new(),
            nodes: vec![node("panel", ask), node("decide", Act::Decide)],
            templates: [("t".into(), "{{task}}\n{{trailer}}".into())].into(),
        },
        named: members.iter().map(|member| member.id.clone()).collect(),
        members,
        roles: Vec::new(),
        rules: Rules::default(),
        experience: baton_core::learning::Experience::default(),
        load: std::collections::BTreeMap::new(),
        corrections: baton_core::classify::Corrections::default(),
        said_kind: None,
        session: None,
        handover: Some(baton_core::handover::Handover::default()),
        seed: 1,
    }
}

/// Opens each seat's channel once: connections are kept between tasks, as in a process that serves many.
struct Open {
    tools: Arc<Tools>,
    opened: std::sync::Mutex<std::collections::HashMap<MemberId, Arc<dyn Channel>>>,
}

impl Open {
    fn new(tools: Arc<Tools>) -> Self {
        Self { tools, opened: std::sync::Mutex::default() }
    }
}

impl Channels for Open {
    fn open(&self, member: &Member) -> Result<Arc<dyn Channel>, String> {
        let mut opened = self.opened.lock().expect("no panic");
        if let Some(channel) = opened.get(&member.id) {
            return Ok(channel.clone());
        }
        let channel = baton_members::open(member, &self.tools).map_err(|error| error.to_string())?;
        opened.insert(member.id.clone(), channel.clone());
        Ok(channel)
    }
}

struct Now;

impl Clock for Now {
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
        Timestamp(i64::try_from(since.as_millis()).expect("a date"))
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

struct Random;

impl Ids for Random {
    fn run(&self) -> baton_core::ids::RunId {
        baton_core::ids::RunId::from_uuid_text(&uuid::Uuid::now_v7().to_string())
    }

    fn seed(&self) -> u64 {
        1
    }
}

/// The scripted server in a process of its own.
struct Upstream {
    child: Child,
    url: String,
}

impl Upstream {
    #[expect(clippy::disallowed_methods, reason = "the upstream must not share this process's time and memory")]
    fn start(delay_ms: u64) -> Self {
        let program = std::env::current_exe().expect("this program");
        let mut child = Command::new(program)
            .args([UPSTREAM, &delay_ms.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the upstream starts");
        let mut url = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut url).expect("its address");
        Self { child, url: url.trim().to_owned() }
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().ok();
    }
}

async fn serve(delay_ms: u64) {
    let text = "Fine.\n```json\n{\"verdict\":\"approve\",\"confidence\":0.9,\"findings\":[]}\n```";
    let answer = Answer::text(text).delay_ms(delay_ms).usage(40, 20, 0);
    let script = Script::always(answer).open().recording(Recording::Counts);
    let server = Server::start(script).await.expect("a port");
    println!("{}", server.url());
    // Ends with the bench, however that ends: its side of the pipe closes.
    tokio::task::spawn_blocking(|| std::io::stdin().lines().count()).await.ok();
    server.shutdown().await;
}
