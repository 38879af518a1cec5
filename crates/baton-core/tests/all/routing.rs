//! Teams of generated members: everybody has one place, vendors go round, and the order of the list never matters.

use std::collections::{BTreeMap, BTreeSet};

use baton_core::catalog::Rules;
use baton_core::classify::Classification;
use baton_core::ids::MemberId;
use baton_core::learning::Experience;
use baton_core::member::{ChannelSpec, Limits, Member, Nature, Payer, Price};
use baton_core::route::{Load, Request, Team, route};
use baton_core::task::{Complexity, Kind, Priority, Question};
use baton_core::units::Probability;
use proptest::prelude::*;
use proptest::sample::select;

type Drawn = (u8, u8, u8, bool, Option<u64>, u32);

fn member(place: usize, (tier, vendor, model, strong, price, in_flight): Drawn) -> (Member, Load) {
    let id = MemberId::parse(&format!("m{place:02}")).unwrap();
    let member = Member {
        nature: Nature::Model,
        vendor: format!("vendor-{vendor}"),
        family: format!("family-{}", vendor / 2),
        channel: ChannelSpec { kind: "fake".into(), settings: BTreeMap::new() },
        model: Some(format!("model-{model}")),
        effort: None,
        tier,
        strengths: if strong { vec![Kind::CodeReview] } else { vec![] },
        context_window: 100_000,
        price: price.map(|output| Price { input: 0, output }),
        payer: Payer::Key,
        account: id.to_string(),
        limits: Limits::default(),
        scripted: false,
        id,
    };
    (member, Load { in_flight, usual_ms: None })
}

fn drawn() -> impl Strategy<Value = Vec<Drawn>> {
    let price = prop::option::of(select(vec![0, 1_000_000, 50_000_000]));
    prop::collection::vec((1..=5_u8, 0..4_u8, 0..2_u8, any::<bool>(), price, 0..4_u32), 1..9)
}

fn team(members: &[(Member, Load)], complexity: Complexity, grows: bool) -> Team {
    let (experience, rules) = (Experience::default(), Rules::default());
    let load = members.iter().map(|(member, load)| (member.id.clone(), *load)).collect();
    let members: Vec<Member> = members.iter().map(|(member, _)| member.clone()).collect();
    let classification = Classification {
        kind: Kind::CodeReview,
        complexity,
        priority: Priority::Normal,
        question: Question::Verdict,
        unsure: false,
        confidence: Probability::ONE,
        reasons: vec![],
    };
    let (experience, load, named) = (&experience, &load, &[][..]);
    let request = Request { members: &members, roles: &[], rules: &rules, experience, load, tokens: 10, named, grows };
    route(&classification, &request)
}

fn seated(team: &Team) -> Vec<&MemberId> {
    team.seats.iter().chain(&team.held).map(|seat| &seat.member).collect()
}

proptest! {
    #![proptest_config(super::cases(500))]

    #[test]
    fn everybody_has_one_place_and_the_order_of_the_list_never_matters(
        drawn in drawn(),
        complexity in select(Complexity::ALL.to_vec()),
        grows in any::<bool>(),
    ) {
        let mut members: Vec<_> = drawn.into_iter().enumerate().map(|(place, one)| member(place, one)).collect();
        let one = team(&members, complexity, grows);
        members.reverse();
        prop_assert_eq!(&team(&members, complexity, grows), &one);
        let mut all: Vec<&MemberId> = one.seats.iter().map(|seat| &seat.member).chain(&one.ladder).collect();
        all.sort();
        prop_assert!(all.windows(2).all(|two| two[0] != two[1]));
        prop_assert_eq!(all.len(), members.len());
        prop_assert!(one.held.iter().all(|seat| one.ladder.contains(&seat.member)));
    }

    #[test]
    fn no_vendor_has_a_seat_too_many_while_another_waits_and_the_ladder_goes_by_tier(
        drawn in drawn(),
        complexity in select(Complexity::ALL.to_vec()),
    ) {
        let members: Vec<_> = drawn.into_iter().enumerate().map(|(place, one)| member(place, one)).collect();
        let team = team(&members, complexity, true);
        let find = |id: &MemberId| members.iter().map(|(member, _)| member).find(|member| member.id == *id).unwrap();
        let seated = seated(&team);
        let count = |vendor: &str, upto: usize| seated[..upto].iter().filter(|id| find(id).vendor == vendor).count();
        for (place, id) in seated.iter().enumerate() {
            let own = count(&find(id).vendor, place);
            let waiting = members.iter().filter(|(member, _)| !seated[..place].contains(&&member.id));
            prop_assert!(waiting.map(|(member, _)| count(&member.vendor, place)).all(|other| other >= own));
        }
        let first: BTreeSet<&str> = team.seats.iter().map(|seat| find(&seat.member).vendor.as_str()).collect();
        let enough = usize::from(team.vendors_needed.min(team.vendors_present)).min(team.seats.len());
        prop_assert!(first.len() >= enough, "the first wave can make the quorum");
        let tiers: Vec<u8> = team.ladder.iter().map(|id| find(id).tier).collect();
        prop_assert!(tiers.windows(2).all(|two| two[0] <= two[1]), "{:?}", tiers);
    }
}
