//! What a task asks: the claim on which answers can stand on two sides.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::language::{Clause, Statement, is_common, stem};
use super::lexicon;
use super::options::{self, Choice};

/// What the question is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Yes or no.
    Claim,
    /// Should something be done.
    Proposal,
    /// Is a thing fit as it is.
    Review,
    /// One of several.
    Choice(Vec<Choice>),
    /// One of several that are not named.
    Which,
    Severity,
    Quantity,
    /// Advice, of which there can be much at once.
    Open,
}

/// A task, as far as positions on it need to be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Topic {
    pub(super) form: Form,
    /// `1`: yes is good for the thing; `-1`: yes is bad for it ("is it exploitable"); `0`: neither.
    pub(super) polarity: i32,
    /// The stem of the word that says what is claimed.
    pub(super) predicate: Option<String>,
    /// It asks whether something is needed.
    pub(super) needs: bool,
    /// It proposes to do something, and so not to leave things as they are.
    pub(super) acts: bool,
    /// What is proposed replaces something that is there: keeping that is a vote against.
    pub(super) replaces: bool,
    /// It asks for the cause of something.
    pub(super) cause: bool,
    /// Stems of the verbs that a proposal is about.
    pub(super) verbs: BTreeSet<String>,
    /// Stems of all words that carry its subject.
    pub(super) subject: BTreeSet<String>,
    /// The claim in words.
    pub(super) claim: String,
}

const AUXILIARIES: &[&str] = &[
    "is", "are", "was", "were", "does", "do", "did", "can", "could", "should", "shall", "will", "would", "has", "have",
    "may", "must", "am", "might",
];
/// Words that make a question one about what to do.
const PROPOSING: &[&str] = &["should", "shall", "can", "could", "may", "must", "would"];
/// Proposals whose acceptance is bad for the thing at hand.
const HOLDING: &[&str] =
    &["block", "hold", "delay", "reject", "postpone", "stop", "refuse", "revert", "decline", "worry"];
/// Predicates: what a claim says of its subject.
const PREDICATES: &[&str] = &[
    "safe",
    "correct",
    "right",
    "ok",
    "okay",
    "fine",
    "sufficient",
    "enough",
    "sound",
    "secure",
    "acceptable",
    "reasonable",
    "worthwhile",
    "worth",
    "true",
    "realistic",
    "trustworthy",
    "exploitable",
    "vulnerable",
    "exposed",
    "wrong",
    "broken",
    "harmless",
    "valid",
    "appropriate",
    "adequate",
    "unsafe",
    "insecure",
    "unsound",
    "incorrect",
    "dangerous",
    "risky",
    "thread-safe",
    "correctly",
    "properly",
    "handled",
    "false",
    "justified",
    "sensible",
    "overkill",
    "premature",
    "good",
    "bad",
    "ready",
    "feasible",
    "suitable",
    "compatible",
    "wise",
    "flaky",
    "work",
    "works",
];
const CAUSES: &[&str] = &[
    "cause",
    "causes",
    "caused",
    "causing",
    "reason",
    "explain",
    "explains",
    "explained",
    "responsible",
    "culprit",
    "blame",
    "behind",
    "due",
];
const ADVICE: &[&str] = &[
    "how",
    "what",
    "why",
    "suggest",
    "advise",
    "advice",
    "recommend",
    "ideas",
    "brainstorm",
    "propose",
    "strategy",
    "where",
    "when",
    "who",
];
const AMOUNTS: &[&str] = &[
    "how many",
    "how much",
    "how long",
    "how often",
    "how large",
    "how big",
    "how high",
    "how low",
    "how few",
    "how fast",
    "how soon",
    "what timeout",
    "what size",
    "what limit",
    "what value",
    "which value",
    "which timeout",
    "what number",
    "what percentage",
    "what threshold",
    "what interval",
    "which version",
    "what ttl",
    "how frequently",
    "how old",
    "how wide",
    "retention period",
    "how far",
    "what retention",
    "which size",
    "what port",
    "which port",
];

impl Topic {
    pub(super) fn read(task: &str) -> Self {
        let segments = segments(task);
        let (form, segment) = form(task, &segments);
        let words: Vec<String> = Statement::read(&segment).clauses.iter().flat_map(texts).collect();
        let all: Vec<String> = Statement::read(task).clauses.iter().flat_map(texts).collect();
        let cause = words.iter().any(|word| CAUSES.contains(&word.as_str())) && form == Form::Claim && !to_do(&words);
        let stems = |words: &[String]| words.iter().filter(|word| !is_common(word)).map(|word| stem(word)).collect();
        let (polarity, predicate) = polarity(&form, &words, cause);
        Self {
            polarity,
            predicate,
            needs: must(&words) || words.iter().any(|word| NEEDS.contains(&word.as_str())),
            acts: form == Form::Proposal && !words.iter().any(|word| lexicon::keeps(word) || word == "worth"),
            replaces: replaces(&words) || (form == Form::Review && replaces(&all)),
            cause,
            verbs: verbs(&words),
            subject: stems(&all),
            claim: claim(&form, &segment, task),
            form,
        }
    }
}

fn texts(clause: &Clause) -> Vec<String> {
    clause.words.iter().map(|word| word.text.clone()).collect()
}

/// "a reason to keep it" asks what to do, "the reason for it" asks why.
fn to_do(words: &[String]) -> bool {
    words.windows(2).any(|pair| pair[0] == "reason" && pair[1] == "to")
}

/// Sentences, and what follows a colon in them.
fn segments(task: &str) -> Vec<String> {
    let mut segments = Vec::new();
    let mut current = String::new();
    let characters: Vec<char> = task.chars().collect();
    for (at, character) in characters.iter().copied().enumerate() {
        let last = characters.get(at + 1).is_none_or(|next| next.is_whitespace() || matches!(next, '\'' | '"'));
        if matches!(character, '.' | '?' | '!' | ':' | '\n') && last {
            segments.push(format!("{}{character}", current.trim()));
            current.clear();
        } else {
            current.push(character);
        }
    }
    segments.push(current.trim().to_owned());
    segments.retain(|segment| segment.chars().any(char::is_alphanumeric));
    segments
}

fn form(task: &str, segments: &[String]) -> (Form, String) {
    let lower = task.to_lowercase();
    if lower.contains("severity") || lower.contains("how severe") || lower.contains("how serious") {
        return (Form::Severity, task.to_owned());
    }
    if AMOUNTS.iter().any(|amount| lower.contains(amount)) {
        return (Form::Quantity, task.to_owned());
    }
    let timed = lower.contains("now or later");
    let choices = segments
        .iter()
        .rev()
        .filter(|segment| !asks(segment) || chooses(segment))
        .find_map(|segment| options::named(segment).map(|found| (found, segment)));
    if let (Some((found, segment)), false) = (choices, timed) {
        return (Form::Choice(found), segment.clone());
    }
    if let Some(segment) = segments.iter().rev().find(|segment| asks(segment)) {
        let proposal = proposes(segment);
        return (if proposal { Form::Proposal } else { Form::Claim }, segment.clone());
    }
    if let Some(segment) = segments.iter().find(|segment| looks_for(segment)) {
        return (Form::Claim, segment.clone());
    }
    if let Some(at) = lower.find("whether ") {
        return (Form::Claim, task.get(at + "whether ".len()..).unwrap_or(task).to_owned());
    }
    if timed {
        return (Form::Proposal, segments.last().cloned().unwrap_or_default());
    }
    (open_form(&lower, segments), task.to_owned())
}

const OPINIONS: &[&str] = &[
    "do you think about",
    "do you think of",
    "your view",
    "do you make of",
    "your opinion",
    "your take",
    "your verdict",
    "do you say to",
    "how do you like",
    "how do you feel about",
    "what about",
    "how about",
    "thoughts on",
    "how good is",
    "how does this look",
    "where do you stand",
];

fn open_form(lower: &str, segments: &[String]) -> Form {
    let first = |segment: &String| {
        Statement::read(segment).clauses.first().map_or(String::new(), |clause| clause.word(0).to_owned())
    };
    let asked = segments.iter().rev().map(first).find(|word| ADVICE.contains(&word.as_str()) || word == "which");
    if OPINIONS.iter().any(|phrase| lower.contains(phrase)) {
        return Form::Review;
    }
    let picks = ["which ", "pick ", "choose ", "select "]
        .iter()
        .any(|word| lower.starts_with(word) || lower.contains(&format!(": {word}")));
    if picks || asked.as_deref() == Some("which") {
        return Form::Which;
    }
    if asked.is_some() || lower.contains(" advice") || lower.contains("suggest") {
        return Form::Open;
    }
    Form::Review
}

/// It begins as a question to be answered with yes or no.
fn asks(segment: &str) -> bool {
    let statement = Statement::read(segment);
    let Some(first) = statement.clauses.first() else { return false };
    let opening = first.word(0);
    (AUXILIARIES.contains(&opening) || opening == "any") && first.words.len() + statement.clauses.len() > 2
}

/// "Should we use A or B", "is A or B better": other questions with an "or" ask for yes or no.
fn chooses(segment: &str) -> bool {
    let words: Vec<String> = Statement::read(segment).clauses.iter().flat_map(texts).collect();
    let modal = matches!(words.first().map(String::as_str), Some("should" | "shall" | "would" | "must"));
    let compares = ["better", "best", "rather", "prefer", "faster", "safer", "simpler", "cheaper", "easier", "more"];
    modal || words.iter().any(|word| compares.contains(&word.as_str()))
}

/// "Check the regex for backtracking" asks whether there is something bad.
fn looks_for(segment: &str) -> bool {
    let words: Vec<String> = Statement::read(segment).clauses.iter().flat_map(texts).collect();
    let looks = words
        .first()
        .is_some_and(|word| matches!(word.as_str(), "check" | "audit" | "review" | "scan" | "inspect" | "look"));
    let sought = words.iter().rposition(|word| word == "for").map_or(&[][..], |at| &words[at + 1..]);
    looks && sought.len() < 5 && sought.iter().any(|word| lexicon::judgement(word) < 0)
}

fn proposes(segment: &str) -> bool {
    let words: Vec<String> = Statement::read(segment).clauses.iter().flat_map(texts).collect();
    let opening = words.first().map_or("", String::as_str);
    let second = words.get(1).map_or("", String::as_str);
    let needs = opening == "do" && matches!(second, "we" | "i" | "you") && words.iter().any(|word| word == "need")
        || must(&words);
    let worth = words.iter().any(|word| word == "worth") || to_do(&words);
    let we = matches!(second, "we" | "i" | "you" | "us");
    let asked_to = matches!(opening, "should" | "shall" | "must") || we;
    let kept = words.iter().take(8).any(|word| lexicon::keeps(word));
    (PROPOSING.contains(&opening) && asked_to) || needs || worth || kept
}

/// "Do we have to".
fn must(words: &[String]) -> bool {
    words.windows(2).take(4).any(|pair| pair[0] == "have" && pair[1] == "to")
}

fn polarity(form: &Form, words: &[String], cause: bool) -> (i32, Option<String>) {
    match form {
        Form::Review | Form::Severity => (1, None),
        Form::Proposal => {
            let holding = words.iter().take(6).any(|word| HOLDING.contains(&word.as_str()));
            (if holding { -1 } else { 1 }, None)
        }
        Form::Claim if cause => (0, None),
        Form::Claim => predicate(words),
        Form::Choice(_) | Form::Which | Form::Quantity | Form::Open => (0, None),
    }
}

/// What yes would say of the thing, from the question's own predicate.
fn predicate(words: &[String]) -> (i32, Option<String>) {
    let opposing = ["object", "objection", "objections", "against", "oppose", "reservations", "concerns", "doubts"];
    if words.iter().take(4).any(|word| opposing.contains(&word.as_str())) {
        return (-1, None);
    }
    if let Some(value) = lexicon::phrase_in(words) {
        return (value.signum(), None);
    }
    let attributive = |at: usize| {
        let before = if at == 0 { "" } else { words[at - 1].as_str() };
        let after = words.get(at + 1).map_or("", String::as_str);
        matches!(before, "the" | "a" | "an" | "this" | "that" | "our") && !after.is_empty() && !is_common(after)
    };
    let stated: Vec<usize> = (1..words.len()).filter(|at| value(&words[*at]) != 0 && !attributive(*at)).collect();
    let strong = stated.iter().find(|at| PREDICATES.contains(&words[**at].as_str()));
    // "Does it leak errors": the verb comes first. "Is the fix for the leak broken": the predicate comes last.
    let does = matches!(words.first().map(String::as_str), Some("do" | "does" | "did" | "will" | "can" | "could"));
    let Some(at) = strong.or(if does { stated.first() } else { stated.last() }) else { return (0, None) };
    let said = value(&words[*at]);
    let turned = words.iter().filter(|word| matches!(word.as_str(), "not" | "never" | "without")).count();
    (if turned % 2 == 1 && strong.is_none() { -said } else { said }, Some(stem(&words[*at])))
}

fn value(word: &str) -> i32 {
    let stem_of = stem(word);
    if achieves(&stem_of) { 1 } else { lexicon::judgement(word).signum() }
}

/// Verbs for what a thing is there for: to deny them is to find fault.
const ACHIEVING: &str = "fix solve prevent protect help preserve handle work cover close improve resolve satisfy meet comply respect \
    guarantee scale cope survive pass suffice support reduce ensure withstand tolerate recover validate sanitise sanitize escape";
static ACHIEVING_STEMS: LazyLock<BTreeSet<String>> = LazyLock::new(|| ACHIEVING.split(' ').map(stem).collect());

pub(super) fn achieves(stem: &str) -> bool {
    ACHIEVING_STEMS.contains(stem)
}
const NEEDS: &[&str] = &["need", "needs", "needed", "necessary", "required", "require", "requires"];

/// What is asked for takes the place of something: to keep that is to be against it.
fn replaces(words: &[String]) -> bool {
    let kept = words.iter().any(|word| lexicon::keeps(word));
    let changing = |word: &String| {
        let stem_of = stem(word);
        lexicon::changes(word) || CHANGES.iter().any(|known| stem(known) == stem_of)
    };
    !kept && words.iter().any(changing)
}

const CHANGES: &[&str] = &[
    "replace",
    "move",
    "remove",
    "delete",
    "switch",
    "swap",
    "migrate",
    "upgrade",
    "abandon",
    "drop",
    "rewrite",
    "convert",
    "disable",
    "split",
    "self-host",
    "change",
    "retire",
    "ban",
    "deprecate",
    "merge",
    "introduce",
    "adopt",
];

/// The verbs of a proposal: what follows the one who acts, "be", "to" or a colon.
fn verbs(words: &[String]) -> BTreeSet<String> {
    let actors = ["we", "i", "you", "to", "be", "they", "reviewers", "team", "us", "worth", "need", "keep"];
    let mut verbs = BTreeSet::new();
    for at in 0..words.len().saturating_sub(1) {
        let next = words[at + 1].as_str();
        if actors.contains(&words[at].as_str()) && !is_common(next) {
            verbs.insert(stem(next));
        }
    }
    if let Some(first) = words.first().filter(|word| !is_common(word)) {
        verbs.insert(stem(first));
    }
    verbs
}

fn claim(form: &Form, segment: &str, task: &str) -> String {
    let plain = |text: &str| text.trim().trim_end_matches(['?', '.', '!', ':']).trim().to_owned();
    match form {
        Form::Review => match subject_of(&plain(task)) {
            Some(subject) => format!("{subject} is fit as it is"),
            None => format!("{} is fit as it is", plain(task)),
        },
        Form::Claim | Form::Proposal => without_auxiliary(&plain(segment)),
        Form::Severity | Form::Quantity | Form::Choice(_) | Form::Which | Form::Open => plain(task),
    }
}

/// The thing under review: what follows the word that asks for it.
fn subject_of(task: &str) -> Option<String> {
    let lower = task.to_lowercase();
    let leads = ["review of ", "review the ", "review: ", "evaluate ", "assess ", "look at ", "check ", "review "];
    let (at, lead) =
        leads.iter().filter_map(|lead| lower.find(lead).map(|at| (at, lead))).min_by_key(|found| found.0)?;
    let rest = task.get(at + lead.len()..)?.trim();
    (!rest.is_empty()).then(|| rest.to_owned())
}

fn without_auxiliary(question: &str) -> String {
    let mut words = question.split_whitespace();
    let first = words.next().unwrap_or_default();
    let known = AUXILIARIES.contains(&first.to_lowercase().as_str());
    let mut rest: Vec<&str> = words.collect();
    if !known {
        return question.to_owned();
    }
    if rest.first().is_some_and(|word| matches!(word.to_lowercase().as_str(), "we" | "i" | "you")) {
        rest.remove(0);
    }
    rest.join(" ")
}
