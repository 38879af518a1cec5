//! A corpus of answers as they come back, with what each must be read as: strictly, leniently, from prose, or not.

use baton_core::opinion::{Opinion, Position, Reading, Verdict, read};
use baton_core::source::Sources;
use baton_core::task::Question;

fn of(text: &str) -> Opinion {
    read(text, &Question::Verdict, &Sources::default())
}

/// How it was read, the verdict, the confidence in hundredths, and how many findings.
type Seen = (Reading, Option<Verdict>, Option<u32>, usize);

fn seen(text: &str) -> Seen {
    let opinion = of(text);
    let confidence = opinion.stated_confidence.map(|stated| stated.millionths() / 10_000);
    (opinion.reading, opinion.position.verdict(), confidence, opinion.findings.len())
}

#[test]
fn a_trailer_is_read_through_every_common_slip() {
    use Reading::{Lenient, Strict};
    use Verdict::{Approve, Reject, Revise};
    let corpus: &[(&str, Seen)] = &[
        (
            "Fine.\n```json\n{\"verdict\":\"approve\",\"confidence\":0.8,\"findings\":[]}\n```",
            (Strict, Some(Approve), Some(80), 0),
        ),
        ("```json\n{'verdict': 'reject', 'confidence': 0.7}\n```", (Strict, Some(Reject), Some(70), 0)),
        ("So: {verdict: 'revise', confidence: 0.5,}", (Lenient, Some(Revise), Some(50), 0)),
        (
            "{\"verdict\": \"revise\", // I think\n \"findings\": [{\"claim\": \"a\",}, ],}",
            (Lenient, Some(Revise), None, 1),
        ),
        ("```\n{\"verdict\":\"Request-Changes\"}\n```", (Lenient, Some(Revise), None, 0)),
        (
            "An example is {\"verdict\":\"approve\"}. Mine is {\"verdict\":\"reject\"}.",
            (Lenient, Some(Reject), None, 0),
        ),
        ("{\"verdict\":\"reject\"} and then {\"note\": 1}", (Lenient, Some(Reject), None, 0)),
        (
            "Bad.\n```json\n{\"verdict\":\"reject\",\"confidence\":0.9,\"findings\":[{\"file\":\"a\",\"line\":1,\"claim\":\"x\"},{\"claim\":\"cut o",
            (Lenient, Some(Reject), Some(90), 1),
        ),
        ("```json\n{\"verdict\":\"reject\",\"confidence\":0.", (Lenient, Some(Reject), None, 0)),
        ("{\u{201c}verdict\u{201d}: \u{201c}approve\u{201d}}", (Lenient, Some(Approve), None, 0)),
    ];
    for (text, wanted) in corpus {
        assert_eq!(seen(text), *wanted, "{text}");
    }
}

#[test]
fn a_confidence_is_a_share_a_percentage_or_none() {
    let stated = |said: &str| seen(&format!("{{\"verdict\":\"approve\",\"confidence\":{said}}}")).2;
    for (said, wanted) in [
        ("0", Some(0)),
        ("1", Some(100)),
        ("0.85", Some(85)),
        ("85", Some(85)),
        ("100", Some(100)),
        ("\"85%\"", Some(85)),
        ("\"0.85\"", Some(85)),
        ("7", None),
        ("10", None),
        ("101", None),
        ("-1", None),
        ("-0.2", None),
        ("NaN", None),
        ("Infinity", None),
        ("1e999", None),
        ("\"high\"", None),
        ("\"NaN\"", None),
        ("\"7%%%x\"", None),
        ("\"-5%\"", None),
        ("null", None),
        ("true", None),
        ("[0.5]", None),
    ] {
        assert_eq!(stated(said), wanted, "{said}");
    }
}

#[test]
fn what_cannot_be_read_abstains_and_never_approves() {
    for text in [
        "",
        "   \n",
        "Interesting.",
        "{\"verdict\":\"appr",
        "{\"verdict\":approve",
        "{\"verdict\":{\"approve\":true}}",
        "{\"verdict\":[\"approve\"]}",
        "{\"approve\":true}",
        "{\"verdict\":\"approve or reject\"}",
        "{\"verdict\":\"abstain\",\"confidence\":0.9}",
        "{\"abstain\":\"no access to the file\",\"verdict\":\"approve\"}",
        "I cannot assist with this.",
        "I'm sorry, but I can't help with approving changes.",
        "API Error: 529 overloaded",
        "429 Too Many Requests",
        "<!DOCTYPE html><html>ok, approve</html>",
        "{\"error\":{\"message\":\"rate limit\"}}",
        "I would approve once the tests pass.",
        "Not LGTM.",
    ] {
        let opinion = of(text);
        assert!(matches!(opinion.position, Position::Abstain { .. }), "{text:?} was read as {:?}", opinion.position);
    }
}

#[test]
fn an_error_text_or_refusal_is_no_text_either() {
    for text in ["503 Service Unavailable", "I am unable to assist with that.", "Error: connection reset by peer"] {
        let opinion = read(text, &Question::Text, &Sources::default());
        assert!(opinion.position.abstains() && opinion.statements.is_empty(), "{text}");
    }
    let opinion = read("Error handling is missing. Add it.", &Question::Text, &Sources::default());
    assert_eq!(opinion.position, Position::Answer);
    assert_eq!(opinion.statements, ["Error handling is missing.", "Add it."]);
}

#[test]
fn one_who_declares_to_take_no_position_makes_no_statements() {
    let opinion = of("I like it, though.\n```json\n{\"abstain\":\"I wrote it\"}\n```");
    assert!(opinion.position.abstains() && opinion.statements.is_empty());
    assert_eq!(opinion.summary, "I like it, though.");
}
