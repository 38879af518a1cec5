//! The option that a worked answer settles on. What is not plainly said is not guessed.

/// Words that lead up to an option.
const LEADS: &[&str] = &[
    "answer is",
    "answer:",
    "answer would be",
    "answer should be",
    "answer must be",
    "option is",
    "choice is",
    "choice:",
    "i choose",
    "i pick",
    "boxed{",
];
/// Words that may stand between a lead and its option.
const FILLERS: &[&str] =
    &["is", "be", "the", "therefore", "thus", "option", "choice", "letter", "boxed", "text", "answer"];
/// Words by which a writer takes back what was said before.
const RETRACTIONS: &[&str] =
    &["wait", "actually", "correction", "mistake", "reconsider", "on reflection", "i was wrong"];
/// How much may be passed over between a lead and its option.
const MOST_FILLER: usize = 60;

/// The option that a text settles on: `the answer is (B)`, `Answer: B`, `I choose Redis`, `\boxed{B}`, or an option that
/// stands alone on the last line. `None` when none is named.
///
/// The first statement counts, as models that do not stop go on with questions of their own; a later one that differs
/// counts when the writer takes the first back in between.
#[must_use]
pub fn choice<'a>(text: &str, options: &'a [String]) -> Option<&'a String> {
    // Of the same length in bytes, so that places in one are places in the other.
    let lower = text.to_ascii_lowercase();
    let mut settled: Option<(usize, &String)> = None;
    let retractions = places(&lower, RETRACTIONS);
    for (at, option) in statements(text, &lower, options) {
        match settled {
            Some((before, first)) if first != option && takes_back(&retractions, before, at) => {
                settled = Some((at, option));
            }
            Some(_) => {}
            None => settled = Some((at, option)),
        }
    }
    settled.map(|(_, option)| option).or_else(|| alone(text, options))
}

/// The option with this name: as it is written, else whatever the case where only one is called so.
pub(super) fn called<'a>(name: &str, options: &'a [String]) -> Option<&'a String> {
    let name = name.trim();
    let exact = options.iter().find(|option| option.trim() == name);
    let mut alike = options.iter().filter(|option| option.trim().eq_ignore_ascii_case(name));
    exact.or_else(|| alike.next().filter(|_| alike.next().is_none()))
}

/// Each place after a lead where an option is named, in the order of the text.
fn statements<'a>(text: &str, lower: &str, options: &'a [String]) -> Vec<(usize, &'a String)> {
    let after = |lead: &'static str| lower.match_indices(lead).map(move |(at, _)| at + lead.len());
    let mut places: Vec<usize> = LEADS.iter().flat_map(|lead| after(lead)).collect();
    places.sort_unstable();
    places.dedup();
    places.into_iter().filter_map(|at| named(text, lower, at, options).map(|option| (at, option))).collect()
}

/// The option named right after a place, past punctuation and fillers; none when two are named (`B or C`).
fn named<'a>(text: &str, lower: &str, at: usize, options: &'a [String]) -> Option<&'a String> {
    let mut here = at;
    while here < text.len() && here - at <= MOST_FILLER {
        if let Some(option) = starts_with_one(text, lower, here, options) {
            let rest = lower[here + option.len()..].trim_start_matches([')', ']', '*', '.', ' ']);
            let other = rest.strip_prefix("or ").or_else(|| rest.strip_prefix("and "));
            let second = other.is_some_and(|other| {
                let start = lower.len() - other.trim_start_matches(['(', '*']).len();
                starts_with_one(text, lower, start, options).is_some()
            });
            return (!second).then_some(option);
        }
        let rest = &lower[here..];
        let first = rest.chars().next()?;
        if !first.is_alphanumeric() {
            here += first.len_utf8();
            continue;
        }
        let word = rest.split(|character: char| !character.is_alphanumeric()).next().unwrap_or_default();
        if !FILLERS.contains(&word) {
            return None;
        }
        here += word.len();
    }
    None
}

/// The longest option that stands at a place as a word of its own. A single letter must be written as in the option:
/// "the answer is a mixture" does not name `A`.
fn starts_with_one<'a>(text: &str, lower: &str, at: usize, options: &'a [String]) -> Option<&'a String> {
    let stands = |option: &&String| {
        let folded = option.to_ascii_lowercase();
        let whole = |rest: &str| !rest.chars().next().is_some_and(char::is_alphanumeric);
        let exact =
            option.chars().count() > 1 || text[at..].starts_with(option.as_str()) || bracketed(lower, at, &folded);
        !folded.is_empty() && exact && lower[at..].strip_prefix(folded.as_str()).is_some_and(whole)
    };
    let longest = options.iter().filter(stands).max_by_key(|option| option.len())?;
    called(text.get(at..at + longest.len())?, options)
}

fn bracketed(lower: &str, at: usize, letter: &str) -> bool {
    lower[..at].ends_with('(') && lower[at..].strip_prefix(letter).is_some_and(|rest| rest.starts_with(')'))
}

/// Where each of the words stands, in the order of the text.
fn places(lower: &str, words: &[&'static str]) -> Vec<(usize, usize)> {
    let mut places: Vec<(usize, usize)> =
        words.iter().flat_map(|word| lower.match_indices(word)).map(|(at, word)| (at, at + word.len())).collect();
    places.sort_unstable();
    places
}

/// A retraction stands between the two places.
fn takes_back(retractions: &[(usize, usize)], before: usize, at: usize) -> bool {
    let first = retractions.partition_point(|(start, _)| *start < before);
    retractions[first..].iter().take_while(|(start, _)| *start < at).any(|(_, end)| *end <= at)
}

/// The last line is an option and nothing else.
fn alone<'a>(text: &str, options: &'a [String]) -> Option<&'a String> {
    let line = text.trim_end().lines().next_back().unwrap_or_default();
    // `C` is not what `C++` and `C#` say.
    let said = line.trim_matches(|character: char| !character.is_alphanumeric() && !"+#".contains(character));
    called(said, options).filter(|_| !said.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> Vec<String> {
        ["A", "B", "C", "Redis", "Redis cluster", "J"].map(String::from).to_vec()
    }

    fn read(text: &str) -> Option<String> {
        choice(text, &options()).cloned()
    }

    #[test]
    fn an_option_that_is_plainly_named_is_read() {
        for (text, option) in [
            ("So the answer is (B).", "B"),
            ("Answer: C", "C"),
            ("**Answer:** **(C)** because", "C"),
            ("the correct answer is option B: it is smaller", "B"),
            ("The answer is:\n\\[ \\boxed{C} \\]", "C"),
            ("Thus the speed is \\( \\boxed{\\text{B}} \\).", "B"),
            ("I choose redis because it is fast", "Redis"),
            ("The answer is Redis cluster.", "Redis cluster"),
            ("Long text.\n\nB", "B"),
            ("the answer is (b)", "B"),
            ("the answer is therefore \u{201c}C\u{201d}.", "C"),
        ] {
            assert_eq!(read(text).as_deref(), Some(option), "{text}");
        }
    }

    #[test]
    fn what_is_not_plainly_said_is_no_position() {
        for text in [
            "",
            "A longer text about things",
            "the answer is D",
            "the answer is a mixture of things",
            "the answer is not (B)",
            "the answer is (B) or (C)",
            "the answer is Bees",
            "answer choice A is wrong",
            "the answer is \u{e9}",
            "the answer is",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn the_first_statement_counts_unless_it_is_taken_back() {
        assert_eq!(read("The answer is (B).\n\nQuestion: another\nThe answer is (C).").as_deref(), Some("B"));
        assert_eq!(read("The answer is (B). Wait, I read it wrongly: the answer is (C).").as_deref(), Some("C"));
    }

    #[test]
    fn an_option_that_begins_another_is_not_taken_for_it() {
        let options = ["C", "C++"].map(String::from);
        for (text, option) in [("Well.\n\nC++", Some("C++")), ("Well.\n\n**C**.", Some("C")), ("Well.\n\nC#", None)] {
            assert_eq!(choice(text, &options).map(String::as_str), option, "{text}");
        }
        assert_eq!(choice("Well.\n\nC++", &options[..1]), None);
    }

    #[test]
    fn no_options_name_nothing() {
        assert_eq!(choice("the answer is B", &[]), None);
        assert_eq!(choice("the answer is B", &[String::new()]), None);
    }
}
