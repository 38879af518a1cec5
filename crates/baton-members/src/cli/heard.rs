//! What a program's lines were, and what is told of its end where its own word for it never came. Pure.

use baton_core::outcome::Outcome;
use baton_process::Ending;

use super::oneshot::how_it_ended;
use super::words;

/// How many messages came, and how many lines that are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) messages: usize,
    pub(crate) others: usize,
}

impl Heard {
    /// A line that is no message. A blank one is nothing.
    pub(crate) fn other(&mut self, line: &[u8]) {
        self.others += usize::from(!line.trim_ascii().is_empty());
    }

    pub(crate) const fn is_noise(self) -> bool {
        self.messages == 0 && self.others > 0
    }

    /// The class and the detail: noise where the program was content with nothing else, else a crash. `missing` is what
    /// did not come and who did not send it, `said` the program's last words.
    pub(crate) fn without_end(self, ending: &Ending, said: &str, missing: &str) -> (Outcome, String) {
        if self.is_noise() && *ending == (Ending::Exited { code: 0 }) {
            return (Outcome::Unreadable, NOISE.to_owned());
        }
        (Outcome::Crashed, cut_short(missing, &how_it_ended(ending), said))
    }
}

pub(crate) const NOISE: &str = "the program wrote nothing that is of its protocol";

/// The detail of an end that came too early.
pub(crate) fn cut_short(missing: &str, ended: &str, said: &str) -> String {
    let colon = if said.is_empty() { "" } else { ": " };
    words::detail(&format!("{missing} {ended}{colon}{said}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_told_from_a_crash() {
        let end = |messages, lines: &[&str], code| {
            let mut heard = Heard { messages, others: 0 };
            lines.iter().for_each(|line| heard.other(line.as_bytes()));
            heard.without_end(&Ending::Exited { code }, "", "no result; the program")
        };
        assert_eq!(end(0, &["Welcome!"], 0), (Outcome::Unreadable, NOISE.to_owned()));
        for (messages, lines, code) in [(1, &["Welcome!"][..], 0), (0, &["Welcome!"], 1), (0, &["", "  "], 0)] {
            let detail = format!("no result; the program exited with code {code}");
            assert_eq!(end(messages, lines, code), (Outcome::Crashed, detail));
        }
        assert_eq!(cut_short("no answer; the server", "was stopped", "why"), "no answer; the server was stopped: why");
    }
}
