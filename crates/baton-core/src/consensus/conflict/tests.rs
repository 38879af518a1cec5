//! Conflicts and differences that are none, each rule once.

use super::*;
use crate::opinion;
use crate::source::Sources;
use crate::task::Question;

fn disputes(task: &str, said: &[(&str, &str)]) -> Vec<Dispute> {
    let read = |text: &str| opinion::read(text, &Question::Text, &Sources::default());
    let opinions: Vec<(&str, Opinion)> = said.iter().map(|(member, text)| (*member, read(text))).collect();
    let views: Vec<View<'_>> = opinions.iter().map(|(member, opinion)| View::of(member, opinion)).collect();
    find(task, &views)
}

/// The members for and against the only dispute; `None` where there is none.
fn sides(task: &str, said: &[&str]) -> Option<(String, String)> {
    let names = ["alder", "birch", "cedar", "dogwood"];
    let said: Vec<(&str, &str)> = names.into_iter().zip(said.iter().copied()).collect();
    let found = disputes(task, &said);
    assert!(found.len() < 2, "{found:?}");
    let members = |voices: &[Voice]| voices.iter().map(|voice| voice.member.clone()).collect::<Vec<_>>().join(" ");
    found.first().map(|dispute| (members(&dispute.holds), members(&dispute.against)))
}

fn apart(holds: &str, against: &str) -> Option<(String, String)> {
    Some((holds.to_owned(), against.to_owned()))
}

#[test]
fn yes_and_no_exclude_each_other_in_whatever_words() {
    assert_eq!(
        sides("Is the parser safe?", &["Yes.", "It isn't.", "Unsafe: it reads past the end."]),
        apart("alder", "birch cedar")
    );
    assert_eq!(sides("Is the parser exploitable?", &["No hole anywhere.", "Exploitable."]), apart("birch", "alder"));
    assert_eq!(sides("Is the parser exploitable?", &["It's not exploitable.", "Safe.", "Nothing leaks."]), None);
}

#[test]
fn the_same_refusal_in_other_words_is_agreement() {
    let said = ["It cannot stay.", "Do not merge this.", "I wouldn't take it.", "Must be changed first."];
    assert_eq!(sides("Review: the debug port is open to the world.", &said), None);
}

#[test]
fn a_condition_or_a_wish_is_no_dissent() {
    assert_eq!(
        sides("Can we ship it?", &["Yes, once the notes are written.", "You can. Write the notes first."]),
        None
    );
    assert_eq!(sides("Review the change.", &["Looks good to me.", "Fine. A test would be nice."]), None);
}

#[test]
fn another_view_that_is_only_quoted_is_not_the_authors() {
    let quoted = "One could argue that it is broken. I disagree with that: it is correct.";
    assert_eq!(sides("Is the fix correct?", &[quoted, "Correct."]), None);
    // By the rules alone: how much they weigh for answers of this length is fitted.
    let texts = [quoted, "Incorrect."].map(|text| opinion::read(text, &Question::Text, &Sources::default()));
    let views = [View::of("alder", &texts[0]), View::of("birch", &texts[1])];
    let dispute = on_the_topic(&Topic::read("Is the fix correct?"), &views.each_ref().map(Answer::read));
    assert_eq!(dispute.unwrap().holds[0].member, "alder");
}

#[test]
fn options_exclude_each_other_and_no_preference_is_none() {
    let task = "Should we use Kafka or NATS for the events?";
    assert_eq!(
        sides(task, &["NATS, it is simpler.", "Kafka.", "I'd take NATS.", "Either will do."]),
        apart("alder cedar", "birch")
    );
    assert_eq!(sides(task, &["NATS.", "Kafka has more tools, but I'd still go for NATS."]), None);
}

#[test]
fn amounts_are_compared_as_amounts() {
    assert_eq!(sides("How long should the timeout be?", &["2 seconds.", "Two seconds is right.", "2000 ms"]), None);
    assert_eq!(sides("How many replicas do we run?", &["Three.", "Five."]), apart("alder", "birch"));
}

#[test]
fn severities_two_levels_apart_are_a_conflict() {
    let task = "Rate the severity of the open port.";
    assert_eq!(sides(task, &["Critical.", "Not an issue, it is internal."]), apart("alder", "birch"));
    assert_eq!(sides(task, &["Medium.", "Low."]), None);
}

#[test]
fn keeping_is_for_a_thing_and_against_its_replacement() {
    let said = ["Keep it.", "Drop it."];
    assert_eq!(sides("Should we keep the flag?", &said), apart("alder", "birch"));
    assert_eq!(sides("Should we replace the cache?", &["I'd keep it.", "Replace it."]), apart("birch", "alder"));
}

#[test]
fn advice_adds_up_until_one_warns_of_what_another_urges() {
    let task = "How do we make the build faster?";
    assert_eq!(sides(task, &["Cache the dependencies.", "Use a faster linker."]), None);
    assert_eq!(
        sides(task, &["Use incremental compilation.", "Never use incremental compilation."]),
        apart("alder", "birch")
    );
}

#[test]
fn the_last_word_of_a_trailer_counts_where_the_prose_is_silent() {
    let trailer = |verdict: &str| format!("See below.\n```json\n{{\"verdict\":\"{verdict}\"}}\n```");
    let (approve, revise, reject) = (trailer("approve"), trailer("revise"), trailer("reject"));
    assert_eq!(sides("Review the change.", &[&approve, &reject]), apart("alder", "birch"));
    assert_eq!(sides("Review the change.", &[&revise, &reject]), None, "both ask for a change");
    let formal = "I have to name a verdict. Do not merge this.\n```json\n{\"verdict\":\"approve\"}\n```";
    assert_eq!(sides("Review the change.", &[formal, &reject]), None, "what is written outright beats the form");
}

#[test]
fn neither_order_nor_repetition_matters() {
    let said = [("alder", "Yes."), ("birch", "No."), ("cedar", "No, it leaks.")];
    let wanted = disputes("Is it safe?", &said);
    assert_eq!(wanted.len(), 1);
    assert_eq!(disputes("Is it safe?", &[said[2], said[0], said[1], said[0], said[2]]), wanted);
    assert!(disputes("Is it safe?", &[said[0], said[0]]).is_empty());
    assert!(disputes("", &[]).is_empty() && disputes("?", &[("alder", "?"), ("birch", "\u{0}")]).is_empty());
}
