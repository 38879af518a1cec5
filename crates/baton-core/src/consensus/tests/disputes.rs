//! Disputes that the answers' sentences show and the votes do not.

use super::*;

fn answers(text: &str) -> Opinion {
    crate::opinion::read(text, &Question::Text, &crate::source::Sources::default())
}

fn asked(task: &str) -> Table {
    let mut table = table();
    table.task = task.into();
    table.classification.question = Question::Text;
    table
}

#[test]
fn answers_in_prose_that_exclude_each_other_are_a_conflict() {
    let decision = asked("Should we move the queue to Redis?")
        .with("alder", 1, answers("Yes. One system fewer to run."))
        .with("birch", 1, answers("No. Messages would be lost at each restart."))
        .with("cedar", 2, answers("I abstain."))
        .decide();
    assert!(decision.has_conflict);
    let conflict = &decision.conflicts[0];
    assert_eq!(conflict.claim, "move the queue to Redis");
    assert_eq!((&conflict.holds, &conflict.against), (&ids(&["alder"]), &ids(&["birch"])));
    assert_eq!(conflict.reasons.len(), 2);
    assert_eq!(decision.dissenters.len(), 1);
    assert_eq!(decision.dissenters[0].position, "against: move the queue to Redis");
    assert_eq!(decision.dissenters[0].reason, "Messages would be lost at each restart.");
}

#[test]
fn additions_are_no_conflict() {
    let decision = asked("How do we make the build faster?")
        .with("alder", 1, answers("Cache the dependencies."))
        .with("birch", 1, answers("Split the test job in two."))
        .decide();
    assert!(!decision.has_conflict && decision.dissenters.is_empty());
}

#[test]
fn a_weak_voice_against_strong_ones_dissents_without_a_conflict() {
    let decision = asked("Is the lock needed?")
        .with("alder", 1, answers("Yes, two threads write."))
        .with("birch", 1, answers("It is."))
        .with("cedar", 5, answers("No."))
        .decide();
    assert!(!decision.has_conflict);
    assert_eq!(names(&decision.dissenters), ["cedar"]);
}

#[test]
fn who_takes_the_other_side_of_a_text_is_named_where_it_is_no_dispute() {
    let no = "No. A queue would lose orders here.";
    let decision = asked("Should we put a queue between the shop and the warehouse?")
        .with("alder", 1, answers("Yes. Use a queue."))
        .with("birch", 1, answers("Yes. A queue keeps the orders."))
        .with("cedar", 2, answers("Yes, a queue."))
        .with("dogwood", 3, answers(no))
        .with("elm", 4, answers(no))
        .decide();
    assert!(!decision.has_conflict && decision.conflicts.is_empty(), "by the rule of contested votes");
    assert_eq!(names(&decision.dissenters), ["dogwood", "elm"]);
    let one = &decision.dissenters[0];
    assert_eq!(one.position, "against: put a queue between the shop and the warehouse");
    assert_eq!(one.reason, "A queue would lose orders here.");
    assert_eq!(
        decision.reasoning[..2],
        [
            "alder's text: of the 5 that answered, the first by name of the 2 most reliable",
            "against it, and too light for a dispute: dogwood, elm"
        ]
    );
}

#[test]
fn why_a_text_was_taken_is_told() {
    let why = |table: Table| table.decide().reasoning[0].clone();
    let one = || asked("How do we make the build faster?").with("alder", 2, answers("Cache the dependencies."));
    assert_eq!(why(one()), "alder's text: nobody else gave one");
    let two = one().with("birch", 1, answers("Split the test job in two.")).with("cedar", 3, answers("I abstain."));
    assert_eq!(why(two), "birch's text: the most reliable of the 3 that answered");
}

#[test]
fn a_vote_is_named_once_and_gets_its_reasons() {
    let decision = table()
        .with("alder", 1, answers("Broken: it overflows.\n\n```json\n{\"verdict\":\"reject\"}\n```"))
        .with("birch", 1, answers("Looks good to me.\n\n```json\n{\"verdict\":\"approve\"}\n```"))
        .decide();
    assert_eq!(decision.conflicts.len(), 1);
    let words: Vec<&str> = decision.conflicts[0].reasons.iter().map(|reason| reason.reason.as_str()).collect();
    assert_eq!(words, ["Looks good to me.", "Broken: it overflows."]);
}

#[test]
fn verdicts_that_agree_are_not_contradicted_by_their_prose() {
    let decision = table()
        .with("alder", 1, answers("This is right.\n\n```json\n{\"verdict\":\"approve\"}\n```"))
        .with("birch", 1, answers("Wrong, bad, broken.\n\n```json\n{\"verdict\":\"approve\"}\n```"))
        .decide();
    assert!(!decision.has_conflict);
}

#[test]
fn one_place_judged_twice_is_a_conflict_although_the_verdicts_agree() {
    let judged = |severity: &str, claim: &str| {
        answers(&format!(
            "See the list.\n\n```json\n{{\"verdict\":\"reject\",\"findings\":[{{\"file\":\"a.rs\",\"line\":7,\
             \"severity\":\"{severity}\",\"claim\":\"{claim}\"}}]}}\n```"
        ))
    };
    let decision = table()
        .with("alder", 1, judged("high", "unwrap is reached by users"))
        .with("birch", 1, judged("low", "unwrap is fine here"))
        .decide();
    assert_eq!(decision.conflicts.len(), 1);
    let conflict = &decision.conflicts[0];
    assert_eq!(conflict.claim, "unwrap is reached by users");
    assert_eq!((&conflict.holds, &conflict.against), (&ids(&["alder"]), &ids(&["birch"])));
    let reasons: Vec<&str> = conflict.reasons.iter().map(|said| said.reason.as_str()).collect();
    assert_eq!(reasons, ["unwrap is reached by users", "unwrap is fine here"]);
}

fn party(claim: &str, member: &str, own: Side, side: Side) -> Ruling {
    Ruling { claim: claim.into(), member: id(member), side: Some(side), speaker: Speaker::Party { own } }
}

/// `a` reports a fault in two places in the same words, and `b` denies both.
fn twice() -> Table {
    let at = |line: u32, stance: Stance| Finding { stance, ..finding(line, "unwrap may panic") };
    let mut denying = says(Verdict::Reject, "see the list");
    denying.findings = vec![at(10, Stance::DoesNotHold), at(90, Stance::DoesNotHold)];
    table().finds("a", 1, &[at(10, Stance::Holds), at(90, Stance::Holds)]).with("b", 1, denying)
}

#[test]
fn the_same_words_about_two_places_are_two_disputes() {
    let open = twice().decide();
    let claims: Vec<&str> = open.conflicts.iter().map(|conflict| conflict.claim.as_str()).collect();
    assert_eq!(claims, ["unwrap may panic (src/net.rs:10)", "unwrap may panic (src/net.rs:90)"]);
    let mut table = twice();
    table.rulings =
        vec![party(claims[1], "a", Side::Holds, Side::Against), party(claims[1], "b", Side::Against, Side::Against)];
    let settled = table.decide();
    let ends: Vec<bool> = settled.conflicts.iter().map(|conflict| conflict.settled_by.is_some()).collect();
    assert_eq!((ends.as_slice(), settled.has_conflict), (&[false, true][..], true));
    let denied =
        |line| settled.issues.iter().find(|issue| issue.line == Some(line)).unwrap().because.starts_with("denied");
    assert!(denied(90) && !denied(10), "{:?}", settled.issues);
}

#[test]
fn a_finding_that_is_worded_as_a_verdict_is_not_settled_with_it() {
    let claim = "the verdict is approve";
    let mut denying = says(Verdict::Reject, "no");
    denying.findings = vec![Finding { stance: Stance::DoesNotHold, ..finding(10, claim) }];
    let mut reporting = says(Verdict::Approve, "yes");
    reporting.findings = vec![finding(10, claim)];
    let mut table = table().with("a", 1, reporting).with("b", 1, denying).says("c", 1, Verdict::Approve);
    let open = table.decide();
    assert_eq!(open.conflicts.len(), 2);
    assert_ne!(open.conflicts[0].claim, open.conflicts[1].claim);
    table.rulings = vec![party(&open.conflicts[1].claim, "b", Side::Against, Side::Holds)];
    let settled = table.decide();
    assert!(settled.has_conflict && settled.conflicts[0].settled_by.is_none(), "{:?}", settled.conflicts);
}

fn choosing(options: &[&str]) -> Table {
    let mut table = table();
    table.classification.question = Question::Choice(options.iter().map(|one| (*one).to_owned()).collect());
    table
}

#[test]
fn a_third_side_is_not_settled_by_the_first_two() {
    let open = || choosing(&["A", "B", "C"]).chooses("a", 1, "A").chooses("b", 1, "B").chooses("c", 1, "C");
    let claim = open().decide().conflicts[0].claim.clone();
    let mut table = open();
    table.rulings = vec![party(&claim, "a", Side::Holds, Side::Against)];
    let decision = table.decide();
    assert_eq!(decision.choice.as_deref(), Some("B"));
    assert!(decision.has_conflict, "c says C, and nobody spoke of it");
    let left = decision.conflicts.iter().find(|conflict| conflict.settled_by.is_none()).unwrap();
    assert_eq!(
        (left.claim.as_str(), &left.holds, &left.against),
        ("the answer is B, not C", &ids(&["a", "b"]), &ids(&["c"]))
    );
    table.rulings.push(party("the answer is B, not C", "c", Side::Against, Side::Holds));
    let decision = table.decide();
    assert_eq!((decision.choice.as_deref(), decision.has_conflict), (Some("B"), false));
    assert!(decision.dissenters.is_empty(), "{:?}", decision.dissenters);
}

#[test]
fn an_option_that_lost_a_dispute_does_not_come_back() {
    let mut table = choosing(&["A", "B", "C"]).chooses("a", 1, "A").chooses("b", 1, "B").chooses("c", 1, "C");
    let arbiter = |claim: &str, holding_first: bool| Ruling {
        claim: claim.into(),
        member: id("z"),
        side: Some(Side::Against),
        speaker: Speaker::Arbiter { holding_first },
    };
    for claim in ["the answer is A, not B", "the answer is B, not C", "the answer is C, not A"] {
        table.rulings.extend([arbiter(claim, true), arbiter(claim, false)]);
    }
    let decision = table.decide();
    let claims: Vec<&str> = decision.conflicts.iter().map(|conflict| conflict.claim.as_str()).collect();
    assert_eq!(
        (claims, decision.choice.as_deref()),
        (vec!["the answer is A, not B", "the answer is B, not C"], Some("C"))
    );
    assert!(!decision.has_conflict);
}

#[test]
fn who_judges_one_place_in_two_ways_is_on_no_side() {
    let at = |severity: Severity, claim: &str| Finding { severity, ..finding(16, claim) };
    let judging = |findings: &[Finding]| {
        let mut opinion = says(Verdict::Reject, "see the list");
        opinion.findings = findings.to_vec();
        opinion
    };
    let (grave, fine) = (at(Severity::High, "the shift is fine here"), at(Severity::Low, "the shift is fine here"));
    let both = judging(&[grave.clone(), fine.clone()]);
    let decision = table().with("a", 1, judging(&[grave])).with("b", 1, both).with("c", 1, judging(&[fine])).decide();
    for conflict in &decision.conflicts {
        assert!(conflict.holds.iter().all(|one| !conflict.against.contains(one)), "{conflict:?}");
    }
}

#[test]
fn options_are_held_against_each_other_two_at_a_time_and_by_name() {
    let mut table = choosing(&["postgres", "sqlite", "redis"])
        .chooses("alpha", 1, "postgres")
        .chooses("bravo", 1, "sqlite")
        .chooses("charlie", 2, "sqlite")
        .chooses("delta", 3, "sqlite")
        .chooses("echo", 4, "redis");
    let open = table.decide();
    assert_eq!(open.conflicts.len(), 1, "{:?}", open.conflicts);
    let conflict = &open.conflicts[0];
    assert_eq!(conflict.claim, "the answer is sqlite, not postgres");
    assert_eq!((&conflict.holds, &conflict.against), (&ids(&["bravo", "charlie", "delta"]), &ids(&["alpha"])));
    assert!(names(&open.dissenters).contains(&"echo"), "the third option is told as what it is");
    table.rulings = vec![party(&conflict.claim, "alpha", Side::Against, Side::Holds)];
    let settled = table.decide();
    assert_eq!((settled.choice.as_deref(), settled.has_conflict), (Some("sqlite"), false), "redis weighs too little");
}

#[test]
fn a_third_option_of_a_peer_is_still_to_be_argued_when_the_first_two_have_settled_it() {
    let mut table = choosing(&["A", "B", "C"]).chooses("a", 1, "A").chooses("b", 1, "B").chooses("c", 1, "C");
    table.rulings = vec![party("the answer is A, not B", "b", Side::Against, Side::Holds)];
    let decision = table.decide();
    let claims: Vec<&str> = decision.conflicts.iter().map(|conflict| conflict.claim.as_str()).collect();
    assert_eq!(claims, ["the answer is A, not B", "the answer is A, not C"]);
    assert!(decision.has_conflict && decision.choice.as_deref() == Some("A"));
    assert_eq!(decision.conflicts[1].against, ids(&["c"]));
}

#[test]
fn who_votes_for_an_option_is_told_with_its_own_reason() {
    let text = |option: &str, why: &str| {
        let answer = format!("I weighed both. {why}\n\n```json\n{{\"choice\":\"{option}\"}}\n```");
        let question = Question::Choice(["postgres", "sqlite"].map(str::to_owned).to_vec());
        crate::opinion::read(&answer, &question, &crate::source::Sources::default())
    };
    let decision = choosing(&["postgres", "sqlite"])
        .with("alpha", 1, text("postgres", "Postgres takes many writers."))
        .with("bravo", 1, text("sqlite", "One file is enough: SQLite."))
        .decide();
    assert_eq!(decision.conflicts[0].claim, "the answer is postgres, not sqlite");
    let reasons: Vec<&str> = decision.conflicts[0].reasons.iter().map(|said| said.reason.as_str()).collect();
    assert_eq!(reasons, ["Postgres takes many writers.", "One file is enough: SQLite."]);
}

/// `alpha` and `bravo` report one fault in words of their own, `charlie` says of that line that it does not hold.
fn merged_and_denied(denial: &str, evidence: Option<&str>) -> Decision {
    let reports = |claim: &str, evidence: &str| {
        let mut opinion = says(Verdict::Reject, "see the list");
        opinion.findings = vec![Finding { evidence: Some(evidence.into()), ..finding(5, claim) }];
        opinion
    };
    let mut denies = says(Verdict::Reject, "only style");
    let evidence = evidence.map(str::to_owned);
    denies.findings = vec![Finding { stance: Stance::DoesNotHold, evidence, ..finding(5, denial) }];
    table()
        .with("alpha", 1, reports("Off by one in page_of at the last page", "`/` rounds down"))
        .with("bravo", 1, reports("page_of is off by one for the last page", "11 / 10 is 1"))
        .with("charlie", 1, denies)
        .decide()
}

#[test]
fn one_merged_finding_is_one_dispute_of_all_who_report_it_against_all_who_deny_it() {
    for denial in ["Off by one in page_of at the last page", "Nothing to mend: every caller adds its own"] {
        let decision = merged_and_denied(denial, Some("callers add 1"));
        assert_eq!(decision.issues.len(), 1, "{:?}", decision.issues);
        assert_eq!(decision.issues[0].denied_by, ids(&["charlie"]));
        assert_eq!(decision.conflicts.len(), 1, "{denial}: {:?}", decision.conflicts);
        let conflict = &decision.conflicts[0];
        assert_eq!((&conflict.holds, &conflict.against), (&ids(&["alpha", "bravo"]), &ids(&["charlie"])));
        let reasons: Vec<&str> = conflict.reasons.iter().map(|said| said.reason.as_str()).collect();
        assert_eq!(reasons, ["`/` rounds down", "11 / 10 is 1", "callers add 1"], "each in its own words");
    }
}

#[test]
fn the_denied_claim_is_no_reason_to_deny_it() {
    let reasons = |denial| merged_and_denied(denial, None).conflicts[0].reasons.len();
    assert_eq!(reasons("Off by one in page_of at the last page"), 2);
    assert_eq!(reasons("Callers of page_of add one at the last page"), 3);
}

#[test]
fn severities_far_apart_are_said_at_the_finding() {
    let rates = |severity| Finding { severity, ..finding(5, "off by one in page_of") };
    let decision = table()
        .finds("alpha", 1, &[rates(Severity::Low)])
        .finds("bravo", 1, &[rates(Severity::Critical)])
        .finds("charlie", 2, &[rates(Severity::Low)])
        .decide();
    let told: Vec<(Severity, &[MemberId])> =
        decision.issues[0].severities.iter().map(|rated| (rated.severity, rated.by.as_slice())).collect();
    assert_eq!(told, [(Severity::Low, &ids(&["alpha", "charlie"])[..]), (Severity::Critical, &ids(&["bravo"])[..])]);
    let near =
        table().finds("alpha", 1, &[rates(Severity::Low)]).finds("bravo", 1, &[rates(Severity::Medium)]).decide();
    assert!(near.issues[0].severities.is_empty(), "one level is no difference");
}
