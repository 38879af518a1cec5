//! From feedback to experience: each word on a decision whose right option is known becomes a lesson.

use std::collections::BTreeMap;

use super::{ClaimKind, Fact, Feedback, Version};
use crate::ids::MemberId;
use crate::learning::findings::FindingsExperience;
use crate::learning::patches::PatchesExperience;
use crate::learning::{Experience, Knowledge, Lesson, Tiers, Vote, faded};
use crate::member::Member;

/// What is known of members after all feedback that counts, in the order in which it was given. A member whose model
/// is another one now than it was then starts from half of what was known.
#[must_use]
pub fn experience(feedback: &[Feedback], members: &[Member], tiers: &Tiers) -> Experience {
    let newest = newest(feedback);
    let of = |claim: ClaimKind| {
        let lessons: Vec<&Feedback> = feedback.iter().filter(|said| teaches(said, claim)).collect();
        if lessons.is_empty() {
            return Knowledge::default();
        }
        let aged = lessons.iter().rev().zip(0..).map(|(said, age)| lesson(said, age, &newest, members));
        Knowledge::learn(aged, tiers)
    };
    let findings = findings(feedback, &newest, members);
    let patches = patches(feedback, &newest, members);
    Experience { choices: of(ClaimKind::Choice), verdicts: of(ClaimKind::Verdict), findings, patches }
}

/// Each word on a finding counts for those who reported or denied it.
fn findings(feedback: &[Feedback], newest: &BTreeMap<&MemberId, &Version>, members: &[Member]) -> FindingsExperience {
    let mut experience = FindingsExperience::default();
    let judged = feedback.iter().filter(|said| said.facts.iter().any(|fact| fact.claim == ClaimKind::Finding));
    for (said, age) in judged.rev().zip(0..) {
        experience.reviews = experience.reviews.saturating_add(1);
        for fact in said.facts.iter().filter(|fact| fact.claim == ClaimKind::Finding) {
            let share = if has_changed(fact, newest, members) { 0.5 } else { 1.0 };
            experience.judge(fact.member.as_str(), fact.right, share * faded(age));
        }
    }
    experience
}

/// Each word on a patch counts for those who wrote it.
fn patches(feedback: &[Feedback], newest: &BTreeMap<&MemberId, &Version>, members: &[Member]) -> PatchesExperience {
    let mut experience = PatchesExperience::default();
    let judged = feedback.iter().filter(|said| said.facts.iter().any(|fact| fact.claim == ClaimKind::Patch));
    for (said, age) in judged.rev().zip(0..) {
        experience.patches = experience.patches.saturating_add(1);
        let topic = said.kind.map_or("", crate::task::Kind::as_str);
        for fact in said.facts.iter().filter(|fact| fact.claim == ClaimKind::Patch) {
            let share = if has_changed(fact, newest, members) { 0.5 } else { 1.0 };
            experience.judge(fact.member.as_str(), topic, fact.right, share * faded(age));
        }
    }
    experience
}

fn teaches(said: &Feedback, claim: ClaimKind) -> bool {
    said.right.is_some() && said.facts.iter().any(|fact| fact.claim == claim && fact.option.is_some())
}

fn lesson<'a>(said: &'a Feedback, age: u32, newest: &BTreeMap<&MemberId, &Version>, members: &[Member]) -> Lesson<'a> {
    let vote = |fact: &'a Fact| Vote {
        tier: fact.tier,
        member: fact.member.as_str(),
        family: &fact.family,
        option: fact.option.as_deref(),
    };
    let changed = said.facts.iter().filter(|fact| has_changed(fact, newest, members));
    Lesson {
        topic: said.kind.map_or("", crate::task::Kind::as_str),
        options: said.options,
        votes: said.facts.iter().map(vote).collect(),
        right: said.right.as_deref().unwrap_or_default(),
        age,
        changed: changed.map(|fact| fact.member.as_str()).collect(),
    }
}

/// Each member's version as it was last seen.
fn newest(feedback: &[Feedback]) -> BTreeMap<&MemberId, &Version> {
    feedback.iter().flat_map(|said| &said.facts).map(|fact| (&fact.member, &fact.version)).collect()
}

/// What is configured now differs from what was, or the member has told of another model since.
fn has_changed(fact: &Fact, newest: &BTreeMap<&MemberId, &Version>, members: &[Member]) -> bool {
    let differs = |then: &Option<String>, now: Option<&String>| match (then, now) {
        (Some(then), Some(now)) => then != now,
        _ => false,
    };
    let now = members.iter().find(|member| member.id == fact.member);
    differs(&fact.version.configured, now.and_then(|member| member.model.as_ref()))
        || differs(&fact.version.reported, newest.get(&fact.member).and_then(|version| version.reported.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Rules;
    use crate::feedback::{Source, Subject};
    use crate::ids::RunId;
    use crate::learning::ENOUGH;
    use crate::member::tests::seat;
    use crate::task::Kind;

    fn fact(name: &str, option: &str, right: bool, model: &str) -> Fact {
        Fact {
            member: MemberId::parse(name).unwrap(),
            tier: 2,
            family: name.into(),
            version: Version { configured: Some("c".into()), reported: Some(model.into()) },
            claim: ClaimKind::Verdict,
            option: Some(option.into()),
            right,
        }
    }

    /// `a` said approve and was right, `b` said reject.
    fn said(model: &str) -> Feedback {
        Feedback {
            run: RunId::parse("0192f3a4-5b6c-7d8e-9f00-112233445566").unwrap(),
            subject: Subject::Decision,
            good: true,
            source: Source::Person,
            kind: Some(Kind::CodeReview),
            options: 2,
            right: Some("approve".into()),
            facts: vec![fact("a", "approve", true, model), fact("b", "reject", false, model)],
        }
    }

    fn learn(feedback: &[Feedback], members: &[Member]) -> Experience {
        experience(feedback, members, &Rules::default().tier_reliability)
    }

    #[test]
    fn who_was_right_is_trusted_more_than_who_was_wrong() {
        let many: Vec<Feedback> = (0..ENOUGH + 20).map(|_| said("m")).collect();
        let known = learn(&many, &[]).verdicts;
        let tiers = Rules::default().tier_reliability;
        let trust = |name| known.reliability(name, 2, Kind::CodeReview.as_str(), &tiers);
        assert!(known.is_enough() && trust("a") > 0.75 && trust("b") < 0.5, "{} {}", trust("a"), trust("b"));
        assert!(learn(&many, &[]).choices.members.is_empty(), "nothing was chosen");
    }

    #[test]
    fn another_model_starts_from_half_of_what_was_known() {
        let asked =
            |feedback: &[Feedback], members: &[Member]| learn(feedback, members).verdicts.members["a"].counts.asked;
        let mut seats = [seat("a", 2)];
        seats[0].model = Some("c".into());
        assert_eq!(asked(&[said("m")], &seats), 1_000_000);
        seats[0].model = Some("d".into());
        assert_eq!(asked(&[said("m")], &seats), 500_000, "configured anew");
        assert!(asked(&[said("m"), said("n")], &[]) < 1_500_001, "told of another one since");
    }

    #[test]
    fn words_on_findings_are_counted_and_fade() {
        let finding = |right| Fact { claim: ClaimKind::Finding, option: None, ..fact("a", "", right, "m") };
        let said = |right| Feedback { right: None, facts: vec![finding(right)], ..said("m") };
        let known = learn(&[said(true), said(false)], &[]).findings;
        let counts = known.members["a"];
        assert_eq!((known.reviews, counts.asked < 2_000_000, counts.right < 1_000_000), (2, true, true));
        assert!(counts.asked > 1_990_000, "one later word takes little away");
    }

    #[test]
    fn words_on_patches_count_for_their_authors_by_kind_of_task_and_fade() {
        let wrote = |right, model| Fact { claim: ClaimKind::Patch, option: None, ..fact("a", "", right, model) };
        let of = |number, right, model| Feedback {
            subject: Subject::Patch { number },
            right: None,
            facts: vec![wrote(right, model)],
            ..said("m")
        };
        let known = learn(&[of(1, true, "m"), of(2, false, "m")], &[]);
        let record = &known.patches.members["a"];
        assert_eq!((known.patches.patches, record.topics.len()), (2, 1));
        assert!(record.counts.asked < 2_000_000 && record.counts.right < 1_000_000, "the older one fades: {record:?}");
        assert!(known.verdicts.members.is_empty() && known.findings.members.is_empty(), "and teach nothing else");
        let changed = learn(&[of(1, true, "m"), of(2, true, "n")], &[]);
        assert!(changed.patches.members["a"].counts.asked < 1_500_001, "another model starts from half");
    }

    #[test]
    fn what_does_not_say_which_option_is_right_teaches_nothing() {
        let unknown = Feedback { right: None, ..said("m") };
        assert!(learn(&[unknown], &[]).is_empty());
    }
}
