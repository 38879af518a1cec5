//! Whether two answers contradict each other: plain features of the pair, weighed by a fitted logistic decision.
//!
//! The weights come from labelled cases (L2, each pair of members one row) and not from hand; `docs/decisions/conflicts.md`
//! says from which, and how well they carry over.

use std::collections::BTreeSet;

use super::language::{self, Clause, Statement};
use super::topic::{Form, Topic, achieves};
use super::{Answer, answer, lexicon, options, scale, stance};
use crate::opinion::{Severity, Verdict};

/// From here on, in sixtieths of the largest stance, an answer counts as one that takes a position.
const POSITION: i32 = 15;
/// Longer answers than this many words do not say more for being longer.
const LONG: usize = 60;

/// Log-odds without any feature, in hundredths. It was fitted as -160; 50 are added because a case is judged by the
/// strongest of its pairs, where F1 and MCC of the development cases are best (by cross-validation).
const BIAS: i32 = -110;

/// What one answer brings to the comparison with another.
pub(super) struct Reading {
    /// All signals for the claim (`> 0`) or against it, from -60 to 60.
    stance: i32,
    /// The sentence that puts it there.
    pub(super) reason: String,
    /// The plain words of judgement: more good ones (`> 0`) or more bad ones.
    tone: i32,
    /// 1 approves, -1 does not, 0 gives no verdict.
    verdict: i32,
    /// 1 opens with a yes, -1 with a no.
    answer: i32,
    pick: Option<usize>,
    pub(super) indifferent: bool,
    /// The telling words of the option that its trailer names.
    choice: BTreeSet<String>,
    amounts: Vec<String>,
    /// It reports a finding that is high or critical.
    grave: bool,
    /// It holds a negation.
    denies: bool,
    /// Stems of telling words, and whether a negation reaches them.
    said: BTreeSet<(String, bool)>,
    words: usize,
}

impl Reading {
    pub(super) fn of(topic: &Topic, answer: &Answer<'_>) -> Self {
        let (view, statements) = (answer.view, &answer.statements);
        let own = || statements.iter().filter(|statement| !statement.reports());
        let clauses: Vec<&Clause> = own().flat_map(|statement| &statement.clauses).collect();
        let words = || clauses.iter().flat_map(|clause| &clause.words);
        let telling = words().filter(|word| word.text.len() > 2 && !language::is_common(&word.text));
        let taken = stance::read(topic, view, statements);
        // Where advice, an option or an amount is asked for, there is nothing to be for.
        let judged = matches!(topic.form, Form::Claim | Form::Proposal | Form::Review | Form::Severity);
        Self {
            stance: if judged { taken.score.clamp(-60, 60) } else { 0 },
            reason: taken.reason,
            tone: words().map(|word| if word.negated { -1 } else { 1 } * lexicon::judgement(&word.text)).sum(),
            verdict: verdict(topic, view.verdict, if judged { taken.score } else { 0 }),
            answer: answer::read(statements).map_or(0, |answer| if answer.yes { 1 } else { -1 }),
            pick: pick(topic, statements, view.choice),
            indifferent: options::indifferent(statements),
            choice: view.choice.map(options::keys).unwrap_or_default(),
            amounts: scale::amounts(statements, view.choice),
            grave: view.findings.iter().any(|finding| finding.severity >= Severity::High),
            denies: words().any(|word| language::negates(&word.text)),
            said: telling.map(|word| (language::stem(&word.text), word.negated)).collect(),
            words: words().count().min(LONG),
        }
    }

    /// Where it stands, for deciding which of two sides is for the claim.
    pub(super) fn leaning(&self) -> i32 {
        self.stance
    }

    fn takes_a_position(&self) -> bool {
        self.stance.abs() >= POSITION
    }

    fn said(&self, stem: &str, negated: bool) -> bool {
        self.said.contains(&(stem.to_owned(), negated))
    }
}

/// 0 as well where the prose says the opposite so plainly that it wins.
fn verdict(topic: &Topic, verdict: Option<Verdict>, stance: i32) -> i32 {
    let verdict = verdict.map_or(0, |verdict| if verdict == Verdict::Approve { 1 } else { -1 });
    if verdict * topic.polarity * stance <= -POSITION { 0 } else { verdict }
}

fn pick(topic: &Topic, statements: &[Statement], choice: Option<&str>) -> Option<usize> {
    match &topic.form {
        Form::Choice(choices) => options::picked(&options::support(choices, statements, choice)),
        _ => None,
    }
}

/// The features, in the order of [`features`], and the log-odds that each adds, in hundredths.
const WEIGHTS: [(&str, i32); 22] = [
    ("both stand on the same side", -139),
    ("neither takes a position", 6),
    ("one takes a position, the other leans to the opposite", 62),
    ("one takes a position, the other leans to it", -18),
    ("one approves, the other does not", 117),
    ("verdicts agree", -37),
    ("choices have no word in common", 93),
    ("a yes and a no", 63),
    ("the same answer", -32),
    ("different options", 47),
    ("the same option", -54),
    ("different amounts, where an amount was asked for", 23),
    ("different amounts, where none was asked for", 83),
    ("telling words in common", -26),
    ("only one denies anything", 62),
    ("one has no preference", -26),
    ("one takes a position, the other sounds opposite", 34),
    ("one is for it, the other denies something", 83),
    ("one takes a position, the other has a lot to say", 51),
    ("only one reports a grave finding", 20),
    ("advice was asked for", 35),
    ("the rules for this form of question put them on two sides", 280),
];

/// Log-odds, in hundredths, that two answers cannot both be right; the same whichever comes first. `apart`: the rules
/// for the form of the question put them on two sides.
pub(super) fn contradiction(topic: &Topic, one: &Reading, other: &Reading, apart: bool) -> i32 {
    let features = features(topic, one, other, apart);
    let weighed = features.iter().zip(WEIGHTS).map(|(value, (_, weight))| value * weight);
    BIAS + weighed.sum::<i32>() / FULL
}

/// A feature that is there in full.
const FULL: i32 = 60;

/// How much each feature is there, from 0 to [`FULL`].
pub(super) fn features(topic: &Topic, one: &Reading, other: &Reading, apart: bool) -> [i32; 22] {
    let (sure, unsure) = if one.stance.abs() >= other.stance.abs() { (one, other) } else { (other, one) };
    let both = one.stance * other.stance;
    let half = one.takes_a_position() != other.takes_a_position() && !unsure.indifferent;
    let verdicts = one.verdict * other.verdict;
    let chosen = !one.choice.is_empty() && !other.choice.is_empty();
    let answers = one.answer * other.answer;
    let picked = one.pick.is_some() && other.pick.is_some();
    let amounts = !one.amounts.is_empty() && !other.amounts.is_empty();
    let exclude = amounts && !one.amounts.iter().any(|amount| other.amounts.contains(amount));
    let quantity = topic.form == Form::Quantity;
    let length = i32::try_from(unsure.words).unwrap_or(FULL);
    [
        both.max(0) / FULL,
        when(!one.takes_a_position() && !other.takes_a_position()),
        when(half && both < 0),
        when(half && both > 0),
        when(verdicts < 0),
        when(verdicts > 0),
        when(chosen && one.choice.is_disjoint(&other.choice)),
        when(answers < 0),
        when(answers > 0),
        when(picked && one.pick != other.pick),
        when(picked && one.pick == other.pick),
        when(exclude && quantity),
        when(exclude && !quantity),
        shared(topic, one, other) * FULL / 3,
        when(one.denies != other.denies),
        when(one.indifferent || other.indifferent),
        when(half && sure.stance.signum() * unsure.tone.signum() < 0),
        when(half && sure.stance > 0 && unsure.denies),
        if half { length } else { 0 },
        when(one.grave != other.grave),
        when(topic.form == Form::Open),
        when(apart),
    ]
}

/// How many telling words that are not the question's own both say in the same sense; at most three.
fn shared(topic: &Topic, one: &Reading, other: &Reading) -> i32 {
    let stems: BTreeSet<&String> = one.said.iter().map(|(stem, _)| stem).collect();
    let own = stems.into_iter().filter(|stem| !topic.subject.contains(*stem) && !achieves(stem));
    let both = |stem: &&String| [true, false].iter().any(|sense| one.said(stem, *sense) && other.said(stem, *sense));
    i32::try_from(own.filter(both).take(3).count()).unwrap_or(0)
}

const fn when(is: bool) -> i32 {
    if is { FULL } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consensus::conflict::View;
    use crate::opinion;
    use crate::source::Sources;
    use crate::task::Question;

    /// The log-odds of two answers, in both orders.
    fn odds(task: &str, one: &str, other: &str) -> [i32; 2] {
        let topic = Topic::read(task);
        let opinions = [one, other].map(|text| opinion::read(text, &Question::Text, &Sources::default()));
        let views = [View::of("alder", &opinions[0]), View::of("birch", &opinions[1])];
        let readings = [0, 1].map(|at| Reading::of(&topic, &Answer::read(&views[at])));
        [(0, 1), (1, 0)].map(|(first, second)| contradiction(&topic, &readings[first], &readings[second], false))
    }

    #[test]
    fn which_answer_comes_first_does_not_matter() {
        let said =
            ["Yes.", "No, it leaks.", "Take 3.", "```json\n{\"verdict\": \"reject\", \"choice\": \"B\"}\n```", ""];
        for one in said {
            for other in said {
                let [there, back] = odds("Is the cache safe?", one, other);
                assert_eq!(there, back, "{one} {other}");
            }
        }
    }

    #[test]
    fn signs_of_contradiction_add_up() {
        let [same, _] = odds("Is the cache safe?", "Yes.", "It is safe.");
        let [facts, _] = odds("Is the cache safe?", "Yes.", "Two writers can take the lock, and no test shows it.");
        let [opposite, _] = odds("Is the cache safe?", "Yes.", "No, it leaks.");
        assert!(same < 0 && same < facts && facts < opposite + 280, "{same} {facts} {opposite}");
    }

    #[test]
    fn features_and_weights_are_as_many_and_within_bounds() {
        let topic = Topic::read("Is the cache safe?");
        let opinion = opinion::read("No, it leaks.", &Question::Text, &Sources::default());
        let view = View::of("alder", &opinion);
        let reading = Reading::of(&topic, &Answer::read(&view));
        let found = features(&topic, &reading, &reading, true);
        assert!(found.iter().all(|value| (0..=FULL).contains(value)), "{found:?}");
    }

    #[test]
    fn a_verdict_that_its_own_prose_denies_is_none() {
        let topic = Topic::read("Review the change.");
        assert_eq!(verdict(&topic, Some(Verdict::Reject), 40), 0);
        assert_eq!(verdict(&topic, Some(Verdict::Reject), 0), -1);
        assert_eq!(verdict(&topic, Some(Verdict::Approve), 40), 1);
    }
}
