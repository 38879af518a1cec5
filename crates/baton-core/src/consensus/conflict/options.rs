//! Exclusive options: which ones a task names, and which one an answer picks.

use std::collections::BTreeSet;

use super::language::{Clause, Statement, is_common, stem};
use super::lexicon;

/// One option, as the stems of the words that tell it from the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) name: String,
    pub(super) keys: BTreeSet<String>,
}

/// Words at which the name of an option ends or before which it begins.
const EDGES: &[&str] = &[
    "in", "on", "at", "for", "with", "to", "as", "by", "from", "of", "we", "i", "you", "use", "using", "choose",
    "pick", "take", "adopt", "prefer", "between", "is", "are", "be", "should", "go", "when", "if", "than", "run", "it",
    "kept", "keep", "have", "into", "per", "do", "does", "this", "that", "because", "while", "which", "either", "like",
];
const CHOOSE: &[&str] = &["choose", "pick", "decide", "choice", "select", "choosing", "deciding", "decision"];
const LONGEST_NAME: usize = 4;

/// The options that a question names with "or", "vs" or "between ... and ...".
pub(super) fn named(segment: &str) -> Option<Vec<Choice>> {
    let words: Vec<String> = tokens(segment);
    let joint = words.iter().position(|word| matches!(word.as_str(), "or" | "vs" | "vs." | "versus"));
    let between = words.iter().position(|word| word == "between");
    let joint = match (joint, between) {
        (Some(joint), _) => joint,
        (None, Some(start)) if words[..start].iter().any(|word| CHOOSE.contains(&word.as_str())) => {
            start + words[start..].iter().position(|word| word == "and")?
        }
        (None, _) => return None,
    };
    let right = after(&words, joint + 1);
    if matches!(
        right.first().map(String::as_str),
        None | Some("not" | "no" | "later" | "less" | "more" | "other" | "so" | "else")
    ) {
        return None;
    }
    let mut names = vec![right];
    let mut end = joint;
    while end > 0 {
        let left = before(&words, end);
        let start = end - left.len();
        if left.is_empty() {
            break;
        }
        names.insert(0, left);
        // "A, B or C": the comma stays as a word of its own.
        if start == 0 || words[start - 1] != "," {
            break;
        }
        end = start - 1;
    }
    let choices = distinct(names.iter().map(|name| name.join(" ")));
    (choices.len() > 1).then_some(choices)
}

fn tokens(text: &str) -> Vec<String> {
    let spaced =
        without_parentheses(text).replace(", ", " , ").replace(" (", " ( ").replace('?', " ? ").replace(": ", " : ");
    let trim = |word: &str| word.trim_matches(|c: char| matches!(c, '`' | '"' | '\'' | '.' | ')' | ';')).to_lowercase();
    spaced.split_whitespace().map(trim).filter(|word| !word.is_empty()).collect()
}

/// What stands in parentheses explains an option and is no part of its name.
fn without_parentheses(text: &str) -> String {
    let mut depth = 0_u32;
    let mut kept = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => kept.push(character),
            _ => {}
        }
    }
    kept
}

fn edge(word: &str) -> bool {
    EDGES.contains(&word) || matches!(word, "," | "?" | ":" | "(" | "or" | "vs" | "versus" | "and")
}

fn after(words: &[String], start: usize) -> Vec<String> {
    let rest = words[start..].iter().skip_while(|word| {
        matches!(word.as_str(), "the" | "a" | "an" | "to" | "with" | "in" | "for" | "use" | "we" | "should")
    });
    rest.take_while(|word| !edge(word)).take(LONGEST_NAME).cloned().collect()
}

fn before(words: &[String], end: usize) -> Vec<String> {
    let mut start = end;
    while start > 0 && end - start < LONGEST_NAME && !edge(&words[start - 1]) {
        start -= 1;
    }
    words[start..end].to_vec()
}

/// Options with the words that only they have; those that say the same are one.
pub(super) fn distinct(names: impl Iterator<Item = String>) -> Vec<Choice> {
    let mut choices: Vec<Choice> = Vec::new();
    for name in names {
        let keys = keys(&name);
        if keys.is_empty() || choices.iter().any(|known| same(&known.keys, &keys)) {
            continue;
        }
        choices.push(Choice { name, keys });
    }
    let shared: BTreeSet<String> = choices
        .iter()
        .flat_map(|choice| choice.keys.iter())
        .filter(|key| choices.iter().filter(|choice| choice.keys.contains(*key)).count() > 1)
        .cloned()
        .collect();
    for choice in &mut choices {
        if choice.keys.iter().any(|key| !shared.contains(key)) {
            choice.keys.retain(|key| !shared.contains(key));
        }
    }
    choices
}

/// The stems of a name's telling words, and its initials, as people shorten names ("SSR").
pub(super) fn keys(name: &str) -> BTreeSet<String> {
    let statement = Statement::read(name);
    let words: Vec<String> =
        statement.clauses.iter().flat_map(|clause| clause.words.iter().map(|word| word.text.clone())).collect();
    let mut keys: BTreeSet<String> =
        words.iter().filter(|word| !is_common(word)).map(|word| stem(&digits(word))).collect();
    if keys.is_empty() && words.len() == 1 {
        // "Go" is a name too.
        keys.extend(words.iter().map(|word| stem(word)));
    }
    let initials: String =
        words.iter().flat_map(|word| word.split('-')).filter_map(|word| word.chars().next()).collect();
    if initials.len() > 2 && initials.len() < 5 {
        keys.insert(initials);
    }
    keys
}

/// Small numbers are written in words as often as in digits.
pub(super) fn digits(word: &str) -> String {
    let names =
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    names.iter().position(|name| *name == word).map_or_else(|| word.to_owned(), |at| at.to_string())
}

fn same(one: &BTreeSet<String>, other: &BTreeSet<String>) -> bool {
    let hits =
        |a: &BTreeSet<String>, b: &BTreeSet<String>| a.iter().filter(|key| b.iter().any(|b| alike(key, b))).count();
    let shorter = one.len().min(other.len());
    hits(one, other) >= shorter.max(1)
}

/// "postgresql" and "postgres", "uuidv7" and "v7", "k8s" and "kubernetes".
fn alike(one: &str, other: &str) -> bool {
    let (long, short) = if one.len() >= other.len() { (one, other) } else { (other, one) };
    if long == short {
        return true;
    }
    if short.len() >= 4 && long.starts_with(short) && short.len() * 2 >= long.len() {
        return true;
    }
    let versioned =
        short.len() >= 2 && short.chars().any(|c| c.is_ascii_digit()) && short.chars().any(char::is_alphabetic);
    (versioned && long.ends_with(short)) || numeronym(long, short)
}

/// "i18n": first letter, how many are left out, last letter.
fn numeronym(long: &str, short: &str) -> bool {
    let Some(digits) = short.get(1..short.len().saturating_sub(1)) else { return false };
    let Ok(left_out) = digits.parse::<usize>() else { return false };
    let last = |text: &str| text.chars().next_back();
    let full = stem(long);
    let fits = |long: &str| long.len() == left_out + 2 && long.starts_with(&short[..1]) && last(long) == last(short);
    fits(long) || fits(&format!("{full}s")) || fits(&format!("{full}es"))
}

/// How much an answer speaks for each option; in tenths of a plain mention.
pub(super) fn support(choices: &[Choice], statements: &[Statement], trailer: Option<&str>) -> Vec<i32> {
    let mut sums = vec![0; choices.len()];
    let mut opened = false;
    for statement in statements.iter().filter(|statement| !statement.reports()) {
        for clause in statement.plain() {
            let present: Vec<Option<usize>> = choices.iter().map(|choice| mention(choice, clause)).collect();
            for (option, at) in present.iter().enumerate() {
                let Some(at) = at else { continue };
                let value = weigh(clause, *at, !opened) / if faint(&choices[option], clause) { 2 } else { 1 };
                sums[option] += if clause.held_back { value * 2 / 5 } else { value };
            }
        }
        opened = true;
    }
    if let Some(said) = trailer {
        let said = keys(said);
        for (option, choice) in choices.iter().enumerate() {
            if same(&said, &choice.keys) {
                sums[option] += 40;
            }
        }
    }
    sums
}

/// One word of a long name may well be said of something else.
fn faint(choice: &Choice, clause: &Clause) -> bool {
    let said = |key: &&String| clause.words.iter().any(|word| alike(key, &stem(&digits(&word.text))));
    choice.keys.len() > 2 && choice.keys.iter().filter(said).count() < 2
}

fn mention(choice: &Choice, clause: &Clause) -> Option<usize> {
    clause.words.iter().position(|word| {
        let stem = stem(&digits(&word.text));
        choice.keys.iter().any(|key| alike(key, &stem) || word.text.split('-').any(|part| part == key))
    })
}

const CHOOSING: &[&str] = &[
    "use",
    "take",
    "choose",
    "pick",
    "go",
    "prefer",
    "recommend",
    "vote",
    "lean",
    "stick",
    "stay",
    "with",
    "suggest",
    "want",
    "favour",
    "favor",
    "adopt",
    "leaves",
    "for",
    "keep",
    "start",
    "towards",
    "toward",
    "say",
    "call",
];
const DISMISSING: &[&str] = &[
    "than", "over", "of", "without", "drop", "avoid", "skip", "against", "only", "beyond", "leave", "ditch", "unlike",
];

/// What one mention says for the option.
fn weigh(clause: &Clause, at: usize, opening: bool) -> i32 {
    let before: Vec<&str> = (at.saturating_sub(4)..at).map(|at| clause.word(at)).collect();
    if clause.words[at].negated || dismissed(clause, at, &before) {
        return -15;
    }
    let leads = at <= 1 || before.iter().all(|word| is_common(word) || CHOOSING.contains(word));
    let urged = matches!(clause.word(0), "use" | "take" | "choose" | "pick" | "prefer" | "recommend" | "go");
    let chosen =
        urged || before.iter().any(|word| CHOOSING.contains(word)) || clause.find("it is").is_some_and(|is| is > at);
    let favoured = [
        "my vote",
        "wins",
        "is better",
        "is simpler",
        "is quicker",
        "is the better",
        "would be better",
        "is the right",
        "instead",
    ]
    .iter()
    .any(|phrase| clause.find(phrase).is_some_and(|found| found > at));
    let judged: i32 = clause.words[at..].iter().map(|word| sign(word.negated) * lexicon::judgement(&word.text)).sum();
    let opened = if opening && leads { 30 } else { 5 };
    opened + i32::from(chosen) * 20 + i32::from(favoured) * 20 + judged.clamp(-15, 10)
}

fn dismissed(clause: &Clause, at: usize, before: &[&str]) -> bool {
    let near = before.iter().rev().take(2).any(|word| DISMISSING.contains(word));
    let out = ["is out", "is not", "are not", "would not", "can not", "does not", "adds", "lacks", "brings", "too"];
    near || out.iter().any(|phrase| clause.find(phrase).is_some_and(|found| found == at + 1))
}

fn sign(negated: bool) -> i32 {
    if negated { -1 } else { 1 }
}

/// The option that stands out, when one does.
pub(super) fn picked(support: &[i32]) -> Option<usize> {
    let best = (0..support.len()).max_by_key(|at| (support[*at], std::cmp::Reverse(*at)))?;
    let rival = (0..support.len()).filter(|at| *at != best).map(|at| support[at]).max().unwrap_or(0);
    (support[best] >= 10 && support[best] > rival).then_some(best)
}

/// The author has no preference, or wants several at once.
pub(super) fn indifferent(statements: &[Statement]) -> bool {
    let phrases = [
        "no preference",
        "either would",
        "either will",
        "either is",
        "either works",
        "either way",
        "both are",
        "both would",
        "both will",
        "both work",
        "no vote",
        "no opinion",
        "do not care",
        "do not mind",
        "no strong",
        "whatever",
        "it does not matter",
        "makes no difference",
        "equally good",
        "toss a coin",
        "toss-up",
        "abstain",
        "not my call",
        "a matter of taste",
    ];
    let first = statements.iter().take(2);
    first
        .flat_map(|statement| &statement.clauses)
        .any(|clause| phrases.iter().any(|phrase| clause.find(phrase).is_some()))
}
