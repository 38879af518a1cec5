//! What is at stake, from words of harm, haste and leisure. A rule, not a model: too few prompts say anything of it, and
//! what makes a task critical should be readable.
//!
//! Harm under way with haste is critical; either of them, or a date that presses, is high; leisure is low.

use crate::task::Priority;

/// Harm that is happening.
const HARM: &[&str] = &[
    "prod down",
    "production down",
    "prod is down",
    "production is down",
    "site is down",
    "everything is down",
    "is down",
    "outage",
    "under attack",
    "attacking us",
    "being attacked",
    "stuffing",
    "breach",
    "breached",
    "hacked",
    "ransomware",
    "intruder in",
    "running against us",
    "ongoing",
    "gets in without",
    "got in",
    "keys were in",
    "were leaked",
    "leaked",
    "stolen",
    "double charged",
    "charged twice",
    "data loss",
    "losing data",
    "losing orders",
    "losing money",
    "all payments",
    "payments decline",
    "payments fail",
    "exfiltrat*",
    "zero day",
    "sev1",
    "sev 1",
    "exposed publicly",
    "ist down",
    "steht still",
    "caído",
];

/// Haste.
const HASTE: &[&str] = &[
    "urgent",
    "urgently",
    "asap",
    "immediately",
    "right now",
    "now !",
    "at once",
    "emergency",
    "drop everything",
    "p0",
    "sofort",
    "dringend",
    "urgente",
    "back up now",
    "as we speak",
    "every minute",
    "this minute",
];

/// A date or people that press.
const PRESSING: &[&str] = &[
    "today",
    "tonight",
    "this evening",
    "tomorrow",
    "by monday",
    "by tuesday",
    "by wednesday",
    "by thursday",
    "by friday",
    "on monday",
    "on tuesday",
    "on wednesday",
    "on thursday",
    "on friday",
    "before friday",
    "before monday",
    "until friday",
    "by noon",
    "by end of",
    "end of month",
    "deadline",
    "in # days",
    "in # weeks",
    "in # hours",
    "in # min",
    "in three weeks",
    "in two weeks",
    "within the hr",
    "within the hour",
    "next hour",
    "goes live",
    "go live",
    "goes public",
    "launch is",
    "blocking",
    "blocks",
    "blocked",
    "block the release",
    "escalat*",
    "customers notice",
    "customers complain",
    "customers can't",
    "customers cannot",
    "clients failing",
    "users can't",
    "support phones",
    "phones are ringing",
    "hotfix",
    "please first",
    "sale starts",
    "sale launch",
    "since this morning",
    "ceo",
    "demo on",
    "high prio",
    "high priority",
    "top priority",
    "important",
    "incident",
    "auditors come",
    "legal requires",
    "retest",
    "unblock",
    "deploy stuck",
    "heute",
    "bis freitag",
    "bis montag",
    "hoy",
    "mañana",
    "demain",
    "black friday",
    "we lose",
];

/// Leisure.
const LEISURE: &[&str] = &[
    "no hurry",
    "no rush",
    "not in a hurry",
    "low prio",
    "low priority",
    "whenever",
    "nice to have",
    "someday",
    "some day",
    "not urgent",
    "isn't urgent",
    "if somebody's bored",
    "if you're bored",
    "bored",
    "when you have time",
    "when there's time",
    "have a minute",
    "eventually",
    "at some point",
    "fill in task",
    "can wait",
    "keine eile",
    "sin prisa",
    "pas pressé",
    "not a big thing",
    "backlog",
    "rainy day",
    "one day",
    "cosmetic",
    "minor",
    "nit",
    "not important",
    "take your time",
];

/// The priority that the words speak of, and the words.
pub(super) fn priority(tokens: &[String]) -> (Priority, Vec<String>) {
    let harm = heard(tokens, HARM);
    let haste = heard(tokens, HASTE);
    let pressing = heard(tokens, PRESSING);
    let leisure = heard(tokens, LEISURE);
    if let Some(calm) = leisure {
        return (Priority::Low, vec![calm]);
    }
    match (harm, haste, pressing) {
        (Some(harm), Some(haste), _) => (Priority::Critical, vec![harm, haste]),
        (Some(word), None, _) | (None, Some(word), _) | (None, None, Some(word)) => (Priority::High, vec![word]),
        (None, None, None) => (Priority::Normal, Vec::new()),
    }
}

/// The first of the phrases that stands in the text, as it stands there.
fn heard(tokens: &[String], phrases: &[&str]) -> Option<String> {
    phrases.iter().find_map(|phrase| {
        let pieces: Vec<&str> = phrase.split(' ').collect();
        let row = tokens
            .windows(pieces.len())
            .find(|row| row.iter().zip(&pieces).all(|(token, piece)| says(token, piece)))?;
        Some(row.join(" "))
    })
}

fn says(token: &str, piece: &str) -> bool {
    match piece.strip_suffix('*') {
        Some(beginning) => token.starts_with(beginning),
        None if piece == "#" => token.bytes().all(|byte| byte.is_ascii_digit()),
        None => token == piece,
    }
}

#[cfg(test)]
mod tests {
    use super::super::features::tokens;
    use super::*;

    #[test]
    fn harm_with_haste_is_critical_and_either_alone_is_high() {
        let cases = [
            ("prod is down after the deploy, urgent", Priority::Critical),
            ("there was an outage, write it up", Priority::High),
            ("need this asap", Priority::High),
            ("the demo is in 3 days", Priority::High),
            ("not urgent: footer is off", Priority::Low),
            ("nice to have", Priority::Low),
            ("split up this class", Priority::Normal),
            ("", Priority::Normal),
        ];
        for (prompt, expected) in cases {
            let (priority, words) = priority(&tokens(prompt));
            assert_eq!(priority, expected, "{prompt}: {words:?}");
            assert_eq!(words.is_empty(), expected == Priority::Normal, "the words are named");
        }
    }
}
