//! Findings about files that were not attached are held against the workspace, once.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use baton_core::ids::RunId;
use baton_core::opinion::Finding;
use baton_core::run::{Inputs, RunState};
use baton_core::source::LocationCheck;
use baton_engine::Verification;
use baton_port::{BoxFuture, Cancel, Files, Found};

use super::house::{House, but, inputs, refine, verdict};
use super::panel::Does;

/// A workspace of some files. Remembers what was looked for.
#[derive(Default)]
struct Shelf {
    files: BTreeMap<&'static str, &'static str>,
    looked: Mutex<Vec<String>>,
}

impl Shelf {
    fn with(files: &[(&'static str, &'static str)]) -> Arc<Self> {
        Arc::new(Self { files: files.iter().copied().collect(), looked: Mutex::default() })
    }
}

impl Files for Shelf {
    fn find<'a>(&'a self, workspace: &'a Path, names: &'a [String]) -> BoxFuture<'a, Vec<Found>> {
        assert_eq!(workspace, Path::new("/repo"));
        self.looked.lock().unwrap().extend(names.iter().cloned());
        let one = |name: &String| match self.files.get(name.trim_start_matches("b/")) {
            Some(text) => Found::Text { path: name.trim_start_matches("b/").into(), text: (*text).into() },
            None => Found::Absent,
        };
        Box::pin(std::future::ready(names.iter().map(one).collect()))
    }
}

fn finds(places: &[(&str, u32, &str)]) -> Does {
    let finding = |(file, line, quote): &(&str, u32, &str)| {
        format!(
            "{{\"file\": \"{file}\", \"line\": {line}, \"severity\": \"critical\", \"claim\": \"{file} at {line} is wrong\", \
             \"evidence\": \"read\", \"quote\": \"{quote}\"}}"
        )
    };
    let findings: Vec<String> = places.iter().map(finding).collect();
    Does::Says(format!("```json\n{{\"verdict\": \"reject\", \"findings\": [{}]}}\n```\n", findings.join(", ")))
}

fn in_a_workspace() -> Inputs {
    let mut inputs = inputs(&["a", "b", "c"]);
    inputs.task.workspace = Some("/repo".into());
    inputs
}

async fn run(house: &House, inputs: Inputs, files: Arc<Shelf>) -> (RunId, RunState) {
    let engine = house.engine("one").with_files(files);
    house.run_on(&engine, inputs, &Cancel::default()).await.unwrap()
}

fn locations(state: &RunState) -> Vec<LocationCheck> {
    let opinions = state.steps.iter().filter_map(|step| step.opinion.as_ref());
    opinions.flat_map(|opinion| &opinion.findings).map(|finding: &Finding| finding.location.clone()).collect()
}

#[tokio::test]
async fn what_is_not_there_is_refused_and_the_run_can_be_verified_without_the_files() {
    let places =
        [("src/ghost.rs", 3, ""), ("b/Cargo.toml", 500, ""), ("Cargo.toml", 2, "a = 1"), ("Cargo.toml", 2, "b")];
    let house = House::new(but(&[("a", finds(&places)), ("b", finds(&places[..1]))]));
    let (run, state) = run(&house, in_a_workspace(), Shelf::with(&[("Cargo.toml", "[package]\na = 1\n")])).await;
    let expected = [
        LocationCheck::NoSuchFile,
        LocationCheck::NoSuchLine { lines: 2 },
        LocationCheck::Verified,
        LocationCheck::QuoteNotThere,
        LocationCheck::NoSuchFile,
    ];
    assert_eq!(locations(&state), expected);
    let refused: Vec<&str> =
        state.decision.as_ref().unwrap().refused_issues.iter().map(|one| one.because.as_str()).collect();
    let line = "Cargo.toml has 2 lines: there is no line 500";
    assert_eq!(refused, ["there is no file src/ghost.rs", line, "there is no file src/ghost.rs"]);
    // Another process, which sees no files at all.
    let verified = house.engine("two").verify(&run).await.unwrap();
    assert!(matches!(verified, Verification::Equal { .. }), "{verified:?}");
    house.check(&run).await;
}

#[tokio::test]
async fn nothing_of_a_file_s_text_is_recorded() {
    let house = House::new(but(&[("a", finds(&[("key.pem", 1, "no such words")]))]));
    let (run, _) = run(&house, in_a_workspace(), Shelf::with(&[("key.pem", "canary-of-a-secret\n")])).await;
    let engine = house.engine("reader");
    for row in engine.rows(&run).await.unwrap() {
        let body = String::from_utf8(row.body.unwrap_or_default()).unwrap();
        assert!(!body.contains("canary-of") && !row.header.contains("canary-of"));
    }
}

#[tokio::test]
async fn only_what_is_not_attached_is_looked_for_and_only_in_a_workspace() {
    let shelf = Shelf::with(&[("Cargo.toml", "x\n")]);
    let places = [("src/main.rs", 2, ""), ("src/main.rs", 90, ""), ("Cargo.toml", 1, "")];
    let house = House::new(but(&[("a", finds(&places))]));
    run(&house, in_a_workspace(), shelf.clone()).await;
    assert_eq!(*shelf.looked.lock().unwrap(), ["Cargo.toml"]);
    let house = House::new(but(&[("a", finds(&places[2..]))]));
    let shelf = Shelf::with(&[]);
    let (_, state) = run(&house, inputs(&["a", "b", "c"]), shelf.clone()).await;
    assert_eq!(locations(&state), [LocationCheck::Unknown]);
    assert!(shelf.looked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_file_of_which_the_task_tells_is_not_said_to_be_absent() {
    let asked = |prompt: &str| {
        let mut inputs = in_a_workspace();
        inputs.task.prompt = prompt.into();
        inputs
    };
    for prompt in ["Is pasted.rs safe?", "Is this safe?\n```\nfn main() {}\n```"] {
        let house = House::new(but(&[("a", finds(&[("src/pasted.rs", 1, "")]))]));
        let (_, state) = run(&house, asked(prompt), Shelf::with(&[])).await;
        assert_eq!(locations(&state), [LocationCheck::Unknown], "{prompt}");
    }
    let mut piped = in_a_workspace();
    piped.task.attachments[0].name = "standard input".into();
    let house = House::new(but(&[("a", finds(&[("main.py", 1, "")]))]));
    let (_, state) = run(&house, piped, Shelf::with(&[])).await;
    assert_eq!(locations(&state), [LocationCheck::Unknown]);
}

#[tokio::test]
async fn what_is_said_of_a_draft_s_files_is_not_held_against_the_workspace() {
    let house = House::new(|asked| match asked.member.id.as_str() {
        "a" => Does::Says("Write src/new.rs and README.md anew.".into()),
        "b" if asked.before == 0 => finds(&[("src/new.rs", 7, ""), ("README.md", 70, ""), ("other.md", 9, "")]),
        _ => Does::Says(verdict("approve")),
    });
    let inputs = Inputs { workflow: refine(), ..in_a_workspace() };
    let shelf = Shelf::with(&[("README.md", "short\n"), ("other.md", "short\n")]);
    let (_, state) = run(&house, inputs, shelf).await;
    let expected = [LocationCheck::Unknown, LocationCheck::Unknown, LocationCheck::NoSuchLine { lines: 1 }];
    assert_eq!(locations(&state), expected);
}
