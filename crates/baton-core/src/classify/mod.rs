//! What sort of task is this. The user's word comes first; otherwise a small linear model over the prompt's words, form
//! and concepts says a kind and a complexity and how sure it is, and words of harm, haste and leisure say the priority.
//! The reasons name what spoke.
//!
//! Where no kind stands out it says that it is unsure, and then routing takes a general team, or a fast member is asked
//! ([`asking`]). The user's corrections shift the scores ([`Corrections`]). `docs/decisions/tasks.md` has the figures.

pub mod asking;
mod change;
mod corrections;
mod features;
mod form;
mod lexicon;
mod model;
mod priority;
mod question;
mod reasons;

use serde::{Deserialize, Serialize};

use crate::task::{AttachmentForm, Complexity, Hints, Kind, Priority, Question, Task};
use crate::units::Probability;

pub use asking::needs_asking;
pub use corrections::Corrections;
pub use features::{BUCKETS, Feature, Features, Group};
pub use model::{BYTES, COMPLEXITIES, KINDS, MAGIC, Model, OUTPUTS, highest, softmax};

/// What a task was taken for, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Classification {
    pub kind: Kind,
    pub complexity: Complexity,
    pub priority: Priority,
    pub question: Question,
    /// No kind stood out: `kind` is the nearest, and no role is taken from it.
    pub unsure: bool,
    /// How often a kind said with such scores is right; one where the user said it.
    #[serde(default)]
    pub confidence: Probability,
    pub reasons: Vec<String>,
}

/// Below this a kind is not believed: of the prompts under it two in three are read wrong (`docs/decisions/tasks.md`).
const SURE: Probability = Probability::from_millionths(350_000);

/// A prompt of fewer letters says too little, whatever they are.
const FEWEST_LETTERS: usize = 6;

/// An attached diff speaks for a review. Set by hand: training prompts have no attachments.
const DIFF_ATTACHED: f64 = 1.0;

/// Attached text of more bytes than this is much work whatever the prompt says.
const MUCH_ATTACHED: u64 = 60_000;

/// Classifies a task without any corrections. Deterministic; explains itself in `reasons`.
#[must_use]
pub fn classify(task: &Task) -> Classification {
    classify_with(task, &Corrections::default())
}

/// Classifies a task as the user's corrections taught.
#[must_use]
pub fn classify_with(task: &Task, corrections: &Corrections) -> Classification {
    judge(&Model::shipped(), task, corrections)
}

/// Classifies with these coefficients; what training measures itself with.
#[must_use]
pub fn judge(model: &Model<'_>, task: &Task, corrections: &Corrections) -> Classification {
    let tokens = features::tokens(&task.prompt);
    let features = Features::of(&task.prompt);
    let mut reasons = Vec::new();
    let (kind, confidence) = kind(model, task, &features, corrections, &mut reasons);
    let unsure = confidence < SURE;
    let complexity = complexity(model, task, &features, &mut reasons);
    let priority = urgency(&task.hints, &tokens, &mut reasons);
    let complexity = at_least_standard(task, kind, complexity, &mut reasons);
    let (question, because) = ask_for(task, (!unsure).then_some(kind), complexity);
    if task.hints.question.is_none() {
        reasons.push(format!("asks for {}: {because}", question.as_str()));
    }
    Classification { kind, complexity, priority, question, unsure, confidence, reasons }
}

fn kind(
    model: &Model<'_>,
    task: &Task,
    features: &Features,
    corrections: &Corrections,
    reasons: &mut Vec<String>,
) -> (Kind, Probability) {
    if let Some(kind) = task.hints.kind {
        reasons.push(format!("kind {kind}: you said so"));
        return (kind, Probability::ONE);
    }
    let mut scores = model.kinds(features);
    let plain = highest(&scores);
    if task.attachments.iter().any(|attachment| attachment.form == AttachmentForm::Diff) {
        scores[Kind::CodeReview as usize] += DIFF_ATTACHED;
    }
    let before = scores;
    corrections.shift(features, &mut scores);
    let probabilities = model.kind_probabilities(&scores);
    let best = highest(&scores);
    let kind = Kind::ALL[best];
    let letters = task.prompt.chars().filter(|letter| letter.is_alphanumeric()).count();
    let confidence =
        if letters < FEWEST_LETTERS { Probability::ZERO } else { Probability::saturating(probabilities[best]) };
    if confidence < SURE {
        reasons.push(reasons::unsure(&probabilities));
    } else {
        reasons.push(reasons::sure(model, features, kind, confidence));
    }
    if highest(&before) != best {
        let count = corrections.count();
        let plural = if count == 1 { "" } else { "s" };
        reasons.push(format!("{count} correction{plural} of yours spoke for {kind}"));
    } else if best != plain {
        reasons.push("a diff is attached".to_owned());
    }
    (kind, confidence)
}

/// What is handed over to be judged deserves a second pair of eyes, however short the question is.
fn at_least_standard(task: &Task, kind: Kind, complexity: Complexity, reasons: &mut Vec<String>) -> Complexity {
    let judged = matches!(kind, Kind::CodeReview | Kind::SecurityReview) && !task.attachments.is_empty();
    if complexity != Complexity::Quick || task.hints.complexity.is_some() || !judged {
        return complexity;
    }
    reasons.push("standard: something attached is to be judged".to_owned());
    Complexity::Standard
}

fn complexity(model: &Model<'_>, task: &Task, features: &Features, reasons: &mut Vec<String>) -> Complexity {
    if let Some(complexity) = task.hints.complexity {
        reasons.push(format!("{complexity}: you said so"));
        return complexity;
    }
    let attached: u64 = task.attachments.iter().map(|attachment| attachment.bytes).sum();
    if attached > MUCH_ATTACHED {
        reasons.push("complex: much text is attached".to_owned());
        return Complexity::Complex;
    }
    let scores = model.complexities(features);
    let best = highest(&scores);
    let sure = Probability::saturating(model.complexity_probabilities(&scores)[best]);
    reasons.push(reasons::complexity(model, features, best, sure));
    Complexity::ALL[best]
}

fn urgency(hints: &Hints, tokens: &[String], reasons: &mut Vec<String>) -> Priority {
    if let Some(priority) = hints.priority {
        reasons.push(format!("priority {priority}: you said so"));
        return priority;
    }
    let (priority, words) = priority::priority(tokens);
    if !words.is_empty() {
        reasons.push(format!("priority {priority}: the task says {}", words.join(", ")));
    }
    priority
}

/// What a decision would be, given the kind (`None` when unsure), and why.
fn ask_for(task: &Task, kind: Option<Kind>, complexity: Complexity) -> (Question, &'static str) {
    match &task.hints.question {
        Some(question) => (question.clone(), "you said so"),
        None if changes(task, kind) && complexity == Complexity::Complex => (
            Question::Text,
            "it tells what to change, and so much is talked over before it is written; --question patch asks for a patch",
        ),
        None if changes(task, kind) => {
            (Question::Patch, "it tells what to change, and a patch can be tried here; --question text asks for words")
        }
        None => question::question(task, kind, &features::tokens(&task.prompt)),
    }
}

/// A patch is what is wanted: of work on code, told to be done, where one can be tried, and no diff came with it.
fn changes(task: &Task, kind: Option<Kind>) -> bool {
    let on_code = matches!(kind, Some(Kind::Implementation | Kind::QuickFix | Kind::Refactoring));
    let brings_diff = task.attachments.iter().any(|attachment| attachment.form == AttachmentForm::Diff);
    task.hints.may_patch && on_code && !brings_diff && change::is_told(&task.prompt)
}

#[cfg(test)]
pub(crate) mod tests;
