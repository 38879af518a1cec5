//! What a decision says in words, without colour: shared by the screen and by Markdown, so that both say the same.

use baton_core::consensus::{
    Blocker, ConfidenceSource, DecidedBy, Decision, Dissenter, Grounds, MergedFinding, Rated, Recommendation,
    RefusedFinding, ReproductionReport, Standing,
};
use baton_core::evidence::CheckResult;
use baton_core::ids::{MemberId, StepId};
use baton_core::run::{RunState, Step, Work};
use baton_core::task::Kind;
use baton_core::text::one_line;
use baton_core::workflow::{Act, Who};

/// Longer texts of members are cut; `--json` has them whole.
pub(super) const LONGEST: usize = 400;

/// Nobody gave an opinion: there is nothing to be sure of.
pub(super) fn is_empty(decision: &Decision) -> bool {
    decision.blocked_by(Blocker::AllFailed) || decision.blocked_by(Blocker::Budget)
}

/// The recommendation, and what it means.
pub(super) fn recommendation(decision: &Decision) -> (&'static str, &'static str) {
    let by_person = matches!(decision.decided_by, DecidedBy::Person { .. } | DecidedBy::Override { .. });
    match decision.recommendation {
        _ if is_empty(decision) => ("no decision", "nobody gave an opinion"),
        _ if decision.blocked_by(Blocker::TurnedDown) => ("turned down", "a person decided against it"),
        Recommendation::Proceed if by_person => ("proceed", "a person decided that this can be acted on"),
        Recommendation::ReviewRequired if by_person => ("review required", "a person asked for changes"),
        Recommendation::Proceed => ("proceed", "this can be acted on"),
        Recommendation::ProceedWithCaution if decision.overall_confidence >= decision.threshold => {
            ("proceed with caution", "nothing that was run shows that this patch works")
        }
        Recommendation::ProceedWithCaution => ("proceed with caution", "just below the threshold"),
        Recommendation::ReviewRequired => ("review required", "look at this before you act on it"),
        Recommendation::ConflictResolutionNeeded => ("conflict", "members contradict each other"),
    }
}

/// Where the confidence comes from, and how much was learned.
pub(super) fn source(decision: &Decision) -> String {
    let outcomes = match decision.learned_over.unwrap_or_default() {
        1 => "1 outcome".to_owned(),
        over => format!("{over} outcomes"),
    };
    // The figure is that of the members' result, and not of what took its place.
    let of = match &decision.decided_by {
        DecidedBy::Override { answer, instead_of: Some(before), .. } if before != answer => format!("of {before}: "),
        _ => String::new(),
    };
    let from = match decision.confidence_source {
        ConfidenceSource::Prior => "prior, from the members' tiers: nothing learned yet".to_owned(),
        ConfidenceSource::PriorAndEvidence => format!("prior, from the members' tiers, and {}", evidence(decision)),
        ConfidenceSource::Learned => format!("learned over {outcomes}"),
        ConfidenceSource::LearnedAndEvidence => format!("learned over {outcomes}, and {}", evidence(decision)),
    };
    of + &from
}

/// What was run and counts beside the members' words.
fn evidence(decision: &Decision) -> &'static str {
    let failed = decision.checks.iter().any(|check| check.result == "failed");
    let reproduced = decision.reproductions.iter().any(|test| test.result == "reproduced");
    match (decision.patch.is_some(), reproduced && !failed) {
        (true, _) => "checks that pass with it",
        (false, true) => "a test that settled it",
        (false, false) => "a check that settled it",
    }
}

/// Who does not stand with the decision by a vote or a verdict. Who argued against a claim is told with the dispute.
pub(super) fn dissenters(decision: &Decision) -> Vec<&Dissenter> {
    let disputed = |one: &&Dissenter| {
        let claim = one.position.strip_prefix("for: ").or_else(|| one.position.strip_prefix("against: "));
        claim.is_some_and(|claim| decision.conflicts.iter().any(|conflict| conflict.claim == claim))
    };
    decision.dissenters.iter().filter(|one| !disputed(one)).collect()
}

pub(super) fn blocked(blocker: Blocker) -> &'static str {
    match blocker {
        Blocker::AllFailed => "every seat failed; nobody gave an opinion",
        Blocker::Budget => "the spending cap left nobody to ask; raise it with --max-cost",
        Blocker::NoQuorum => "too few vendors answered",
        Blocker::SingleVendor => "too few vendors could be asked; `baton members` shows who is there",
        Blocker::Conflict => "a contradiction is open",
        Blocker::CriticalFinding => "a credible critical finding stands against the vote",
        Blocker::NeedsPerson => "critical: a person must answer",
        Blocker::PatchFails => "no patch applies and passes the checks",
        Blocker::TurnedDown => "a person turned it down",
    }
}

/// What the decision is, and its value: `verdict` and `reject`.
pub(super) fn position(decision: &Decision) -> (&'static str, String) {
    match (&decision.verdict, &decision.choice, &decision.answer) {
        (Some(verdict), ..) => ("verdict", verdict.as_str().to_owned()),
        (_, Some(choice), _) => ("choice", one_line(choice, 80)),
        (_, _, Some(answer)) => ("answer by", answer.member.to_string()),
        _ if decision.patch.is_some() => ("patch by", author(decision)),
        _ => ("no position", String::new()),
    }
}

fn author(decision: &Decision) -> String {
    decision.patches.iter().find(|patch| patch.adopted).map_or(String::new(), |patch| names(&patch.by))
}

/// Who had the last word; `None` where the rules decided.
pub(super) fn decided_by(decision: &Decision) -> Option<String> {
    match &decision.decided_by {
        DecidedBy::Rule => None,
        DecidedBy::Person { answer, note } => Some(format!("a person said {answer}{}", bracketed(note))),
        DecidedBy::Override { answer, instead_of, note } => {
            let place = instead_of.as_deref().unwrap_or("no result");
            Some(format!("a person put {answer} in the place of {place}{}", bracketed(note)))
        }
        DecidedBy::Client { name, answer } => Some(format!("client {} said {answer}", one_line(name, 40))),
    }
}

pub(super) fn bracketed(note: &str) -> String {
    if note.is_empty() { String::new() } else { format!(" ({})", one_line(note, 200)) }
}

/// How many opinions were counted, on what kind of task.
pub(super) fn counted(decision: &Decision) -> String {
    let kind = decision.kind.map_or("general", Kind::as_str);
    let members = plural(decision.model_count, "member");
    format!("{members}; {} task, {kind}, {} priority", decision.complexity, decision.priority)
}

/// Who stands behind a finding, who denies it, why it stands as it does, and the chance that it is worth acting on.
pub(super) fn behind(issue: &MergedFinding) -> String {
    let denied =
        if issue.denied_by.is_empty() { String::new() } else { format!("; denied by {}", names(&issue.denied_by)) };
    let because = one_line(&issue.because, 200);
    let (by, severity) = (names(&issue.reported_by), severity(issue));
    format!("by {by}{denied}{severity}; {because}; confidence {:.2}", issue.confidence.as_f64())
}

/// Who holds it to be how bad, where that is far apart.
fn severity(issue: &MergedFinding) -> String {
    let rated = |one: &Rated| format!("{} ({})", one.severity.as_str(), names(&one.by));
    let (Some(least), Some(worst)) = (issue.severities.first(), issue.severities.last()) else { return String::new() };
    let between: String =
        issue.severities[1..issue.severities.len() - 1].iter().map(|one| format!(" over {}", rated(one))).collect();
    format!("; severity from {}{between} to {}", rated(least), rated(worst))
}

/// The findings of a decision under the title that they stand below, each with the number by which `accept` and `reject`
/// name it. What stands by its weight alone is not called confirmed: its figure would say otherwise.
pub(super) fn groups(decision: &Decision) -> Vec<(&'static str, Vec<(usize, &MergedFinding)>)> {
    let title = |issue: &MergedFinding| match issue.standing {
        _ if issue.is_not_to_be_outvoted() => NOT_TO_BE_OUTVOTED,
        Standing::Confirmed => CONFIRMED,
        Standing::Unconfirmed => UNCONFIRMED,
    };
    let of = |wanted: &'static str| {
        let group: Vec<_> = (1..).zip(&decision.issues).filter(|(_, issue)| title(issue) == wanted).collect();
        (wanted, group)
    };
    [NOT_TO_BE_OUTVOTED, CONFIRMED, UNCONFIRMED].map(of).into_iter().filter(|(_, group)| !group.is_empty()).collect()
}

pub(super) const NOT_TO_BE_OUTVOTED: &str = "Not to be outvoted";
const CONFIRMED: &str = "Confirmed";
const UNCONFIRMED: &str = "Unconfirmed";

/// Refused findings are counted on after the others.
pub(super) fn refused(decision: &Decision) -> impl Iterator<Item = (usize, &RefusedFinding)> {
    (decision.issues.len() + 1..).zip(&decision.refused_issues)
}

/// Whether the quotation stands where it is said to.
pub(super) fn quotes(ground: &Grounds) -> &'static str {
    if ground.quote_missing { "quotes what does not stand there" } else { "quotes" }
}

/// What a reporter points to, in its own words; what it quotes where it says no more.
pub(super) fn ground(ground: &Grounds, longest: usize) -> Option<String> {
    match (&ground.text, &ground.quote) {
        (Some(text), _) => Some(format!("{}: {}", ground.member, one_line(text, longest))),
        (None, Some(quote)) => Some(format!("{} {}: {}", ground.member, quotes(ground), one_line(quote, longest))),
        (None, None) => None,
    }
}

/// `src/net.rs:2`; `None` where the finding names no file.
pub(super) fn place(issue: &MergedFinding) -> Option<String> {
    placed(issue.file.as_deref(), issue.line)
}

fn placed(file: Option<&str>, line: Option<u32>) -> Option<String> {
    let file = one_line(file?, 200);
    Some(line.map_or(file.clone(), |line| format!("{file}:{line}")))
}

/// How the test of a claim ended, in a word.
pub(crate) fn tested(test: &ReproductionReport) -> &'static str {
    match test.result.as_str() {
        "reproduced" => "reproduced",
        "not_reproduced" => "not reproduced",
        _ => "no evidence",
    }
}

/// Who wrote the test of a claim, what ran it, and what came of it.
pub(crate) fn tested_by(test: &ReproductionReport) -> String {
    let command = test.command.as_deref().map(|command| one_line(command, 120)).unwrap_or_default();
    let because = one_line(test.because.as_deref().unwrap_or("nothing is known"), LONGEST);
    match test.result.as_str() {
        "reproduced" => format!("{} by {} fails with `{command}`, which passes without it", test.test, test.by),
        "not_reproduced" => format!("{} by {} passes with `{command}`", test.test, test.by),
        _ if command.is_empty() => because,
        _ => format!("{} by {} says nothing with `{command}`: {because}", test.test, test.by),
    }
}

/// Where the claim of a test points to; `None` where it names no file.
pub(super) fn tested_place(test: &ReproductionReport) -> Option<String> {
    placed(test.file.as_deref(), test.line)
}

/// A member that gave nothing: why, and who was asked instead.
pub(super) struct Missing<'a> {
    pub(super) member: &'a MemberId,
    pub(super) because: String,
    pub(super) instead: Option<&'a MemberId>,
}

pub(super) fn missing(decision: &Decision) -> Vec<Missing<'_>> {
    let tell = |failed: &'_ baton_core::consensus::FailedMember| {
        let repeats = failed.detail.is_empty() || failed.detail == failed.class;
        if repeats {
            failed.class.clone()
        } else {
            format!("{}: {}", failed.class, one_line(&failed.detail, LONGEST).trim_end_matches('.'))
        }
    };
    let failed = decision.failed_models.iter();
    failed.map(|one| Missing { member: &one.member, because: tell(one), instead: one.replaced_by.as_ref() }).collect()
}

/// Who was not asked, and what that saved; `None` where everybody was.
pub(super) fn not_asked(decision: &Decision) -> Option<(String, String)> {
    if decision.not_asked.is_empty() {
        return None;
    }
    let saved = if decision.saved.0 == 0 { String::new() } else { format!("; about {} saved", decision.saved) };
    let because = format!("could hardly have changed this for the price{saved}");
    Some((names(&decision.not_asked), because))
}

pub(super) fn names(members: &[MemberId]) -> String {
    members.iter().map(MemberId::as_str).collect::<Vec<_>>().join(", ")
}

pub(super) fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// The round that a step belongs to: a heading for the live view, and what is argued about where it is a dispute.
pub(super) fn round(state: &RunState, step: StepId) -> Option<(&'static str, Option<String>)> {
    let step = state.step(step)?;
    let dispute = step.dispute().map(|dispute| &dispute.claim);
    let claim = dispute.or(step.claim().map(|claim| &claim.claim)).map(|claim| one_line(claim, 200));
    let inputs = state.inputs.as_ref()?;
    let word = match &inputs.workflow.nodes.get(step.node)?.act {
        Act::Ask { draft: true, .. } => "draft",
        Act::Ask { who: Who::Team, .. } if step.round > 0 => "again",
        Act::Ask { who: Who::Team, .. } => "panel",
        Act::Ask { who: Who::Lead, .. } => "lead",
        Act::Ask { who: Who::Others, .. } => "review",
        Act::Ask { who: Who::Further, .. } => "further",
        Act::Ask { who: Who::Sides, .. } => "argument",
        Act::Ask { who: Who::Arbiter, .. } => "arbiter",
        Act::Ask { who: Who::Testers, .. } => "reproduction",
        Act::Reproduce => "tests",
        Act::Check => "checks",
        Act::Try => "patches",
        Act::Decide | Act::Gate { .. } | Act::Repeat { .. } => return None,
    };
    Some((word, claim))
}

/// The step in which the test of a claim is written, for itself and for the step that runs it.
fn writes_test<'a>(state: &'a RunState, step: &'a Step) -> Option<&'a Step> {
    match step.work {
        Work::Reproduce { of, .. } => state.step(of),
        Work::Prompt(_) | Work::Check | Work::Try { .. } => step.claim().map(|_| step),
    }
}

/// How what a step ran ended. A test of a claim that fails is told as what it shows.
pub(crate) fn outcome(step: &Step, result: &CheckResult) -> &'static str {
    let is_test = matches!(step.work, Work::Reproduce { .. });
    match (result, is_test) {
        (CheckResult::Passed, false) => "passed",
        (CheckResult::Failed, false) => "failed",
        (CheckResult::Abstained { .. }, false) => "abstained",
        (CheckResult::Passed, true) => "not reproduced",
        (CheckResult::Failed, true) => "reproduced",
        (CheckResult::Abstained { .. }, true) => "no evidence",
    }
}

/// What a member is asked as: its role, or the claim that it is asked about, numbered as they came up; whose patch is
/// tried.
pub(crate) fn part(state: &RunState, step: &Step) -> String {
    if let Some(written) = writes_test(state, step) {
        let before = state.steps.iter().filter(|other| other.claim().is_some() && other.id <= written.id);
        return format!("test {}", before.count());
    }
    if let Work::Try { of, .. } = step.work {
        return state.step(of).map_or(String::new(), |author| format!("of {}", author.member));
    }
    let Some(dispute) = step.dispute() else { return step.role.as_str().to_owned() };
    let mut claims: Vec<&str> = Vec::new();
    for other in state.steps.iter().filter_map(Step::dispute) {
        if !claims.contains(&other.claim.as_str()) {
            claims.push(&other.claim);
        }
    }
    let number = claims.iter().position(|claim| *claim == dispute.claim).map_or(0, |at| at + 1);
    format!("claim {number}")
}

/// A patch has its own results beside it; these are of the files as they are.
pub(super) fn checks_title(decision: &Decision) -> &'static str {
    if decision.patches.is_empty() { "Checks" } else { "Checks without any patch" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::disputes::tests::asked;
    use crate::render::sample::{self, id};
    use baton_core::opinion::Severity;
    use baton_core::route::Role;

    #[test]
    fn the_figure_of_an_overridden_result_is_told_as_its_own() {
        let (_, _, mut decision) = sample::decided();
        let own = source(&decision);
        let mut put = |answer: &str| {
            let (answer, instead_of) = (answer.to_owned(), Some("reject".to_owned()));
            decision.decided_by = DecidedBy::Override { answer, instead_of, note: "seen it run".into() };
            (source(&decision), decided_by(&decision).unwrap_or_default())
        };
        assert_eq!(put("approve").0, format!("of reject: {own}"));
        assert_eq!(put("approve").1, "a person put approve in the place of reject (seen it run)");
        assert_eq!(put("reject").0, own);
    }

    #[test]
    fn a_headline_says_that_a_person_decided() {
        let (_, _, mut decision) = sample::decided();
        let says = |answer: &str| DecidedBy::Person { answer: answer.into(), note: String::new() };
        decision.decided_by = says("approve");
        assert_eq!(recommendation(&decision).1, "a person decided that this can be acted on");
        (decision.decided_by, decision.recommendation) = (says("revise"), Recommendation::ReviewRequired);
        assert_eq!(recommendation(&decision).1, "a person asked for changes");
        (decision.decided_by, decision.blockers) = (says("reject"), vec![Blocker::TurnedDown]);
        assert_eq!(recommendation(&decision), ("turned down", "a person decided against it"));
    }

    #[test]
    fn severities_far_apart_are_told() {
        let (_, _, mut decision) = sample::decided();
        let rated = |severity, by: &str| Rated { severity, by: vec![id(by)] };
        let issue = &mut decision.issues[0];
        issue.severities = vec![rated(Severity::Low, "alder"), rated(Severity::Critical, "cedar")];
        assert!(behind(issue).contains("; severity from low (alder) to critical (cedar); "), "{}", behind(issue));
        issue.severities.insert(1, rated(Severity::High, "fir"));
        assert!(behind(issue).contains("from low (alder) over high (fir) to critical (cedar)"), "{}", behind(issue));
        issue.severities.clear();
        assert!(!behind(issue).contains("severity"));
    }

    #[test]
    fn claims_are_numbered_as_they_came_up() {
        let (_, mut state, _) = sample::decided();
        state.steps = vec![
            asked("alder", Role::Primary, "one"),
            asked("birch", Role::Secondary, "one"),
            asked("alder", Role::Primary, "two"),
        ];
        let parts: Vec<String> = state.steps.iter().map(|step| part(&state, step)).collect();
        assert_eq!(parts, ["claim 1", "claim 1", "claim 2"]);
    }

    #[test]
    fn a_test_of_a_claim_and_its_run_have_one_number() {
        let (_, mut state, _) = sample::decided();
        let claim = baton_core::run::TestedClaim {
            claim: "one".into(),
            file: None,
            line: None,
            evidence: None,
            mark: "reproduces_1".into(),
        };
        let mut writes = asked("alder", Role::Critic, "");
        if let Work::Prompt(plan) = &mut writes.work {
            (plan.dispute, plan.claim) = (None, Some(Box::new(claim)));
        }
        let work = Work::Reproduce { of: StepId(0), test: baton_core::hash::Hash::of(b"") };
        let runs = Step { id: StepId(1), work, ..asked("runner", Role::Check, "") };
        state.steps = vec![writes, runs];
        let parts: Vec<String> = state.steps.iter().map(|step| part(&state, step)).collect();
        assert_eq!(parts, ["test 1", "test 1"]);
        assert_eq!(outcome(&state.steps[1], &CheckResult::Failed), "reproduced");
        assert_eq!(outcome(&state.steps[0], &CheckResult::Failed), "failed");
    }

    #[test]
    fn confidence_says_prior_or_learned_over_how_many() {
        let (_, _, mut decision) = sample::decided();
        assert_eq!(source(&decision), "learned over 12 outcomes, and a check that settled it");
        (decision.confidence_source, decision.learned_over) = (ConfidenceSource::Learned, Some(1));
        assert_eq!(source(&decision), "learned over 1 outcome");
        decision.confidence_source = ConfidenceSource::Prior;
        assert!(source(&decision).starts_with("prior"));
    }

    #[test]
    fn caution_is_told_with_its_ground() {
        let (_, _, mut decision) = sample::decided();
        decision.recommendation = Recommendation::ProceedWithCaution;
        assert!(recommendation(&decision).1.starts_with("nothing that was run shows"), "it is sure enough");
        decision.overall_confidence = baton_core::units::Probability::ZERO;
        assert_eq!(recommendation(&decision).1, "just below the threshold");
    }

    #[test]
    fn what_was_saved_is_told_only_where_it_is_known() {
        let (_, _, mut decision) = sample::decided();
        assert!(not_asked(&decision).unwrap().1.ends_with("about $0.02 saved"));
        decision.saved = baton_core::units::MicroUsd(0);
        assert!(!not_asked(&decision).unwrap().1.contains("saved"));
        decision.not_asked.clear();
        assert!(not_asked(&decision).is_none());
    }
}
