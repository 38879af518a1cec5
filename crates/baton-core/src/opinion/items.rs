//! Findings that an answer tells in plain words, for answers without a trailer: list items, headings, paragraphs and
//! rows of tables that say how bad something is and where. What is quoted, denied or mended is no finding.

use super::blocks::{Block, Form, MOST_LINES, blocks, unlisted};
use super::{Finding, Severity, Stance, denied, label, own, place, prose, statements, trailer};
use crate::source::Sources;

/// The most findings that are read from one answer's prose.
const MOST: usize = 100;
/// How much of one item is read.
const LONGEST_ITEM: usize = 4_000;
/// A claim that has fewer words says nothing.
const FEWEST_WORDS: usize = 2;

/// The findings of a text, in its order. They hold by their words alone: an item has no confidence of its own, and the
/// place that it names is looked up like any other.
pub(super) fn findings(text: &str, sources: &Sources) -> Vec<Finding> {
    let mut reader = Reader { sources, open: None, group: None, found: Vec::new() };
    for block in blocks(text) {
        reader.take(block);
        if reader.found.len() >= MOST {
            break;
        }
    }
    reader.close();
    reader.found.truncate(MOST);
    reader.found
}

/// A finding as far as it was read.
struct Item<'a> {
    form: Form,
    lines: Vec<&'a str>,
    /// Of the heading above it.
    inherited: Option<Severity>,
}

struct Reader<'a> {
    sources: &'a Sources,
    open: Option<Item<'a>>,
    /// The severity that a heading gives to what stands below it, and the heading's level.
    group: Option<(usize, Severity)>,
    found: Vec<Finding>,
}

impl<'a> Reader<'a> {
    fn take(&mut self, block: Block<'a>) {
        let Some(first) = block.lines.first().copied() else { return };
        match block.form {
            Form::Row => {
                self.close();
                self.found.extend(row(first, self.sources));
            }
            Form::Heading(level) => self.heading(level, block),
            Form::Listed(_) | Form::Paragraph if self.belongs(&block) => {
                if let Some(open) = &mut self.open {
                    let room = MOST_LINES.saturating_sub(open.lines.len());
                    open.lines.extend(block.lines.into_iter().take(room));
                }
            }
            Form::Listed(_) | Form::Paragraph => self.begin(block),
        }
    }

    fn begin(&mut self, block: Block<'a>) {
        self.close();
        self.open = Some(Item { form: block.form, lines: block.lines, inherited: self.group.map(|(_, group)| group) });
    }

    /// A heading that says a severity and nothing else gives it to all below.
    fn heading(&mut self, level: usize, block: Block<'a>) {
        self.close();
        self.group = self.group.filter(|(above, _)| level > *above);
        let counted = |character: char| character.is_ascii_digit() || "() ".contains(character);
        let text = block.lines.first().map_or("", |line| line.trim_end_matches(counted));
        let groups = label::head(text).filter(|(_, rest)| word_count(rest) == 0);
        match groups {
            Some((severity, _)) => self.group = Some((level, severity)),
            None => self.begin(block),
        }
    }

    /// The block tells more of the item that is open.
    fn belongs(&self, block: &Block<'_>) -> bool {
        let (Some(open), Some(first)) = (&self.open, block.lines.first()) else { return false };
        let rated = rating(&open.lines).is_some();
        let introduces = !rated && open.lines.last().is_some_and(|last| last.trim_end().ends_with(':'));
        let below = match (open.form, block.form) {
            (Form::Heading(_), _) => true,
            (Form::Listed(open), Form::Listed(indent)) => indent > open,
            _ => false,
        };
        let beside = !matches!((open.form, block.form), (Form::Listed(_), Form::Listed(_))) && !introduces;
        let of_details = open.lines.first().is_some_and(|line| detail(line).is_some());
        let may_tell = below || beside || of_details;
        let placed = || open.lines.iter().any(|line| matches!(detail(line), Some((Detail::Place, _))));
        match detail(first) {
            Some((Detail::Severity, _)) => may_tell && !rated,
            Some((Detail::Place, _)) => may_tell && !placed(),
            Some(_) => may_tell,
            None => below && rated && block.lines.iter().all(|line| label::head(line).is_none()),
        }
    }

    fn close(&mut self) {
        if let Some(item) = self.open.take() {
            self.found.extend(item.finding(self.sources));
        }
    }
}

/// How bad an item says that it is, by its head or a line of its own.
fn rating(lines: &[&str]) -> Option<Severity> {
    let of_line = |line: &&str| match detail(line) {
        Some((Detail::Severity, value)) => {
            label::head(value).or_else(|| label::head(line)).map(|(severity, _)| severity)
        }
        _ => None,
    };
    let head = lines.first().and_then(|line| label::head(line)).map(|(severity, _)| severity);
    head.or_else(|| lines.iter().find_map(of_line))
}

/// What a line within an item is about: `File: src/a.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Detail {
    Place,
    Line,
    Severity,
    Claim,
    Evidence,
    State,
    /// What to do about it, and what else is told of it.
    Other,
}

fn detail(line: &str) -> Option<(Detail, &str)> {
    let (key, value) = unlisted(line).split_once(':')?;
    let key = key.trim_matches(|character: char| "*_` ".contains(character)).to_lowercase();
    let detail = match key.as_str() {
        "file" | "files" | "path" | "location" | "where" | "place" | "file/line" | "file:line" => Detail::Place,
        "line" | "lines" => Detail::Line,
        "severity" | "priority" | "level" => Detail::Severity,
        "problem" | "issue" | "description" | "summary" | "what" | "title" | "claim" | "finding" => Detail::Claim,
        "why" | "evidence" | "reason" | "impact" | "cause" | "root cause" | "details" | "explanation" | "effect" => {
            Detail::Evidence
        }
        "status" | "state" => Detail::State,
        "fix" | "suggestion" | "suggested fix" | "recommendation" | "remedy" | "mitigation" | "proposed fix"
        | "category" | "type" | "confidence" | "effort" | "solution" => Detail::Other,
        _ => return None,
    };
    Some((detail, value.trim_start_matches(['*', '_', ' ']).trim_end()))
}

/// What the lines of an item say.
#[derive(Default)]
struct Told {
    severity: Option<Severity>,
    file: Option<String>,
    line: Option<u32>,
    claim: String,
    evidence: String,
    /// It begins with a line that is a sentence of its own.
    titled: bool,
    denied: bool,
}

impl Item<'_> {
    fn finding(&self, sources: &Sources) -> Option<Finding> {
        let titled = matches!(self.form, Form::Heading(_));
        let mut told = Told { severity: rating(&self.lines), titled, ..Told::default() };
        let mut read = 0;
        for (number, line) in self.lines.iter().enumerate() {
            read += line.len();
            if read <= LONGEST_ITEM {
                told.line(number, line, sources);
            }
        }
        if told.severity.is_none() && told.file.is_some() && told.line.is_some() {
            told.severity = told.rating_by_mention().or(self.inherited);
        }
        told.into_finding(sources)
    }
}

impl Told {
    fn line(&mut self, number: usize, line: &str, sources: &Sources) {
        let head = label::head(line).filter(|_| number == 0);
        self.denied |= number == 0 && denied::is_over(line);
        match (detail(line).filter(|_| head.is_none()), head) {
            (Some((detail, value)), _) => self.detail(detail, value, sources),
            (None, Some((_, rest))) => self.words(rest, sources),
            (None, None) => self.words(line, sources),
        }
    }

    fn detail(&mut self, detail: Detail, value: &str, sources: &Sources) {
        match detail {
            Detail::Place => self.place(value, sources),
            Detail::Line => self.line = self.line.or_else(|| place::line(value)),
            Detail::Severity => {
                let rest = label::head(value).map_or("", |(_, rest)| rest);
                self.place(rest, sources);
            }
            Detail::Claim if self.claim.is_empty() => self.words(value, sources),
            Detail::Claim | Detail::Evidence => add(&mut self.evidence, value),
            Detail::State => self.denied |= denied::is_over(value),
            Detail::Other => {}
        }
    }

    fn place(&mut self, value: &str, sources: &Sources) {
        if self.file.is_some() {
            return;
        }
        let found = place::find(value, sources);
        self.line = found.as_ref().map(|found| found.line).or(self.line);
        self.file = found.map(|found| found.file).or_else(|| place::file(value, sources));
    }

    fn words(&mut self, text: &str, sources: &Sources) {
        self.place_in(text, sources);
        let mut rest = text;
        if self.claim.is_empty() {
            self.denied |= denied::is_over(text);
            rest = past_place(text, sources);
            // "src/a.rs:10: critical: it leaks" says the severity behind the place.
            let behind = label::head(rest).filter(|_| rest.len() < text.len());
            if let Some((severity, after)) = behind {
                self.severity = self.severity.or(Some(severity));
                rest = after;
            }
        }
        let title = if self.claim.is_empty() { title(rest, self.titled, sources) } else { None };
        self.titled = title.is_some() || (self.titled && !self.claim.is_empty());
        add(&mut self.claim, title.as_deref().unwrap_or(rest));
    }

    /// A place in running text counts with its line only.
    fn place_in(&mut self, text: &str, sources: &Sources) {
        if let Some(found) = place::find(text, sources).filter(|_| self.file.is_none()) {
            (self.file, self.line) = (Some(found.file), Some(found.line));
        }
    }

    /// The severity that the words speak of; what stands before the sentence that does is no part of the claim.
    fn rating_by_mention(&mut self) -> Option<Severity> {
        let mentions = |sentence: &&str| label::mentioned(&own::unquoted(sentence)).is_some();
        let ahead: usize = statements::sentences(&self.claim).take_while(|one| !mentions(one)).map(str::len).sum();
        let severity = label::mentioned(&own::unquoted(self.claim.get(ahead..)?))?;
        self.claim.drain(..ahead);
        Some(severity)
    }

    fn into_finding(self, sources: &Sources) -> Option<Finding> {
        let severity = self.severity?;
        let text = self.claim.replace("**", "").replace("__", "");
        let (mut claim, rest) = split(text.trim());
        if self.titled && claim.ends_with('.') {
            claim.pop();
        }
        if self.denied || denied::denies(&claim) || word_count(&claim) < FEWEST_WORDS {
            return None;
        }
        let mut evidence = rest;
        add(&mut evidence, &self.evidence);
        let evidence = if evidence.is_empty() { reason(&claim) } else { Some(evidence) };
        let told = trailer::Told { file: self.file, line: self.line, severity, claim, evidence };
        Some(trailer::located(told, None, Stance::Holds, sources))
    }
}

fn add(text: &mut String, more: &str) {
    if !text.is_empty() && !more.is_empty() {
        text.push(' ');
    }
    text.push_str(more.trim());
}

/// The text behind the place that it begins with.
fn past_place<'a>(text: &'a str, sources: &Sources) -> &'a str {
    let sets_off = |character: char| " `*_)]:,-|\"'\u{2013}\u{2014}".contains(character);
    place::leading(text, sources).map_or(text, |(_, rest)| rest.trim_start_matches(sets_off))
}

/// A heading, a line in bold, or one that ends with the place: a sentence of its own, without the place.
fn title(text: &str, heading: bool, sources: &Sources) -> Option<String> {
    let place = place::find(text, sources).map(|place| place.span);
    let marks = |character: char| !character.is_alphanumeric();
    let at_the_end = place.filter(|place| place.start > 0 && text[place.end..].chars().all(marks));
    let head = at_the_end.as_ref().map_or(text, |place| {
        text[..place.start].trim_end_matches(|mark: char| " \u{2014}\u{2013}-(`*[,:@".contains(mark))
    });
    let words_before = [" in", " at", " of", " see", " on"].iter().any(|word| head.ends_with(word));
    let set_off = heading || at_the_end.is_some() || text.trim_end().ends_with("**");
    if words_before || !set_off || word_count(head) < FEWEST_WORDS {
        return None;
    }
    let bold = if head.matches("**").count() % 2 == 1 { "**" } else { "" };
    let ends = head.trim_end_matches('*').ends_with(['.', '!', '?', ':']);
    Some(format!("{head}{bold}{}", if ends { "" } else { "." }))
}

/// The first sentence that says something, and what follows it, without a verdict on the whole.
fn split(text: &str) -> (String, String) {
    let mut claim = String::new();
    let mut rest = String::new();
    for sentence in statements::sentences(text) {
        if word_count(&claim) <= FEWEST_WORDS && rest.is_empty() {
            add(&mut claim, sentence);
        } else if prose::verdict(sentence).is_none() {
            add(&mut rest, sentence);
        }
    }
    if word_count(&rest) <= FEWEST_WORDS {
        rest.clear();
    }
    (claim, rest)
}

/// Words that begin a reason within a sentence.
const REASONS: &[&str] = &[
    " because ",
    " since ",
    " when ",
    " whenever ",
    " if ",
    " so ",
    " as soon as ",
    " therefore ",
    " which means ",
    " \u{2192} ",
    " -> ",
    " leads to ",
];

/// Why it is so, where one sentence says both.
fn reason(claim: &str) -> Option<String> {
    let at = REASONS.iter().filter_map(|word| claim.find(word)).min()?;
    let reason = claim[at..].trim();
    (word_count(reason) > FEWEST_WORDS).then(|| reason.to_owned())
}

/// Words with letters that are no words of severity.
fn word_count(text: &str) -> usize {
    let words = text.split(|character: char| !(character.is_alphanumeric() || "_'".contains(character)));
    words.filter(|word| word.contains(char::is_alphabetic) && label::severity(word).is_none()).count()
}

/// `| high | src/a.rs:10 | it leaks |`; a file and its line may stand in two cells.
fn row(line: &str, sources: &Sources) -> Option<Finding> {
    let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
    let rated = |cell: &&str| label::head(cell).filter(|(_, rest)| rest.is_empty()).map(|(severity, _)| severity);
    let at = cells.iter().position(|cell| rated(cell).is_some())?;
    let severity = rated(cells.get(at)?)?;
    let (file, line, places) = row_place(&cells, sources)?;
    let others =
        (0..cells.len()).filter(|cell| *cell != at && !places.contains(cell)).filter_map(|cell| cells.get(cell));
    let claim = others.copied().find(|cell| word_count(cell) >= FEWEST_WORDS)?.replace("**", "");
    if denied::denies(&claim) || cells.iter().any(|cell| denied::is_over(cell)) {
        return None;
    }
    let evidence = reason(&claim);
    let told = trailer::Told {
        file: Some(file),
        line: Some(line),
        severity,
        claim: past_place(&claim, sources).to_owned(),
        evidence,
    };
    Some(trailer::located(told, None, Stance::Holds, sources))
}

/// The place that a row names, and which cells hold it and nothing else.
fn row_place(cells: &[&str], sources: &Sources) -> Option<(String, u32, Vec<usize>)> {
    for (at, cell) in cells.iter().enumerate() {
        if let Some(found) = place::find(cell, sources) {
            let alone = word_count(&cell.replace(&found.file, " ")) < FEWEST_WORDS;
            return Some((found.file, found.line, if alone { vec![at] } else { Vec::new() }));
        }
        let next =
            cells.get(at + 1).filter(|next| word_count(next) == 0 || next.trim_start_matches('L').len() < next.len());
        let line = next.and_then(|next| place::line(next));
        if let (Some(file), Some(line)) = (place::file(cell, sources), line) {
            return Some((file, line, vec![at, at + 1]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::LocationCheck;
    use crate::task::AttachmentForm;

    fn sources() -> Sources {
        let mut sources = Sources::default();
        sources.add("src/lib.rs", AttachmentForm::File, &"x\n".repeat(20));
        sources
    }

    type Seen = (Severity, Option<String>, Option<u32>, String);

    fn seen(text: &str) -> Vec<Seen> {
        let found = findings(text, &sources());
        found.into_iter().map(|one| (one.severity, one.file, one.line, one.claim)).collect()
    }

    fn one(severity: Severity, file: &str, line: u32, claim: &str) -> Seen {
        (severity, Some(file.into()), Some(line), claim.into())
    }

    #[test]
    fn an_item_is_read_however_it_is_laid_out() {
        let wanted = [one(Severity::High, "src/a.rs", 12, "the shift overflows")];
        for text in [
            "High: src/a.rs:12 the shift overflows",
            "Revise. High: src/a.rs:12 the shift overflows",
            "1. **High** `src/a.rs:12` the shift overflows",
            "- [high] src/a.rs:12-14: the shift overflows",
            "* **[High]** the shift overflows (src/a.rs:12)",
            "- src/a.rs:12: high: the shift overflows",
            "- `src/a.rs:12` \u{2014} **high** \u{2014} the shift overflows",
            "- **Severity: high** | src/a.rs:12 | the shift overflows",
            "### High: the shift overflows\nFile: src/a.rs, line 12",
            "### High: the shift overflows\n\n- **File:** `src/a.rs`\n- **Line:** 12\n- Fix: use checked_shl",
            "### 1. the shift overflows\n\n**Severity:** high\n**Location:** `src/a.rs` (line 12)\n",
            "1. the shift overflows\n   - Severity: High\n   - Where: src/a.rs#L12\n",
            "## High severity\n\n- `src/a.rs:12`: the shift overflows\n",
            "| # | Severity | Place | What |\n|---|---|---|---|\n| 1 | **High** | `src/a.rs:12` | the shift overflows |",
            "| File | Line | Severity | What |\n|--|--|--|--|\n| src/a.rs | 12 | high | the shift overflows |",
        ] {
            let seen: Vec<Seen> = seen(text)
                .into_iter()
                .map(|(severity, file, line, claim)| (severity, file, line, claim.replace(" (src/a.rs:12)", "")))
                .collect();
            assert_eq!(seen, wanted, "{text}");
        }
    }

    #[test]
    fn several_lines_are_one_item_until_the_next() {
        let text = "Some findings:\n\n1. **Critical** `src/lib.rs:10` \u{2014} divides by zero.\n   With size 0 it \
                    panics,\n   as nobody checks.\n\n   More of it.\n2. **Minor**: `src/lib.rs:4` is named oddly\n\n\
                    That is all in src/lib.rs:5, high time.";
        assert_eq!(
            seen(text),
            [
                one(Severity::Critical, "src/lib.rs", 10, "divides by zero."),
                one(Severity::Low, "src/lib.rs", 4, "is named oddly")
            ]
        );
        let found = findings(text, &sources());
        assert_eq!(found[0].evidence.as_deref(), Some("With size 0 it panics, as nobody checks. More of it."));
        assert_eq!(found[0].location, LocationCheck::Verified);
    }

    #[test]
    fn a_reason_within_the_sentence_is_the_evidence() {
        let found =
            findings("Critical: lib.rs:10 divides by zero when size is 0, so pages(1, 0) panics\u{2026}", &sources());
        assert_eq!(found[0].evidence.as_deref(), Some("when size is 0, so pages(1, 0) panics\u{2026}"));
        assert_eq!(
            (found[0].file.as_deref(), found[0].line),
            (Some("src/lib.rs"), Some(10)),
            "the true name is put in"
        );
    }

    #[test]
    fn what_is_denied_mended_or_quoted_is_no_finding() {
        for text in [
            "No critical issues in src/lib.rs:10.",
            "Critical: none",
            "High: No issues found in src/lib.rs:10.",
            "- High: n/a",
            "Critical: 0\nHigh: 3 issues found",
            "src/lib.rs:10 is not a high severity problem.",
            "- Fixed: critical bug at src/lib.rs:10",
            "- **High** (fixed): src/lib.rs:10 divided by zero",
            "- [x] **High** src/lib.rs:10 divides by zero",
            "- ~~**High** src/lib.rs:10 divides by zero~~",
            "- High: src/lib.rs:10 divides by zero; this is a false positive",
            "### High: divides by zero\nStatus: resolved\nFile: src/lib.rs:10",
            "This fixes a critical bug at src/lib.rs:10.",
            "It would be a critical bug at src/lib.rs:10.",
            "```\nCritical: src/lib.rs:10 divides by zero\n```",
            "> Critical: src/lib.rs:10 divides by zero",
            "The file says \"Critical: src/lib.rs:10 divides by zero\".",
            "<<<quoted 0123456789abcdef: x>>>\nCritical: src/lib.rs:10 divides by zero\n<<<end 0123456789abcdef>>>",
            "A high timeout is set at src/lib.rs:10.",
            "Is it a critical bug at src/lib.rs:10?",
            "| Critical | 2 |\n| High | 0 |",
            "## Critical\n\nNone.\n\n## Low\n\nNothing at src/lib.rs:10.",
            "High-level: src/lib.rs:10 reads a page.",
        ] {
            assert!(seen(text).is_empty(), "{text}: {:?}", seen(text));
        }
    }

    #[test]
    fn what_is_missing_or_not_done_is_a_finding() {
        for text in [
            "High: src/lib.rs:10 has no check for size 0",
            "- **High** `src/lib.rs:10`: No validation of the size",
            "- **High** `src/lib.rs:10`: the leak is not fixed yet",
            "- **High** `src/lib.rs:10`: None of the sizes is checked",
        ] {
            assert_eq!(seen(text).len(), 1, "{text}");
        }
    }

    #[test]
    fn a_labelled_item_needs_no_place_and_a_line_that_does_not_exist_is_told() {
        assert_eq!(seen("Minor: the name misleads readers")[0].1, None);
        let found = findings("High: src/lib.rs:99 divides by zero", &sources());
        assert_eq!(found[0].location, LocationCheck::NoSuchLine { lines: 20 });
    }

    #[test]
    fn a_title_is_the_claim_and_what_stands_below_it_the_evidence() {
        for text in [
            "- [P1] Guard against zero \u{2014} /work/src/lib.rs:10-12\n  With size 0 it panics there.\n\n---\n\nThanks.",
            "## Critical\n\n1. **Guard against zero** (`src/lib.rs:10`)\n   With size 0 it panics there.\n   **Fix:** check",
            "### [high] Guard against zero\n`src/lib.rs:10`: With size 0 it panics there.\n",
        ] {
            let found = findings(text, &sources());
            let [one] = found.as_slice() else { panic!("{text}: {found:?}") };
            assert_eq!((one.file.as_deref(), one.line), (Some("src/lib.rs"), Some(10)), "{text}");
            assert!(one.claim.starts_with("Guard against zero"), "{one:?}");
            assert!(one.evidence.as_ref().is_some_and(|why| why.ends_with("With size 0 it panics there.")), "{one:?}");
        }
    }

    #[test]
    fn a_mention_in_running_text_begins_its_claim_and_a_verdict_is_no_evidence() {
        for text in [
            "I cannot approve this. src/lib.rs:10 has a critical bug. Do not merge.",
            "Well. src/lib.rs:10 has a CRITICAL one. REJECT.",
        ] {
            let found = findings(text, &sources());
            assert_eq!(found.len(), 1, "{text}");
            assert!(found[0].claim.starts_with("src/lib.rs:10 has a "), "{found:?}");
            assert_eq!((found[0].severity, &found[0].evidence), (Severity::Critical, &None), "{text}");
        }
    }

    #[test]
    fn an_endless_list_is_cut() {
        let text = "- High: src/lib.rs:10 divides by zero\n".repeat(500);
        assert_eq!(findings(&text, &sources()).len(), MOST);
    }
}
