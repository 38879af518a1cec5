//! All rows, two at a time, and the verdict.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::cases::{self, Memory, Seen};
use crate::leftovers::{self, Outside};
use crate::place::{OVER, Place};
use crate::programs::{Case, Programs, Row, version};
use crate::record::{self, Recorder};
use crate::table::{self, Outcome};

/// Programs that run at once.
const AT_ONCE: usize = 2;

/// What the caller says by variables.
struct Wanted {
    /// The folder whose `node_modules` has the programs.
    agents: PathBuf,
    /// An empty folder for the private homes and the table.
    stage: PathBuf,
    /// Where the file system keeps all changes outside of the stage.
    layer: Option<PathBuf>,
    /// Whether transcripts are kept, in the stage's folder `golden`.
    record: bool,
    /// Parts of names of rows; none is all.
    only: Vec<String>,
}

pub(crate) fn run() -> ExitCode {
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let (Some(agents), Some(stage)) = (folder("BATON_TRUE_PROGRAMS"), folder("BATON_TRUE_STAGE")) else {
        println!("SKIPPED: `cargo xtask e2e` installs the true programs and runs this");
        return ExitCode::SUCCESS;
    };
    let wanted = Wanted {
        agents,
        stage,
        layer: folder("BATON_TRUE_LAYER"),
        record: std::env::var_os("BATON_TRUE_RECORD").is_some(),
        only: std::env::args().skip(1).filter(|name| !name.starts_with('-')).collect(),
    };
    match check(&wanted) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problems) => {
            println!("\n{problems}");
            ExitCode::FAILURE
        }
    }
}

fn check(wanted: &Wanted) -> Result<(), String> {
    let programs = Programs::read()?;
    let mut problems = programs.disagreements(&wanted.agents);
    let rows: Vec<Row> = programs.row.iter().filter(|row| wanted.includes(&row.name)).cloned().collect();
    if wanted.record {
        record::wrappers(&wanted.wrappers(), &wanted.agents, &rows)?;
    }
    let outside = Outside::new(wanted.layer.clone());
    let outcomes = all(rows, wanted, &outside);
    let text = table::text(&outcomes, &programs.skip);
    println!("\n{text}");
    println!("{}", watched(&outside, wanted.layer.is_some()));
    let json = format!("{:#}\n", table::json(&outcomes, &programs.skip));
    let written = std::fs::write(wanted.stage.join("table.json"), json)
        .and_then(|()| std::fs::write(wanted.stage.join("table.txt"), text));
    problems.extend(written.err().map(|error| format!("the table cannot be written: {error}")));
    problems.extend(outcomes.iter().flat_map(Outcome::surprises));
    if wanted.layer.is_some() {
        let left = leftovers::all().into_iter();
        problems.extend(left.map(|pid| format!("left at the end: {}", leftovers::command(pid))));
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

fn watched(outside: &Outside, alone: bool) -> &'static str {
    match (outside.is_watched(), alone) {
        (true, true) => {
            "After each case: no process with the private home, no file in `tmp` or the project, nothing written \
             elsewhere. At the end: no process at all."
        }
        _ => {
            "After each case: no process with the private home, no file in `tmp` or the project. Other places were \
             not watched: this system allows no namespaces here."
        }
    }
}

impl Wanted {
    fn wrappers(&self) -> PathBuf {
        self.stage.join("wrappers")
    }

    fn includes(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|part| name.contains(part.as_str()))
    }
}

fn all(rows: Vec<Row>, wanted: &Wanted, outside: &Outside) -> Vec<Outcome> {
    let order: Vec<String> = rows.iter().map(|row| row.name.clone()).collect();
    let queue = Mutex::new(VecDeque::from(rows));
    let done = Mutex::new(Vec::new());
    let take = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(row) = take() {
                    let outcome = one(&row, wanted, outside);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push(outcome);
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|outcome: &Outcome| order.iter().position(|name| *name == outcome.row.name));
    done
}

/// One row, from its first case to its last.
fn one(row: &Row, wanted: &Wanted, outside: &Outside) -> Outcome {
    let began = Instant::now();
    let folder = wanted.stage.join(row.name.replace(' ', "-"));
    let version = version(&wanted.agents, &row.package);
    let mut outcome = Outcome { row: row.clone(), version, seconds: 0.0, cells: Default::default() };
    let before = wanted.record.then(|| wanted.wrappers());
    let place = Place::new(row, folder.clone(), before.as_deref(), &wanted.agents);
    let golden = wanted.stage.join("golden");
    let mut recorder = before.map(|_| Recorder::new(row, &outcome.version, &folder, &wanted.agents, &golden));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let (Ok(place), Ok(runtime)) = (place, runtime) else { return outcome };
    let mut memory = Memory::default();
    for case in Case::ALL {
        let began = Instant::now();
        let resumed = memory.session.clone();
        recorder.iter().for_each(|recorder| recorder.begin(case));
        let seen = runtime.block_on(async {
            let seen = cases::run(case, &place, &mut memory).await;
            judged(case, seen, &place, outside).await
        });
        let kept = recorder.as_mut().map_or(Ok(()), |recorder| recorder.end(case, resumed.as_deref()));
        kept.unwrap_or_else(|error| println!("{} {}: no transcript: {error}", row.name, case.name()));
        println!(
            "{} {}: {} ({:.1} s) {}",
            row.name,
            case.name(),
            seen.what,
            began.elapsed().as_secs_f64(),
            seen.detail
        );
        outcome.cells.insert(case, seen);
    }
    outcome.seconds = began.elapsed().as_secs_f64();
    outcome
}

/// What was left outweighs what was seen.
async fn judged(case: Case, seen: Result<Seen, String>, place: &Place, outside: &Outside) -> Seen {
    let seen = seen.unwrap_or_else(|error| match error.as_str() {
        OVER => Seen::new(OVER, ""),
        _ => Seen::new("broken", &error),
    });
    let mut left = place.left(case).await;
    left.extend(outside.news().iter().map(|file| format!("file {}", file.display())));
    match left.is_empty() || seen.what == OVER {
        true => seen,
        false => Seen { what: "left behind".into(), detail: format!("{}; {}", seen.what, left.join("; ")), ..seen },
    }
}
