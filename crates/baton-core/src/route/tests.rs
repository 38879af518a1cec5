//! Teams of made-up members.

use std::sync::LazyLock;

use super::*;
use crate::classify::classify;
use crate::classify::tests::task;
use crate::member::tests::seat;
use crate::task::{Complexity, Kind};

fn rows() -> Vec<RoleRow> {
    let id = |text: &str| MemberId::parse(text).unwrap();
    vec![RoleRow {
        kind: Kind::SecurityReview,
        primary: vec![id("c")],
        secondary: vec![id("b"), id("absent")],
        because: "security expertise".into(),
    }]
}

fn members() -> Vec<Member> {
    vec![seat("a", 1), seat("b", 2), seat("c", 5), seat("d", 3)]
}

/// Nobody is busy and nothing was learned.
fn idle<'a>(rules: &'a Rules, named: &'a [MemberId]) -> Request<'a> {
    static NOTHING: LazyLock<(Experience, BTreeMap<MemberId, Load>)> = LazyLock::new(Default::default);
    let (experience, load) = (&NOTHING.0, &NOTHING.1);
    Request { members: &[], roles: &[], rules, experience, load, tokens: 100, named, grows: false }
}

fn team(prompt: &str, change: impl Fn(&mut Classification), members: &[Member], named: &[MemberId]) -> Team {
    let mut classification = classify(&task(prompt));
    change(&mut classification);
    let rules = Rules::default();
    route(&classification, &Request { members, roles: &rows(), ..idle(&rules, named) })
}

fn ids(team: &Team) -> Vec<&str> {
    team.seats.iter().map(|seat| seat.member.as_str()).collect()
}

#[test]
fn the_matrix_comes_before_the_tier() {
    let team = team("security review of the login", |_| {}, &members(), &[]);
    assert_eq!(ids(&team), ["c", "b", "a"]);
    assert_eq!(team.seats[0].role, Role::Primary);
    assert_eq!(team.seats[2].role, Role::Critic);
    assert!(team.seats[0].rule.contains("security expertise"));
    assert_eq!(team.ladder, [MemberId::parse("d").unwrap()]);
}

#[test]
fn a_quick_task_takes_one_and_a_critical_one_takes_all() {
    let quick = team("fix the typo", |_| {}, &members(), &[]);
    assert_eq!(ids(&quick), ["a"]);
    let critical = team("fix the typo", |seen| seen.priority = Priority::Critical, &members(), &[]);
    assert_eq!(critical.seats.len(), 4);
    assert_eq!(critical.vendors_needed, 3);
}

#[test]
fn a_team_that_may_grow_starts_with_the_fewest_and_holds_the_rest_back() {
    let mut classification = classify(&task("security review of the login"));
    classification.priority = Priority::High;
    let (members, rules) = (members(), Rules::default());
    let request = Request { members: &members, roles: &rows(), grows: true, ..idle(&rules, &[]) };
    let team = route(&classification, &request);
    assert_eq!(ids(&team), ["c", "b", "a"]);
    assert_eq!(team.held.iter().map(|seat| seat.member.as_str()).collect::<Vec<_>>(), ["d"]);
    assert_eq!(team.seats[2].role, Role::Critic, "the first wave has its critic");
    let whole = route(&classification, &Request { grows: false, ..request });
    assert_eq!(whole.seats.len(), 4, "what cannot be asked later is asked at once");
}

#[test]
fn vendors_are_mixed_until_the_quorum_can_be_met() {
    let mut same = members();
    same[0].vendor = "x".into();
    same[1].vendor = "x".into();
    same[3].vendor = "x".into();
    let team = team("please do the thing", |seen| seen.complexity = Complexity::Standard, &same, &[]);
    assert_eq!(ids(&team), ["a", "c", "b"], "c is the only other vendor");
}

#[test]
fn one_vendor_is_said_before_money_is_spent() {
    let team = team("review this diff", |_| {}, &[seat("a", 1)], &[]);
    assert_eq!((team.vendors_needed, team.vendors_present), (2, 1));
    assert!(team.notes.iter().any(|note| note.contains("will end in review")), "{:?}", team.notes);
}

#[test]
fn a_member_that_cannot_hold_the_task_is_not_asked_and_that_is_said() {
    let mut small = members();
    small[0].context_window = 2_000;
    let team = team("fix the typo", |_| {}, &small, &[]);
    assert_eq!(ids(&team), ["b"]);
    assert!(team.notes.iter().any(|note| note.contains("a is left out")));
}

fn busy(names: &[&str]) -> BTreeMap<MemberId, Load> {
    let busy = |name: &&str| (MemberId::parse(name).unwrap(), Load { in_flight: 3, usual_ms: None });
    names.iter().map(busy).collect()
}

#[test]
fn equal_seats_share_the_load_and_unequal_ones_do_not() {
    let classification = classify(&task("fix the typo"));
    let rules = Rules::default();
    let lead = |members: &[Member], load: &BTreeMap<MemberId, Load>| {
        route(&classification, &Request { members, load, ..idle(&rules, &[]) }).seats[0].member.to_string()
    };
    let equal = [seat("a", 2), seat("b", 2)];
    assert_eq!(lead(&equal, &BTreeMap::new()), "a");
    assert_eq!(lead(&equal, &busy(&["a"])), "b");
    assert_eq!(lead(&equal, &busy(&["a", "b"])), "a");
    assert_eq!(lead(&[seat("a", 1), seat("b", 2)], &busy(&["a"])), "a", "the stronger one is worth waiting for");
}

#[test]
fn of_equal_seats_the_cheaper_and_then_the_quicker_one_is_asked() {
    let classification = classify(&task("fix the typo"));
    let rules = Rules::default();
    let mut members = [seat("a", 2), seat("b", 2)];
    let slow = Load { in_flight: 0, usual_ms: Some(60_000) };
    let load = BTreeMap::from([(members[0].id.clone(), slow)]);
    let lead = |members: &[Member]| {
        route(&classification, &Request { members, load: &load, ..idle(&rules, &[]) }).seats[0].member.to_string()
    };
    assert_eq!(lead(&members), "b");
    members[1].price = members[1].price.map(|price| crate::member::Price { output: price.output * 4, ..price });
    assert_eq!(lead(&members), "a");
}

#[test]
fn what_was_measured_goes_before_the_tier_and_moves_seats_within_the_matrix() {
    use crate::learning::{Knowledge, Lesson, Vote};
    let rules = Rules::default();
    let vote = |member, option| Vote { tier: 2, member, family: member, option: Some(option) };
    let lesson = |_| Lesson {
        topic: "security_review",
        options: 2,
        votes: vec![vote("b", "reject"), vote("c", "approve")],
        right: "reject",
        age: 0,
        changed: vec![],
    };
    let verdicts = Knowledge::learn((0..150).map(lesson), &rules.tier_reliability);
    let experience = Experience { verdicts, ..Experience::default() };
    let classification = classify(&task("security review of the login"));
    let mut both = rows();
    both[0].primary = vec![MemberId::parse("c").unwrap(), MemberId::parse("b").unwrap()];
    let members = [seat("b", 3), seat("c", 1), seat("d", 2)];
    let seats = |roles: &[RoleRow]| {
        let request = Request { members: &members, roles, experience: &experience, ..idle(&rules, &[]) };
        ids(&route(&classification, &request)).join(" ")
    };
    assert_eq!(seats(&[]), "b d c", "who was right, who is unknown, who was wrong");
    assert_eq!(seats(&both), "b c d");
}

#[test]
fn nobody_gets_two_seats() {
    let named = [MemberId::parse("d").unwrap(), MemberId::parse("d").unwrap()];
    assert_eq!(ids(&team("fix the typo", |_| {}, &members(), &named)), ["d"]);
    let mut doubled = rows();
    doubled[0].secondary = vec![MemberId::parse("c").unwrap(), MemberId::parse("b").unwrap()];
    let classification = classify(&task("security review of the login"));
    let (members, rules) = (members(), Rules::default());
    let request = Request { members: &members, roles: &doubled, ..idle(&rules, &[]) };
    assert_eq!(ids(&route(&classification, &request)), ["c", "b", "a"]);
}

#[test]
fn named_members_are_taken_as_named() {
    let named = [MemberId::parse("d").unwrap(), MemberId::parse("a").unwrap()];
    let team = team("fix the typo", |_| {}, &members(), &named);
    assert_eq!(ids(&team), ["d", "a"]);
    assert!(team.ladder.is_empty(), "nobody steps in for a member that was named");
}

/// A member of a vendor, family and model, on a subscription.
fn of(name: &str, vendor: &str, model: &str, tier: u8, strengths: &[Kind]) -> Member {
    let payer = crate::member::Payer::Subscription;
    let (vendor, family, model) = (vendor.to_owned(), format!("{vendor}-family"), Some(model.to_owned()));
    Member { vendor, family, model, payer, strengths: strengths.to_vec(), ..seat(name, tier) }
}

/// Seats of the catalogue, of four vendors.
fn catalogue() -> Vec<Member> {
    use Kind::{Architecture, CodeReview, CodebaseAnalysis, Implementation, Performance, QuickFix};
    vec![
        of("claude", "anthropic", "sonnet", 1, &[Architecture, CodebaseAnalysis]),
        of("codex-low", "openai", "codex", 2, &[QuickFix]),
        of("codex-medium", "openai", "codex", 2, &[CodeReview, Implementation]),
        of("codex-high", "openai", "codex", 2, &[Implementation, Performance]),
        of("gpt5-high", "openai", "gpt-5", 5, &[Architecture]),
        of("copilot", "github", "auto", 5, &[Implementation, CodeReview]),
        of("cursor", "cursor", "auto", 3, &[Performance]),
    ]
}

fn matrix() -> Vec<RoleRow> {
    let ids = |names: &[&str]| names.iter().map(|name| MemberId::parse(name).unwrap()).collect();
    let row = |kind, primary: &[&str], secondary: &[&str]| RoleRow {
        kind,
        primary: ids(primary),
        secondary: ids(secondary),
        because: "so".into(),
    };
    vec![
        row(Kind::Architecture, &["claude"], &["gpt5-high", "gemini-pro"]),
        row(Kind::Implementation, &["codex-high"], &["codex-medium"]),
        row(Kind::CodebaseAnalysis, &["gemini-pro"], &["claude"]),
    ]
}

fn seated(kind: Kind, complexity: Complexity, change: impl Fn(&mut Request<'_>)) -> Team {
    let mut classification = classify(&task("please do the thing"));
    (classification.kind, classification.complexity, classification.unsure) = (kind, complexity, false);
    let (members, roles, rules) = (catalogue(), matrix(), Rules::default());
    let mut request = Request { members: &members, roles: &roles, grows: true, ..idle(&rules, &[]) };
    change(&mut request);
    route(&classification, &request)
}

fn all_ids(team: &Team) -> Vec<&str> {
    team.seats.iter().chain(&team.held).map(|seat| seat.member.as_str()).collect()
}

fn rule<'a>(team: &'a Team, name: &str) -> &'a str {
    &team.seats.iter().chain(&team.held).find(|seat| seat.member.as_str() == name).unwrap().rule
}

#[test]
fn seats_go_round_the_vendors_and_a_second_one_of_a_model_comes_last() {
    let team = seated(Kind::Architecture, Complexity::Complex, |_| {});
    assert_eq!(ids(&team), ["claude", "gpt5-high", "cursor", "copilot", "codex-high"]);
    assert_eq!(rule(&team, "cursor"), "tier 3; a vendor that has no seat yet");
    let team = seated(Kind::CodebaseAnalysis, Complexity::Complex, |_| {});
    assert_eq!(all_ids(&team), ["claude", "codex-high", "cursor", "copilot", "gpt5-high", "codex-low", "codex-medium"]);
    assert_eq!(rule(&team, "gpt5-high"), "tier 5; a model that has no seat yet");
}

#[test]
fn whom_the_matrix_names_stays_before_whom_nobody_named() {
    let team = seated(Kind::Implementation, Complexity::Standard, |_| {});
    assert_eq!(all_ids(&team), ["codex-high", "codex-medium", "copilot", "claude"], "its vendor sits there already");
    assert!(rule(&team, "codex-medium").starts_with("role matrix: secondary"));
}

#[test]
fn the_first_wave_keeps_room_for_the_vendors_that_are_needed() {
    let mut rules = Rules::default();
    rules.team.standard.least = 2;
    let team = seated(Kind::Implementation, Complexity::Standard, |request| {
        let rules: &'static Rules = Box::leak(Box::new(rules.clone()));
        request.rules = rules;
    });
    assert_eq!(all_ids(&team), ["codex-high", "copilot", "codex-medium", "claude"]);
    assert!(rule(&team, "copilot").ends_with("the decision needs another vendor"), "{}", rule(&team, "copilot"));
}

#[test]
fn the_stronger_tier_steps_in_first_and_only_then_who_is_strong_in_the_kind() {
    let team = seated(Kind::Implementation, Complexity::Quick, |_| {});
    assert_eq!(all_ids(&team), ["codex-high", "codex-medium"]);
    let ladder: Vec<&str> = team.ladder.iter().map(MemberId::as_str).collect();
    assert_eq!(ladder, ["claude", "codex-medium", "codex-low", "cursor", "copilot", "gpt5-high"]);
}

#[test]
fn what_was_measured_is_told_and_counts_on_the_ladder() {
    use crate::learning::{Counts, MemberKnowledge};
    let mut experience = Experience::default();
    let counts = |right: u64, asked: u64| Counts { right: right * 1_000_000, asked: asked * 1_000_000 };
    let known = |counts| MemberKnowledge { counts, ..MemberKnowledge::default() };
    for name in ["a", "b"] {
        let counts = if name == "a" { counts(20, 60) } else { counts(50, 60) };
        experience.verdicts.members.insert(name.into(), known(counts));
    }
    let mut classification = classify(&task("fix the typo"));
    classification.question = crate::task::Question::Verdict;
    let (members, rules) = ([seat("a", 1), seat("b", 2), seat("c", 3)], Rules::default());
    let team = route(&classification, &Request { members: &members, experience: &experience, ..idle(&rules, &[]) });
    assert_eq!(team.seats[0].rule, "tier 2; right in 83 % of 60");
    let ladder: Vec<&str> = team.ladder.iter().map(MemberId::as_str).collect();
    assert_eq!(ladder, ["c", "a"]);
    assert_eq!(team.remarks[&team.ladder[1]], "right in 33 % of 60");
}

#[test]
fn price_time_and_load_are_told_where_they_decided() {
    let classification = classify(&task("fix the typo"));
    let rules = Rules::default();
    let lead = |members: &[Member], load: &BTreeMap<MemberId, Load>| {
        let team = route(&classification, &Request { members, load, ..idle(&rules, &[]) });
        (team.seats[0].rule.clone(), team.remarks.values().cloned().collect::<Vec<_>>())
    };
    let mut members = [seat("ace", 3), seat("bob", 3)];
    let slow = BTreeMap::from([(members[0].id.clone(), Load { in_flight: 0, usual_ms: Some(60_000) })]);
    assert_eq!(lead(&members, &slow), ("tier 3; usually faster than ace".into(), vec![]));
    let (rule, remarks) = lead(&members, &busy(&["ace"]));
    assert_eq!((rule.as_str(), remarks), ("tier 3; more places free than ace", vec!["3 of 4 places taken".to_owned()]));
    members[0].price = members[0].price.map(|price| crate::member::Price { output: price.output * 90, ..price });
    assert_eq!(lead(&members, &BTreeMap::new()).0, "tier 3; cheaper than ace");
    members[1].price = None;
    assert_eq!(lead(&members, &BTreeMap::new()).0, "tier 3; cheaper than ace", "an unknown price counts as a cent");
    assert_eq!(lead(&[seat("ace", 3), seat("bob", 3)], &BTreeMap::new()).0, "tier 3", "a name decides nothing");
}

#[test]
fn a_member_that_was_measured_to_be_poor_gets_no_seat_for_its_vendor() {
    use crate::learning::{Counts, MemberKnowledge};
    let counts = Counts { right: 10_000_000, asked: 200_000_000 };
    let mut experience = Experience::default();
    experience.verdicts.members.insert("copilot".into(), MemberKnowledge { counts, ..MemberKnowledge::default() });
    let experience: &'static Experience = Box::leak(Box::new(experience));
    let team = seated(Kind::Architecture, Complexity::Complex, |request| request.experience = experience);
    assert_eq!(ids(&team), ["claude", "gpt5-high", "cursor", "codex-high", "codex-low"]);
}
