//! The user said what kind a task is, and classification had said another: it learns from that.

use serde::{Deserialize, Serialize};

use crate::classify::{Corrections, Model, classify};
use crate::ids::RunId;
use crate::journal::{Actor, NewEvent, Row};
use crate::task::{Hints, Kind, Task};
use crate::text::prefix;
use crate::units::Timestamp;

const KIND: &str = "kind_corrected";
const VERSION: u16 = 1;
/// What is kept of a prompt; classification looks at no more of it.
const PROMPT_BYTES: usize = 4_000;
/// So many corrections are learned from, the newest.
const MOST: usize = 500;

/// One correction, as journalled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    pub run: RunId,
    pub prompt: String,
    pub kind: Kind,
}

impl Correction {
    /// The correction that a task brings along; `None` where the user named no kind, or the one that would have been
    /// found anyhow.
    #[must_use]
    pub fn of(run: &RunId, task: &Task) -> Option<Self> {
        let kind = task.hints.kind?;
        let seen = classify(&Task { hints: Hints { kind: None, ..task.hints.clone() }, ..task.clone() });
        let found = !seen.unsure && seen.kind == kind;
        let prompt = prefix(&task.prompt, PROMPT_BYTES).to_owned();
        (!found).then(|| Self { run: run.clone(), prompt, kind })
    }

    /// # Errors
    /// Never in practice: the shape is plain data.
    pub fn encode(&self, at: Timestamp) -> Result<NewEvent, serde_json::Error> {
        let header = serde_json::to_string(self)?;
        Ok(NewEvent { kind: KIND, version: VERSION, at, actor: Actor::Person, header, body: None })
    }
}

/// What the corrections of a stream come to. Rows of newer versions are left out.
///
/// # Errors
/// When a row of a known version is damaged.
pub fn corrections(rows: &[Row]) -> Result<Corrections, serde_json::Error> {
    let known: Vec<&Row> = rows.iter().filter(|row| row.kind == KIND && row.version == VERSION).collect();
    let model = Model::shipped();
    let mut corrections = Corrections::default();
    for row in &known[known.len().saturating_sub(MOST)..] {
        let said: Correction = serde_json::from_str(&row.header)?;
        corrections.learn(&model, &said.prompt, said.kind);
    }
    Ok(corrections)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::{classify_with, tests::task};
    use crate::hash::Hash;

    fn run() -> RunId {
        RunId::parse("0192f3a4-5b6c-7d8e-9f00-112233445566").unwrap()
    }

    fn row(said: &Correction) -> Row {
        let event = said.encode(Timestamp(0)).unwrap();
        Row {
            seq: 0,
            stream: "feedback".into(),
            ordinal: 0,
            kind: event.kind.into(),
            version: event.version,
            at: event.at,
            epoch: 0,
            actor: event.actor.as_text(),
            header: event.header,
            body_hash: None,
            body: None,
            prev_hash: Hash::ZERO,
            hash: Hash::ZERO,
        }
    }

    #[test]
    fn what_was_found_anyhow_is_no_correction() {
        let mut asked = task("security review of the login");
        assert_eq!(Correction::of(&run(), &asked), None, "no kind was named");
        asked.hints.kind = Some(Kind::SecurityReview);
        assert_eq!(Correction::of(&run(), &asked), None);
        asked.hints.kind = Some(Kind::Documentation);
        assert_eq!(Correction::of(&run(), &asked).unwrap().kind, Kind::Documentation);
    }

    #[test]
    fn corrections_that_are_repeated_change_what_is_found() {
        let prompt = "security review of the login";
        let said = Correction { run: run(), prompt: prompt.into(), kind: Kind::Documentation };
        let rows: Vec<Row> = (0..6).map(|_| row(&said)).collect();
        let learned = corrections(&rows).unwrap();
        assert_eq!(classify_with(&task(prompt), &learned).kind, Kind::Documentation);
        let about = learned.about(prompt);
        assert_eq!(classify_with(&task(prompt), &about), classify_with(&task(prompt), &learned));
        assert!(corrections(&[]).unwrap().is_empty());
    }
}
