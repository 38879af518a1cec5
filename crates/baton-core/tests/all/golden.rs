//! Journals as earlier versions wrote them. Every one must fold to the decision that it recorded, for ever; a file is
//! added with each release (`baton show RUN --journal`) and none is ever changed.

use std::path::Path;

use baton_core::hash::Hash;
use baton_core::journal::{Row, verify_chain};
use baton_core::run::{self, Event, RULES_VERSION, RunState, Stamped};
use baton_core::units::Timestamp;
use serde_json::Value;

fn row(line: &str) -> Row {
    let value: Value = serde_json::from_str(line).unwrap();
    let text = |key: &str| value[key].as_str().unwrap().to_owned();
    let hash = |key: &str| value[key].as_str().map(|digits| Hash::parse(digits).unwrap());
    Row {
        seq: 0,
        stream: text("stream"),
        ordinal: value["ordinal"].as_u64().unwrap(),
        kind: text("kind"),
        version: u16::try_from(value["version"].as_u64().unwrap()).unwrap(),
        at: Timestamp(value["at"].as_i64().unwrap()),
        epoch: value["epoch"].as_u64().unwrap(),
        actor: text("actor"),
        header: text("header"),
        body_hash: hash("bodyHash"),
        body: value["body"].as_str().map(|body| body.as_bytes().to_vec()),
        prev_hash: hash("prevHash").unwrap(),
        hash: hash("hash").unwrap(),
    }
}

fn journals() -> Vec<(String, Vec<Row>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut journals: Vec<(String, Vec<Row>)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            (path.display().to_string(), text.lines().map(row).collect())
        })
        .collect();
    journals.sort_by(|a, b| a.0.cmp(&b.0));
    journals
}

/// The state at the end of the journal whose name has this in it.
pub(crate) fn fold(name: &str) -> RunState {
    let (_, rows) = journals().into_iter().find(|(path, _)| path.contains(name)).unwrap();
    run::fold(rows.iter().map(|row| Stamped::decode(row).unwrap())).unwrap()
}

/// Under the rules of today a run is computed again to the same decision; one of older rules can still be read, and ends
/// where it ended.
#[test]
fn journals_of_earlier_versions_fold_to_what_they_recorded() {
    let journals = journals();
    assert!(journals.len() >= 3);
    for (name, rows) in journals {
        assert_eq!(verify_chain(&rows), Ok(()), "{name}");
        let mut state = RunState::default();
        let mut decisions = 0;
        let mut rules = 0;
        for row in &rows {
            let stamped = Stamped::decode(row).unwrap();
            if let Event::Submitted(inputs) = &stamped.event {
                rules = inputs.rules_version;
            }
            if let Event::Decided(recorded) = &stamped.event {
                let computed = state.to_record.as_deref();
                assert!(computed.is_some(), "{name}: event {}", row.ordinal);
                assert!(rules < RULES_VERSION || computed == Some(&**recorded), "{name}: event {}", row.ordinal);
                decisions += 1;
            }
            state = run::step(state, stamped).unwrap().0;
        }
        assert!(decisions > 0, "{name} has no decision");
    }
}
