//! Properties of reading: total on any text, and never generous.

use baton_core::evidence::{self, CheckResult};
use baton_core::opinion::{Opinion, Position, Verdict, read};
use baton_core::source::{LocationCheck, Sources};
use baton_core::task::{AttachmentForm, Question};
use proptest::prelude::*;
use proptest::sample::{Index, select};

const APPROVING: &[&str] = &["approve", "accept", "yes", "pass", "lgtm", "safe", "looks good"];

fn sources() -> Sources {
    let mut sources = Sources::default();
    sources.add("src/net.rs", AttachmentForm::File, "fn a() {\n    loop {}\n}\n");
    sources.add("d", AttachmentForm::Diff, "--- a/x.rs\n+++ b/x.rs\n@@ -1,2 +1,2 @@\n same\n+new\n");
    sources
}

fn questions() -> Vec<Question> {
    let options = vec!["Redis".into(), "SQLite".into(), "B".into()];
    vec![Question::Verdict, Question::Findings, Question::Choice(options), Question::Text]
}

fn read_all(text: &str) -> Vec<Opinion> {
    let sources = sources();
    questions().iter().map(|question| read(text, question, &sources)).collect()
}

fn check(text: &str, opinions: &[Opinion]) -> Result<(), TestCaseError> {
    // A backslash before a letter stands for that letter, as models write it.
    let lower = text.to_lowercase().replace('\\', "");
    for opinion in opinions {
        if opinion.position.verdict() == Some(Verdict::Approve) {
            prop_assert!(APPROVING.iter().any(|word| lower.contains(word)), "approved by {:?}", text);
        }
        if let Position::Choice { option } = &opinion.position {
            prop_assert!(lower.contains(&option.to_lowercase()), "chosen by {:?}", text);
        }
        prop_assert!(opinion.findings.len() <= 200 && opinion.summary.len() <= 1_200);
        let stored = serde_json::to_vec(opinion).unwrap();
        prop_assert_eq!(&serde_json::from_slice::<Opinion>(&stored).unwrap(), opinion);
    }
    Ok(())
}

const TRAILERS: &[&str] = &[
    "It never ends.\n\n```json\n{\"verdict\":\"reject\",\"confidence\":0.9,\"findings\":[{\"file\":\"net.rs\",\"line\":2,\
     \"severity\":\"high\",\"claim\":\"never ends\",\"quote\":\"loop {}\"}]}\n```\n",
    "```json\n{\"verdict\":\"revise\",\"findings\":[{\"claim\":\"a\",\"line\":\"L4-9\"},{\"claim\":\"b\",\"stance\":\
     \"refuted\"}],}\n```",
    "So {\"choice\": \"redis\", \"confidence\": \"high\"} it is",
    "{\"abstain\": \"cannot tell\"}",
    "Verdict: **reject**\nI choose B.",
];

#[derive(Clone, Debug)]
enum Mutation {
    Cut,
    Drop,
    Double,
    Insert(&'static str),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let pieces =
        vec!["{", "}", "[", "]", "\"", ",", "```", "```json", "\\", "\u{202e}", "ä", "null", "1e999", "-1", "\n"];
    prop_oneof![
        Just(Mutation::Cut),
        Just(Mutation::Drop),
        Just(Mutation::Double),
        select(pieces).prop_map(Mutation::Insert),
    ]
}

fn mutated(text: &str, mutations: &[(Mutation, Index)]) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for (mutation, place) in mutations {
        if characters.is_empty() {
            break;
        }
        let at = place.index(characters.len());
        match mutation {
            Mutation::Cut => characters.truncate(at),
            Mutation::Drop => drop(characters.remove(at)),
            Mutation::Double => characters.extend_from_within(at..),
            Mutation::Insert(piece) => drop(characters.splice(at..at, piece.chars())),
        }
    }
    characters.into_iter().collect()
}

proptest! {
    #![proptest_config(super::cases(500))]

    #[test]
    fn any_text_can_be_read(text in any::<String>()) {
        check(&text, &read_all(&text))?;
    }

    #[test]
    fn any_soup_of_json_can_be_read(
        pieces in prop::collection::vec(
            select(vec![
                "{", "}", "[", "]", "\"", ":", ",", "```json\n", "```", "\"verdict\"", "\"approve\"", "\"reject\"", " ",
                "\"findings\"", "\"claim\"", "\"abstain\"", "\"choice\"", "answer: ", "verdict: ", "not ", "\n", "\\", "ß",
            ]),
            0..40,
        ),
    ) {
        let text = pieces.concat();
        check(&text, &read_all(&text))?;
    }

    #[test]
    fn a_damaged_trailer_never_turns_into_an_approval(
        text in select(TRAILERS.to_vec()),
        mutations in prop::collection::vec((mutation(), any::<Index>()), 1..6),
    ) {
        let text = mutated(text, &mutations);
        let opinions = read_all(&text);
        check(&text, &opinions)?;
        prop_assert!(opinions.iter().all(|opinion| opinion.position.verdict() != Some(Verdict::Approve)), "{:?}", text);
    }

    #[test]
    fn the_last_of_several_trailers_is_the_one_that_counts(
        words in prop::collection::vec(select(vec!["approve", "revise", "reject"]), 1..6),
        fenced in any::<bool>(),
    ) {
        let one = |word: &&str| {
            let object = format!("{{\"verdict\":\"{word}\",\"findings\":[{{\"claim\":\"x\"}}]}}");
            if fenced { format!("```json\n{object}\n```") } else { object }
        };
        let text = words.iter().map(one).collect::<Vec<_>>().join("\nor rather\n");
        let opinion = read(&text, &Question::Verdict, &Sources::default());
        prop_assert_eq!(opinion.position.verdict().map(Verdict::as_str), words.last().copied());
    }
}

/// Pieces of what reviewers write, and of what they quote.
const PIECES: &[&str] = &[
    "\n",
    "\n\n",
    " ",
    "- ",
    "1. ",
    "# ",
    "## ",
    "  ",
    "| ",
    " | ",
    "**",
    "`",
    "```",
    "~~~",
    "> ",
    "[",
    "]",
    "(",
    ")",
    ": ",
    ". ",
    "critical",
    "High",
    "P0",
    "Severity: high",
    "no ",
    "not ",
    "fixed: ",
    "File: ",
    "Line: ",
    "src/net.rs:2",
    "src/net.rs",
    "x.rs#L1",
    ":",
    "#L",
    "line 2",
    "lines 1-",
    "\u{2013}",
    "\u{1f534}",
    "ä",
    "REJECT",
    "do not merge",
    "ship it",
    "Verdict: ",
    "if ",
    "\"",
    "'",
    "never ends",
    "when nothing comes",
    "<<<quoted a: b>>>\n",
    "<<<end a>>>\n",
    "12 | ",
    "9",
];

proptest! {
    #![proptest_config(super::cases(500))]

    #[test]
    fn any_soup_of_reviews_can_be_read(pieces in prop::collection::vec(select(PIECES.to_vec()), 0..60)) {
        let text = pieces.concat();
        for opinion in read_all(&text) {
            prop_assert!(opinion.findings.len() <= 100);
            for finding in &opinion.findings {
                prop_assert!(finding.line != Some(0) && !finding.claim.is_empty(), "{:?}: {:?}", text, finding);
                prop_assert!(finding.claim.chars().count() <= 500 && !finding.claim.contains('\n'));
            }
            let shown = text.contains("ship it") || text.contains("Verdict");
            prop_assert!(shown || opinion.position.verdict() != Some(Verdict::Approve), "{:?}", text);
        }
    }

    #[test]
    fn what_is_quoted_makes_no_finding_and_no_verdict(
        pieces in prop::collection::vec(select(PIECES.to_vec()), 0..40),
        (before, after) in select(vec![("````\n", "\n````\n"), ("<<<quoted 0a: b>>>\n", "\n<<<end 0a>>>\n")]),
    ) {
        let quoted = pieces.concat().replace("<<<", "").replace('`', "");
        let text = format!("It is long.\n\n{before}{quoted}{after}\nThat is all.");
        let opinion = read(&text, &Question::Findings, &sources());
        prop_assert!(opinion.findings.is_empty() && opinion.position.abstains(), "{:?}: {:?}", text, opinion);
    }
}

/// Whatever grows faster than its text would not end here.
#[test]
fn a_megabyte_of_prose_is_read_and_bounded() {
    for piece in [
        "- **High** `src/net.rs:2` never ends\n",
        "The loop never ends when nothing comes, and I looked at it: do not merge if it is not right. ",
        "- Line: 1\n",
        "lgtm ",
        "src/net.rs ",
    ] {
        let opinion = read(&piece.repeat(1_000_000 / piece.len()), &Question::Findings, &sources());
        assert!(opinion.findings.len() <= 100 && opinion.summary.len() <= 1_200, "{piece:?}");
    }
    let choice = Question::Choice(vec!["Redis".into(), "B".into()]);
    let opinion = read(&"the answer is B the answer is Redis ".repeat(10_000), &choice, &sources());
    assert_eq!(opinion.position, Position::Choice { option: "B".into() });
}

#[test]
fn whatever_is_repeated_is_read() {
    for piece in PIECES {
        read_all(&piece.repeat(10_000 / piece.len()));
    }
}

proptest! {
    #![proptest_config(super::cases(250))]

    #[test]
    fn any_place_can_be_checked(
        name in any::<String>(),
        content in any::<String>(),
        diff in "((\\+\\+\\+ |--- |@@ -1 \\+[0-9]{1,12} @@|[+ -])?[a-z/.\u{e4}]{0,6}\n){0,12}",
        asked in prop::option::of(any::<String>()),
        line in prop::option::of(prop_oneof![0..6_u32, any::<u32>()]),
        quote in prop::option::of(any::<String>()),
    ) {
        let mut sources = Sources::default();
        sources.add(&name, AttachmentForm::File, &content);
        sources.add(&name, AttachmentForm::Diff, &diff);
        let file = asked.as_deref().unwrap_or(&name);
        let seen = sources.check(Some(file), line, quote.as_deref());
        prop_assert!(line.is_some() || seen == LocationCheck::Unknown);
        prop_assert_eq!(sources.check(None, line, quote.as_deref()), LocationCheck::Unknown);
        prop_assert!(line != Some(u32::MAX) || seen != LocationCheck::Verified);
    }

    #[test]
    fn any_output_of_a_check_can_be_read(output in any::<String>(), line in 1..9_999_u32) {
        let seen = evidence::read(CheckResult::Failed, &output, &output);
        prop_assert!(seen.places.len() <= 100 && seen.places.iter().all(|place| place.line > 0));
        let named = evidence::read(CheckResult::Failed, "t", &format!("{output}\nat src/a.rs:{line}:7: no"));
        prop_assert!(named.places.iter().any(|place| place.file == "src/a.rs" && place.line == line));
    }
}
