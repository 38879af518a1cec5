//! Whether a task tells to change something, or talks about it. Read from its form alone: a sentence begins with a verb
//! of change, and none asks or tells to explain.

/// What may stand before the verb.
const LEADS: &[&str] = &[
    "please", "pls", "now", "just", "then", "and", "so", "also", "ok", "okay", "hi", "hello", "hey", "first", "next",
    "finally", "simply", "quickly", "kindly", "lets", "let's",
];

/// `Can you mend it?` asks for nothing but that it is done.
const WISHES: &[&[&str]] = &[
    &["can", "you"],
    &["could", "you"],
    &["would", "you"],
    &["will", "you"],
    &["i", "want", "you", "to"],
    &["i", "need", "you", "to"],
    &["i'd", "like", "you", "to"],
    &["i", "would", "like", "you", "to"],
];

const CHANGES: &[&str] = &[
    "add",
    "adapt",
    "adjust",
    "allow",
    "apply",
    "bump",
    "change",
    "clean",
    "convert",
    "correct",
    "create",
    "cut",
    "decouple",
    "dedupe",
    "deduplicate",
    "delete",
    "drop",
    "enable",
    "ensure",
    "expose",
    "extend",
    "extract",
    "fix",
    "get",
    "give",
    "guard",
    "handle",
    "implement",
    "increase",
    "inline",
    "introduce",
    "let",
    "limit",
    "lower",
    "make",
    "mend",
    "merge",
    "migrate",
    "modernise",
    "modernize",
    "move",
    "parse",
    "port",
    "prevent",
    "pull",
    "raise",
    "reduce",
    "refactor",
    "remove",
    "rename",
    "repair",
    "replace",
    "resolve",
    "restructure",
    "return",
    "rewrite",
    "set",
    "show",
    "simplify",
    "sort",
    "split",
    "stop",
    "support",
    "swap",
    "switch",
    "tidy",
    "turn",
    "unify",
    "untangle",
    "update",
    "upgrade",
    "use",
    "validate",
    "wire",
    "wrap",
    "write",
];

const ASKS: &[&str] = &[
    "how", "what", "what's", "why", "which", "who", "where", "when", "whether", "is", "are", "does", "do", "did",
    "should", "shall", "has", "have", "can", "could", "would", "will", "may", "must", "any", "anyone",
];

/// Words are wanted, whatever they are about.
const TALKS: &[&str] = &[
    "advise",
    "analyse",
    "analyze",
    "assess",
    "brainstorm",
    "check",
    "compare",
    "consider",
    "describe",
    "design",
    "discuss",
    "draft",
    "estimate",
    "evaluate",
    "explain",
    "find",
    "help",
    "investigate",
    "list",
    "look",
    "outline",
    "plan",
    "propose",
    "recommend",
    "review",
    "sketch",
    "suggest",
    "summarise",
    "summarize",
    "tell",
    "think",
    "walk",
];

/// True where something is to be done and nothing is asked.
pub(super) fn is_told(prompt: &str) -> bool {
    let mut told = false;
    for (sentence, asks) in sentences(prompt) {
        let words = bare_words(sentence);
        let (wish, rest) = after_wish(&words);
        let Some(first) = rest.first().map(String::as_str) else { continue };
        let asks = !wish && (asks || ASKS.contains(&first));
        if asks || TALKS.contains(&first) {
            return false;
        }
        told |= CHANGES.contains(&first) && !words_alone(rest);
    }
    told
}

/// `Give me an overview`, `write a plan`: a text is wanted.
fn words_alone(rest: &[String]) -> bool {
    const TEXTS: &[&str] = &[
        "adr",
        "advice",
        "answer",
        "comparison",
        "explanation",
        "essay",
        "idea",
        "ideas",
        "list",
        "me",
        "options",
        "outline",
        "overview",
        "plan",
        "proposal",
        "report",
        "review",
        "summary",
        "us",
    ];
    let first = rest.first().map(String::as_str);
    let says = matches!(first, Some("write" | "give" | "make" | "create" | "show" | "get"));
    says && rest.iter().skip(1).take(4).any(|word| TEXTS.contains(&word.as_str()))
}

/// Each with whether it ends in a question mark. A point inside a word, as of a file's name, ends nothing.
fn sentences(prompt: &str) -> impl Iterator<Item = (&str, bool)> {
    let ends = |(at, letter): (usize, char)| {
        let rest = &prompt[at + letter.len_utf8()..];
        let last = rest.chars().next().is_none_or(char::is_whitespace);
        letter == '\n' || (matches!(letter, '.' | '!' | '?' | ';' | ':') && last)
    };
    let mut cuts: Vec<usize> = prompt.char_indices().filter(|at| ends(*at)).map(|(at, _)| at + 1).collect();
    cuts.push(prompt.len());
    let mut from = 0;
    cuts.into_iter().map(move |to| {
        let sentence = &prompt[from..to];
        from = to;
        (sentence, sentence.trim_end().ends_with('?'))
    })
}

fn bare_words(sentence: &str) -> Vec<String> {
    let bare = |word: &str| {
        let plain = word.trim_matches(|letter: char| !letter.is_alphanumeric());
        plain.to_lowercase().replace('’', "'")
    };
    sentence.split_whitespace().map(bare).filter(|word| !word.is_empty()).take(12).collect()
}

/// What follows a wish and polite words, and whether there was a wish. Numbers of a list are passed over.
fn after_wish(words: &[String]) -> (bool, &[String]) {
    let is_lead = |word: &String| LEADS.contains(&word.as_str()) || word.bytes().all(|byte| byte.is_ascii_digit());
    let skip = |words: &[String]| words.iter().take_while(|word| is_lead(word)).count();
    let rest = &words[skip(words)..];
    let wish =
        WISHES.iter().find(|wish| rest.len() >= wish.len() && wish.iter().zip(rest).all(|(one, word)| one == word));
    let rest = &rest[wish.map_or(0, |wish| wish.len())..];
    (wish.is_some(), &rest[skip(rest)..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_to_be_done_is_told_from_what_is_asked() {
        let told = [
            "fix the off-by-one in pager.rs",
            "Please rename `old` to `new` everywhere.",
            "Can you fix the last page? It is dropped in pager.rs.",
            "The last page is dropped. Fix it.",
            "1. add a flag --dry-run\n2. document it",
            "I'd like you to extract the parser into its own module",
            "write a function that parses dates",
        ];
        for prompt in told {
            assert!(is_told(prompt), "{prompt}");
        }
        let asked = [
            "how should I fix the off-by-one in pager.rs?",
            "How do I add a flag",
            "Is the loop in pager.rs safe?",
            "Explain the parser, then fix it.",
            "Fix the pager. Should we rename it, too?",
            "the last page is dropped in pager.rs",
            "write a plan for the migration",
            "Give me an overview of the storage layer",
            "should we fix this now or later",
            "What would it take to add sessions? Implement nothing yet.",
            "fixtures for the tests",
            "",
            "?",
        ];
        for prompt in asked {
            assert!(!is_told(prompt), "{prompt}");
        }
    }

    #[test]
    fn letters_of_any_width_break_nothing() {
        for prompt in ["é?é", "…", "修复它。", "fix\u{2028}x: ü!", "’s"] {
            let _ = is_told(prompt);
        }
    }
}
