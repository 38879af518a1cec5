//! Who is asked. A pure choice from the members present: role matrix first, then strengths, then tier; several
//! vendors where the decision needs them. Every seat says which rule chose it.

mod fitness;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::catalog::{RoleRow, Rules, TeamSize};
use crate::classify::Classification;
use crate::ids::MemberId;
use crate::learning::Experience;
use crate::member::Member;
use crate::task::Priority;

pub use fitness::Load;

use fitness::Fitness;

/// What a seat is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Primary,
    Secondary,
    /// Asked to look for what the others will miss.
    Critic,
    Arbiter,
    /// A check: its outcome is evidence.
    Check,
}

impl Role {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Secondary => "secondary",
            Self::Critic => "critic",
            Self::Arbiter => "arbiter",
            Self::Check => "check",
        }
    }
}

/// One seat of a team and the rule that chose it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat {
    pub member: MemberId,
    pub role: Role,
    pub rule: String,
}

/// The team of a run, who would step in, and what the user should know about the choice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Team {
    pub seats: Vec<Seat>,
    /// Seats that are asked later, while what they may say is worth its cost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<Seat>,
    /// Members not seated, best first.
    pub ladder: Vec<MemberId>,
    /// Distinct vendors that the decision needs.
    pub vendors_needed: u8,
    /// Distinct vendors among all members present: fewer than needed can never make a quorum.
    pub vendors_present: u8,
    pub notes: Vec<String>,
}

impl Team {
    /// Who may step in, best first: the seats that were held back, then those that got none.
    pub fn reserves(&self) -> impl Iterator<Item = &MemberId> {
        self.held.iter().map(|seat| &seat.member).chain(&self.ladder)
    }
}

/// What the choice is made from.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub members: &'a [Member],
    pub roles: &'a [RoleRow],
    pub rules: &'a Rules,
    /// What was learned of members.
    pub experience: &'a Experience,
    /// How busy and how quick they are; members without an entry are idle and of unknown speed.
    pub load: &'a BTreeMap<MemberId, Load>,
    /// Tokens that each member must read.
    pub tokens: u64,
    /// When not empty, just these, in this order: the user named them.
    pub named: &'a [MemberId],
    /// Seats may be held back at first: the workflow asks them later if need be.
    pub grows: bool,
}

struct Candidate<'a> {
    member: &'a Member,
    rule: String,
}

/// Room that an answer and an agent's own preamble need beside the prompt.
pub(crate) const WINDOW_RESERVE: u64 = 4_000;

/// Chooses the team for a classified task.
#[must_use]
pub fn route(classification: &Classification, request: &Request<'_>) -> Team {
    let mut notes = Vec::new();
    let candidates = candidates(classification, request, &mut notes);
    let vendors_needed = request.rules.quorum.of(classification.complexity, classification.priority);
    let vendors_present = count_vendors(candidates.iter().map(|candidate| candidate.member));
    let size = team_size(classification, request, candidates.len());
    let (chosen, rest) = choose(candidates, size.most, usize::from(vendors_needed));
    if vendors_present < vendors_needed {
        notes.push(format!(
            "this task needs {vendors_needed} vendors and {vendors_present} can be asked: it will end in review"
        ));
    }
    let ladder = rest.into_iter().map(|candidate| candidate.member.id.clone()).collect();
    let (seats, held) = seats(chosen, size.least);
    Team { seats, held, ladder, vendors_needed, vendors_present, notes }
}

/// The first wave, and what it may grow to.
struct Size {
    least: usize,
    most: usize,
}

/// A critical task asks everybody at once, and so does a user who names members.
fn team_size(classification: &Classification, request: &Request<'_>, present: usize) -> Size {
    if !request.named.is_empty() || classification.priority == Priority::Critical {
        return Size { least: present, most: present };
    }
    let mut size = request.rules.team.of(classification.complexity);
    if !request.grows {
        let wanted = if classification.priority == Priority::High { size.most } else { size.least };
        size = TeamSize { least: wanted, most: wanted };
    }
    Size { least: usize::from(size.least).min(present), most: usize::from(size.most).min(present) }
}

/// All members that can be asked, best first.
fn candidates<'a>(
    classification: &Classification,
    request: &Request<'a>,
    notes: &mut Vec<String>,
) -> Vec<Candidate<'a>> {
    let fits = |member: &&Member| {
        let fits = request.tokens.saturating_add(WINDOW_RESERVE) <= member.context_window;
        if !fits {
            notes.push(format!("{} is left out: the task does not fit its context window", member.id));
        }
        fits
    };
    let present: Vec<&Member> = request.members.iter().filter(|member| !member.is_check()).filter(fits).collect();
    if !request.named.is_empty() {
        let find = |id: &MemberId| present.iter().copied().find(|member| member.id == *id);
        let mut seen = BTreeSet::new();
        let named = request.named.iter().filter(|id| seen.insert(*id)).filter_map(find);
        return named.map(|member| Candidate { member, rule: "you named it".into() }).collect();
    }
    let mut ordered = Vec::new();
    if !classification.unsure {
        let row = request.roles.iter().find(|row| row.kind == classification.kind);
        matrix_seats(row, classification, request, &present, &mut ordered);
    }
    ordered.extend(by_fitness(classification, request, &present, &ordered));
    ordered
}

/// The matrix's own order holds until members were measured to be better or worse than it takes them for, or are busy.
fn matrix_seats<'a>(
    row: Option<&RoleRow>,
    classification: &Classification,
    request: &Request<'_>,
    present: &[&'a Member],
    ordered: &mut Vec<Candidate<'a>>,
) {
    let Some(row) = row else { return };
    for (ids, role) in [(&row.primary, "primary"), (&row.secondary, "secondary")] {
        let mut listed: Vec<&Member> = Vec::new();
        for id in ids {
            let taken = ordered.iter().map(|one| one.member).chain(listed.iter().copied()).any(|one| one.id == *id);
            listed.extend(present.iter().copied().find(|member| member.id == *id && !taken));
        }
        listed.sort_by_key(|member| Fitness::busyness(member, classification, request));
        let rule = format!("role matrix: {role} for {} ({})", row.kind, row.because);
        ordered.extend(listed.into_iter().map(|member| Candidate { member, rule: rule.clone() }));
    }
}

fn by_fitness<'a>(
    classification: &Classification,
    request: &Request<'_>,
    present: &[&'a Member],
    taken: &[Candidate<'a>],
) -> Vec<Candidate<'a>> {
    let strong = |member: &Member| !classification.unsure && member.strengths.contains(&classification.kind);
    let mut rest: Vec<&Member> =
        present.iter().copied().filter(|member| !taken.iter().any(|one| one.member.id == member.id)).collect();
    rest.sort_by_cached_key(|member| {
        (!strong(member), Fitness::of(member, classification, request), member.tier, member.id.clone())
    });
    let rule = |member: &Member| {
        if strong(member) { format!("strong in {}", classification.kind) } else { format!("tier {}", member.tier) }
    };
    rest.into_iter().map(|member| Candidate { member, rule: rule(member) }).collect()
}

/// Takes seats in order, but while vendors are still missing a new vendor goes before a known one.
fn choose(mut pool: Vec<Candidate<'_>>, wanted: usize, vendors: usize) -> (Vec<Candidate<'_>>, Vec<Candidate<'_>>) {
    let mut chosen: Vec<Candidate<'_>> = Vec::with_capacity(wanted);
    while chosen.len() < wanted && !pool.is_empty() {
        let known: BTreeSet<&str> = chosen.iter().map(|one| one.member.vendor.as_str()).collect();
        let fresh = pool.iter().position(|one| !known.contains(one.member.vendor.as_str()));
        let next = if known.len() < vendors { fresh.unwrap_or(0) } else { 0 };
        chosen.push(pool.remove(next));
    }
    (chosen, pool)
}

/// The first wave and the seats that are held back.
fn seats(chosen: Vec<Candidate<'_>>, first_wave: usize) -> (Vec<Seat>, Vec<Seat>) {
    let last = first_wave.saturating_sub(1);
    let role = |index: usize| match index {
        0 => Role::Primary,
        _ if index == last && last >= 2 => Role::Critic,
        _ => Role::Secondary,
    };
    let seat = |(index, one): (usize, Candidate<'_>)| Seat {
        member: one.member.id.clone(),
        role: role(index),
        rule: one.rule,
    };
    let mut seats: Vec<Seat> = chosen.into_iter().enumerate().map(seat).collect();
    let held = seats.split_off(first_wave.min(seats.len()));
    (seats, held)
}

fn count_vendors<'a>(members: impl Iterator<Item = &'a Member>) -> u8 {
    let vendors: BTreeSet<&str> = members.map(|member| member.vendor.as_str()).collect();
    u8::try_from(vendors.len()).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
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
}
