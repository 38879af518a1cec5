//! The form of a prompt: how long, what marks, whether it shows code, an error, a measured number, a change under review.
//! Plain scans; no pattern language.

use super::features::is_mark;

/// Names of what is seen, in a fixed order. The names are what reasons show.
pub(super) fn observe(prompt: &str, tokens: &[String]) -> Vec<&'static str> {
    let mut seen = Vec::new();
    length(tokens, &mut seen);
    marks(prompt, tokens, &mut seen);
    numbers(prompt, tokens, &mut seen);
    code(prompt, tokens, &mut seen);
    manner(prompt, tokens, &mut seen);
    seen
}

/// The names of the steps of a ladder that `count` has climbed.
fn climb(count: usize, ladder: &[(usize, &'static str)], seen: &mut Vec<&'static str>) {
    seen.extend(ladder.iter().filter(|(least, _)| count >= *least).map(|(_, name)| *name));
}

fn length(tokens: &[String], seen: &mut Vec<&'static str>) {
    let words = tokens.iter().filter(|token| !is_mark(token)).count();
    let letters: usize = tokens.iter().map(|token| token.chars().count()).sum();
    // Scripts without spaces make few, long words.
    let words = if letters > words * 10 { letters / 3 } else { words };
    climb(
        words,
        &[
            (6, "6 words or more"),
            (9, "9 words or more"),
            (12, "12 words or more"),
            (16, "16 words or more"),
            (22, "22 words or more"),
            (28, "28 words or more"),
            (34, "34 words or more"),
            (42, "42 words or more"),
            (60, "60 words or more"),
        ],
        seen,
    );
}

fn marks(prompt: &str, tokens: &[String], seen: &mut Vec<&'static str>) {
    if prompt.trim_end().ends_with(['?', '？']) {
        seen.push("it ends in a question");
    }
    let questions = tokens.iter().filter(|token| *token == "?").count();
    climb(questions, &[(1, "a question mark"), (2, "several questions")], seen);
    let commas = prompt.matches([',', ';', '、', '，']).count();
    climb(
        commas,
        &[
            (1, "a comma"),
            (3, "an enumeration"),
            (5, "a long enumeration"),
            (8, "very many parts"),
            (11, "a dozen parts"),
        ],
        seen,
    );
    let sentences = sentences(prompt);
    climb(
        sentences,
        &[(2, "two sentences"), (3, "three sentences"), (4, "four sentences"), (6, "six sentences")],
        seen,
    );
    if prompt.contains(':') {
        seen.push("a colon");
    }
    if prompt.contains("->") || prompt.contains('→') {
        seen.push("an arrow");
    }
    if prompt.contains(['"', '“', '„']) {
        seen.push("quoted words");
    }
}

fn sentences(prompt: &str) -> usize {
    let ends = |letter: char| matches!(letter, '.' | '!' | '?' | '。' | '？' | '！');
    let mut count = 0;
    let mut letters = prompt.chars().peekable();
    while let Some(letter) = letters.next() {
        let closes = letters.peek().is_none_or(|next| next.is_whitespace()) || !letter.is_ascii();
        count += usize::from(ends(letter) && closes);
    }
    count.max(1)
}

const UNITS: &[&str] = &[
    "ms", "s", "sec", "secs", "seconds", "min", "mins", "minutes", "h", "hrs", "hours", "gb", "mb", "kb", "fps", "rps",
    "tps", "gigs", "mbit", "µs",
];

fn numbers(prompt: &str, tokens: &[String], seen: &mut Vec<&'static str>) {
    let is_number = |token: &String| token.starts_with(|letter: char| letter.is_ascii_digit());
    let count = tokens.iter().filter(|token| is_number(token)).count();
    climb(count, &[(1, "a number"), (2, "two numbers"), (3, "several numbers"), (5, "many numbers")], seen);
    let measured = tokens.iter().enumerate().any(|(at, token)| {
        let rest = token.trim_start_matches(|letter: char| letter.is_ascii_digit());
        is_number(token)
            && (UNITS.contains(&rest)
                || rest.is_empty() && tokens.get(at + 1).is_some_and(|next| UNITS.contains(&next.as_str())))
    });
    if measured || prompt.contains('%') {
        seen.push("a measured number");
    }
    let big = |token: &String| {
        let digits = token.len() - token.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
        is_number(token) && (digits >= 5 || matches!(&token[digits..], "k" | "m" | "tb" | "bn"))
            || matches!(token.as_str(), "million" | "millions" | "thousands" | "billion")
    };
    if tokens.iter().any(big) {
        seen.push("a big number");
    }
}

const EXTENSIONS: &[&str] = &[
    "py", "js", "ts", "tsx", "jsx", "go", "rs", "java", "php", "rb", "c", "h", "cpp", "hpp", "css", "scss", "html",
    "yml", "yaml", "json", "md", "conf", "sh", "sql", "ex", "kt", "cs", "toml", "xml", "pl", "vue", "swift",
];

fn code(prompt: &str, tokens: &[String], seen: &mut Vec<&'static str>) {
    let mut chunks =
        prompt.split_whitespace().map(|chunk| chunk.trim_matches(|letter: char| ",;:?!()`\"'.".contains(letter)));
    let is_file = |chunk: &str| {
        chunk.rsplit_once('.').is_some_and(|(name, ending)| {
            name.chars().any(char::is_alphanumeric) && EXTENSIONS.contains(&ending.split(':').next().unwrap_or(ending))
        })
    };
    if chunks.clone().any(is_file) {
        seen.push("a file is named");
    }
    if chunks.clone().any(|chunk| chunk.matches('/').count() >= 1 && chunk.len() > 6) {
        seen.push("a path");
    }
    if ["`", "=>", "==", "()", "{ ", "};", "::", " = "].iter().any(|mark| prompt.contains(mark)) {
        seen.push("code in the prompt");
    }
    let names_error = chunks.any(|chunk| chunk.ends_with("Error") || chunk.ends_with("Exception"));
    let reports = ["error:", "Error:", "ERR!", "fatal:", "WARNING", "Warning:", "failed:"];
    if names_error || reports.iter().any(|mark| prompt.contains(mark)) {
        seen.push("an error message");
    }
    let change = |token: &String| {
        matches!(
            token.as_str(),
            "pr" | "prs" | "mr" | "diff" | "commit" | "commits" | "branch" | "patch" | "merge" | "lgtm"
        )
    };
    if tokens.iter().any(change) || numbered_change(prompt) {
        seen.push("a change under review");
    }
}

/// `#123` and `!2140`.
fn numbered_change(prompt: &str) -> bool {
    let mut before = ' ';
    for letter in prompt.chars() {
        if letter.is_ascii_digit() && matches!(before, '#' | '!') {
            return true;
        }
        before = letter;
    }
    false
}

const ASKING: &[&str] =
    &["is", "are", "does", "do", "did", "can", "could", "should", "would", "will", "may", "has", "any"];
const SEEKING: &[&str] = &["where", "who", "which", "what", "how", "why", "when", "what's", "whats"];

fn manner(prompt: &str, tokens: &[String], seen: &mut Vec<&'static str>) {
    if prompt.trim_start().chars().next().is_some_and(char::is_lowercase) {
        seen.push("a small letter first");
    }
    if let Some(first) = tokens.first() {
        if ASKING.contains(&first.as_str()) {
            seen.push("it opens with a yes-or-no question");
        } else if SEEKING.contains(&first.as_str()) {
            seen.push("it opens with a question word");
        }
    }
    let says = |words: &[&str]| tokens.iter().any(|token| words.contains(&token.as_str()));
    if says(&["i", "my", "i'm", "i've", "me"]) {
        seen.push("the asker's own matter");
    }
    if says(&["we", "our", "us", "we've", "we're"]) {
        seen.push("a team's matter");
    }
    if tokens
        .windows(3)
        .any(|three| matches!(three[1].as_str(), "or" | "vs" | "versus" | "oder" | "ou") && !is_mark(&three[0]))
    {
        seen.push("one or the other");
    }
    if says(&["was", "were", "had", "came", "happened", "yesterday", "since", "after", "again", "started", "used"]) {
        seen.push("something told of the past");
    }
}

#[cfg(test)]
mod tests {
    use super::super::features::tokens;
    use super::*;

    fn seen(prompt: &str) -> Vec<&'static str> {
        observe(prompt, &tokens(prompt))
    }

    #[test]
    fn each_form_is_seen_and_nothing_else_takes_its_name() {
        let cases = [
            ("thoughts on !2140?", "a change under review"),
            ("p99 is 40 ms now", "a measured number"),
            ("ValueError: bad", "an error message"),
            ("split up UserService.java", "a file is named"),
            ("mutex or channel", "one or the other"),
            ("what reads this", "it opens with a question word"),
            ("8M rows", "a big number"),
            ("`x` is odd", "code in the prompt"),
        ];
        for (prompt, name) in cases {
            assert!(seen(prompt).contains(&name), "{prompt}: {:?}", seen(prompt));
            assert!(!seen("Plain words here").contains(&name), "{name}");
        }
    }

    #[test]
    fn lengths_climb_and_scripts_without_spaces_have_length_too() {
        assert!(!seen("five words are not many").contains(&"6 words or more"));
        assert!(seen("this one here has exactly six").contains(&"6 words or more"));
        assert!(
            seen("請幫我規劃一個即時聊天系統的整體設計需要已讀狀態離線推播和訊息搜尋").contains(&"9 words or more")
        );
    }

    #[test]
    fn sentences_end_at_a_mark_before_a_space() {
        assert_eq!(sentences("a.b is v1.2. Yes! No"), 2);
        assert_eq!(sentences(""), 1);
        assert_eq!(sentences("一。二。"), 2);
    }
}
