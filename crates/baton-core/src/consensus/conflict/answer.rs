//! The yes or no with which an answer opens.

use super::language::{Clause, Statement};
use super::lexicon;

const LEAD_INS: &[&str] = &[
    "well",
    "honestly",
    "in my opinion",
    "in my view",
    "imo",
    "i think",
    "i believe",
    "i would say",
    "i say",
    "short answer",
    "on balance",
    "for me",
    "from my side",
    "as i see it",
    "to me",
    "frankly",
    "overall",
    "then",
    "so",
    "and",
    "but",
    "hence",
    "therefore",
    "as far as i can see",
    "as far as i can tell",
    "here",
];
const YES: &[&str] = &[
    "yes",
    "yep",
    "yeah",
    "yup",
    "aye",
    "sure",
    "absolutely",
    "definitely",
    "certainly",
    "clearly",
    "indeed",
    "of course",
    "by all means",
    "i think so",
    "very much so",
    "without doubt",
    "without a doubt",
    "no doubt",
    "affirmative",
    "surely",
    "i would",
    "exactly",
    "totally",
    "for sure",
    "most likely",
    "very likely",
    "probably",
    "fully",
    "completely",
    "immediately",
    "now",
    "right now",
    "right away",
    "at once",
    "today",
    "why not",
    "gladly",
    "no problem",
];
const NO: &[&str] = &[
    "no",
    "nope",
    "not me",
    "not for me",
    "not us",
    "never",
    "none",
    "nothing",
    "nowhere",
    "of course not",
    "i do not think so",
    "i doubt it",
    "hardly",
    "barely",
    "scarcely",
    "please do not",
    "do not",
    "better not",
    "i would rather not",
    "would rather not",
    "not in my eyes",
    "not in my view",
    "i would not",
    "not at all",
    "no way",
    "none at all",
    "by no means",
    "on the contrary",
    "negative",
    "certainly not",
    "definitely not",
    "absolutely not",
    "probably not",
    "rather not",
    "not really",
    "not quite",
    "not yet",
    "not necessarily",
    "unlikely",
    "not likely",
    "they never do",
    "it never does",
    "far from it",
    "not from my side",
    "there is none",
    "there are none",
    "i do not see one",
    "i see none",
    "later",
    "not now",
    "not today",
    "not any more",
    "not anymore",
    "no longer",
    "only partly",
    "only partially",
    "only half",
    "afterwards",
];
/// What an opening subject can be in "it is", "you can", "they do".
const SUBJECTS: &[&str] =
    &["it", "i", "they", "that", "this", "you", "we", "there", "he", "she", "these", "those", "one"];
const AUXILIARIES: &[&str] = &[
    "is", "are", "was", "were", "do", "does", "did", "can", "could", "will", "would", "should", "must", "has", "have",
    "may", "shall", "might", "had",
];
/// What may stand between the subject and the end of "it really is".
const FILLERS: &[&str] = &[
    "indeed",
    "really",
    "certainly",
    "not",
    "be",
    "never",
    "always",
    "probably",
    "definitely",
    "so",
    "not be",
    "too",
    "easily",
    "clearly",
    "still",
    "all",
    "both",
    "one",
];

/// What follows a "not" that answers: "not by itself", "not with that upstream".
const HEDGES: &[&str] = &[
    "by",
    "on",
    "yet",
    "really",
    "quite",
    "with",
    "for",
    "from",
    "in",
    "at",
    "until",
    "unless",
    "as",
    "if",
    "without",
    "necessarily",
    "any",
    "that",
    "this",
    "entirely",
    "fully",
    "completely",
    "always",
    "to",
    "under",
    "here",
    "now",
    "anymore",
    "today",
    "before",
    "when",
    "while",
    "so",
    "exactly",
    "alone",
    "even",
    "every",
    "all",
    "everywhere",
    "much",
];

/// A yes or no, and whether the same sentence takes it back in part ("not strictly, but ...").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) yes: bool,
    pub(super) held_back: bool,
}

/// The answer that the first statement gives; one of a later statement only where it ends in "so yes".
pub(super) fn read(statements: &[Statement]) -> Option<Answer> {
    let first = statements.iter().find(|statement| !statement.reports())?;
    let opening =
        first.plain().next().and_then(|clause| opening(clause).map(|yes| Answer { yes, held_back: clause.held_back }));
    let closing = || statements.iter().filter(|statement| !statement.reports()).find_map(closing);
    opening.or_else(|| closing().map(|yes| Answer { yes, held_back: false }))
}

fn opening(clause: &Clause) -> Option<bool> {
    let words = without_lead_in(clause);
    let text = words.join(" ");
    if let Some(said) = whole(&text) {
        return Some(said);
    }
    // "No it does not", "yes for now"; "no reason to wait" is no answer.
    match words.first().copied() {
        Some("no" | "nope")
            if words
                .get(1)
                .is_some_and(|word| SUBJECTS.contains(word) || matches!(*word, "i" | "not" | "the" | "never")) =>
        {
            return Some(false);
        }
        Some("yes" | "yep" | "yeah" | "absolutely" | "definitely" | "certainly" | "sure") => return Some(true),
        Some("not") if words.len() < 4 && words[words.len() - 1].ends_with("ly") && !judges(clause) => {
            return Some(false);
        }
        Some("not") if words.get(1).is_some_and(|word| HEDGES.contains(word)) && !judges(clause) => return Some(false),
        _ => {}
    }
    let negated = words.iter().filter(|word| matches!(**word, "not" | "never")).count() % 2 == 1;
    stands_alone(&words).then_some(!negated)
}

fn whole(text: &str) -> Option<bool> {
    if YES.contains(&text) {
        return Some(true);
    }
    NO.contains(&text).then_some(false)
}

fn without_lead_in(clause: &Clause) -> Vec<&str> {
    let mut words: Vec<&str> = clause.words.iter().map(|word| word.text.as_str()).collect();
    loop {
        let text = words.join(" ");
        let lead = LEAD_INS.iter().find(|lead| text.strip_prefix(**lead).is_some_and(|rest| rest.starts_with(' ')));
        let whole_phrase = whole(&text).is_some();
        match lead {
            Some(lead) if !whole_phrase => drop(words.drain(..lead.split(' ').count())),
            _ => return words,
        }
    }
}

fn judges(clause: &Clause) -> bool {
    let judged = clause.words.iter().any(|word| lexicon::judgement(&word.text) != 0);
    judged || lexicon::deciding(clause).iter().chain(&lexicon::judging(clause)).any(|found| found.value != 0)
}

/// "it is", "it does not", "you can", "it really must be" and no more.
fn stands_alone(words: &[&str]) -> bool {
    let [subject, auxiliary, rest @ ..] = words else { return false };
    let inverted = FILLERS.contains(auxiliary) && rest.first().is_some_and(|word| AUXILIARIES.contains(word));
    SUBJECTS.contains(subject)
        && (AUXILIARIES.contains(auxiliary) || inverted)
        && rest.iter().all(|word| FILLERS.contains(word) || AUXILIARIES.contains(word))
}

/// "..., so yes."
fn closing(statement: &Statement) -> Option<bool> {
    statement.plain().find_map(|clause| {
        let words: Vec<&str> = clause.words.iter().map(|word| word.text.as_str()).collect();
        match words.as_slice() {
            ["so" | "then" | "therefore" | "hence" | "thus", "yes"] => Some(true),
            ["so" | "then" | "therefore" | "hence" | "thus", "no"] => Some(false),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Option<bool> {
        read(&[Statement::read(text)]).map(|answer| answer.yes)
    }

    #[test]
    fn an_opening_answer_is_read_in_its_many_forms() {
        for text in [
            "Yes.",
            "Yes: a third of the price",
            "It is.",
            "You can.",
            "They do: `cancel` takes both",
            "I think so",
            "Of course",
            "It must be, otherwise it fails",
            "The trace says it, so yes.",
        ] {
            assert_eq!(said(text), Some(true), "{text}");
        }
        for text in [
            "No.",
            "No, the rate is 97%",
            "It isn\u{2019}t; look again",
            "It will not, since it can't",
            "Not by itself.",
            "They never do.",
            "Not yet.",
            "I wouldn't.",
            "No it does not",
        ] {
            assert_eq!(said(text), Some(false), "{text}");
        }
    }

    #[test]
    fn a_no_before_a_noun_is_no_answer() {
        for text in [
            "No problem found",
            "No reason to wait",
            "No strong view",
            "Not a bug",
            "It is exploitable",
            "Nothing speaks against it",
        ] {
            assert_eq!(said(text), None, "{text}");
        }
    }
}
