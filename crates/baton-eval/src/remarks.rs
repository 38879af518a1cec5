//! What a reader of the figures should know of a case that was read: nothing in it is dropped without a word.

use std::collections::{BTreeMap, BTreeSet};

use crate::case::{Case, ChoiceCase, ChoiceOpinion, FindingsCase, StatedFinding};
use crate::choice;

/// Sentences on one case.
pub(crate) fn of(case: &Case) -> Vec<String> {
    match case {
        Case::Choice(case) => on_choice(case),
        Case::Findings(case) => on_findings(case),
        Case::Task(_) | Case::Conflict(_) => Vec::new(),
    }
}

fn on_choice(case: &ChoiceCase) -> Vec<String> {
    let none = |opinion: &&ChoiceOpinion| {
        let said = opinion.position.as_deref().filter(|_| opinion.text.is_none());
        said.is_some_and(|said| choice::named(said, &case.options).is_none())
    };
    let outside = case.opinions.iter().filter(none).map(|opinion| {
        let said = opinion.position.as_deref().unwrap_or_default();
        format!("`{}` says `{said}`, which is none of the options: taken as no opinion", opinion.member)
    });
    let mut said: BTreeMap<&str, BTreeSet<Option<&str>>> = BTreeMap::new();
    for opinion in &case.opinions {
        said.entry(&opinion.member).or_default().insert(choice::position(case, opinion));
    }
    let torn = said.into_iter().filter(|(_, positions)| positions.len() > 1);
    outside
        .chain(torn.map(|(member, _)| {
            format!("`{member}` is there more than once and says different things: taken as no opinion")
        }))
        .collect()
}

fn on_findings(case: &FindingsCase) -> Vec<String> {
    let stated = || case.opinions.iter().flat_map(|one| one.findings.iter().map(move |finding| (&one.member, finding)));
    let mut known: BTreeMap<&str, (&String, &StatedFinding)> = BTreeMap::new();
    let mut shared: BTreeSet<&str> = BTreeSet::new();
    for (member, finding) in stated() {
        let first = known.entry(&finding.id).or_insert((member, finding));
        if (first.0, &first.1.claim) != (member, &finding.claim) {
            shared.insert(&finding.id);
        }
    }
    let ambiguous =
        shared.into_iter().map(|id| format!("different findings have the id `{id}`: the truth cannot tell them apart"));
    let matched = case.truth.iter().flat_map(|truth| truth.matches.keys());
    let absent = matched.filter(|id| !known.contains_key(id.as_str()));
    ambiguous.chain(absent.map(|id| format!("the truth tells of a finding `{id}` that nobody reports"))).collect()
}
