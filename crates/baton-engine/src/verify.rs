//! Is the recorded decision the one that follows from the recorded events?

use std::collections::BTreeMap;

use baton_core::hash::Hash;
use baton_core::ids::{RunId, StepId};
use baton_core::journal::{Row, Stream, verify_chain};
use baton_core::opinion::{self, READER_VERSION};
use baton_core::run::{self, CodecError, Event, RULES_VERSION, RunState, Stamped};
use baton_core::source::{Sighting, Sources};
use baton_port::StoreError;

use crate::{Engine, EngineError};

/// What recomputing a run gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verification {
    /// Chain, readings and every decision are as recorded.
    Equal { events: usize, decisions: usize },
    /// Recorded by rules of another version, which this baton does not have.
    OtherRules { recorded: u16 },
    /// What was recorded does not follow from what came before it.
    NotEqual { event: u64, because: String },
    /// Some texts were dropped; the chain holds.
    BodiesDropped { event: u64 },
    /// Rows were changed after they were written.
    Tampered { because: String },
    /// Written by a newer baton, or no events of ours.
    Unreadable { because: String },
}

pub(crate) async fn verify(engine: &Engine, run: &RunId) -> Result<Verification, EngineError> {
    match compare(engine, run).await {
        // The store saw it before the chain did.
        Err(EngineError::Store(StoreError::Damaged(because))) => Ok(Verification::Tampered { because }),
        other => other,
    }
}

async fn compare(engine: &Engine, run: &RunId) -> Result<Verification, EngineError> {
    let rows = engine.ports.journal.read(&Stream::Run(run.clone()), 0).await?;
    if rows.is_empty() {
        return Err(EngineError::NoSuchRun(run.to_string()));
    }
    if let Err(error) = verify_chain(&rows) {
        return Ok(Verification::Tampered { because: error.to_string() });
    }
    let mut check = Check { engine, state: RunState::default(), decisions: 0, answers: BTreeMap::new(), unread: None };
    for row in &rows {
        if let Some(finding) = check.row(row).await? {
            return Ok(finding);
        }
    }
    Ok(match check.unread {
        Some(event) => Verification::BodiesDropped { event },
        None => Verification::Equal { events: rows.len(), decisions: check.decisions },
    })
}

struct Check<'a> {
    engine: &'a Engine,
    state: RunState,
    decisions: usize,
    answers: BTreeMap<StepId, Hash>,
    /// The first opinion whose text is gone, so that it could not be read again.
    unread: Option<u64>,
}

impl Check<'_> {
    /// Checks one row against everything before it; `None` when it follows.
    async fn row(&mut self, row: &Row) -> Result<Option<Verification>, EngineError> {
        let stamped = match Stamped::decode(row) {
            Ok(stamped) => stamped,
            Err(CodecError::BodyDropped { ordinal }) => {
                return Ok(Some(Verification::BodiesDropped { event: ordinal }));
            }
            Err(error) => return Ok(Some(Verification::Unreadable { because: error.to_string() })),
        };
        if let Some(finding) = self.event(&stamped.event, row.ordinal).await? {
            return Ok(Some(finding));
        }
        match run::step(std::mem::take(&mut self.state), stamped) {
            Ok((state, _)) => self.state = state,
            Err(error) => return Ok(Some(not_equal(row.ordinal, &error.to_string()))),
        }
        Ok(None)
    }

    async fn event(&mut self, event: &Event, ordinal: u64) -> Result<Option<Verification>, EngineError> {
        match event {
            Event::Submitted(inputs) if inputs.rules_version != RULES_VERSION => {
                Ok(Some(Verification::OtherRules { recorded: inputs.rules_version }))
            }
            Event::StepFinished { step, report, .. } => {
                match report.answer {
                    Some(answer) => self.answers.insert(*step, answer),
                    None => self.answers.remove(step),
                };
                Ok(None)
            }
            Event::OpinionRead { step, reader, opinion } if *reader == READER_VERSION => {
                let Some(again) = self.read_again(*step, &opinion.seen).await? else {
                    self.unread.get_or_insert(ordinal);
                    return Ok(None);
                };
                Ok((again != *opinion).then(|| not_equal(ordinal, "the opinion is not what its answer says")))
            }
            Event::Decided(decision) => {
                self.decisions += 1;
                let computed = self.state.to_record.as_deref();
                Ok((computed != Some(&**decision)).then(|| not_equal(ordinal, &difference(computed, decision))))
            }
            _ => Ok(None),
        }
    }

    /// The opinion as read now from the kept answer and what was seen around the task then; `None` where the text is gone.
    async fn read_again(&self, step: StepId, seen: &[Sighting]) -> Result<Option<opinion::Opinion>, EngineError> {
        let (Some(inputs), Some(hash)) = (&self.state.inputs, self.answers.get(&step)) else { return Ok(None) };
        let Some(answer) = self.engine.blob(*hash).await? else { return Ok(None) };
        let mut sources = Sources::default();
        for attachment in &inputs.task.attachments {
            let Some(bytes) = self.engine.blob(attachment.content).await? else { return Ok(None) };
            sources.add(&attachment.name, attachment.form, &String::from_utf8_lossy(&bytes));
        }
        sources.see(seen.to_vec());
        let question = self.state.question(step);
        Ok(Some(opinion::read(&String::from_utf8_lossy(&answer), &question, &sources)))
    }
}

fn not_equal(event: u64, because: &str) -> Verification {
    Verification::NotEqual { event, because: because.to_owned() }
}

fn difference(
    computed: Option<&baton_core::consensus::Decision>,
    recorded: &baton_core::consensus::Decision,
) -> String {
    match computed {
        None => "a decision was recorded where none follows".into(),
        Some(computed) => format!(
            "recorded {:?} at {:.3}, computed {:?} at {:.3}",
            recorded.recommendation,
            recorded.overall_confidence.as_f64(),
            computed.recommendation,
            computed.overall_confidence.as_f64()
        ),
    }
}
