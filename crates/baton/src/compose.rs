//! The composition root: the one place that names the store, the channels, the clock and the engine together.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use baton_core::feedback;
use baton_core::handover::Handover;
use baton_core::member::{Member, Nature};
use baton_core::run::{Inputs, RULES_VERSION};
use baton_core::task::{Question, Task};
use baton_core::workflow::{Act, Workflow};
use baton_engine::{Engine, Ports};
use baton_members::Tools;
use baton_members::warm::{Limits, Pool};
use baton_port::{Clock, Ids, Journal};
use baton_process::{Launcher, Shim};
use baton_store::SqliteStore;
use baton_workspace::{Workshop, WorkspaceFiles};

use crate::config::Config;
use crate::failure::Failure;
use crate::seats::{self, Seat, SeatChannels};
use crate::system::{self, Home, SystemClock, SystemIds, environment_path, variables};
use crate::trust::Trust;

/// Everything a command works with.
pub(crate) struct Setup {
    pub(crate) config: Config,
    pub(crate) tools: Arc<Tools>,
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) engine: Engine,
    pub(crate) workshop: Arc<Workshop>,
    /// Where the command was started.
    pub(crate) directory: PathBuf,
}

impl Setup {
    /// Opens the user's own home, for one command: each turn of an agent program is a process of its own.
    pub(crate) fn open() -> Result<Self, Failure> {
        let (home, config, directory) = own_home()?;
        Self::with(&home, config, directory, Vec::new())
    }

    /// As before, for a process that lives on: programs rest in its one pool between the turns of their sessions. The
    /// first call makes the pool; whoever holds it closes it.
    pub(crate) fn open_keeping(pool: &OnceLock<Pool>) -> Result<Self, Failure> {
        let (home, config, directory) = own_home()?;
        let pool = pool.get_or_init(|| Pool::new(config.warm)).clone();
        Self::build(&home, config, directory, Vec::new(), pool)
    }

    /// Opens a given home with a given configuration.
    ///
    /// `variables` are added to the environment that channels and programs see.
    pub(crate) fn with(
        home: &Home,
        config: Config,
        directory: PathBuf,
        variables: Vec<(OsString, OsString)>,
    ) -> Result<Self, Failure> {
        let pool = Pool::new(Limits { most: 0, ..config.warm });
        Self::build(home, config, directory, variables, pool)
    }

    fn build(
        home: &Home,
        config: Config,
        directory: PathBuf,
        variables: Vec<(OsString, OsString)>,
        pool: Pool,
    ) -> Result<Self, Failure> {
        let store = Arc::new(SqliteStore::open(&home.data, baton_store::Options::default())?);
        let scratch = home.data.join("scratch");
        private_folder(&scratch)?;
        let launcher = launcher()?;
        let seen = || std::env::vars_os().chain(variables.iter().cloned());
        let workshop = Arc::new(Workshop::new(home.data.join("worktrees"), launcher, seen()));
        // What a killed baton left behind.
        workshop.sweep();
        let tools = Arc::new(tools(variables)?.with_pool(pool));
        admit_servers(&config, &tools);
        let ports = Ports {
            journal: store.clone(),
            blobs: store.clone(),
            rows: store.clone(),
            channels: Arc::new(SeatChannels { tools: tools.clone(), workshop: workshop.clone() }),
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds),
        };
        let engine = Engine::new(ports, system::owner(), scratch)
            .with_gone_owners(system::is_gone)
            .with_files(Arc::new(WorkspaceFiles));
        Ok(Self { config, tools, store, engine, workshop, directory })
    }

    pub(crate) fn journal(&self) -> &dyn Journal {
        &*self.store
    }

    pub(crate) async fn trust(&self) -> Result<Trust, Failure> {
        Trust::read(self.journal()).await
    }

    /// Lets members use the MCP servers that the project brings, once its content is trusted. A server of the user's
    /// own is never replaced by one of the same name.
    pub(crate) async fn admit_trusted(&self) -> Result<(), Failure> {
        let Some(project) = self.config.project.as_ref().filter(|project| !project.servers.is_empty()) else {
            return Ok(());
        };
        if self.trust().await?.covers(&project.root, project.content) {
            let is_own = |name: &str| self.config.servers.iter().any(|own| own.name == name);
            self.tools.admit(project.servers.iter().filter(|server| !is_own(&server.name)).cloned());
        }
        Ok(())
    }

    pub(crate) async fn seats(&self) -> Vec<Seat> {
        seats::find(&self.config, &self.tools).await
    }

    pub(crate) fn now(&self) -> baton_core::units::Timestamp {
        SystemClock.now()
    }

    /// Seats who runs tests of claims, where the user wants them, the check is seated and the workflow asks for some.
    fn let_test(&self, workflow: &mut Workflow, members: &mut Vec<Member>) -> Result<(), Failure> {
        let named =
            |member: &&Member| member.nature == Nature::Check && Some(&member.id) == self.config.reproduce.as_ref();
        let Some(check) = members.iter().find(named).filter(|_| runs_tests(workflow)) else { return Ok(()) };
        let runner = seats::reproduction(members, check)?;
        // A prompt says by which command its test will be run. Nothing in that is a place to be filled.
        let command = seats::shown(check).replace("{{", "{ {");
        for template in workflow.templates.values_mut() {
            *template = template.replace("{{command}}", &command);
        }
        members.push(runner);
        Ok(())
    }

    /// Freezes a task with everything that its run will depend on, what is known of accounts by now included. Where a
    /// patch is or may be asked for, who tries it is seated too.
    pub(crate) async fn freeze(
        &self,
        task: Task,
        mut workflow: Workflow,
        mut members: Vec<Member>,
    ) -> Result<Inputs, Failure> {
        let probes = seats::take_probes(&mut members);
        if task.hints.question == Some(Question::Patch) {
            tries_patches(&workflow)?;
        }
        if task.hints.may_patch || task.hints.question == Some(Question::Patch) {
            members.push(seats::trial(&members, &probes)?);
        }
        self.let_test(&mut workflow, &mut members)?;
        let handover = Handover {
            rules: self.config.followers(&members),
            away: self.engine.away(&members).await?,
            offset_minutes: system::offset_minutes(self.now()),
        };
        let experience =
            feedback::experience(&self.engine.feedback().await?, &members, &self.config.rules.tier_reliability);
        let load = self.engine.load(&members).await?;
        let corrections = self.engine.corrections(&task.prompt).await?;
        Ok(Inputs {
            rules_version: RULES_VERSION,
            task,
            workflow,
            members,
            roles: self.config.roles.clone(),
            rules: self.config.rules.clone(),
            experience,
            load,
            corrections,
            said_kind: None,
            named: Vec::new(),
            session: None,
            handover: Some(handover),
            seed: SystemIds.seed(),
        })
    }
}

fn own_home() -> Result<(Home, Config, PathBuf), Failure> {
    let home = Home::find(environment_path)?;
    let directory = current_directory()?;
    let config = Config::load_in(&home, &directory)?;
    Ok((home, config, directory))
}

/// Some node runs tests of claims.
fn runs_tests(workflow: &Workflow) -> bool {
    workflow.nodes.iter().any(|node| node.act == Act::Reproduce)
}

/// Tests of claims are asked for by name only where they are run.
pub(crate) fn tests_claims(workflow: &Workflow) -> Result<(), Failure> {
    if runs_tests(workflow) {
        return Ok(());
    }
    Err(Failure::input(format!("the workflow `{}` tests no claims", workflow.name))
        .hint("use `--reproduce` with `--workflow ask` or `--workflow debate`"))
}

/// A patch is asked for only where it is tried before it is counted.
fn tries_patches(workflow: &Workflow) -> Result<(), Failure> {
    if workflow.nodes.iter().any(|node| node.act == Act::Try) {
        return Ok(());
    }
    Err(Failure::input(format!("the workflow `{}` tries no patches", workflow.name))
        .hint("ask for a patch with `--workflow ask` or `--workflow debate`"))
}

pub(crate) fn current_directory() -> Result<PathBuf, Failure> {
    std::env::current_dir().map_err(|error| Failure::input(format!("the current directory is gone: {error}")))
}

/// This machine's programs, keys and network.
pub(crate) fn tools(variables: Vec<(OsString, OsString)>) -> Result<Tools, Failure> {
    Ok(Tools::new(launcher()?, std::env::vars_os().chain(variables)))
}

fn launcher() -> Result<Launcher, Failure> {
    let program = std::env::current_exe()
        .map_err(|error| Failure::configuration(format!("baton cannot find its own program: {error}")))?;
    Ok(Launcher::with_shim(Shim { program, arguments: vec![crate::SHIM.into()] }))
}

/// Lets members name the user's MCP servers. Those of the project are known, and held back.
pub(crate) fn admit_servers(config: &Config, tools: &Tools) {
    tools.admit(config.servers.iter().cloned());
    let brought = config.project.iter().flat_map(|project| &project.servers);
    tools.hold_back(brought.map(|server| server.name.clone()));
}

/// Readable by the user alone, like the store beside it.
fn private_folder(path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| {
        Failure::new(crate::failure::Exit::Store, format!("{} cannot be made: {error}", path.display()))
    })
}

/// How many batons are above this one.
pub(crate) fn depth() -> u32 {
    std::env::var(variables::DEPTH).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// A baton that was started by one of its own members must not ask members again.
pub(crate) fn refuse_recursion() -> Result<(), Failure> {
    if depth() == 0 {
        return Ok(());
    }
    Err(Failure::input("this baton was started by a member of a running baton: it asks nobody")
        .hint("answer the task yourself; unset BATON_DEPTH if you are no member"))
}
