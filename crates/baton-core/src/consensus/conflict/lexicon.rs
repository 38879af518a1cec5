//! The words by which people take a position on a thing: general English of reviews, no word of any one case.
//! Values are in thirtieths of a vote: a plain word of judgement is 15, a decision on the whole 40.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::language::{Clause, stem};

/// What one plain word of judgement weighs.
pub(super) const JUDGEMENT: i32 = 15;

/// Said of a thing that may stay as it is.
const GOOD: &str = "correct right fine ok okay good safe sound secure sufficient suffices enough adequate acceptable \
    reasonable worthwhile worth works working clean solid harmless innocent appropriate valid justified neat \
    nice great excellent robust stable trustworthy trust realistic sensible sane plausible accurate true \
    legitimate welcome perfect tolerable content happy comfortable satisfied convincing handled handles \
    preserves preserved bounded covered sanitised sanitized escaped parameterised parameterized plenty \
    benign effective helps help suffice copes trusted fixed fixes solved solves resolved improvement \
    simplification win suitable wise deserved impeccable proper properly correctly idempotent faithful \
    consistent feasible achievable tidy elegant clear complete unaffected unnoticeable negligible immaterial \
    compatible viable workable affordable justifiable maintainable ready rightly improves exact precise \
    lossless thread-safe race-free readable worthy prudent beneficial useful advisable desirable protects \
    protect protected prevent guarantee fixing prevents prevented guarantees guaranteed green sturdy \
    resilient bulletproof airtight watertight flawless spotless immune mature proven battle-tested \
    straightforward pragmatic warranted legit permissible allowed permitted satisfactory decent fair \
    passable pleased glad confident convinced impressed lawful legal compliant conformant thorough \
    comprehensive exhaustive overdue defensible ample helpful painless smooth cheaper faster cleaner simpler \
    safer nicer easier lovely";

/// Said of a thing that has to change; in all their endings.
const BAD: &str = "incorrect mistaken errs erroneous wrong wrongly broken breaks break bug bugs buggy unsafe unsound \
    insecure insufficient inadequate unacceptable unreasonable dangerous risky risk hole flaw flawed fault \
    faulty fails failure fail loses lost lose loss lossy corrupts corrupt corruption vulnerable \
    vulnerability exploitable exploit exposed exposes exposure injection injectable xss leaks leak leaky \
    race races racy deadlock deadlocks overflow overflows crash crashes panics undefined ub problem problems \
    problematic issue issues concern concerns worry worries worrying harm harmful damage hostile malicious \
    untrusted untrustworthy suspicious weak weakness mistake trouble drama regression defect error errors \
    missing misses unbounded unrealistic unsuitable inappropriate invalid unjustified false untrue unwise \
    reckless irresponsible pointless useless worthless hopeless nonsense bad terrible awful poor inaccurate \
    misleading outdated obsolete stale fragile brittle flaky catastrophic critical severe serious emergency \
    predictable guessable over-broad excessive premature overkill wasteful unneeded unnecessary redundant \
    superfluous unused disclose discloses disclosed reveals forged forgeable bypass bypasses bypassed \
    traversal escalation leaked incomplete inconsistent inversion starves starvation stalls hangs blocks \
    torn twice duplicates duplicate duplicated oom backtracks quadratic inefficient wasted unusable unstable \
    unmaintainable unproven untested uncovered unprotected unauthenticated unchecked unvalidated ignored \
    silently overstated unfit unready doubtful objectionable counterproductive detrimental hazard hazardous \
    unhandled mishandles mishandled drops dropped truncates truncated diverges violates violation \
    contradicts disagree infeasible impossible unworkable unaffordable spoils ruins defeats undermines \
    weakens weakened worse incompatible breakage blows blow downside threat nightmare mess footgun pitfall \
    trap gap loophole backdoor overrun underflow segfault csrf ssrf rce leakage tampering spoofing collision \
    collide unreliable confusing hurts suffers costly bloat bloated clumsy hacky sloppy careless naive \
    short-sighted shortsighted illegal forbidden unlawful unsupported deprecated breach compromised abuse \
    abused stolen hijack clobber overwrites overwritten misleads nonsensical unjustifiable indefensible \
    skeptical sceptical unconvinced unhappy uneasy uncomfortable moot junk meaningless bricks rubbish garbage horrible \
    ugly sluggish slower bottleneck unhelpful needless overpriced lax misconfigured outage outages \
    downtime forgets";

/// Phrases that judge by themselves; a "not" before them turns them round. Those with 0 only look like judgements.
const PHRASES: &[(i32, &str)] = &[
    (30, "good idea, step in the right direction"),
    (
        20,
        "false positive, false alarm, step forward, holds up, hold up, does its job, does the job, \
         nothing to report, nothing to fix, nothing to change, nothing to complain, clean bill, \
         in good shape, in order, nothing wrong",
    ),
    (15, "as intended, as expected, as it should, at most informational"),
    (10, "good enough, nothing to add"),
    (5, "good for"),
    (
        0,
        "by mistake, all right, better than, right now, right away, as well, so far, right before, \
         right after, well known, like this, would like, looks like, things like, break even, \
         error handling, error message, error messages, failure mode, failure modes, bug fix, \
         critical section, critical path",
    ),
    (-5, "at risk"),
    (-10, "anybody can, anyone can, no better"),
    (
        -15,
        "off by, out of date, real bug, to lose, lets anyone, lets anybody, allows anyone, \
         an attacker can, attacker controls, way around it, clear text, stays open, remains open, \
         only half",
    ),
    (
        -20,
        "red herring, step back, speaks against, speak against, stands in the way, red flag, \
         reason to wait, reason to hold, reason to block, the symptom, the symptoms, only partly, \
         only partially, race condition",
    ),
    (-25, "nothing preventing, nothing prevents, nothing stops"),
    (-30, "bad idea, beyond repair, deal breaker, show stopper, showstopper, non starter, non-starter"),
];

/// Phrases that decide on the thing as a whole.
const DECISIONS: &[(i32, &str)] = &[
    (
        40,
        "approve, approved, lgtm, looks good, look good, ship it, merge it, merge this, merge now, \
         merged now, safe to merge, ready to merge, ready to ship, fit to merge, go ahead, go for it, \
         do it, take it, release it, take this, accept it, accept this, accept the, i support, in favour, \
         in favor, all for, sign off, signed off, no objection, no objections, nothing against, \
         nothing speaks against, i like it, thumbs up, good to go, good riddance, stop worrying, \
         roll it out, deploy it",
    ),
    (
        30,
        "i agree, agree with, makes sense, make sense, can live with, live with it, no worries, no action, \
         recommend it, would recommend it, i back, run with it",
    ),
    (20, "approval, does no harm, i like the, save the money, nothing to do, no way around"),
    (-10, "warn"),
    (-15, "blocking"),
    (-20, "roll back, before release, before the release"),
    (-25, "before the merge, before merging"),
    (
        -30,
        "decline, hold back, back out, blocker, against it, against this, warn against, disagree, \
         take it out, please change, needs another, another pass, another round, not yet, not ready, \
         no way, before this ships, before it ships, before this goes, before it goes, before this merges, \
         before this is merged, before it is merged, before this lands, before it lands, must be changed, \
         must be fixed",
    ),
    (
        -40,
        "reject, rejected, refuse, veto, hold it, hold this, hold off, a blocker, block it, block this, \
         no go, no-go, am against, advise against, argue against, recommend against, oppose, opposed, \
         revert this, revert it, roll it back, undo this, please fix, changes requested, request changes, \
         requesting changes, needs changes, needs work, forget it, forget about it, stay away, \
         steer clear, stop the service, send it back, back to the drawing",
    ),
    (40, "+1, yes from me, a yes, i vote yes, count me in, long overdue, no need to change, nothing needs to change"),
    (30, "a fan, about time, high time"),
    (-25, "i doubt, waste of, question whether"),
    (-30, "do not bother, not now, postpone it, delay it, a no"),
    (-40, "no from me, i vote no, back out of"),
];

/// Words that decide where a clause opens with them; elsewhere they speak of something else.
const OPENING: &[(i32, &str)] = &[
    (40, "supported, accept, accepted, ship, merge"),
    (30, "agreed, go, deploy, release"),
    (5, "good"),
    (-10, "fix"),
    (-30, "wait"),
    (-40, "hold, block"),
];

/// Verbs that take a thing on; "I would not ..." before them declines it.
const TAKING: &str = "approve accept merge ship take run use do trust sign recommend deploy release adopt go allow enable like \
    support want install touch rely bother risk pass let keep leave";

/// Verbs that leave things as they are.
const KEEPING: &str = "keep keeping stay stays leave retain stick remain remains preserve";

/// Verbs that replace what is there.
const CHANGING: &str = "replace move drop remove delete switch swap migrate upgrade abandon retire discard throw rip kill ditch \
    dump scrap convert extract rewrite revert disable rid";

type Phrases = BTreeMap<&'static str, Vec<(Vec<&'static str>, i32)>>;

static GOOD_WORDS: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| GOOD.split(' ').collect());
static BAD_WORDS: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| BAD.split(' ').collect());
static BAD_STEMS: LazyLock<BTreeSet<String>> =
    LazyLock::new(|| BAD.split(' ').filter(|word| word.len() > 3).map(stem).collect());
static JUDGING: LazyLock<Phrases> = LazyLock::new(|| by_first_word(PHRASES));
static DECIDING: LazyLock<Phrases> = LazyLock::new(|| by_first_word(DECISIONS));
static OPENINGS: LazyLock<Phrases> = LazyLock::new(|| by_first_word(OPENING));

/// Longer phrases first, so that "no way around" is found before "no way".
fn by_first_word(lists: &'static [(i32, &'static str)]) -> Phrases {
    let mut phrases = Phrases::new();
    for (value, list) in lists {
        for phrase in list.split(',').map(str::trim) {
            let words: Vec<&str> = phrase.split(' ').collect();
            phrases.entry(words[0]).or_default().push((words, *value));
        }
    }
    for known in phrases.values_mut() {
        known.sort_by_key(|(words, _)| (std::cmp::Reverse(words.len()), words.clone()));
    }
    phrases
}

/// What a single word says of the thing: [`JUDGEMENT`], its negative, or 0.
pub(super) fn judgement(word: &str) -> i32 {
    if GOOD_WORDS.contains(word) {
        return JUDGEMENT;
    }
    if is_bad(word) {
        return -JUDGEMENT;
    }
    // "non-exploitable", "unreachable": the word without its prefix, turned round.
    for prefix in ["non-", "un", "in", "im"] {
        let Some(rest) = word.strip_prefix(prefix).filter(|rest| rest.len() > 3) else { continue };
        if GOOD_WORDS.contains(rest) {
            return -JUDGEMENT;
        }
        if is_bad(rest) {
            return JUDGEMENT;
        }
    }
    0
}

fn is_bad(word: &str) -> bool {
    BAD_WORDS.contains(word) || (word.len() > 4 && BAD_STEMS.contains(&stem(word)))
}

/// A phrase that stands in a clause: where, how many words, and what it is worth before any negation.
pub(super) struct Match {
    pub(super) at: usize,
    pub(super) words: usize,
    pub(super) value: i32,
}

pub(super) fn judging(clause: &Clause) -> Vec<Match> {
    matches(clause, &JUDGING)
}

pub(super) fn deciding(clause: &Clause) -> Vec<Match> {
    matches(clause, &DECIDING)
}

fn matches(clause: &Clause, phrases: &Phrases) -> Vec<Match> {
    let mut found = Vec::new();
    let mut next = 0;
    while next < clause.words.len() {
        let stands =
            |words: &Vec<&str>| words.iter().enumerate().all(|(after, word)| clause.word(next + after) == *word);
        let known = phrases.get(clause.word(next)).and_then(|known| known.iter().find(|(words, _)| stands(words)));
        let length = known.map_or(1, |(words, _)| words.len());
        found.extend(known.map(|(words, value)| Match { at: next, words: words.len(), value: *value }));
        next += length;
    }
    found
}

/// The value of the first judging phrase in running words, where there is one.
pub(super) fn phrase_in(words: &[String]) -> Option<i32> {
    let stands = |at: usize, phrase: &[&str]| {
        phrase.iter().enumerate().all(|(after, word)| words.get(at + after).is_some_and(|known| known == word))
    };
    let at =
        |at: usize| JUDGING.get(words[at].as_str())?.iter().find(|(phrase, value)| *value != 0 && stands(at, phrase));
    (0..words.len()).find_map(at).map(|(_, value)| *value)
}

pub(super) fn opening(word: &str) -> i32 {
    OPENINGS.get(word).and_then(|known| known.first()).map_or(0, |(_, value)| *value)
}

pub(super) fn takes(word: &str) -> bool {
    TAKING.split(' ').any(|known| known == word)
}

pub(super) fn keeps(word: &str) -> bool {
    KEEPING.split(' ').any(|known| known == word)
}

pub(super) fn changes(word: &str) -> bool {
    CHANGING.split(' ').any(|known| known == word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consensus::conflict::language::Statement;

    #[test]
    fn words_are_on_one_side_only() {
        let both: Vec<&&str> = GOOD_WORDS.intersection(&BAD_WORDS).collect();
        assert!(both.is_empty(), "{both:?}");
        assert_eq!((judgement("correct"), judgement("leaking"), judgement("table")), (15, -15, 0));
    }

    #[test]
    fn a_prefix_turns_a_word_round() {
        assert_eq!((judgement("unrealistic"), judgement("non-exploitable"), judgement("inaccurate")), (-15, 15, -15));
        assert_eq!((judgement("under"), judgement("input"), judgement("important")), (0, 0, 0));
    }

    #[test]
    fn the_longer_phrase_is_found_first() {
        let statement = Statement::read("there is no way around it");
        let found = deciding(&statement.clauses[0]);
        assert_eq!((found.len(), found[0].value, found[0].words), (1, 20, 3));
    }
}
