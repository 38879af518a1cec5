//! What was said of a decision since: ratings, accepted and rejected findings and patches.

use baton_core::feedback::{Feedback, Source, Subject};
use baton_core::ids::RunId;

use super::page::Page;
use super::style;

/// One line for each word on this run that counts. What a check of the run settled is told by the decision itself.
pub(crate) fn section(run: &RunId, known: &[Feedback], page: &mut Page) {
    let of_run: Vec<&Feedback> = known.iter().filter(|said| said.run == *run && said.source != Source::Check).collect();
    if of_run.is_empty() {
        return;
    }
    page.blank();
    page.paragraph("", 2, &style::strong("What became of it"));
    of_run.into_iter().for_each(|said| page.paragraph("  ", 4, &words(said)));
}

fn words(said: &Feedback) -> String {
    let what = match (said.subject, said.good) {
        (Subject::Decision, true) => "rated good".to_owned(),
        (Subject::Decision, false) => "rated bad".to_owned(),
        (Subject::Finding { number }, true) => format!("finding {number} accepted"),
        (Subject::Finding { number }, false) => format!("finding {number} rejected"),
        (Subject::Patch { number }, true) => format!("patch {number} accepted"),
        (Subject::Patch { number }, false) => format!("patch {number} rejected"),
    };
    match said.source {
        Source::Person | Source::Check => what,
        Source::Tests => format!("{what}, because of tests"),
        Source::Merge => format!("{what}, because it was merged"),
        Source::Revert => format!("{what}, because it was reverted"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(run: &str, subject: Subject, good: bool, source: Source) -> Feedback {
        let run = RunId::parse(run).unwrap();
        Feedback { run, subject, good, source, kind: None, options: 0, right: None, facts: Vec::new() }
    }

    #[test]
    fn words_on_this_run_are_told_and_no_others() {
        let known = [
            said("one", Subject::Decision, true, Source::Merge),
            said("one", Subject::Finding { number: 2 }, false, Source::Person),
            said("one", Subject::Finding { number: 1 }, true, Source::Check),
            said("two", Subject::Decision, false, Source::Revert),
        ];
        let mut page = Page::new(80);
        section(&RunId::parse("one").unwrap(), &known, &mut page);
        let text = anstream::adapter::strip_str(&page.into_text()).to_string();
        assert_eq!(text.trim(), "What became of it\n  rated good, because it was merged\n  finding 2 rejected");
        let mut page = Page::new(80);
        section(&RunId::parse("three").unwrap(), &known, &mut page);
        assert_eq!(page.into_text(), "");
    }
}
