//! Properties of `consensus::decide` on teams of any make-up.

use std::collections::{BTreeMap, BTreeSet};

use baton_core::catalog::Rules;
use baton_core::classify::Classification;
use baton_core::consensus::{
    Ballot, Blocker, CheckOutcome, ConfidenceSource, Conflict, Decision, Failure, Ground, Recommendation, Ruling, Side,
    Speaker, decide,
};
use baton_core::evidence::{CheckResult, Evidence, Place};
use baton_core::ids::MemberId;
use baton_core::learning::Experience;
use baton_core::member::{ChannelSpec, Limits, Member, Nature, Payer};
use baton_core::opinion::{Finding, Opinion, Position, Reading, Severity, Stance, Verdict};
use baton_core::outcome::Outcome;
use baton_core::route::Team;
use baton_core::source::LocationCheck;
use baton_core::task::{Complexity, Kind, Priority, Question};
use baton_core::units::{MicroUsd, Probability};
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// An owned `Ground`.
#[derive(Clone, Debug)]
struct Table {
    seats: Vec<(Member, Opinion)>,
    failures: Vec<Failure>,
    checks: Vec<(MemberId, Evidence)>,
    priority: Priority,
    needed: u8,
    rules: Rules,
    question: Question,
    rulings: Vec<Ruling>,
}

impl Table {
    fn decide(&self) -> Decision {
        let question = self.question.clone();
        let arbiters = [member(20, 1, 20, 20), member(21, 3, 21, 21)];
        let classification = Classification {
            kind: Kind::CodeReview,
            complexity: Complexity::Standard,
            priority: self.priority,
            question,
            unsure: false,
            confidence: Probability::ONE,
            reasons: vec![],
        };
        let team = Team { vendors_needed: self.needed, vendors_present: 9, ..Team::default() };
        decide(&Ground {
            task: "Review this change",
            classification: &classification,
            rules: &self.rules,
            experience: &Experience::default(),
            team: &team,
            ballots: self.seats.iter().map(|(member, opinion)| Ballot { member, opinion, answer: None }).collect(),
            failures: self.failures.clone(),
            stand_ins: vec![],
            checks: self.checks.iter().map(|(member, evidence)| CheckOutcome { member, evidence }).collect(),
            over_budget: vec![],
            trials: vec![],
            reproductions: vec![],
            untested: &[],
            rulings: self.rulings.clone(),
            members: self.seats.iter().map(|(member, _)| member).chain(&arbiters).collect(),
            held: vec![],
            draft: None,
            cost: MicroUsd(0),
            cost_unknown: false,
            elapsed_ms: 0,
        })
    }

    fn bytes(&self) -> String {
        serde_json::to_string(&self.decide()).unwrap()
    }

    /// No vote is taken to be always wrong.
    fn reliability(&self, member: &Member) -> f64 {
        self.rules.reliability(member.tier).max(0.02)
    }
}

fn id(text: &str) -> MemberId {
    MemberId::parse(text).unwrap()
}

fn member(index: usize, tier: u8, vendor: u8, family: u8) -> Member {
    Member {
        id: id(&format!("m{index}")),
        nature: Nature::Model,
        vendor: format!("v{vendor}"),
        family: format!("f{family}"),
        channel: ChannelSpec { kind: "fake".into(), settings: BTreeMap::new() },
        model: None,
        effort: None,
        tier,
        strengths: vec![],
        context_window: 100_000,
        price: None,
        payer: Payer::Local,
        account: "x".into(),
        limits: Limits::default(),
        scripted: false,
    }
}

fn opinion(position: Position, findings: Vec<Finding>) -> Opinion {
    Opinion { position, findings, summary: "why".into(), reading: Reading::Strict, ..Opinion::abstaining("") }
}

fn finding() -> impl Strategy<Value = Finding> {
    let claims = select(vec![
        "the shift overflows after retries",
        "retries shift overflows",
        "a lock is held too long",
        "the shift is fine here",
        "the verdict is approve",
    ]);
    let severity = select(vec![Severity::Low, Severity::Medium, Severity::High, Severity::Critical]);
    let location = select(vec![
        LocationCheck::Verified,
        LocationCheck::QuoteNotThere,
        LocationCheck::EmptyLine,
        LocationCheck::NoSuchFile,
        LocationCheck::Unknown,
        LocationCheck::NoSuchLine { lines: 5 },
    ]);
    let place = (prop::option::of(select(vec!["a.rs", "b.rs"])), prop::option::of(0..30_u32));
    (place, claims, severity, location, any::<bool>(), prop::bool::weighted(0.8)).prop_map(
        |((file, line), claim, severity, location, argued, holds)| Finding {
            file: file.map(str::to_owned),
            line,
            severity,
            claim: claim.to_owned(),
            evidence: argued.then(|| "see there".to_owned()),
            quote: None,
            stance: if holds { Stance::Holds } else { Stance::DoesNotHold },
            location,
        },
    )
}

/// Some are called like verdicts, and two differ by case only.
const OPTIONS: [&str; 5] = ["redis", "Redis", "approve", "revise", "reject"];

/// Positions on a verdict, or on a choice: a run asks one question.
fn position(choosing: bool) -> BoxedStrategy<Position> {
    let silent = Just(Position::Abstain { reason: "unreadable".into() });
    if choosing {
        let option = select(OPTIONS.to_vec());
        return prop_oneof![6 => option.prop_map(|one| Position::Choice { option: one.into() }), 1 => silent].boxed();
    }
    let verdict = select(Verdict::ALL.to_vec()).prop_map(|verdict| Position::Verdict { verdict });
    prop_oneof![6 => verdict, 1 => Just(Position::Answer), 1 => silent].boxed()
}

fn evidence() -> impl Strategy<Value = Evidence> {
    let result =
        select(vec![CheckResult::Passed, CheckResult::Failed, CheckResult::Abstained { reason: "not here".into() }]);
    let places = prop::collection::vec((select(vec!["a.rs", "b.rs"]), 1..30_u32), 0..3);
    (result, places).prop_map(|(result, places)| Evidence {
        result,
        command: "run".into(),
        places: places.into_iter().map(|(file, line)| Place { file: file.into(), line }).collect(),
        summary: "s".into(),
        trial: None,
    })
}

fn failure() -> impl Strategy<Value = Outcome> {
    select(vec![Outcome::Crashed, Outcome::Auth, Outcome::Empty, Outcome::Overloaded])
}

/// The usual rules, or thresholds and reliabilities of any size.
fn rules() -> impl Strategy<Value = Rules> {
    let share = || prop_oneof![Just(0), Just(1_000_000), 0..=1_000_000_u32].prop_map(Probability::from_millionths);
    prop::option::weighted(0.2, (share(), share(), prop::array::uniform5(share()))).prop_map(|odd| {
        let mut rules = Rules::default();
        if let Some((threshold, precision, reliabilities)) = odd {
            (rules.thresholds.low, rules.thresholds.normal) = (threshold, threshold);
            (rules.tier_precision, rules.tier_reliability) = ([precision; 5], reliabilities);
        }
        rules
    })
}

/// What is answered about a conflict, as numbers: 0 and 1 take a side, 2 cannot tell.
fn ruling(claim: &str, member: &MemberId, speaker: Speaker, answer: u8) -> Ruling {
    let side = match answer {
        0 => Some(Side::Holds),
        1 => Some(Side::Against),
        _ => None,
    };
    Ruling { claim: claim.to_owned(), member: member.clone(), side, speaker }
}

/// The strongest of either side and an arbiter speak on each conflict.
fn rulings(decision: &Decision, answers: &[[u8; 4]]) -> Vec<Ruling> {
    let mut rulings = Vec::new();
    for (conflict, answers) in decision.conflicts.iter().zip(answers) {
        for (side, own, answer) in
            [(&conflict.holds, Side::Holds, answers[0]), (&conflict.against, Side::Against, answers[1])]
        {
            let speaker = Speaker::Party { own };
            rulings.extend(side.first().map(|member| ruling(&conflict.claim, member, speaker, answer)));
        }
        for (holding_first, answer) in [(true, answers[2]), (false, answers[3])] {
            rulings.push(ruling(&conflict.claim, &id("m20"), Speaker::Arbiter { holding_first }, answer));
        }
    }
    rulings
}

fn table() -> impl Strategy<Value = Table> {
    prop::bool::weighted(0.2).prop_flat_map(table_on)
}

fn table_on(choosing: bool) -> impl Strategy<Value = Table> {
    let seat = (1..=5_u8, 0..4_u8, 0..4_u8, position(choosing), prop::collection::vec(finding(), 0..4));
    let seats = prop::collection::vec(seat, 0..7);
    let failures = prop::collection::vec(failure(), 0..3);
    let checks = prop::collection::vec(evidence(), 0..3);
    let options = OPTIONS.iter().map(|&option| option.to_owned()).collect();
    let question = if choosing { Question::Choice(options) } else { Question::Findings };
    (seats, failures, checks, select(Priority::ALL.to_vec()), 0..4_u8, rules()).prop_map(
        move |(seats, failures, checks, priority, needed, rules)| Table {
            seats: seats
                .into_iter()
                .enumerate()
                .map(|(index, (tier, vendor, family, position, findings))| {
                    (member(index, tier, vendor, family), opinion(position, findings))
                })
                .collect(),
            failures: failures
                .into_iter()
                .enumerate()
                .map(|(index, outcome)| Failure {
                    member: id(&format!("x{index}")),
                    outcome,
                    detail: "d".into(),
                    replaced_by: None,
                })
                .collect(),
            checks: checks.into_iter().enumerate().map(|(index, one)| (id(&format!("c{index}")), one)).collect(),
            priority,
            needed,
            rules,
            question: question.clone(),
            rulings: vec![],
        },
    )
}

/// A team that only votes, on a verdict.
fn voters() -> impl Strategy<Value = Table> {
    table_on(false).prop_map(|mut table| {
        table.checks.clear();
        // A lower tier is a weaker one by these.
        table.rules = Rules::default();
        for (_, opinion) in &mut table.seats {
            opinion.findings.clear();
            if opinion.position.verdict().is_none() {
                opinion.position = Position::Verdict { verdict: Verdict::Approve };
            }
        }
        table
    })
}

proptest! {
    #![proptest_config(super::cases(1_300))]

    #[test]
    fn the_order_of_arrival_never_matters(table in table(), seed in any::<[u64; 3]>()) {
        let mut shuffled = table.clone();
        let turn = |length: usize, by: u64| usize::try_from(by).unwrap_or(0) % length.max(1);
        let (seats, failures, checks) = (table.seats.len(), table.failures.len(), table.checks.len());
        shuffled.seats.rotate_left(turn(seats, seed[0]));
        shuffled.failures.rotate_left(turn(failures, seed[1]));
        shuffled.checks.rotate_left(turn(checks, seed[2]));
        if seats > 2 {
            shuffled.seats.swap(0, turn(seats, seed[0] >> 32));
        }
        prop_assert_eq!(shuffled.bytes(), table.bytes());
        shuffled.seats.reverse();
        shuffled.failures.reverse();
        shuffled.checks.reverse();
        prop_assert_eq!(shuffled.bytes(), table.bytes());
    }

    #[test]
    fn duplicates_never_count(table in table(), which in any::<[Index; 3]>()) {
        let mut doubled = table.clone();
        if !table.seats.is_empty() {
            doubled.seats.push(which[0].get(&table.seats).clone());
        }
        if !table.failures.is_empty() {
            doubled.failures.push(which[1].get(&table.failures).clone());
        }
        if !table.checks.is_empty() {
            doubled.checks.push(which[2].get(&table.checks).clone());
        }
        prop_assert_eq!(doubled.bytes(), table.bytes());
    }
}

proptest! {
    #![proptest_config(super::cases(800))]

    #[test]
    fn one_more_abstention_changes_no_verdict_and_raises_nothing(table in table(), tier in 1..=5_u8) {
        let before = table.decide();
        let mut more = table;
        more.seats.push((member(9, tier, 9, 9), Opinion::abstaining("unreadable")));
        let after = more.decide();
        prop_assert_eq!((after.verdict, &after.choice), (before.verdict, &before.choice));
        prop_assert!(after.overall_confidence <= before.overall_confidence);
        prop_assert_eq!(after.model_count, before.model_count);
        if before.recommendation != Recommendation::Proceed {
            prop_assert!(after.recommendation != Recommendation::Proceed);
        }
    }

    #[test]
    fn abstentions_never_approve(
        mut table in table(),
        findings in prop::collection::vec(prop::collection::vec(finding(), 0..4), 1..5),
    ) {
        table.seats = findings
            .into_iter()
            .enumerate()
            .map(|(index, findings)| {
                let silent = Position::Abstain { reason: "unreadable".into() };
                (member(index, 1, 1, 1), opinion(silent, findings))
            })
            .collect();
        let decision = table.decide();
        prop_assert_eq!((decision.verdict, decision.model_count), (None, 0));
        prop_assert_eq!(decision.overall_confidence.millionths(), 0);
        let advice = decision.recommendation;
        prop_assert!(!matches!(advice, Recommendation::Proceed | Recommendation::ProceedWithCaution), "{:?}", advice);
    }

    #[test]
    fn a_weaker_supporter_never_makes_its_option_win(
        mut table in voters(),
        which in any::<Index>(),
        tier in 1..=5_u8,
        strongest in select(Verdict::ALL.to_vec()),
    ) {
        // Who the strong ones are is measured from the strongest: one of tier 1 stays at the table throughout.
        table.seats.push((member(7, 3, 8, 8), opinion(Position::Verdict { verdict: Verdict::Reject }, vec![])));
        let which = which.index(table.seats.len());
        table.seats.push((member(8, 1, 9, 9), opinion(Position::Verdict { verdict: strongest }, vec![])));
        let tier = tier.max(table.seats[which].0.tier);
        let camp = |verdict: Option<Verdict>| verdict.map(Verdict::approves);
        let supported = camp(table.seats[which].1.position.verdict());
        let before = camp(table.decide().verdict);
        let mut weaker = table;
        weaker.seats[which].0.tier = tier;
        let after = camp(weaker.decide().verdict);
        prop_assert!(after != supported || before == supported, "{:?} -> {:?}", before, after);
    }

    #[test]
    fn confidence_is_a_probability_within_what_its_ground_allows(table in table()) {
        let decision = table.decide();
        let confidence = decision.overall_confidence;
        prop_assert!(confidence.millionths() <= 1_000_000);
        let stands_with_it = |position: &Position| match position {
            Position::Verdict { verdict } => decision.verdict.is_some_and(|won| won.approves() == verdict.approves()),
            Position::Choice { option } => decision.choice.as_ref() == Some(option),
            Position::Answer => decision.verdict.is_none() && decision.choice.is_none(),
            Position::Patch { .. } | Position::Test { .. } | Position::Abstain { .. } => false,
        };
        let supporters = table.seats.iter().filter(|(_, opinion)| stands_with_it(&opinion.position));
        let lead = supporters.map(|(member, _)| table.reliability(member)).fold(0.0, f64::max);
        match decision.confidence_source {
            ConfidenceSource::Prior => prop_assert!(confidence.as_f64() <= lead + 1e-6, "{:?} {}", confidence, lead),
            ConfidenceSource::Learned | ConfidenceSource::LearnedAndEvidence => {
                prop_assert!(false, "nothing was learned");
            }
            ConfidenceSource::PriorAndEvidence => {
                prop_assert!(confidence.millionths() <= 950_000);
                let failed = table.checks.iter().any(|(_, evidence)| evidence.result == CheckResult::Failed);
                prop_assert!(failed, "only a failed check is evidence");
            }
        }
        prop_assert!(decision.issues.iter().all(|issue| issue.confidence.millionths() <= 1_000_000));
    }

    #[test]
    fn a_decision_never_contradicts_itself(table in table()) {
        let decision = table.decide();
        let advice = decision.recommendation;
        let acts = matches!(advice, Recommendation::Proceed | Recommendation::ProceedWithCaution);
        prop_assert!(!acts || decision.blockers.is_empty());
        prop_assert_eq!(decision.has_conflict, advice == Recommendation::ConflictResolutionNeeded);
        prop_assert!(advice != Recommendation::Proceed || decision.overall_confidence >= decision.threshold);
        prop_assert!(advice != Recommendation::ProceedWithCaution || table.priority <= Priority::Normal);
        prop_assert!(table.priority != Priority::Critical || !acts);
        for issue in &decision.issues {
            prop_assert!(!issue.reported_by.is_empty());
            prop_assert!(issue.reported_by.iter().all(|one| !issue.denied_by.contains(one)));
        }
        for conflict in &decision.conflicts {
            prop_assert!(conflict.holds.iter().all(|one| !conflict.against.contains(one)), "{:?}", conflict);
            prop_assert!(!conflict.holds.is_empty() && !conflict.against.is_empty());
        }
        let read: Decision = serde_json::from_str(&serde_json::to_string(&decision).unwrap()).unwrap();
        prop_assert_eq!(read, decision);
    }

    #[test]
    fn whatever_is_answered_about_disputes_comes_to_the_same_in_any_order(
        table in prop_oneof![table_on(false), table_on(true)],
        answers in prop::collection::vec(prop::array::uniform4(0..3_u8), 8),
        again in prop::collection::vec(prop::array::uniform4(0..3_u8), 8),
        turn in any::<Index>(),
    ) {
        let mut argued = table;
        argued.rulings = rulings(&argued.decide(), &answers);
        // Of three options, a second dispute may come of the first.
        let mut more = rulings(&argued.decide(), &again);
        more.retain(|one| !argued.rulings.iter().any(|known| known.claim == one.claim));
        argued.rulings.extend(more);
        let decision = argued.decide();
        let mut turned = argued.clone();
        if !turned.rulings.is_empty() {
            turned.rulings.rotate_left(turn.index(argued.rulings.len()));
            turned.rulings.extend(argued.rulings.first().cloned());
        }
        turned.seats.reverse();
        prop_assert_eq!(&turned.decide(), &decision);
        let open = decision.conflicts.iter().filter(|conflict| conflict.settled_by.is_none()).count();
        prop_assert_eq!(decision.has_conflict, open > 0);
        let names: BTreeSet<&str> = decision.conflicts.iter().map(|conflict| conflict.claim.as_str()).collect();
        prop_assert_eq!(names.len(), decision.conflicts.len(), "each dispute has a name of its own");
        let acts = matches!(decision.recommendation, Recommendation::Proceed | Recommendation::ProceedWithCaution);
        prop_assert!(!acts || decision.blockers.is_empty());
    }

    #[test]
    fn who_cannot_tell_settles_nothing(table in prop_oneof![table_on(false), table_on(true)]) {
        let open = table.decide();
        let mut argued = table;
        argued.rulings = rulings(&open, &[[2; 4]; 16]);
        let decision = argued.decide();
        prop_assert_eq!(&decision.conflicts, &open.conflicts);
        prop_assert_eq!(decision.overall_confidence, open.overall_confidence);
    }

    #[test]
    fn options_are_options_whatever_they_are_called(table in table_on(true)) {
        let decision = table.decide();
        prop_assert_eq!(decision.verdict, None);
        prop_assert!(!decision.blocked_by(Blocker::CriticalFinding));
        let held = |option: &String| {
            table.seats.iter().any(|(_, one)| one.position == Position::Choice { option: option.clone() })
        };
        prop_assert!(decision.choice.as_ref().is_none_or(held));
        prop_assert_eq!(decision.choice.is_some(), decision.model_count > 0);
    }

    #[test]
    fn every_dispute_has_two_sides_and_every_finding_at_most_one_dispute(table in table()) {
        let decision = table.decide();
        let names: BTreeSet<&str> = decision.conflicts.iter().map(|conflict| conflict.claim.as_str()).collect();
        prop_assert_eq!(names.len(), decision.conflicts.len(), "{:?}", decision.conflicts);
        for conflict in &decision.conflicts {
            prop_assert!(!conflict.holds.is_empty() && !conflict.against.is_empty());
            prop_assert!(conflict.holds.iter().all(|one| !conflict.against.contains(one)), "{:?}", conflict);
            let stands = |one: &MemberId| conflict.holds.contains(one) || conflict.against.contains(one);
            prop_assert!(conflict.reasons.iter().all(|said| stands(&said.member) && !said.reason.is_empty()));
            let option = |one: &MemberId| {
                let (_, opinion) = table.seats.iter().find(|(member, _)| member.id == *one)?;
                match &opinion.position {
                    Position::Choice { option } => Some(option.clone()),
                    _ => None,
                }
            };
            if conflict.claim.starts_with("the answer is ") {
                for side in [&conflict.holds, &conflict.against] {
                    let options: BTreeSet<Option<String>> = side.iter().map(option).collect();
                    prop_assert!(options.len() == 1 && !options.contains(&None), "{:?}", conflict);
                }
            }
        }
        for issue in &decision.issues {
            let about = |claim: &str| claim == issue.claim || claim.starts_with(&format!("{} (", issue.claim));
            let sides = |one: &&Conflict| about(&one.claim) && one.holds == issue.reported_by && one.against == issue.denied_by;
            let disputes = decision.conflicts.iter().filter(sides).count();
            prop_assert!(disputes > 0 || issue.denied_by.is_empty(), "{:?}", issue);
            prop_assert!(issue.severities.len() != 1);
            let rated: BTreeSet<&MemberId> = issue.severities.iter().flat_map(|rated| &rated.by).collect();
            prop_assert!(rated.is_empty() || rated == issue.reported_by.iter().collect());
            prop_assert!(issue.severities.last().is_none_or(|worst| worst.severity == issue.severity));
        }
        let is_of_one = |claim: &str| {
            decision.issues.iter().any(|issue| claim == issue.claim || claim.starts_with(&format!("{} (", issue.claim)))
        };
        // A finding may be worded as a verdict: the dispute about it then has its place behind the words.
        let is_vote = |claim: &str| claim.starts_with("the verdict is ") && !claim.contains(" (");
        let counted = |one: &&Conflict| is_of_one(&one.claim) && !is_vote(&one.claim);
        let of_findings = decision.conflicts.iter().filter(counted).count();
        prop_assert!(of_findings <= decision.issues.len(), "{:?}", decision.conflicts);
    }
}
