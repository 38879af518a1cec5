//! Where one answer stands on the claim of a task: for, against, or neither.

use super::answer;
use super::language::{Clause, Statement, Word, is_common, stem};
use super::lexicon::{self, Match};
use super::topic::{Form, Topic, achieves};
use super::{Side, View};
use crate::opinion::Verdict;

/// From here on a sum of signals is a position. A plain word of judgement is one, a mere suggestion is none.
const POSITION: i32 = 15;
const ANSWER: i32 = 60;
const VERDICT: i32 = 25;
const URGE: i32 = 40;
const DEMAND: i32 = 20;
const ECHO: i32 = 20;

/// What an answer says of the claim, and the sentence that says it most plainly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stance {
    pub(super) side: Option<Side>,
    pub(super) score: i32,
    pub(super) reason: String,
}

/// The sum of what an answer's sentences say, with its verdict, in the sense of the claim.
pub(super) fn read(topic: &Topic, view: &View<'_>, statements: &[Statement]) -> Stance {
    let said: Vec<i32> =
        statements.iter().enumerate().map(|(at, statement)| weigh(topic, statements, at, statement)).collect();
    // To "review this" the answer "none" is about something else.
    let plain = |clause: &Clause| !matches!(clause.word(0), "none" | "nothing" | "never" | "there" | "nobody");
    let opens_plainly = statements.first().and_then(|statement| statement.clauses.first()).is_some_and(plain);
    let answered = answer::read(statements).filter(|_| topic.form != Form::Review || opens_plainly);
    let mut weight = if topic.form == Form::Review { ANSWER / 2 } else { ANSWER };
    if answered.is_some_and(|answer| answer.held_back) {
        weight = weight * 2 / 5;
    }
    let prose: i32 = said.iter().sum::<i32>() + answered.map_or(0, |answer| if answer.yes { weight } else { -weight });
    let prose = if prose == 0 { taken_up(topic, statements) } else { prose };
    let score = if elsewhere(statements) { prose } else { prose + verdict(topic, view, prose) };
    let side = match score {
        POSITION.. => Some(Side::For),
        _ if score <= -POSITION => Some(Side::Against),
        _ => None,
    };
    Stance { side, score, reason: reason(statements, &said, score) }
}

/// "Balanced: it is rebalanced on the way up", "Not a leak": an opening that ends in the question's own words answers it.
fn taken_up(topic: &Topic, statements: &[Statement]) -> i32 {
    if !matches!(topic.form, Form::Claim | Form::Proposal) {
        return 0;
    }
    let opening = statements.iter().find(|statement| !statement.reports()).and_then(|first| first.plain().next());
    let Some(clause) = opening.filter(|clause| clause.words.len() <= TAKEN_UP) else { return 0 };
    let Some(last) = clause.words.iter().rfind(|word| !is_common(&word.text)) else { return 0 };
    let asked = |word: &&Word| topic.subject.contains(&stem(&word.text));
    let foreign = clause.words.iter().filter(|word| !is_common(&word.text) && !asked(word)).count();
    match asked(&last) && foreign <= 2 {
        true if last.negated => -URGE,
        true => URGE,
        false => 0,
    }
}

/// An opening of more words says something of its own.
const TAKEN_UP: usize = 8;

/// "I'd refuse it for another reason": then the verdict is about something else.
fn elsewhere(statements: &[Statement]) -> bool {
    statements.iter().flat_map(|statement| &statement.clauses).any(about_something_else)
}

fn about_something_else(clause: &Clause) -> bool {
    ["another reason", "other reasons", "different reason", "other grounds", "unrelated reason"]
        .iter()
        .any(|phrase| clause.find(phrase).is_some())
}

/// A trailer counts as one more sentence; where the claim is a fact, only where nothing else was said.
fn verdict(topic: &Topic, view: &View<'_>, prose: i32) -> i32 {
    let Some(verdict) = view.verdict else { return 0 };
    let value = match verdict {
        Verdict::Approve => VERDICT,
        Verdict::Revise | Verdict::Reject => -VERDICT,
    };
    match topic.polarity {
        0 if prose != 0 || verdict == Verdict::Revise => 0,
        0 => value * 3 / 5,
        // "The customer is right" may well come with a verdict against the invoice.
        _ if topic.form == Form::Claim && prose.abs() >= POSITION => 0,
        polarity => value * polarity,
    }
}

/// The most telling sentence of the side that was taken, else the first; a bare "No." brings the next one along.
fn reason(statements: &[Statement], said: &[i32], score: i32) -> String {
    let best = (0..said.len()).max_by_key(|at| (said[*at] * score.signum(), std::cmp::Reverse(*at)));
    let Some((at, first)) = best.and_then(|at| statements.get(at).map(|statement| (at, statement))) else {
        return String::new();
    };
    match statements.get(at + 1) {
        Some(next) if first.text.split(' ').count() < 3 => format!("{} {}", first.text, next.text),
        _ => first.text.clone(),
    }
}

fn weigh(topic: &Topic, all: &[Statement], at: usize, statement: &Statement) -> i32 {
    let answers_a_report = at > 0 && all[at - 1].reports();
    let mut sum = 0;
    for (position, clause) in statement.plain().enumerate() {
        if about_something_else(clause) {
            break;
        }
        if position == 0 && answers_a_report && about_the_report(clause) {
            continue;
        }
        let mut value = in_clause(topic, clause);
        if sum * topic.polarity <= 0 && value == 0 {
            // After praise a "must" explains it.
            value = demands(topic, clause) * topic.polarity;
        }
        sum += if clause.held_back { value * 2 / 5 } else { value };
    }
    if at == 0 { sum * 3 / 2 } else { sum }
}

/// "That is true, but ...", "I disagree with that argument": said of a view that was quoted before.
fn about_the_report(clause: &Clause) -> bool {
    clause.begins("that")
        || clause.begins("this argument")
        || clause.begins("true")
        || clause.begins("granted")
        || ["argument", "objection", "view", "concern", "with that"].iter().any(|word| clause.find(word).is_some())
}

fn in_clause(topic: &Topic, clause: &Clause) -> i32 {
    let echo = echo(topic, clause) + necessity(topic, clause);
    if topic.polarity == 0 {
        return echo;
    }
    let good = goodness(topic, clause);
    good * topic.polarity + echo
}

/// How well the clause speaks of the thing: decisions, urges and judgements, each turned by a negation.
fn goodness(topic: &Topic, clause: &Clause) -> i32 {
    let mut used = vec![false; clause.words.len()];
    let decided = spoken(clause, &lexicon::deciding(clause), &mut used) + opening(clause, &mut used);
    let phrased = spoken(clause, &lexicon::judging(clause), &mut used);
    let urged = urges(topic, clause, &mut used);
    let judged = judgements(topic, clause, &used);
    (decided + phrased + urged + judged.clamp(-20, 20)).clamp(-60, 60)
}

/// The sum of phrases that stand on words not yet counted.
fn spoken(clause: &Clause, found: &[Match], used: &mut [bool]) -> i32 {
    let mut sum = 0;
    for found in found {
        let span = found.at..found.at + found.words;
        if used[span.clone()].iter().any(|taken| *taken) {
            continue;
        }
        used[span].fill(true);
        sum += if clause.words[found.at].negated { -found.value } else { found.value };
    }
    sum
}

/// "Ship.", "do not merge yet", "hold until ...": an imperative about the whole.
fn opening(clause: &Clause, used: &mut [bool]) -> i32 {
    let skip = |word: &str| {
        matches!(word, "so" | "please" | "do" | "not" | "just" | "then" | "i" | "would" | "never" | "let" | "us")
    };
    let Some(at) = (0..clause.words.len()).find(|at| !skip(clause.word(*at))) else { return 0 };
    let value = lexicon::opening(clause.word(at));
    if used[at] || value == 0 {
        return 0;
    }
    used[at] = true;
    if clause.words[at].negated { -value } else { value }
}

/// "Keep it", "you should drop this", "it may stay", "I would not take it".
fn urges(topic: &Topic, clause: &Clause, used: &mut [bool]) -> i32 {
    for (at, word) in clause.words.iter().enumerate() {
        if used[at] || !urged(clause, at) {
            continue;
        }
        let value =
            urge(topic, &word.text, at, word.negated && !clause.words[..at].iter().any(|word| word.text == "could"));
        if value != 0 {
            used[at] = true;
            return if word.negated { -value } else { value };
        }
    }
    0
}

/// What urging this verb means for the thing, in the sense of good or bad.
fn urge(topic: &Topic, word: &str, at: usize, declined: bool) -> i32 {
    let proposal = topic.form == Form::Proposal;
    if proposal && topic.verbs.contains(&stem(word)) {
        return URGE * topic.polarity;
    }
    if lexicon::keeps(word) {
        // To leave things as they are is to be against a change, and for what is under review.
        return if topic.replaces || topic.acts { -URGE } else { URGE };
    }
    if lexicon::changes(word) {
        return match (topic.replaces, at <= 3) {
            (false, _) => -URGE,
            (true, true) => URGE / 2,
            (true, false) => 0,
        };
    }
    if declined && lexicon::takes(word) { URGE } else { 0 }
}

/// The word stands as an imperative, or after a modal of its author's.
fn urged(clause: &Clause, at: usize) -> bool {
    let before: Vec<&str> = (0..at).map(|at| clause.word(at)).collect();
    let opening = before.iter().all(|word| OPENINGS.contains(word));
    let modal = before.iter().rev().take(4).any(|word| MODALS.contains(word));
    opening || modal
}

const OPENINGS: &[&str] = &[
    "please", "just", "so", "then", "and", "do", "not", "let", "us", "never", "better", "but", "rather", "i", "would",
    "to", "get",
];
const MODALS: &[&str] = &["should", "must", "would", "can", "could", "may", "shall", "needs", "need", "has", "have"];

fn judgements(topic: &Topic, clause: &Clause, used: &[bool]) -> i32 {
    let mut sum = 0;
    for (at, word) in clause.words.iter().enumerate().filter(|(at, _)| !used[*at]) {
        let value = match word.text.as_str() {
            "too" if clause.words.len() > at + 1 => -15,
            "work" if at > 0 && VERBAL.contains(&clause.word(at - 1)) => 15,
            text => match lexicon::judgement(text) {
                0 => achieved(topic, clause, at),
                said if said < 0 && vanishes(clause, at) => -said,
                said => said,
            },
        };
        let past = at > 0 && matches!(clause.word(at - 1), "were" | "used");
        // "It has to be bounded" does not say that it is.
        let value = if value > 0 && (past || demanded(clause, at)) { 0 } else { value };
        sum += if word.negated { -value } else { value };
    }
    sum
}

/// The question's own verb, and any verb of achieving where it is denied ("it does not close the hole").
fn achieved(topic: &Topic, clause: &Clause, at: usize) -> i32 {
    let noun = at > 0 && matches!(clause.word(at - 1), "the" | "a" | "this" | "that" | "your");
    let stem_of = stem(clause.word(at));
    if noun || topic.polarity == 0 {
        return 0;
    }
    if topic.predicate.as_ref() == Some(&stem_of) {
        return 15 * topic.polarity;
    }
    let denied = clause.words[at].negated && achieves(&stem_of);
    if denied { 15 } else { 0 }
}

/// "The crash no longer occurs", "the leak is gone": what is bad is said not to be there.
fn vanishes(clause: &Clause, at: usize) -> bool {
    if clause.words[at].negated {
        return false;
    }
    clause.words[at + 1..].iter().any(|word| {
        let gone = matches!(word.text.as_str(), "gone" | "disappears" | "disappeared" | "vanishes" | "goes");
        (gone && !word.negated) || (word.negated && HAPPENING.contains(&stem(&word.text).as_str()))
    })
}

/// Stems of verbs by which something bad is there.
const HAPPENING: &[&str] = &[
    "occur", "happen", "appear", "exist", "reproduc", "aris", "affect", "apply", "matter", "reach", "com", "come",
    "show",
];

/// Before these "work" is a verb.
const VERBAL: &[&str] =
    &["does", "do", "did", "not", "will", "would", "can", "could", "to", "should", "actually", "still"];

fn demanded(clause: &Clause, at: usize) -> bool {
    let before = |at: usize| at.checked_sub(1).map_or("", |at| clause.word(at));
    let near = (at.saturating_sub(3)..at).any(|at| {
        clause.word(at) == "must"
            || (clause.word(at) == "to" && matches!(before(at), "has" | "have" | "needs" | "need"))
    });
    near && clause.words.get(at).is_some_and(|word| !word.negated)
}

/// "It has to be bounded", "nobody should install this": for the thing as it is, a demand is a vote against.
fn demands(topic: &Topic, clause: &Clause) -> i32 {
    if topic.polarity == 0 {
        return 0;
    }
    let own = topic.form == Form::Proposal;
    let demand = clause.words.iter().enumerate().find(|(at, word)| {
        let next = clause.word(at + 1);
        matches!(word.text.as_str(), "must" | "should" | "requires" | "require" | "demand" | "insist")
            || (matches!(word.text.as_str(), "has" | "have" | "needs" | "need") && next == "to")
            || (word.text == "needs" && !next.is_empty())
    });
    match demand {
        Some((_, word)) if own && !word.negated => 0,
        Some((_, word)) if own && word.negated => -DEMAND,
        Some((_, word)) if word.negated && word.text != "should" => 0,
        Some(_) => -DEMAND,
        None => 0,
    }
}

/// "You don't need one", "it is required", where the question is whether there is need.
fn necessity(topic: &Topic, clause: &Clause) -> i32 {
    let needed = |word: &&Word| {
        matches!(word.text.as_str(), "need" | "needs" | "needed" | "necessary" | "required" | "require" | "requires")
    };
    match clause.words.iter().find(needed).filter(|_| topic.needs) {
        Some(word) if word.negated => -2 * ECHO,
        Some(_) => 2 * ECHO,
        None => 0,
    }
}

const RELATIONS: &[&str] = &[
    "need", "use", "include", "contain", "support", "require", "apply", "trigger", "affect", "matter", "change",
    "happen", "exist", "reach", "call", "run", "cover", "store", "validate", "check", "return", "match",
];
const CAUSES: &[&str] = &["cause", "reason", "explain", "responsible", "culprit", "blame", "driver", "root"];
const NO_CAUSE: &[&str] = &["innocent", "unrelated", "irrelevant", "coincidence", "herring", "symptom", "bystander"];

/// Stems of verbs that exclude each other.
const OPPOSITES: &[(&str, &str)] = &[
    ("accept", "reject"),
    ("accept", "refus"),
    ("includ", "exclud"),
    ("includ", "omit"),
    ("allow", "forbid"),
    ("allow", "deny"),
    ("allow", "prevent"),
    ("pas", "fail"),
    ("keep", "drop"),
    ("enabl", "disabl"),
    ("increas", "decreas"),
    ("increas", "reduc"),
    ("open", "clos"),
    ("start", "stop"),
    ("return", "throw"),
    ("store", "discard"),
    ("retain", "discard"),
    ("preserv", "los"),
    ("require", "ignor"),
    ("block", "allow"),
    ("contain", "lack"),
    ("support", "lack"),
    ("us", "ignor"),
    ("us", "bypas"),
    ("apply", "skip"),
    ("run", "skip"),
    ("validat", "skip"),
    ("check", "skip"),
    ("call", "skip"),
    ("copy", "shar"),
    ("wait", "return"),
    ("retry", "giv"),
];

/// "It accepts them", "they reject them": the question's verb, or its opposite, said of its subject.
fn assertion(topic: &Topic, clause: &Clause) -> i32 {
    if topic.cause || !matches!(clause.word(0), "it" | "they" | "this" | "that" | "these") {
        return 0;
    }
    let Some(verb) = clause.words.get(1) else { return 0 };
    let said = stem(&verb.text);
    let opposite = |(one, other): &(&str, &str)| {
        (said == *one && topic.subject.contains(*other)) || (said == *other && topic.subject.contains(*one))
    };
    let value = match topic.subject.contains(&said) {
        true => ECHO,
        false if OPPOSITES.iter().any(opposite) => -ECHO,
        false => 0,
    };
    if verb.negated { -value } else { value }
}

/// The question's own words, taken up as they are or denied: for claims that are neither good nor bad.
fn echo(topic: &Topic, clause: &Clause) -> i32 {
    if topic.polarity != 0 || topic.form != Form::Claim {
        return 0;
    }
    let mut sum = assertion(topic, clause);
    for word in &clause.words {
        let stem_of = stem(&word.text);
        let known = |list: &[&str]| list.iter().any(|known| stem(known) == stem_of);
        let excluded = matches!(word.text.as_str(), "impossible" | "prevented" | "prevents" | "excluded" | "ruled");
        let taken_up = topic.subject.contains(&stem_of) && (word.negated || known(RELATIONS));
        let value = match topic.cause {
            _ if excluded => -ECHO,
            true if known(NO_CAUSE) => -ECHO,
            true if known(CAUSES) => ECHO,
            false if taken_up => ECHO,
            _ => 0,
        };
        sum += if word.negated { -value } else { value };
    }
    let truth = |word: &Word| match word.text.as_str() {
        "true" | "correct" => 30,
        "false" | "incorrect" | "untrue" | "wrong" => -30,
        _ => 0,
    };
    let spoken: i32 = clause.words.iter().map(|word| if word.negated { -truth(word) } else { truth(word) }).sum();
    sum.clamp(-ECHO, ECHO) + spoken
}
