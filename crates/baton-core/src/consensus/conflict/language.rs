//! Statements as clauses of words, with what negates them, what they hang on and whose view they give.

/// One word, lower-case, contractions spelled out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    /// An odd number of negations reaches it.
    pub(super) negated: bool,
}

/// Words between two marks of punctuation or conjunctions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Clause {
    pub(super) words: Vec<Word>,
    /// A condition, a concession or somebody else's view: what stands here is not the author's position.
    pub(super) aside: bool,
    /// What follows takes it back in part ("simpler, but ..."), or it hangs on a condition ("approve once ...").
    pub(super) held_back: bool,
}

/// A sentence of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) text: String,
    pub(super) clauses: Vec<Clause>,
}

/// Words that turn round what follows them in their clause.
const NEGATORS: &[&str] = &[
    "not", "never", "no", "none", "nothing", "nobody", "nowhere", "neither", "nor", "without", "hardly", "barely",
    "scarcely", "unable", "lack", "lacks",
];
/// How many words a negation reaches.
const REACH: usize = 9;
/// What turns a negation into none: "not only", "no doubt".
const NO_NEGATION: &[(&str, &str)] = &[
    ("not", "only"),
    ("not", "just"),
    ("not", "merely"),
    ("not", "simply"),
    ("no", "doubt"),
    ("no", "question"),
    ("no", "matter"),
    ("no", "later"),
    ("without", "doubt"),
];
/// A clause that begins so is a condition or a concession.
const ASIDES: &[&str] = &[
    "if",
    "unless",
    "once",
    "when",
    "whenever",
    "until",
    "provided",
    "providing",
    "assuming",
    "although",
    "though",
    "while",
    "whereas",
    "despite",
    "whether",
    "even if",
    "even though",
    "as long as",
    "as soon as",
    "so long as",
    "in case",
    "in spite of",
    "only if",
    "only once",
    "only after",
    "for all",
    "apart from",
    "except for",
    "had you",
    "before",
    "after",
];
/// What an approval can hang on.
const CONDITIONS: &[&str] =
    &["if", "unless", "once", "until", "provided", "assuming", "as long as", "as soon as", "so long as", "only if"];
/// A statement that holds one of these gives another's view, or one that the author has left behind.
const REPORTS: &[&str] = &[
    "could argue",
    "might argue",
    "may argue",
    "will argue",
    "would argue that the",
    "some argue",
    "others argue",
    "will say",
    "might say",
    "could say",
    "some say",
    "others say",
    "may say",
    "people say",
    "you may hear",
    "the objection is",
    "the usual objection",
    "the argument is",
    "the argument against",
    "the argument for",
    "the counter argument",
    "the case against",
    "the fear is",
    "the worry is",
    "is tempting",
    "at first sight",
    "at first glance",
    "i first thought",
    "i thought at first",
    "my first thought",
    "initially thought",
    "in theory",
    "on paper",
    "may well be",
    "critics",
    "the other side",
    "one reviewer",
    "the author says",
    "the author claims",
    "the description says",
    "the comment says",
    "is said to",
    "sounds attractive",
    "it is often said",
    "i used to",
    "i expected",
    "looks scary",
    "looks bad",
    "looks dangerous",
    "looks wrong",
    "looked bad",
    "looked wrong",
    "looks odd",
    "looked odd",
    "would have said",
    "would have been",
    "would have chosen",
    "would have picked",
    "would have gone",
];
/// Conjunctions at which a clause ends, beside punctuation.
const BREAKS: &[&str] =
    &["but", "because", "since", "although", "though", "whereas", "however", "yet", "so", "who", "which", "where"];
const PRONOUNS: &[&str] = &["i", "it", "the", "this", "we", "you", "that", "there", "they", "nobody", "nothing"];

impl Statement {
    pub(super) fn read(text: &str) -> Self {
        let mut clauses = Vec::new();
        for part in parts(&spelled_out(text)) {
            split_at_conjunctions(&part, &mut clauses);
        }
        let mut clauses: Vec<Clause> = clauses.into_iter().filter(|words| !words.is_empty()).map(clause).collect();
        mark_held_back(&mut clauses);
        mark_reports(&mut clauses);
        // "It is a day's work, true": granted in passing.
        for clause in clauses.iter_mut().skip(1) {
            clause.aside |=
                clause.words.len() == 1 && matches!(clause.word(0), "true" | "granted" | "admittedly" | "sure");
        }
        Self { text: text.to_owned(), clauses }
    }

    /// The clauses in which the author speaks without condition.
    pub(super) fn plain(&self) -> impl Iterator<Item = &Clause> {
        self.clauses.iter().filter(|clause| !clause.aside)
    }

    /// It gives a view that is not the author's.
    pub(super) fn reports(&self) -> bool {
        self.clauses.first().is_some_and(|clause| clause.aside && reported(clause))
    }
}

impl Clause {
    /// Where the words of `phrase` stand in this order.
    pub(super) fn find(&self, phrase: &str) -> Option<usize> {
        let fits = |at: &usize| phrase.split(' ').enumerate().all(|(after, word)| self.word(at + after) == word);
        (0..self.words.len()).find(fits)
    }

    pub(super) fn begins(&self, phrase: &str) -> bool {
        self.find(phrase) == Some(0)
    }

    pub(super) fn word(&self, at: usize) -> &str {
        self.words.get(at).map_or("", |word| word.text.as_str())
    }
}

/// The word turns round what follows it.
pub(super) fn negates(word: &str) -> bool {
    NEGATORS.contains(&word)
}

/// Lower-case, typographic quotes made plain, contractions spelled out.
fn spelled_out(text: &str) -> String {
    let mut plain = text.to_lowercase().replace(['\u{2019}', '\u{2018}'], "'");
    for (short, long) in [
        ("can't", "can not"),
        ("cannot", "can not"),
        ("won't", "will not"),
        ("shan't", "shall not"),
        ("let's", "let us"),
        ("n't", " not"),
        ("i'd", "i would"),
        ("it'd", "it would"),
        ("'re", " are"),
        ("'ve", " have"),
        ("'ll", " will"),
        ("i'm", "i am"),
        ("you'd", "you would"),
        ("that's", "that is"),
        ("it's", "it is"),
        ("there's", "there is"),
        ("what's", "what is"),
        ("here's", "here is"),
        ("nothing's", "nothing is"),
        ("w/o", "without"),
    ] {
        plain = plain.replace(short, long);
    }
    plain
}

/// Splits at punctuation that ends a clause; a point or comma inside a number or name does not.
fn parts(text: &str) -> Vec<Vec<String>> {
    let characters: Vec<char> = text.chars().collect();
    let mut parts = vec![Vec::new()];
    let mut word = String::new();
    for (at, character) in characters.iter().copied().enumerate() {
        let next = characters.get(at + 1).copied().unwrap_or(' ');
        let ends = match character {
            ',' | ':' | '.' | '!' | '?' => next.is_whitespace() || matches!(next, '"' | '\'' | '`' | ')'),
            ';' | '(' | ')' | '\u{2014}' | '\u{2013}' | '\n' => true,
            '-' => word.is_empty() && next == ' ',
            _ => false,
        };
        if !ends && belongs_to_a_word(character, &word, next) {
            word.push(character);
            continue;
        }
        push(&mut parts, &mut word);
        if ends {
            parts.push(Vec::new());
        }
    }
    push(&mut parts, &mut word);
    parts
}

fn belongs_to_a_word(character: char, word: &str, next: char) -> bool {
    if character.is_alphanumeric() || matches!(character, '_' | '+' | '#' | '%' | '=') {
        return true;
    }
    matches!(character, '.' | '-' | '\'' | ',' | ':' | '/') && !word.is_empty() && next.is_alphanumeric()
}

fn push(parts: &mut [Vec<String>], word: &mut String) {
    let plain = word.trim_matches(|character: char| matches!(character, '.' | '-' | '\'' | ',' | ':' | '/'));
    if let (Some(last), false) = (parts.last_mut(), plain.is_empty()) {
        last.push(plain.to_owned());
    }
    word.clear();
}

fn split_at_conjunctions(part: &[String], clauses: &mut Vec<Vec<String>>) {
    let mut start = 0;
    for at in 1..part.len() {
        let word = part[at].as_str();
        let next = part.get(at + 1).map_or("", String::as_str);
        let joins = matches!(word, "and" | "or") && PRONOUNS.contains(&next);
        // "not so good", "not yet": there it is no conjunction.
        let so = matches!(word, "so" | "yet") && !(PRONOUNS.contains(&next) || matches!(next, "yes" | "no"));
        let condition = matches!(word, "if" | "unless" | "once" | "when" | "until" | "while" | "whether");
        if joins || condition || (BREAKS.contains(&word) && !so) {
            clauses.push(part[start..at].to_vec());
            start = at;
        }
    }
    clauses.push(part[start..].to_vec());
}

fn clause(words: Vec<String>) -> Clause {
    let negated = negations(&words);
    let words: Vec<Word> = words.into_iter().zip(negated).map(|(text, negated)| Word { text, negated }).collect();
    let mut clause = Clause { words, aside: false, held_back: false };
    clause.aside = ASIDES.iter().any(|start| clause.begins(start)) || clause.find("would have").is_some();
    clause
}

fn negations(words: &[String]) -> Vec<bool> {
    let mut reaching: Vec<usize> = Vec::new();
    let mut flags = Vec::with_capacity(words.len());
    for (at, word) in words.iter().enumerate() {
        reaching.retain(|since| at - since <= REACH);
        flags.push(reaching.len() % 2 == 1);
        let next = words.get(at + 1).map_or("", String::as_str);
        let exempt = NO_NEGATION.iter().any(|(first, second)| word == first && next == *second);
        if NEGATORS.contains(&word.as_str()) && !exempt {
            reaching.push(at);
        }
    }
    flags
}

fn mark_held_back(clauses: &mut [Clause]) {
    let turns = |clause: &Clause| matches!(clause.word(0), "but" | "yet" | "however");
    let condition = |clause: &Clause| CONDITIONS.iter().any(|start| clause.begins(start));
    for at in 1..clauses.len() {
        if turns(&clauses[at]) || condition(&clauses[at]) {
            clauses[at - 1].held_back = true;
        }
        if clauses[at - 1].begins("if") {
            clauses[at].held_back = true;
        }
    }
}

/// A reported view reaches up to the "but" that answers it.
fn mark_reports(clauses: &mut [Clause]) {
    let Some(first) = clauses.iter().position(reported) else { return };
    let answered = |clause: &Clause| matches!(clause.word(0), "but" | "yet" | "however");
    let end = (first..clauses.len()).find(|at| *at > first && answered(&clauses[*at])).unwrap_or(clauses.len());
    for clause in &mut clauses[..end] {
        clause.aside = true;
    }
}

fn reported(clause: &Clause) -> bool {
    REPORTS.iter().any(|phrase| clause.find(phrase).is_some())
}

/// A word without its ending, so that "leaks", "leaked" and "leaking" are one. Crude, and the same for both sides.
pub(super) fn stem(word: &str) -> String {
    let mut stem = word.trim_end_matches("'s").to_owned();
    for ending in ["ing", "ed", "es", "s"] {
        if stem.len() >= ending.len() + 3 && stem.ends_with(ending) && !stem.ends_with("ss") {
            stem.truncate(stem.len() - ending.len());
            break;
        }
    }
    let bytes = stem.as_bytes();
    let doubled = bytes.len() > 3 && bytes[bytes.len() - 1] == bytes[bytes.len() - 2];
    if doubled && !stem.ends_with("ss") && stem.is_ascii() {
        stem.pop();
    }
    if stem.len() > 3 && stem.ends_with('e') {
        stem.pop();
    }
    stem
}

/// Words that carry no topic.
const COMMON: &[&str] = &[
    "a", "an", "the", "this", "that", "these", "those", "is", "are", "was", "were", "be", "been", "being", "do",
    "does", "did", "has", "have", "had", "can", "could", "should", "shall", "would", "will", "may", "might", "must",
    "to", "of", "in", "on", "at", "by", "for", "from", "with", "without", "into", "as", "and", "or", "but", "not",
    "no", "yes", "it", "its", "we", "our", "us", "you", "your", "i", "my", "me", "they", "their", "them", "he", "she",
    "there", "here", "what", "which", "who", "how", "when", "where", "why", "whether", "if", "so", "than", "then",
    "too", "very", "just", "only", "also", "still", "yet", "now", "later", "use", "any", "some", "all", "each", "one",
    "more", "most", "much", "many", "such", "own", "same", "other", "another", "need", "get", "go", "per", "vs",
    "versus", "between", "about", "over", "under", "up", "out", "off", "either", "both", "per",
];

pub(super) fn is_common(word: &str) -> bool {
    COMMON.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn negated(text: &str) -> Vec<String> {
        let statement = Statement::read(text);
        let words = statement.clauses.into_iter().flat_map(|clause| clause.words);
        words.filter(|word| word.negated).map(|word| word.text).collect()
    }

    #[test]
    fn a_negation_reaches_to_the_end_of_its_clause() {
        assert!(negated("I don\u{2019}t think this is safe, it breaks").ends_with(&["safe".to_owned()]));
        assert_eq!(negated("not off, wrong"), ["off"]);
        assert!(!negated("There is no reason not to ship").contains(&"ship".to_owned()), "two negations are none");
        assert!(negated("It is not merely untidy").is_empty());
        assert!(!negated("It is safe because nothing leaks").contains(&"safe".to_owned()));
    }

    #[test]
    fn conditions_and_other_peoples_views_are_asides() {
        let plain = |text: &str| -> Vec<String> {
            let statement = Statement::read(text);
            statement.plain().map(|clause| clause.words[0].text.clone()).collect()
        };
        assert_eq!(plain("Approve once the overflow is fixed"), ["approve"]);
        assert!(plain("If it leaked, it would be wrong").len() == 1);
        assert!(plain("One could argue that it is broken").is_empty());
        assert_eq!(plain("A rewrite is tempting, but there is no budget"), ["but"]);
        assert!(plain("With fewer lines I would have said no").is_empty());
    }

    #[test]
    fn names_and_numbers_stay_whole() {
        let statement = Statement::read("Line 3.8 of src/a.rs:40, e.g. `io-ts` at 1,000.");
        let words: Vec<&str> =
            statement.clauses.iter().flat_map(|clause| clause.words.iter().map(|word| word.text.as_str())).collect();
        assert!(words.contains(&"3.8") && words.contains(&"src/a.rs:40") && words.contains(&"io-ts"));
        assert!(words.contains(&"1,000"), "{words:?}");
    }

    #[test]
    fn endings_do_not_matter() {
        for (one, other) in [("leaks", "leaking"), ("dropped", "drop"), ("loses", "lose"), ("merge", "merged")] {
            assert_eq!(stem(one), stem(other), "{one} {other}");
        }
        assert_eq!(stem("class"), "class");
    }
}
