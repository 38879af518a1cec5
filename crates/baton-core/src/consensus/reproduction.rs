//! Claims that a test can settle, and what a test that another member wrote says of one.
//!
//! A test that fails, in a place where everything passes without it, is evidence: two families read the code alike, and
//! the user's own command shows it. It confirms the finding and ends the dispute about it. A test that passes says that
//! one try did not show the claim: that halves the finding's odds and ends nothing. Whatever else came out says nothing.

use super::Ground;
use super::decision::{Decision, ReproductionReport};
use super::findings::{self, Claim};
use crate::evidence::{CheckResult, Evidence};
use crate::hash::Hash;
use crate::ids::MemberId;
use crate::opinion::Severity;
use crate::units::Probability;

/// How sure a finding is when its test fails. Less than where a check of the user's own fails at the place (0.95): what
/// the test expects is a model's word. A choice, not a measurement.
pub(super) const SHOWN: Probability = Probability::from_millionths(900_000);
/// How much likelier a test is to pass where its claim is false than where it is true: a half to one. Members miss true
/// faults with their first test about as often as not. A choice, not a measurement.
const PASSES_WHERE_TRUE: f64 = 0.5;

/// A finding that is worth a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenClaim {
    pub claim: String,
    pub file: Option<String>,
    pub line: Option<u32>,
    /// Why it is so, in the words of the strongest member that says why.
    pub evidence: Option<String>,
    pub reported_by: Vec<MemberId>,
    pub denied_by: Vec<MemberId>,
}

/// How the test of one claim ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tested {
    Fails,
    Passes,
    /// Nothing follows; why not.
    Unknown(String),
}

/// What came of asking for a test of one claim.
#[derive(Clone, Debug)]
pub struct Reproduction<'a> {
    pub claim: &'a str,
    pub file: Option<&'a str>,
    pub line: Option<u32>,
    /// Who was asked for the test.
    pub by: &'a MemberId,
    /// What the test's name holds.
    pub mark: &'a str,
    pub files: &'a [String],
    pub tested: Tested,
    /// Of the run of the test, where there was one.
    pub evidence: Option<&'a Evidence>,
    /// The test as a diff; `None` where none could be taken.
    pub diff: Option<Hash>,
}

impl Reproduction<'_> {
    /// The claim that it is about, word for word and at its place.
    #[must_use]
    pub fn is_about(&self, claim: &str, file: Option<&str>, line: Option<u32>) -> bool {
        (self.claim, self.file, self.line) == (claim, file, line)
    }

    /// How a test settled its claim, as it is told in conflicts and reasons.
    pub(super) fn settles(&self) -> Option<String> {
        (self.tested == Tested::Fails).then(|| format!("a test by {} fails: {}", self.by, self.mark))
    }
}

/// The findings that a test could settle, those that matter most first: critical ones, disputed ones, high ones. What a
/// check has settled needs none.
#[must_use]
pub fn open_claims(ground: &Ground<'_>) -> Vec<OpenClaim> {
    let mut claims: Vec<Claim> = findings::merge(&super::in_order(ground)).merged;
    claims.retain(|claim| {
        let finding = &claim.finding;
        claim.settled_by.is_none() && (finding.severity >= Severity::High || !finding.denied_by.is_empty())
    });
    claims.sort_by_key(|claim| (claim.finding.severity != Severity::Critical, claim.finding.denied_by.is_empty()));
    let open = |Claim { finding, evidence, .. }: Claim| OpenClaim {
        claim: finding.claim,
        file: finding.file,
        line: finding.line,
        evidence,
        reported_by: finding.reported_by,
        denied_by: finding.denied_by,
    };
    claims.into_iter().map(open).collect()
}

/// What a test that passes leaves of a finding's confidence.
pub(super) fn lowered(confidence: f64) -> f64 {
    let holds = PASSES_WHERE_TRUE * confidence;
    holds / (holds + 1.0 - confidence)
}

/// Puts the tests into the decision.
pub(super) fn tell(ground: &Ground<'_>, decision: &mut Decision) {
    decision.reproductions = reports(ground);
}

pub(super) fn reports(ground: &Ground<'_>) -> Vec<ReproductionReport> {
    ground.reproductions.iter().map(report).collect()
}

fn report(reproduction: &Reproduction<'_>) -> ReproductionReport {
    let (result, because) = match &reproduction.tested {
        Tested::Fails => ("reproduced", None),
        Tested::Passes => ("not_reproduced", None),
        Tested::Unknown(because) => ("unknown", Some(because.clone())),
    };
    ReproductionReport {
        claim: reproduction.claim.to_owned(),
        file: reproduction.file.map(str::to_owned),
        line: reproduction.line,
        by: reproduction.by.clone(),
        test: reproduction.mark.to_owned(),
        files: reproduction.files.to_vec(),
        result: result.into(),
        because,
        command: reproduction.evidence.map(|evidence| evidence.command.clone()),
        summary: reproduction.evidence.map_or(String::new(), |evidence| evidence.summary.clone()),
        content: reproduction.diff,
    }
}

/// One sentence for each test, for the reasons.
pub(super) fn reasons(ground: &Ground<'_>) -> Vec<String> {
    let say = |reproduction: &Reproduction<'_>| {
        let (claim, by) = (reproduction.claim, reproduction.by);
        match &reproduction.tested {
            Tested::Fails => format!("reproduced: {claim}: a test by {by} fails"),
            Tested::Passes => format!("not reproduced: {claim}: a test by {by} passes, which lowers it"),
            Tested::Unknown(because) => format!("not tested: {claim}: {because}"),
        }
    };
    let nobody = |claim: &String| format!("not tested: {claim}: nobody of another family could be asked for a test");
    ground.reproductions.iter().map(say).chain(ground.untested.iter().map(nobody)).collect()
}

/// What an outcome of the command means for the claim.
#[must_use]
pub fn tested(evidence: &Evidence) -> Tested {
    match &evidence.result {
        CheckResult::Failed => Tested::Fails,
        CheckResult::Passed => Tested::Passes,
        CheckResult::Abstained { reason } => Tested::Unknown(reason.clone()),
    }
}
