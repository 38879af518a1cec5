//! What claims are about, as weighted terms: words with their endings taken off, pairs of neighbouring words, and
//! identifiers of the code, whole and in their parts.
//!
//! Words are numbered by their place in the alphabet of all claims of a review. Everything after that compares numbers,
//! and still goes through the terms in the order of their spelling: sums over terms come out the same to the last bit.

use std::cmp::Ordering;
use std::ops::Range;

use super::text::{for_parts, push_lower, stem, tells, tokens};

/// How much a pair of neighbouring words weighs beside a word.
const PAIR: f64 = 0.6;

/// The terms of some claims, in the order of their spelling.
pub(super) struct Terms {
    spellings: Spellings,
    list: Vec<Term>,
    places: Vec<Place>,
}

/// One term.
pub(super) struct Term {
    /// The number of its first word, or of the whole identifier.
    first: usize,
    is_pair: bool,
    places: Range<usize>,
}

/// A claim that has a term.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    /// Position among the claims.
    pub(super) claim: usize,
    /// The term's weight in this claim before its rarity: one plus the logarithm of how often it stands there, less for
    /// pairs.
    pub(super) weight: f64,
}

impl Terms {
    pub(super) fn of<'a>(claims: impl Iterator<Item = &'a str>) -> Self {
        let mut reading = Reading::default();
        for (at, claim) in claims.enumerate() {
            reading.read(at, claim);
        }
        let (spellings, numbers) = Spellings::of(reading.text, &reading.said);
        let mut terms = Self { spellings, list: Vec::new(), places: Vec::new() };
        let standing = Standing::of(&reading.said, &numbers, terms.spellings.count());
        for (first, found) in standing.in_order() {
            for found in found.chunk_by(|one, other| one.0 == other.0) {
                terms.add(first, found);
            }
        }
        terms
    }

    /// A term with every time it is found, by claim.
    fn add(&mut self, first: usize, found: &[(usize, usize)]) {
        let is_pair = found.first().is_some_and(|(second, _)| *second > 0);
        let begin = self.places.len();
        for times in found.chunk_by(|one, other| one.1 == other.1) {
            self.places.push(Place { claim: times[0].1, weight: weight(is_pair, times.len()) });
        }
        self.list.push(Term { first, is_pair, places: begin..self.places.len() });
    }

    /// Each term and the claims that have it, in their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Term, &[Place])> {
        self.list.iter().map(|term| (term, &self.places[term.places.clone()]))
    }

    /// What is given for a word, for each term that is one of these words alone.
    pub(super) fn given<'a>(&'a self, words: &'a [(&str, f64)]) -> impl Fn(&Term) -> Option<f64> + 'a {
        let numbered: Vec<(usize, f64)> =
            words.iter().filter_map(|(word, value)| Some((self.spellings.number(word)?, *value))).collect();
        move |term| {
            let found = numbered.iter().find(|(number, _)| *number == term.first && !term.is_pair);
            found.map(|(_, value)| *value)
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts within one claim")]
fn weight(is_pair: bool, times: usize) -> f64 {
    let kind = if is_pair { PAIR } else { 1.0 };
    kind * (1.0 + libm::log(times as f64))
}

/// All words as they were read, spelled one after the other in one text.
#[derive(Default)]
struct Reading {
    text: String,
    said: Vec<Said>,
    part: String,
}

struct Said {
    claim: usize,
    spelled: Range<usize>,
    /// An identifier of several parts, with a `#` before it. It is nobody's neighbour.
    is_whole: bool,
}

impl Reading {
    fn read(&mut self, claim: usize, text: &str) {
        let Self { text: spelled, said, part } = self;
        for token in tokens(text) {
            let parts = for_parts(token, part, |part| {
                if tells(part) {
                    let begin = spelled.len();
                    spelled.push_str(&stem(part));
                    said.push(Said { claim, spelled: begin..spelled.len(), is_whole: false });
                }
            });
            if parts > 1 {
                let begin = spelled.len();
                spelled.push('#');
                push_lower(spelled, token);
                said.push(Said { claim, spelled: begin..spelled.len(), is_whole: true });
            }
        }
    }
}

/// Every spelling once, in order.
struct Spellings {
    text: String,
    ranges: Vec<Range<usize>>,
}

impl Spellings {
    /// Also the number of each word that was said.
    fn of(text: String, said: &[Said]) -> (Self, Vec<usize>) {
        let mut order: Vec<(Spelled<'_>, usize)> = said
            .iter()
            .enumerate()
            .map(|(at, said)| (Spelled::of(&text.as_bytes()[said.spelled.clone()]), at))
            .collect();
        order.sort_unstable_by(|(one, _), (other, _)| one.order(other));
        let mut numbers = vec![0; said.len()];
        let mut ranges = Vec::new();
        for same in order.chunk_by(|(one, _), (other, _)| one.order(other).is_eq()) {
            for (_, at) in same {
                numbers[*at] = ranges.len();
            }
            ranges.push(said[same[0].1].spelled.clone());
        }
        (Self { text, ranges }, numbers)
    }

    fn count(&self) -> usize {
        self.ranges.len()
    }

    fn number(&self, word: &str) -> Option<usize> {
        self.ranges.binary_search_by(|range| self.text[range.clone()].cmp(word)).ok()
    }
}

/// A spelling whose first eight bytes, as one number, decide nearly always. No spelling holds a zero byte, so it can
/// stand for the end.
struct Spelled<'a> {
    head: u64,
    tail: &'a [u8],
}

impl<'a> Spelled<'a> {
    fn of(spelled: &'a [u8]) -> Self {
        let mut head = [0; 8];
        let (begin, tail) = spelled.split_at(spelled.len().min(head.len()));
        head[..begin.len()].copy_from_slice(begin);
        Self { head: u64::from_be_bytes(head), tail }
    }

    fn order(&self, other: &Self) -> Ordering {
        self.head.cmp(&other.head).then_with(|| {
            let ended = self.tail.is_empty() && other.tail.is_empty();
            if ended { Ordering::Equal } else { self.tail.cmp(other.tail) }
        })
    }
}

/// All times that terms stand in claims, sorted by the number of the first word, then the second, then the claim.
///
/// That is the order of the spellings, where a pair is spelled with a space between its words: a space comes before
/// whatever a word or an identifier may hold, and the `#` of a whole identifier before all words.
struct Standing {
    /// Where each first word's begin, and the end of all.
    begins: Vec<usize>,
    /// One more than the second word's number, 0 without one; and the claim.
    found: Vec<(usize, usize)>,
}

impl Standing {
    fn of(said: &[Said], numbers: &[usize], count: usize) -> Self {
        let mut begins = vec![0; count + 1];
        for_terms(said, numbers, |first, _, _| begins[first + 1] += 1);
        for at in 0..count {
            begins[at + 1] += begins[at];
        }
        let mut next = begins.clone();
        let mut found = vec![(0, 0); begins[count]];
        for_terms(said, numbers, |first, second, claim| {
            found[next[first]] = (second, claim);
            next[first] += 1;
        });
        for first in 0..count {
            found[begins[first]..begins[first + 1]].sort_unstable();
        }
        Self { begins, found }
    }

    fn in_order(&self) -> impl Iterator<Item = (usize, &[(usize, usize)])> {
        self.begins.windows(2).map(|bounds| &self.found[bounds[0]..bounds[1]]).enumerate()
    }
}

/// Gives each word, whole identifier and pair of neighbouring words: first word, one more than the second, claim.
fn for_terms(said: &[Said], numbers: &[usize], mut each: impl FnMut(usize, usize, usize)) {
    let mut before: Option<(usize, usize)> = None;
    for (said, number) in said.iter().zip(numbers) {
        each(*number, 0, said.claim);
        if said.is_whole {
            continue;
        }
        if let Some((first, _)) = before.filter(|(_, claim)| *claim == said.claim) {
            each(first, *number + 1, said.claim);
        }
        before = Some((*number, said.claim));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// The terms of one claim as they are spelled.
    fn spelled(terms: &Terms) -> Vec<(String, Vec<Place>)> {
        // The second words are not kept: they are found again by what comes after the first in the order.
        let text = |number: usize| &terms.spellings.text[terms.spellings.ranges[number].clone()];
        let name = |term: &Term| format!("{}{}", text(term.first), if term.is_pair { " +" } else { "" });
        terms.iter().map(|(term, places)| (name(term), places.to_vec())).collect()
    }

    fn names(claim: &str) -> Vec<String> {
        spelled(&Terms::of([claim].into_iter())).into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn an_identifier_counts_whole_and_in_its_parts() {
        for identifier in ["retryCount", "retry_count", "RetryCount"] {
            let whole = format!("#{}", identifier.to_lowercase());
            assert_eq!(names(identifier), [&*whole, "count", "retry", "retry +"]);
        }
    }

    #[test]
    fn empty_words_tell_nothing_and_repeats_count_less_each_time() {
        assert!(names("it is not that").is_empty());
        let terms = spelled(&Terms::of(["lock, then lock"].into_iter()));
        let weights: Vec<f64> = terms.iter().map(|(_, places)| places[0].weight).collect();
        assert!((weights[0] - (1.0 + libm::log(2.0))).abs() < 1e-12);
        assert!((weights[1] - PAIR).abs() < 1e-12);
        assert_eq!(terms.len(), 2);
    }

    #[test]
    fn no_pair_reaches_over_the_end_of_a_claim() {
        assert_eq!(names("stale lock").len(), 3);
        assert_eq!(spelled(&Terms::of(["stale", "lock"].into_iter())).len(), 2);
    }

    #[test]
    fn values_are_given_for_words_alone() {
        let terms = Terms::of(["error value errorValue"].into_iter());
        let given = terms.given(&[("error", 0.5), ("absent", 1.0)]);
        let values: Vec<(String, Option<f64>)> =
            terms.iter().zip(spelled(&terms)).map(|((term, _), (name, _))| (name, given(term))).collect();
        assert_eq!(
            values.iter().filter(|(_, value)| value.is_some()).collect::<Vec<_>>(),
            [&("error".into(), Some(0.5))]
        );
    }

    /// The plain way: every term a text in an ordered map.
    fn plainly(claims: &[&str]) -> Vec<Vec<Place>> {
        let mut terms: BTreeMap<String, BTreeMap<usize, usize>> = BTreeMap::new();
        for (at, claim) in claims.iter().enumerate() {
            let mut count = |term: String| *terms.entry(term).or_default().entry(at).or_default() += 1;
            let mut before: Option<String> = None;
            for token in tokens(claim) {
                let mut words = Vec::new();
                let parts = for_parts(token, &mut String::new(), |part| words.push(part.to_owned()));
                if parts > 1 {
                    count(format!("#{}", token.to_lowercase()));
                }
                for word in words.iter().filter(|word| tells(word)).map(|word| stem(word).into_owned()) {
                    before.replace(word.clone()).into_iter().for_each(|before| count(format!("{before} {word}")));
                    count(word);
                }
            }
        }
        let place = |term: &str, (claim, times): (&usize, &usize)| Place {
            claim: *claim,
            weight: weight(term.contains(' '), *times),
        };
        terms.iter().map(|(term, found)| found.iter().map(|found| place(term, found)).collect()).collect()
    }

    #[test]
    fn terms_come_in_the_order_of_their_spelling() {
        let claims = [
            "the lock, the locksmith and the lock step: lock_step lockStep locks",
            "Straße İstanbul ΣΑΣ naïveCount x1y2Z3 日本語のError 10 ² Ⅷ",
            "",
            "deserialization of deserialized deserializer deserialize the deserializ deserializa",
            "lock lock lock step lockstep step_lock",
            "ab abc ab abcd abc ab_c aB1",
        ];
        let found: Vec<Vec<Place>> =
            spelled(&Terms::of(claims.into_iter())).into_iter().map(|(_, places)| places).collect();
        assert_eq!(found, plainly(&claims));
    }
}
