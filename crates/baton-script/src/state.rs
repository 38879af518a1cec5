//! What the server remembers: the calls of each rule, the requests, the violations.

use serde::Serialize;

use crate::http::Request;
use crate::invariant::{Violation, ViolationKind};
use crate::script::{Answer, HeaderMatch, Recording, Rule, Script};

/// One request, as it arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recorded {
    /// Counted from 1 over the life of the server; also in the ids of the answer.
    pub number: u64,
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Names in lower case, in the order of arrival.
    pub headers: Vec<(String, String)>,
    /// Bytes that are not UTF-8 are replaced.
    pub body: String,
    /// The name of the rule that answered, if one did.
    pub rule: Option<String>,
    /// Whether a vendor would have charged for the call, had it succeeded.
    pub paid: bool,
}

impl Recorded {
    /// The value of a header, by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Numbers of requests; kept with every kind of recording.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub requests: u64,
    /// Calls for a completion, whatever was answered.
    pub paid: u64,
    /// Calls that each rule answered, in the order of the script.
    pub by_rule: Vec<u64>,
}

/// What a rule is matched against.
pub(crate) struct Call<'a> {
    pub(crate) request: &'a Request,
    pub(crate) model: Option<&'a str>,
    /// For free routes: the word that a rule's path must name.
    pub(crate) only_named: Option<&'static str>,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) counts: Counts,
    /// For each rule, the calls that satisfied all but its `nth_call`.
    candidates: Vec<u64>,
    pub(crate) requests: Vec<Recorded>,
    pub(crate) violations: Vec<Violation>,
}

impl State {
    pub(crate) fn new(script: &Script) -> Self {
        let zeros = vec![0; script.rules.len()];
        let counts = Counts { by_rule: zeros.clone(), ..Counts::default() };
        Self { counts, candidates: zeros, ..Self::default() }
    }

    /// Counts an arrival and gives it its number.
    pub(crate) fn arrive(&mut self) -> u64 {
        self.counts.requests += 1;
        self.counts.requests
    }

    /// The first rule that matches, by its place, and its answer to this call.
    pub(crate) fn answer<'s>(&mut self, script: &'s Script, call: &Call<'_>) -> Option<(usize, &'s Answer)> {
        let body = std::str::from_utf8(&call.request.body).unwrap_or_default();
        for (index, rule) in script.rules.iter().enumerate() {
            if !satisfies(rule, call, body) {
                continue;
            }
            self.candidates[index] += 1;
            if rule.when.nth_call.is_some_and(|nth| nth != self.candidates[index]) {
                continue;
            }
            self.counts.by_rule[index] += 1;
            let turn = usize::try_from(self.counts.by_rule[index] - 1).unwrap_or(usize::MAX);
            let answer = &rule.answers[turn.min(rule.answers.len() - 1)];
            return Some((index, answer));
        }
        None
    }

    pub(crate) fn violate(&mut self, request: u64, kinds: Vec<ViolationKind>) {
        self.violations.extend(kinds.into_iter().map(|kind| Violation { request, kind }));
    }

    pub(crate) fn record(&mut self, script: &Script, number: u64, request: Request, rule: Option<usize>, paid: bool) {
        self.counts.paid += u64::from(paid);
        if script.recording == Recording::Counts {
            return;
        }
        let body = String::from_utf8(request.body)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        self.requests.push(Recorded {
            number,
            method: request.method,
            path: request.target,
            headers: request.headers,
            body,
            rule: rule.map(|index| script.rules[index].name.clone()),
            paid,
        });
    }
}

/// Whether a call satisfies all of a rule but its `nth_call`.
fn satisfies(rule: &Rule, call: &Call<'_>, body: &str) -> bool {
    let when = &rule.when;
    let path = when.path.as_deref();
    let addressed = call.only_named.is_none_or(|word| path.is_some_and(|path| path.contains(word)));
    addressed
        && path.is_none_or(|path| call.request.target.contains(path))
        && when.model.as_deref().is_none_or(|model| call.model == Some(model))
        && when.header.as_ref().is_none_or(|header| carries(call.request, header))
        && when.body.as_deref().is_none_or(|text| body.contains(text))
}

fn carries(request: &Request, wanted: &HeaderMatch) -> bool {
    let named = |name: &str| name.eq_ignore_ascii_case(&wanted.name);
    request.headers.iter().any(|(name, value)| named(name) && value.contains(&wanted.contains))
}
