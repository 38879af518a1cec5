//! Whether two answers contradict each other: plain features of the pair, weighed by a fitted logistic decision.
//!
//! The weights come from the labelled cases in `training/conflicts` by `cargo xtask train-conflicts` and not from hand;
//! `docs/decisions/conflicts.md` says how well they carry over.

use std::collections::BTreeSet;

use super::language::{self, Clause, Statement};
use super::topic::{Form, Topic};
use super::weights::{BIAS, WEIGHTS};
use super::{Answer, answer, lexicon, options, scale, stance};
use crate::opinion::Verdict;

/// From here on, in sixtieths of the largest stance, an answer counts as one that takes a position.
const POSITION: i32 = 15;
/// A stance of so much is as clear as any.
const CLEAR: i32 = 40;
/// A verdict is not meant where the whole answer stands so far on the other side.
const DENIED: i32 = 35;
/// Answers of so few words leave no room to misread them.
const PLAIN: i32 = 4;
/// Longer answers than this many words do not say more for being longer.
const LONG: i32 = 60;

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
    /// The verdict, or 0 where its own prose says the opposite so clearly that it wins.
    meant: i32,
    /// 1 opens with a yes, -1 with a no.
    answer: i32,
    pick: Option<usize>,
    pub(super) indifferent: bool,
    /// The telling words of the option that its trailer names.
    choice: BTreeSet<String>,
    amounts: Vec<String>,
    /// It holds a negation.
    denies: bool,
    /// How many of the task's own words it takes up.
    on_task: i32,
    /// How many words it has, up to [`LONG`].
    words: i32,
}

impl Reading {
    pub(super) fn of(topic: &Topic, answer: &Answer<'_>) -> Self {
        let (view, statements) = (answer.view, &answer.statements);
        let own = || statements.iter().filter(|statement| !statement.reports());
        let clauses: Vec<&Clause> = own().flat_map(|statement| &statement.clauses).collect();
        let words = || clauses.iter().flat_map(|clause| &clause.words);
        let all = statements.iter().flat_map(|statement| &statement.clauses).flat_map(|clause| &clause.words);
        let stems = all.filter(|word| word.text.len() > 3).map(|word| language::stem(&word.text));
        let on_task: BTreeSet<String> = stems.filter(|stem| topic.subject.contains(stem)).collect();
        let taken = stance::read(topic, view, statements);
        let stance = if judged(topic) { taken.score.clamp(-60, 60) } else { 0 };
        let verdict = view.verdict.map_or(0, |verdict| if verdict == Verdict::Approve { 1 } else { -1 });
        Self {
            stance,
            reason: taken.reason,
            tone: words().map(|word| if word.negated { -1 } else { 1 } * lexicon::judgement(&word.text)).sum(),
            verdict,
            meant: if verdict * topic.polarity * stance <= -DENIED { 0 } else { verdict },
            answer: answer::read(statements).map_or(0, |answer| if answer.yes { 1 } else { -1 }),
            pick: pick(topic, statements, view.choice),
            indifferent: options::indifferent(statements),
            choice: view.choice.map(options::keys).unwrap_or_default(),
            amounts: scale::amounts(statements, view.choice),
            denies: words().any(|word| language::negates(&word.text)),
            on_task: i32::try_from(on_task.len()).unwrap_or(i32::MAX),
            words: i32::try_from(words().count()).unwrap_or(LONG).min(LONG),
        }
    }

    /// Where it stands, for deciding which of two sides is for the claim.
    pub(super) fn leaning(&self) -> i32 {
        self.stance
    }

    /// So short that there is nothing in it but its position.
    pub(super) fn is_plain(&self) -> bool {
        self.words <= PLAIN
    }

    fn takes_a_position(&self) -> bool {
        self.stance.abs() >= POSITION
    }
}

/// The verdicts of all answers to the task.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Panel {
    approvals: usize,
    refusals: usize,
}

impl Panel {
    pub(super) fn of(readings: &[Reading]) -> Self {
        let count = |verdict: i32| readings.iter().filter(|reading| reading.verdict == verdict).count();
        Self { approvals: count(1), refusals: count(-1) }
    }

    /// At least two verdicts, and all are the same.
    fn agrees(self) -> bool {
        self.approvals.min(self.refusals) == 0 && self.approvals.max(self.refusals) > 1
    }
}

fn pick(topic: &Topic, statements: &[Statement], choice: Option<&str>) -> Option<usize> {
    match &topic.form {
        Form::Choice(choices) => options::picked(&options::support(choices, statements, choice)),
        _ => None,
    }
}

/// What the features of a pair are called, in their order. Unless said otherwise one is there or not.
pub const FEATURES: [&str; 25] = [
    "the rules for this form of question put them on two sides",
    "... though their verdicts agree",
    "... where one of named options was asked for",
    "... where yes or no was asked for",
    "... where a severity was asked for",
    "choices have no word in common",
    "different amounts, where none was asked for",
    "different amounts, where an amount was asked for",
    "the same option",
    "one of named options was asked for",
    "how long the longer answer is, up to 60 words",
    "how long the shorter answer is, up to 30 words",
    "how many words of the task both take up, up to 4",
    "one approves, the other does not, and neither's own prose clearly says the opposite",
    "all verdicts of the panel agree, two at least",
    "one member of the panel approves, nobody else gives a verdict",
    "no verdict, and prose on both sides",
    "how clear the weaker of two opposite stances is",
    "both stances are clear and opposite",
    "a yes and a no",
    "one takes a position, the other leans to the opposite",
    "how clearly the prose of one is against the verdict of the other",
    "one approves, the other takes no side: how long it is, up to 40 words",
    "one does not approve, the other has no verdict and denies something",
    "one does not approve, the other has no verdict: how good it sounds, or (below 0) how bad",
];

/// Log-odds, in hundredths, that two answers with these features cannot both be right.
pub(super) fn contradiction(features: &[i32; FEATURES.len()]) -> i32 {
    let weighed = features.iter().zip(WEIGHTS).map(|(value, weight)| value * weight);
    BIAS + weighed.sum::<i32>() / FULL
}

/// A feature that is there in full.
pub const FULL: i32 = 60;

/// How much each of [`FEATURES`] is there, from 0 to [`FULL`]; the last from minus [`FULL`]. The same whichever answer
/// comes first. `apart`: the rules for the form of the question put them on two sides.
pub(super) fn features(
    topic: &Topic,
    panel: Panel,
    one: &Reading,
    other: &Reading,
    apart: bool,
) -> [i32; FEATURES.len()] {
    let (sure, unsure) = if one.stance.abs() >= other.stance.abs() { (one, other) } else { (other, one) };
    let opposed = sure.stance * unsure.stance < 0;
    let leans = opposed && !unsure.takes_a_position() && sure.takes_a_position() && !unsure.indifferent;
    let chosen = !one.choice.is_empty() && !other.choice.is_empty();
    let picked = one.pick.is_some() && one.pick == other.pick;
    let amounts = !one.amounts.is_empty() && !other.amounts.is_empty();
    let exclude = amounts && !one.amounts.iter().any(|amount| other.amounts.contains(amount));
    let choice = matches!(topic.form, Form::Choice(_));
    let (by_verdict, denied, sounds) = beside_a_verdict(topic, one, other);
    [
        when(apart),
        when(apart && one.verdict * other.verdict > 0),
        when(apart && choice),
        when(apart && topic.form == Form::Claim),
        when(apart && topic.form == Form::Severity),
        when(chosen && one.choice.is_disjoint(&other.choice)),
        when(exclude && topic.form != Form::Quantity),
        when(exclude && topic.form == Form::Quantity),
        when(picked),
        when(choice),
        share(one.words.max(other.words), LONG),
        share(one.words.min(other.words), LONG / 2),
        share(one.on_task.min(other.on_task), 4),
        when(one.meant * other.meant < 0),
        when(panel.agrees()),
        when(panel.approvals == 1 && panel.refusals == 0),
        when(one.verdict == 0 && other.verdict == 0 && opposed && unsure.takes_a_position()),
        if opposed { share(unsure.stance.abs(), CLEAR) } else { 0 },
        when(opposed && unsure.stance.abs() >= CLEAR),
        when(one.answer * other.answer < 0),
        when(leans),
        against(topic, one, other),
        by_verdict,
        denied,
        sounds,
    ]
}

/// The one of two answers that gives a verdict, and the one that gives none.
fn verdict_beside_prose<'a>(topic: &Topic, one: &'a Reading, other: &'a Reading) -> Option<(&'a Reading, &'a Reading)> {
    match (one.verdict, other.verdict) {
        _ if !judged(topic) => None,
        (0, 0) => None,
        (_, 0) => Some((one, other)),
        (0, _) => Some((other, one)),
        _ => None,
    }
}

fn against(topic: &Topic, one: &Reading, other: &Reading) -> i32 {
    let Some((votes, tells)) = verdict_beside_prose(topic, one, other) else { return 0 };
    share((-votes.verdict * topic.polarity * tells.stance).max(0), CLEAR)
}

/// The last three features.
fn beside_a_verdict(topic: &Topic, one: &Reading, other: &Reading) -> (i32, i32, i32) {
    let Some((votes, tells)) = verdict_beside_prose(topic, one, other) else { return (0, 0, 0) };
    match votes.verdict {
        1 if tells.takes_a_position() => (0, 0, 0),
        1 => (share(tells.words, 40), 0, 0),
        _ => (0, when(tells.denies), (tells.tone * 2).clamp(-FULL, FULL)),
    }
}

/// Where advice, an option or an amount is asked for, there is nothing to be for.
fn judged(topic: &Topic) -> bool {
    matches!(topic.form, Form::Claim | Form::Proposal | Form::Review | Form::Severity)
}

/// `part` of `whole`, at most all of it, in sixtieths.
fn share(part: i32, whole: i32) -> i32 {
    part.min(whole) * FULL / whole
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
        let panel = Panel::of(&readings);
        [(0, 1), (1, 0)]
            .map(|(first, second)| contradiction(&features(&topic, panel, &readings[first], &readings[second], false)))
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

    fn read(task: &str, text: &str) -> (Topic, Reading) {
        let topic = Topic::read(task);
        let opinion = opinion::read(text, &Question::Text, &Sources::default());
        let reading = Reading::of(&topic, &Answer::read(&View::of("alder", &opinion)));
        (topic, reading)
    }

    #[test]
    fn features_are_within_bounds() {
        assert_eq!(WEIGHTS.len(), FEATURES.len(), "run `cargo xtask train-conflicts`");
        let said =
            ["No, it leaks.", "```json\n{\"verdict\": \"reject\"}\n```", "It is safe, correct, clean and sound."];
        for (one, other) in said.iter().flat_map(|one| said.map(|other| (*one, other))) {
            let (topic, one) = read("Is the cache safe?", one);
            let other = read("Is the cache safe?", other).1;
            let found = features(&topic, Panel { approvals: 1, refusals: 0 }, &one, &other, true);
            let (last, rest) = found.split_last().unwrap();
            assert!(rest.iter().all(|value| (0..=FULL).contains(value)), "{found:?}");
            assert!((-FULL..=FULL).contains(last), "{found:?}");
        }
    }

    #[test]
    fn a_verdict_that_its_own_prose_denies_is_not_meant() {
        let said = |prose: &str, verdict: &str| {
            let text = format!("{prose}\n\n```json\n{{\"verdict\": \"{verdict}\"}}\n```");
            let reading = read("Review the change.", &text).1;
            (reading.verdict, reading.meant)
        };
        assert_eq!(said("It is correct and safe, merge it.", "reject"), (-1, 0));
        assert_eq!(said("Two files.", "reject"), (-1, -1));
        assert_eq!(said("It is correct and safe, merge it.", "approve"), (1, 1));
    }

    #[test]
    fn verdicts_that_all_agree_make_a_panel_agree() {
        let panel = |approvals, refusals| Panel { approvals, refusals }.agrees();
        assert!(panel(2, 0) && panel(0, 3));
        assert!(!panel(1, 0) && !panel(2, 1) && !panel(0, 0));
    }

    #[test]
    fn what_stands_beside_a_verdict_is_read_by_its_sign() {
        let task = "Is the cache safe?";
        let (topic, approves) = read(task, "```json\n{\"verdict\": \"approve\"}\n```");
        let rejects = read(task, "```json\n{\"verdict\": \"reject\"}\n```").1;
        let silent = read(task, "The second writer takes the lock while the first still holds the page.").1;
        let (length, denied, sounds) = beside_a_verdict(&topic, &approves, &silent);
        assert!(length > 0 && denied == 0 && sounds == 0, "{length} {denied} {sounds}");
        let denies = read(task, "Nothing holds the page.").1;
        assert_eq!(beside_a_verdict(&topic, &denies, &rejects).1, FULL);
        assert_eq!(beside_a_verdict(&topic, &rejects, &approves), (0, 0, 0), "two verdicts speak for themselves");
        let opposed = read(task, "No, it leaks.").1;
        assert!(against(&topic, &approves, &opposed) > 0 && against(&topic, &rejects, &opposed) == 0);
    }
}
