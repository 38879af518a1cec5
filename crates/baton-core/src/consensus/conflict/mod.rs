//! Conflicts: incompatible positions on the same claim, with the claim and both sides named.
//!
//! From the task comes the claim (a yes-or-no question, a proposal, a thing under review, options, a severity, an
//! amount); from each answer its position on that claim; and a fitted decision over pairs of answers says whether two
//! of them cannot both be right. Different findings, additions, reservations, abstentions and silence are none.
//! `docs/decisions/conflicts.md` has the rules in words and how often they are right.

mod answer;
mod language;
mod lexicon;
mod options;
mod pairs;
mod places;
mod scale;
mod stance;
mod topic;
mod weighing;
mod weights;

use std::collections::{BTreeMap, BTreeSet};

use crate::opinion::{Finding, Opinion, Position, Verdict};
use language::Statement;
pub use pairs::{FEATURES, FULL};
use topic::{Form, Topic};
use weighing::{Weighing, weighed};

/// One member's answer, as far as it can be in conflict with another's.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    pub member: &'a str,
    pub verdict: Option<Verdict>,
    /// The option that it names in so many words.
    pub choice: Option<&'a str>,
    pub findings: &'a [Finding],
    /// The sentences of its answer.
    pub statements: &'a [String],
}

impl<'a> View<'a> {
    #[must_use]
    pub fn of(member: &'a str, opinion: &'a Opinion) -> Self {
        let option = match &opinion.position {
            Position::Choice { option } => Some(option.as_str()),
            Position::Verdict { .. }
            | Position::Patch { .. }
            | Position::Test { .. }
            | Position::Answer
            | Position::Abstain { .. } => None,
        };
        Self {
            member,
            verdict: opinion.position.verdict(),
            choice: option.or(opinion.choice.as_deref()),
            findings: &opinion.findings,
            statements: &opinion.statements,
        }
    }
}

/// One of the two sides of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    For,
    Against,
}

/// A member on a side, with the sentence that puts it there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Voice {
    pub member: String,
    pub reason: String,
}

/// A claim on which members cannot all be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispute {
    pub claim: String,
    pub holds: Vec<Voice>,
    pub against: Vec<Voice>,
    /// It is about one place in the code and not about what was asked.
    pub at_a_place: bool,
}

/// The disputes among answers to a task; empty where they can all be right. The order of the views does not matter,
/// and of a member that is there twice one view counts.
#[must_use]
pub fn find(task: &str, views: &[View<'_>]) -> Vec<Dispute> {
    let topic = Topic::read(task);
    let members = distinct(views);
    let answers: Vec<Answer<'_>> = members.iter().map(|view| Answer::read(view)).collect();
    let mut disputes: Vec<Dispute> = weighed(&topic, &answers).into_iter().collect();
    for dispute in places::find(&answers) {
        if !disputes.iter().any(|known| same_sides(known, &dispute)) {
            disputes.push(dispute);
        }
    }
    disputes
}

/// The finding says that there is nothing to do: it denies, or is of low weight and speaks well of the place.
pub(super) fn lets_pass(finding: &Finding) -> bool {
    places::passes(finding)
}

/// What two members' answers show: how much of each of [`FEATURES`], in parts of [`FULL`]. The weights are fitted on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    pub one: String,
    pub other: String,
    pub features: [i32; FEATURES.len()],
    /// Both are so short, and the rules for the question put them on two sides so plainly, that nothing is weighed.
    pub plain: bool,
}

/// All pairs of answers to a task, as [`find`] weighs them.
#[must_use]
pub fn pairs(task: &str, views: &[View<'_>]) -> Vec<Pair> {
    let topic = Topic::read(task);
    let members = distinct(views);
    let answers: Vec<Answer<'_>> = members.iter().map(|view| Answer::read(view)).collect();
    let weighing = Weighing::of(&topic, &answers);
    let name = |at: usize| answers[at].view.member.to_owned();
    let pair = |(one, other): (usize, usize)| Pair {
        one: name(one),
        other: name(other),
        features: weighing.features(one, other),
        plain: weighing.plain(one, other),
    };
    weighing.all().map(pair).collect()
}

/// One view a member, in the order of their names, without those that say nothing.
fn distinct<'a>(views: &'a [View<'a>]) -> Vec<&'a View<'a>> {
    let mut members: BTreeMap<&str, &View<'_>> = BTreeMap::new();
    for view in views {
        let known = members.entry(view.member).or_insert(view);
        if (view.statements, view.choice) < (known.statements, known.choice) {
            *known = view;
        }
    }
    let speaks = |view: &&View<'_>| {
        !view.statements.is_empty() || view.verdict.is_some() || view.choice.is_some() || !view.findings.is_empty()
    };
    members.into_values().filter(speaks).collect()
}

struct Answer<'a> {
    view: &'a View<'a>,
    statements: Vec<Statement>,
}

impl<'a> Answer<'a> {
    fn read(view: &'a View<'a>) -> Self {
        Self { view, statements: view.statements.iter().map(|text| Statement::read(text)).collect() }
    }

    fn voice(&self) -> Voice {
        let first = self.statements.first().map_or("", |statement| statement.text.as_str());
        Voice { member: self.view.member.to_owned(), reason: first.to_owned() }
    }
}

fn same_sides(one: &Dispute, other: &Dispute) -> bool {
    let members = |voices: &[Voice]| -> Vec<String> { voices.iter().map(|voice| voice.member.clone()).collect() };
    let one = (members(&one.holds), members(&one.against));
    let other = (members(&other.holds), members(&other.against));
    one == other || (one.1 == other.0 && one.0 == other.1)
}

fn on_the_topic(topic: &Topic, answers: &[Answer<'_>]) -> Option<Dispute> {
    match &topic.form {
        Form::Claim | Form::Proposal | Form::Review => by_stance(topic, answers),
        Form::Choice(choices) => by_choice(topic, choices, answers),
        Form::Severity => by_severity(topic, answers),
        Form::Quantity => by_amount(topic, answers),
        Form::Which | Form::Open => by_named_choice(topic, answers),
    }
}

fn dispute(claim: &str, holds: Vec<Voice>, against: Vec<Voice>) -> Option<Dispute> {
    let both = !holds.is_empty() && !against.is_empty();
    both.then(|| Dispute { claim: claim.to_owned(), holds, against, at_a_place: false })
}

fn by_stance(topic: &Topic, answers: &[Answer<'_>]) -> Option<Dispute> {
    let mut sides: BTreeMap<Side, Vec<Voice>> = BTreeMap::new();
    for answer in answers {
        let stance = stance::read(topic, answer.view, &answer.statements);
        if let Some(side) = stance.side {
            let voice = Voice { member: answer.view.member.to_owned(), reason: stance.reason };
            sides.entry(side).or_default().push(voice);
        }
    }
    let mut take = |side| sides.remove(&side).unwrap_or_default();
    dispute(&topic.claim, take(Side::For), take(Side::Against))
}

/// The option that most pick, against all others; of two with as many, the one that is named first.
fn by_choice(topic: &Topic, choices: &[options::Choice], answers: &[Answer<'_>]) -> Option<Dispute> {
    let mut picks: BTreeMap<usize, Vec<Voice>> = BTreeMap::new();
    for answer in answers.iter().filter(|answer| !options::indifferent(&answer.statements)) {
        let support = options::support(choices, &answer.statements, answer.view.choice);
        if let Some(option) = options::picked(&support) {
            picks.entry(option).or_default().push(answer.voice());
        }
    }
    let first = *picks.iter().max_by_key(|(option, voices)| (voices.len(), std::cmp::Reverse(**option)))?.0;
    let holds = picks.remove(&first)?;
    let against = picks.into_values().flatten().collect();
    dispute(&format!("{}: {}", topic.claim, choices[first].name), holds, against)
}

fn by_severity(topic: &Topic, answers: &[Answer<'_>]) -> Option<Dispute> {
    let mut levels: Vec<(i32, Voice)> = Vec::new();
    for answer in answers {
        let findings = answer.view.findings.iter().map(|finding| finding.severity);
        if let Some(level) = scale::severity(&answer.statements, findings) {
            levels.push((level, answer.voice()));
        }
    }
    let highest = levels.iter().map(|(level, _)| *level).max()?;
    let lowest = levels.iter().map(|(level, _)| *level).min()?;
    if highest - lowest < 2 {
        return None;
    }
    let (holds, against): (Vec<_>, Vec<_>) =
        levels.into_iter().partition(|(level, _)| (highest - level) * 2 <= highest - lowest);
    let voices = |side: Vec<(i32, Voice)>| side.into_iter().map(|(_, voice)| voice).collect();
    dispute(&format!("{}: high", topic.claim), voices(holds), voices(against))
}

/// Amounts exclude each other where two answers open with different ones, and neither names the other's as well.
fn by_amount(topic: &Topic, answers: &[Answer<'_>]) -> Option<Dispute> {
    let mut groups: Vec<(Vec<String>, Vec<Voice>)> = Vec::new();
    for answer in answers {
        let said = scale::amounts(&answer.statements, answer.view.choice);
        let Some(first) = said.first() else { continue };
        let agrees =
            |known: &Vec<String>| known.first() == Some(first) || (known.contains(first) && said.contains(&known[0]));
        match groups.iter_mut().find(|(known, _)| agrees(known)) {
            Some((_, voices)) => voices.push(answer.voice()),
            None => groups.push((said, vec![answer.voice()])),
        }
    }
    let mut groups = groups.into_iter();
    let (_, holds) = groups.next()?;
    let against = groups.flat_map(|(_, voices)| voices).collect();
    dispute(&topic.claim, holds, against)
}

/// Where the task names no options, those that answers name in so many words are the options.
fn by_named_choice(topic: &Topic, answers: &[Answer<'_>]) -> Option<Dispute> {
    let named = answers.iter().filter_map(|answer| {
        let said = answer.view.choice.map(str::to_owned);
        said.or_else(|| if topic.form == Form::Which { opening_name(&answer.statements) } else { None })
    });
    let choices = options::distinct(named);
    if choices.len() > 1 { by_choice(topic, &choices, answers) } else { by_urge(topic, answers) }
}

/// "Zod.", "SQS is plenty.", "Use pgvector with ...": the thing that an answer opens with.
fn opening_name(statements: &[Statement]) -> Option<String> {
    let statement = statements.iter().find(|statement| !statement.reports())?;
    let clause = statement.plain().next()?;
    let words: Vec<&str> = clause.words.iter().map(|word| word.text.as_str()).collect();
    let leads = [
        "use",
        "take",
        "pick",
        "choose",
        "i",
        "would",
        "go",
        "with",
        "for",
        "prefer",
        "just",
        "recommend",
        "the",
        "a",
        "stay",
        "stick",
        "keep",
    ];
    let rest: Vec<&str> = words.into_iter().skip_while(|word| leads.contains(word)).collect();
    let ends = ["is", "for", "with", "has", "in", "on", "as", "will", "would", "and", "to", "at", "suits", "fits"];
    let name: Vec<&str> = rest.into_iter().take_while(|word| !ends.contains(word)).collect();
    (!name.is_empty() && name.len() <= 4).then(|| name.join(" "))
}

/// One urges what another warns of, in the same words.
fn by_urge(topic: &Topic, answers: &[Answer<'_>]) -> Option<Dispute> {
    let urges: Vec<Urges> = answers.iter().map(|answer| Urges::read(topic, &answer.statements)).collect();
    for (warner, warned) in urges.iter().enumerate() {
        for warning in &warned.against {
            let opposed = |other: &usize| {
                *other != warner && urges[*other].towards.iter().any(|towards| covers(towards, warning))
            };
            let holds: Vec<Voice> = (0..answers.len()).filter(opposed).map(|at| answers[at].voice()).collect();
            if !holds.is_empty() && !warned.towards.iter().any(|towards| covers(towards, warning)) {
                let name = warning.iter().cloned().collect::<Vec<_>>().join(" ");
                return dispute(&format!("{}: {name}", topic.claim), holds, vec![answers[warner].voice()]);
            }
        }
    }
    None
}

/// At least half of the words, so that two mentions of one common word are not yet the same advice.
fn covers(towards: &BTreeSet<String>, warning: &BTreeSet<String>) -> bool {
    let shared = towards.intersection(warning).count();
    shared > 0 && shared * 2 >= warning.len()
}

/// What an answer urges and what it warns of, each as the stems of a clause.
struct Urges {
    towards: Vec<BTreeSet<String>>,
    against: Vec<BTreeSet<String>>,
}

impl Urges {
    fn read(topic: &Topic, statements: &[Statement]) -> Self {
        let mut urges = Self { towards: Vec::new(), against: Vec::new() };
        for clause in statements.iter().filter(|statement| !statement.reports()).flat_map(Statement::plain) {
            let telling = clause.words.iter().filter(|word| !language::is_common(&word.text) && word.text.len() > 2);
            let stems: BTreeSet<String> =
                telling.map(|word| language::stem(&word.text)).filter(|stem| !topic.subject.contains(stem)).collect();
            if stems.is_empty() {
                continue;
            }
            let warns =
                ["do not", "never", "avoid", "i would not", "skip", "stop"].iter().any(|start| clause.begins(start));
            let leaves = clause.begins("leave") && clause.find("alone").is_some();
            if warns || leaves {
                urges.against.push(
                    stems
                        .into_iter()
                        .filter(|stem| !matches!(stem.as_str(), "leav" | "alon" | "avoid" | "skip" | "never"))
                        .collect(),
                );
            } else if clause.words.iter().all(|word| !word.negated) {
                urges.towards.push(stems);
            }
        }
        urges.against.retain(|stems| !stems.is_empty());
        urges
    }
}

/// The sum of a statement's plain words of judgement.
fn lexicon_says(statement: &Statement) -> i32 {
    let words = statement.plain().flat_map(|clause| &clause.words);
    words.map(|word| if word.negated { -1 } else { 1 } * lexicon::judgement(&word.text)).sum()
}

#[cfg(test)]
mod tests;
