use super::*;
use crate::hash::Hash;
use crate::task::{Attachment, AttachmentForm};

pub(crate) fn task(prompt: &str) -> Task {
    Task { prompt: prompt.into(), attachments: vec![], hints: Hints::default(), workspace: None }
}

#[test]
fn the_users_word_comes_first() {
    let mut task = task("Review the login for security holes");
    task.hints = Hints { kind: Some(Kind::Documentation), priority: Some(Priority::Critical), ..Hints::default() };
    let seen = classify(&task);
    assert_eq!((seen.kind, seen.priority, seen.unsure), (Kind::Documentation, Priority::Critical, false));
}

#[test]
fn words_speak_for_kinds_and_the_reason_names_them() {
    let cases = [
        ("Review security of auth code", Kind::SecurityReview),
        ("Design and plan the user service boundaries", Kind::Architecture),
        ("why is this query so slow, optimise it", Kind::Performance),
        ("brainstorm ideas for onboarding", Kind::Brainstorming),
        ("Write a README for this tool and document its flags", Kind::Documentation),
    ];
    for (prompt, kind) in cases {
        let seen = classify(&task(prompt));
        assert_eq!((seen.kind, seen.unsure), (kind, false), "{prompt}");
        assert!(seen.reasons[0].contains(", by these signs: "), "{:?}", seen.reasons);
    }
}

#[test]
fn nothing_said_is_unsure_and_the_nearest_kinds_are_named() {
    for prompt in ["", "hm", "?!", "please have a go at this thing"] {
        let seen = classify(&task(prompt));
        assert!(seen.unsure, "{prompt}: {:?}", seen.reasons);
        assert_eq!(seen.priority, Priority::Normal);
        assert!(seen.reasons[0].contains("no kind stands out"), "{:?}", seen.reasons);
    }
}

#[test]
fn the_words_of_one_kind_do_not_hide_the_wish_for_another() {
    let cases = [
        ("performance dashboard for the managers: endpoint, chart, filter by team. Vue", Kind::Implementation),
        ("describe our security model for customers, two pages, plain words", Kind::Documentation),
        ("the tests folder: which helpers are used by whom, where are they defined?", Kind::CodebaseAnalysis),
        ("what could somebody do with a leaked invite link?", Kind::SecurityReview),
        ("die Suche ist langsam, 12 Sekunden für 3000 Zeilen", Kind::Performance),
    ];
    for (prompt, kind) in cases {
        let seen = classify(&task(prompt));
        assert_eq!(seen.kind, kind, "{prompt}: {:?}", seen.reasons);
    }
}

#[test]
fn an_attached_diff_speaks_for_a_review_and_much_text_is_complex() {
    let mut asked = task("please have a go at this thing");
    let plain = classify(&asked).confidence;
    asked.attachments.push(Attachment {
        name: "change.diff".into(),
        form: AttachmentForm::Diff,
        content: Hash::ZERO,
        bytes: 90_000,
    });
    let seen = classify(&asked);
    assert!(seen.kind == Kind::CodeReview || seen.confidence < plain);
    assert_eq!(seen.complexity, Complexity::Complex);
}

#[test]
fn short_options_make_a_choice() {
    let seen = classify(&task("redis or memcached?"));
    assert_eq!(seen.question, Question::Choice(vec!["redis".into(), "memcached".into()]), "{:?}", seen.reasons);
}

#[test]
fn a_stored_classification_without_a_confidence_is_still_read() {
    let mut value = serde_json::to_value(classify(&task("split up this class"))).unwrap();
    value.as_object_mut().unwrap().remove("confidence");
    let seen: Classification = serde_json::from_value(value).unwrap();
    assert_eq!(seen.confidence, Probability::ZERO);
}

#[test]
fn a_yes_or_no_question_about_a_file_asks_for_findings() {
    let mut asked = task("Is this retry loop safe?");
    assert_eq!(classify(&asked).question, Question::Verdict);
    asked.attachments.push(Attachment {
        name: "src/net.rs".into(),
        form: AttachmentForm::File,
        content: Hash::ZERO,
        bytes: 100,
    });
    assert_eq!(classify(&asked).question, Question::Findings);
}

#[test]
fn what_is_attached_to_be_judged_is_never_quick_unless_the_user_says_so() {
    let mut asked = task("Is this retry loop safe?");
    assert_eq!(classify(&asked).complexity, Complexity::Quick);
    asked.attachments.push(Attachment {
        name: "src/net.rs".into(),
        form: AttachmentForm::File,
        content: Hash::ZERO,
        bytes: 100,
    });
    assert_eq!(classify(&asked).complexity, Complexity::Standard);
    asked.hints.complexity = Some(Complexity::Quick);
    assert_eq!(classify(&asked).complexity, Complexity::Quick);
}

/// A patch is asked for only where one can be tried, of work on code that is told to be done.
#[test]
fn a_patch_is_asked_for_by_itself_where_something_is_told_to_be_changed() {
    let of = |prompt: &str, change: fn(&mut Task)| {
        let mut task = task(prompt);
        task.hints.may_patch = true;
        change(&mut task);
        let seen = classify(&task);
        (seen.question, seen.reasons.concat())
    };
    let fix = "fix the off-by-one in pager.rs";
    let (question, reasons) = of(fix, |_| ());
    assert_eq!(question, Question::Patch, "{reasons}");
    assert!(reasons.contains("--question text"), "it says how to have it otherwise: {reasons}");
    type Changed<'a> = (&'a str, fn(&mut Task));
    let others: [Changed<'_>; 6] = [
        ("how should I fix the off-by-one in pager.rs?", |_| ()),
        ("explain how to implement paging in pager.rs", |_| ()),
        (fix, |task| task.hints.may_patch = false),
        (fix, |task| task.hints.question = Some(Question::Text)),
        (fix, |task| task.hints.kind = Some(Kind::Documentation)),
        (fix, |task| task.hints.complexity = Some(Complexity::Complex)),
    ];
    for (prompt, change) in others {
        let (question, reasons) = of(prompt, change);
        assert_ne!(question, Question::Patch, "{prompt}: {reasons}");
    }
    let (_, reasons) = of(fix, |task| task.hints.complexity = Some(Complexity::Complex));
    assert!(reasons.contains("--question patch"), "{reasons}");
    let (question, _) = of(fix, |task| {
        let content = crate::hash::Hash::of(b"d");
        task.attachments = vec![Attachment { name: "d".into(), form: AttachmentForm::Diff, content, bytes: 9 }];
    });
    assert_ne!(question, Question::Patch, "a diff is there to be judged");
}
