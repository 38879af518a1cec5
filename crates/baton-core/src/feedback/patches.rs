//! What became of patches: how they fared when they were tried, a person's word, and what the repository's history says.

use super::{ClaimKind, Feedback, FeedbackError, Source, Subject, decided, fact, kind};
use crate::consensus::{CheckReport, Decision, PatchReport};
use crate::ids::{MemberId, RunId};
use crate::patch::Patch;
use crate::run::RunState;
use crate::task::Question;

impl Feedback {
    /// A word on one patch, by its number on the screen: whoever wrote just this was right if it was good.
    ///
    /// # Errors
    /// When there is no such patch, or none that can be learned from.
    pub fn on_patch(
        run: &RunId,
        state: &RunState,
        number: usize,
        good: bool,
        source: Source,
    ) -> Result<Self, FeedbackError> {
        let decision = decided(state)?;
        let no_such = FeedbackError::NoSuchPatch { number, patches: decision.patches.len() };
        let patch = number.checked_sub(1).and_then(|at| decision.patches.get(at)).ok_or(no_such)?;
        Ok(Self::of_patch(run, state, (number, patch), good, source))
    }

    /// What the trials of a run say of its patches, where they say something: see [`fared`].
    pub(super) fn from_trials(run: &RunId, state: &RunState, decision: &Decision) -> Vec<Self> {
        let told = (1..).zip(&decision.patches).filter_map(|(number, patch)| {
            let good = fared(patch, &decision.patches, &decision.checks)?;
            Some(Self::of_patch(run, state, (number, patch), good, Source::Check))
        });
        told.collect()
    }

    fn of_patch(
        run: &RunId,
        state: &RunState,
        (number, patch): (usize, &PatchReport),
        good: bool,
        source: Source,
    ) -> Self {
        let facts = patch.by.iter().filter_map(|author| fact(state, author, ClaimKind::Patch, None, good)).collect();
        let subject = Subject::Patch { number };
        Self { run: run.clone(), subject, good, source, kind: kind(state), options: 0, right: None, facts }
    }
}

/// The patch that a word on the whole decision is about.
pub(super) fn adopted(state: &RunState, decision: &Decision) -> Option<usize> {
    let asked = state.plan.as_ref().is_some_and(|plan| plan.classification.question == Question::Patch);
    let place = decision.patches.iter().position(|patch| patch.adopted)?;
    asked.then_some(place + 1)
}

/// Whether trying a patch showed that its author was right or wrong, by all patches of the run and by the checks without
/// any. A failure counts only where it is known that it
/// need not have been: a check that fails without any patch, and with every patch, says nothing of one of them; nor does
/// it when no patch at all applies. A patch that passes having taken something out of tests has shown nothing either.
fn fared(patch: &PatchReport, all: &[PatchReport], without: &[CheckReport]) -> Option<bool> {
    if patch.applies != "yes" {
        return (patch.applies == "no" && all.iter().any(|one| one.applies == "yes")).then_some(false);
    }
    let passes = |check: &&CheckReport| check.result == "passed";
    let can_pass: Vec<&MemberId> =
        without.iter().chain(all.iter().flat_map(|one| &one.checks)).filter(passes).map(|check| &check.check).collect();
    let failed: Vec<_> = patch.checks.iter().filter(|check| check.result == "failed").collect();
    if failed.iter().any(|check| can_pass.contains(&&check.check)) {
        return Some(false);
    }
    let passed = failed.is_empty() && patch.checks.iter().any(|check| check.result == "passed");
    (passed && !patch.weakens_tests).then_some(true)
}

/// One commit of a repository, as far as it touches the files of a patch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    pub id: String,
    pub message: String,
    /// `None` where it is nothing that a patch could be.
    pub change: Option<Patch>,
}

/// What a repository's history says of a patch. Each names the commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    Landed { commit: String },
    Reverted { commit: String, by: String },
}

/// Looks for a patch among commits, oldest first. It landed where a commit changes its files by just its lines, whatever
/// else that commit does; it was reverted where a later one says so in git's words or takes just these lines back.
/// `None` where it was not found as it was written, which says nothing.
#[must_use]
pub fn fate(patch: &Patch, commits: &[Commit]) -> Option<Fate> {
    let back = patch.reversed();
    let mut fate = None;
    for commit in commits {
        let is = |wanted: &Patch| commit.change.as_ref().is_some_and(|change| change.same_lines(wanted));
        fate = match fate {
            None | Some(Fate::Reverted { .. }) if is(patch) => Some(Fate::Landed { commit: commit.id.clone() }),
            Some(Fate::Landed { commit: landed }) if is(&back) || reverts(commit, &landed) => {
                Some(Fate::Reverted { commit: landed, by: commit.id.clone() })
            }
            same => same,
        };
    }
    fate
}

fn reverts(commit: &Commit, landed: &str) -> bool {
    commit.message.contains(&format!("This reverts commit {landed}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(id: &str, result: &str) -> CheckReport {
        let check = MemberId::parse(id).unwrap();
        CheckReport { check, command: "run".into(), result: result.into(), summary: String::new() }
    }

    fn patch(applies: &str, tests: &str) -> PatchReport {
        PatchReport {
            by: vec![MemberId::parse("a").unwrap()],
            backed_by: vec![],
            files: vec!["a.rs".into()],
            changed_lines: 2,
            applies: applies.into(),
            because: None,
            checks: if tests.is_empty() { vec![] } else { vec![check("tests", tests)] },
            weakens_tests: false,
            content: None,
            adopted: false,
        }
    }

    /// What is said of each, where the check by itself ends so.
    fn fare(by_itself: &str, patches: &[PatchReport]) -> Vec<Option<bool>> {
        let without = if by_itself.is_empty() { vec![] } else { vec![check("tests", by_itself)] };
        patches.iter().map(|patch| fared(patch, patches, &without)).collect()
    }

    #[test]
    fn passing_is_right_and_failing_is_wrong_where_it_need_not_have_been() {
        let both = [patch("yes", "passed"), patch("yes", "failed")];
        assert_eq!(fare("failed", &both), [Some(true), Some(false)], "the other one shows that it can pass");
        assert_eq!(fare("passed", &both[1..]), [Some(false)], "it passed before");
        assert_eq!(fare("failed", &both[1..]), [None], "perhaps it cannot pass at all");
        assert_eq!(fare("", &both[1..]), [None]);
        assert_eq!(fare("passed", &[patch("yes", "abstained"), patch("yes", "")]), [None, None]);
    }

    #[test]
    fn not_applying_is_wrong_where_another_one_applies() {
        assert_eq!(fare("", &[patch("no", ""), patch("yes", "")]), [Some(false), None]);
        assert_eq!(fare("", &[patch("no", ""), patch("no", ""), patch("unknown", "")]), [None, None, None]);
    }

    #[test]
    fn what_weakens_tests_is_not_praised_by_them() {
        let cheat = PatchReport { weakens_tests: true, ..patch("yes", "passed") };
        assert_eq!(fare("failed", &[cheat]), [None]);
    }

    fn diff(old: &str, new: &str) -> Patch {
        crate::patch::read(&format!("--- a/a.rs\n+++ b/a.rs\n@@ -1,2 +1,2 @@\n same\n-{old}\n+{new}\n")).unwrap()
    }

    fn commit(id: &str, change: Option<Patch>, message: &str) -> Commit {
        Commit { id: id.into(), message: message.into(), change }
    }

    fn landed(commit: &str) -> Fate {
        Fate::Landed { commit: commit.into() }
    }

    #[test]
    fn a_patch_is_found_by_its_lines_wherever_they_stand() {
        let moved = crate::patch::read("--- a/a.rs\n+++ b/a.rs\n@@ -40,3 +40,3 @@\n other\n-x\n+y\n words\n").unwrap();
        let history = [commit("1", Some(diff("x", "z")), ""), commit("2", None, ""), commit("3", Some(moved), "")];
        assert_eq!(fate(&diff("x", "y"), &history), Some(landed("3")));
        assert_eq!(fate(&diff("x", "y "), &history), None, "not as it was written: that says nothing");
        assert_eq!(fate(&diff("x", "y"), &[]), None);
    }

    #[test]
    fn a_comment_is_not_any_comment() {
        assert_eq!(fate(&diff("// x", "// y"), &[commit("1", Some(diff("// p", "// q")), "")]), None);
    }

    #[test]
    fn a_revert_is_known_by_gits_words_or_by_its_lines_and_may_be_taken_back() {
        let (there, back) = (diff("x", "y"), diff("y", "x"));
        let mut history = vec![commit("0", Some(back.clone()), "before"), commit("1", Some(there.clone()), "it")];
        assert_eq!(fate(&there, &history), Some(landed("1")), "what came before it takes nothing back");
        history.push(commit("2", Some(back), "Undo"));
        let reverted = |by: &str| Some(Fate::Reverted { commit: "1".into(), by: by.into() });
        assert_eq!(fate(&there, &history), reverted("2"));
        history[2] = commit("2", None, "Revert \"it\"\n\nThis reverts commit 1.");
        assert_eq!(fate(&there, &history), reverted("2"));
        history.push(commit("3", Some(there.clone()), "again"));
        assert_eq!(fate(&there, &history), Some(landed("3")));
    }
}
