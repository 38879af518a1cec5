//! The command line as typed. Nothing here looks at the machine; every default that depends on it is resolved later.

use std::ffi::OsString;
use std::path::PathBuf;

use baton_core::task::{Complexity, Kind, Priority};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand, ValueEnum};

#[derive(Debug, Parser)]
#[command(name = "baton", version, about = "One task, many models, one decision that can be checked.")]
#[command(propagate_version = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// Reads the command line. A sentence that begins with a dash, such as a line of a list, is the task and no option.
    pub(crate) fn read(arguments: Vec<OsString>) -> Result<Self, clap::Error> {
        let error = match Self::try_parse_from(&arguments) {
            Ok(cli) => return Ok(cli),
            Err(error) => error,
        };
        let is_sentence =
            |word: &OsString| word.to_str().is_some_and(|word| word.starts_with('-') && word.contains(' '));
        let at = arguments.iter().position(is_sentence);
        let (Some(at), ErrorKind::UnknownArgument) = (at, error.kind()) else { return Err(error) };
        let mut moved = arguments;
        let task = moved.remove(at);
        moved.extend(["--".into(), task]);
        Self::try_parse_from(moved)
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Ask a team of members and decide on their answers
    Ask(Ask),
    /// Ask one named member, in a conversation if you like
    Consult(Consult),
    /// Carry on with runs that were interrupted
    Resume(Resume),
    /// List runs, newest first
    Runs(Runs),
    /// Show a run: its decision, its steps, and what every member wrote
    Show(Show),
    /// Compute a run's decision again from its journal and compare
    Verify(OneRun),
    /// Answer a run that waits for a person
    Respond(Respond),
    /// Put your own verdict or option in the place of a run's decision
    Override(Override),
    /// Stop a run, whichever process works on it
    Cancel(OneRun),
    /// Say whether a run's decision turned out well; reliabilities are learned from it
    Rate(Rate),
    /// Say that a finding was right, or a patch good
    Accept(OneFinding),
    /// Say that a finding was wrong, or a patch bad
    Reject(OneFinding),
    /// List the seats: who can be asked here, who pays, and why not
    Members(Members),
    /// Look for what does not work here, and say how to mend it
    Doctor(Doctor),
    /// Let the commands that this project brings be run
    Trust(Trust),
    /// Serve baton to other programs over standard input and output (MCP)
    Mcp,
    /// Measure the decision rules on recorded opinions with known truth
    Eval(Eval),
    /// See the whole main job with scripted members: no account needed
    Demo(Demo),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Ask {
    /// What you want to know or have done; `-` reads it from standard input
    pub(crate) task: String,
    /// A file that goes with the task (repeat for more); a text or a diff on standard input goes with it too, and `-`
    /// waits for it as long as it takes
    #[arg(short, long = "file", value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) shape: Shape,
    /// Ask just these members (repeat, or separate by commas)
    #[arg(short, long = "member", value_name = "MEMBER", value_delimiter = ',')]
    pub(crate) members: Vec<String>,
    /// Where the words do not tell what kind of task it is, ask the cheapest fast member in one small call
    #[arg(long)]
    pub(crate) ask_kind: bool,
    /// Let members of another family write tests for critical or disputed findings; they are run, without network, with
    /// this check, or with the one that `baton.toml` names or that there is
    #[arg(long, value_name = "CHECK", num_args = 0..=1, require_equals = true)]
    pub(crate) reproduce: Option<Option<String>>,
    /// The workflow to run: `ask` (the default), `debate` or `refine`
    #[arg(long)]
    pub(crate) workflow: Option<String>,
    /// Show plan, team, prompts and estimate; ask nobody
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) run: RunFlags,
}

/// What the user says about a task beyond its words.
#[derive(Debug, Default, Args)]
pub(crate) struct Shape {
    /// What is at stake
    #[arg(short, long, value_parser = priorities())]
    pub(crate) priority: Option<Priority>,
    /// The kind of work, where the words tell another one; later tasks are judged by that too
    #[arg(short, long, value_parser = one_of(Kind::ALL, |kind| kind.as_str()))]
    pub(crate) kind: Option<Kind>,
    /// How much work
    #[arg(long, value_parser = one_of(Complexity::ALL, |complexity| complexity.as_str()))]
    pub(crate) complexity: Option<Complexity>,
    /// What a decision would be
    #[arg(short, long, value_enum, conflicts_with = "choose")]
    pub(crate) question: Option<QuestionName>,
    /// Let the team choose one of these (separate by commas)
    #[arg(long, value_name = "OPTIONS", value_delimiter = ',')]
    pub(crate) choose: Vec<String>,
}

/// The questions that need no more than their name.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum QuestionName {
    Verdict,
    Findings,
    Patch,
    Text,
}

/// One of the core's names. Help, completions and the message for another name list them all.
fn one_of<T: Copy + Send + Sync + 'static>(
    all: &'static [T],
    name: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    let names = PossibleValuesParser::new(all.iter().map(|value| name(*value)));
    names.try_map(move |typed| {
        all.iter().copied().find(|value| name(*value) == typed).ok_or_else(|| format!("`{typed}` is not known"))
    })
}

/// As [`one_of`]; `medium` is another word for `normal`.
fn priorities() -> impl TypedValueParser<Value = Priority> {
    let named = |priority: &Priority| match priority {
        Priority::Normal => PossibleValue::new(priority.as_str()).alias("medium"),
        Priority::Low | Priority::High | Priority::Critical => PossibleValue::new(priority.as_str()),
    };
    let names = PossibleValuesParser::new(Priority::ALL.iter().map(named));
    names.try_map(|typed| Priority::asked(&typed).ok_or_else(|| format!("`{typed}` is not known")))
}

#[derive(Debug, Default, Args)]
pub(crate) struct RunFlags {
    /// Print the decision as JSON, and nothing else, on standard output
    #[arg(long)]
    pub(crate) json: bool,
    /// Print the decision as Markdown, to be pasted into a pull request, or its findings as SARIF 2.1.0
    #[arg(long, value_enum, conflicts_with = "json")]
    pub(crate) format: Option<Format>,
    /// Do not ask whether a vendor may be sent the task
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Spend at most this many dollars
    #[arg(long, value_name = "USD")]
    pub(crate) max_cost: Option<f64>,
    /// No live view
    #[arg(long)]
    pub(crate) quiet: bool,
}

impl RunFlags {
    /// What the decision is printed as; `None` stands for the screen.
    pub(crate) fn form(&self) -> Option<Format> {
        if self.json { Some(Format::Json) } else { self.format }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum EffortName {
    Low,
    Medium,
    High,
}

#[derive(Debug, Args)]
pub(crate) struct Consult {
    /// The member to ask
    pub(crate) member: String,
    /// What to ask; `-` reads it from standard input
    pub(crate) task: String,
    /// A file that goes with it
    #[arg(short, long = "file", value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Keep a conversation under this name, or go on with it
    #[arg(short, long)]
    pub(crate) session: Option<String>,
    /// How hard to think
    #[arg(short, long)]
    pub(crate) effort: Option<EffortName>,
    #[command(flatten)]
    pub(crate) run: RunFlags,
}

#[derive(Debug, Args)]
pub(crate) struct Resume {
    /// The run, by its short id or a part of it; all open ones without it
    pub(crate) run: Option<String>,
    #[command(flatten)]
    pub(crate) flags: RunFlags,
}

#[derive(Debug, Args)]
pub(crate) struct Runs {
    /// How many
    #[arg(short, long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) limit: u16,
    /// Print them as a JSON list, and nothing else, on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The run, by its short id or a part of it; the newest without it
    pub(crate) run: Option<String>,
    /// Also what each member was sent and what came back, byte for byte
    #[arg(short, long)]
    pub(crate) transcripts: bool,
    /// The adopted patch alone, ready for `git apply`; another one by its number, as `--patch=2`
    #[arg(long, value_name = "NUMBER", num_args = 0..=1, require_equals = true, default_missing_value = "0")]
    #[arg(conflicts_with_all = ["transcripts", "json", "journal"], hide_default_value = true)]
    pub(crate) patch: Option<usize>,
    /// The first test that was written for a claim alone, or the one of this number, ready for `git apply`
    #[arg(
        long,
        value_name = "NUMBER",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "1",
        conflicts_with_all = ["transcripts", "json", "journal", "patch"]
    )]
    pub(crate) test: Option<usize>,
    /// The journal's rows as they are kept, one JSON object a line
    #[arg(long, conflicts_with_all = ["transcripts", "json"])]
    pub(crate) journal: bool,
    /// Print the decision as JSON, and nothing else, on standard output
    #[arg(long, conflicts_with = "transcripts")]
    pub(crate) json: bool,
    /// The decision alone: as Markdown, to be pasted into a pull request, or its findings as SARIF 2.1.0
    #[arg(long, value_enum, conflicts_with_all = ["transcripts", "json", "journal"])]
    pub(crate) format: Option<Format>,
}

/// What a decision is printed as, where it is not a screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Markdown,
    Sarif,
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct OneRun {
    /// The run, by its short id or a part of it; the newest without it
    pub(crate) run: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Respond {
    /// The run, by its short id or a part of it
    pub(crate) run: String,
    /// Your answer, one of those that the run offers
    pub(crate) answer: String,
    /// Why
    #[arg(long, default_value = "")]
    pub(crate) note: String,
    #[command(flatten)]
    pub(crate) flags: RunFlags,
}

#[derive(Debug, Args)]
pub(crate) struct Override {
    /// The run, by its short id or a part of it
    pub(crate) run: String,
    /// approve, revise or reject; where options were named, one of them
    pub(crate) answer: String,
    /// Why
    #[arg(long, default_value = "")]
    pub(crate) note: String,
    #[command(flatten)]
    pub(crate) flags: RunFlags,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Word {
    Good,
    Bad,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum Because {
    /// You looked at it
    #[default]
    Person,
    /// Tests that were run on the result
    Tests,
    /// It was merged
    Merge,
    /// It was reverted
    Revert,
}

#[derive(Debug, Args)]
pub(crate) struct Rate {
    /// The run, by its short id or a part of it
    #[arg(required_unless_present = "history")]
    pub(crate) run: Option<String>,
    /// How it turned out
    #[arg(required_unless_present = "history", conflicts_with = "history")]
    pub(crate) word: Option<Word>,
    /// Where you know that from
    #[arg(long, value_enum, default_value_t, conflicts_with = "history")]
    pub(crate) because: Because,
    /// Look in this repository's history which patches of the run, or of all runs here, were committed and which of
    /// these were reverted
    #[arg(long)]
    pub(crate) history: bool,
}

#[derive(Debug, Args)]
pub(crate) struct OneFinding {
    /// The run, by its short id or a part of it
    pub(crate) run: String,
    /// The number of the finding, or of the patch where patches were asked for, as `baton show` prints it
    pub(crate) finding: usize,
}

#[derive(Debug, Args)]
pub(crate) struct Members {
    /// Print them as a JSON list, and nothing else, on standard output
    #[arg(long)]
    pub(crate) json: bool,
    /// Only those that can be asked
    #[arg(long)]
    pub(crate) usable: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Look at these seats only
    pub(crate) members: Vec<String>,
    /// Ask each seat that can be asked to say one word, which may cost something, and start each MCP server of your
    /// settings to ask for its tools
    #[arg(long)]
    pub(crate) deep: bool,
    /// With `--deep`: do not ask whether a vendor may be sent it
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Print the report as JSON, and nothing else, on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Trust {
    /// The project; the current directory without it
    pub(crate) project: Option<PathBuf>,
    /// Take it back
    #[arg(long)]
    pub(crate) revoke: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Print the decision as JSON, and nothing else, on standard output
    #[arg(long)]
    pub(crate) json: bool,
    /// Keep the demo's home and sample project here instead of removing them
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) keep: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Eval {
    /// Files of recorded cases, one JSON object a line; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Learn from the cases of these files first; without it from none
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) train: Vec<PathBuf>,
    /// Only the opinions of these members; the truth stays as it is
    #[arg(long, value_delimiter = ',', value_name = "a,b,c")]
    pub(crate) members: Vec<String>,
    /// Print the figures as JSON, and nothing else, on standard output
    #[arg(long)]
    pub(crate) json: bool,
    /// Write what was decided on each case, one JSON object a line, in the order of the cases
    #[arg(long, value_name = "OUT")]
    pub(crate) cases: Option<PathBuf>,
}
