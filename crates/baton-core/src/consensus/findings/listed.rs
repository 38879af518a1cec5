//! Short lists of words that every word of a claim is looked up in.

/// A list of lower-case words that begin with `a` to `z`, and where each first letter begins in it. Most words are
/// told from the whole list by their first letter.
pub(super) struct Listed<const COUNT: usize> {
    words: [&'static str; COUNT],
    begins: [usize; LETTERS + 1],
}

const LETTERS: usize = 26;

impl<const COUNT: usize> Listed<COUNT> {
    /// `words` are sorted by their first letter. For constants.
    pub(super) const fn of(words: [&'static str; COUNT]) -> Self {
        let mut begins = [COUNT; LETTERS + 1];
        let mut at = COUNT;
        while at > 0 {
            at -= 1;
            let first = words[at].as_bytes()[0];
            // A list that is out of order, or holds another first letter, does not compile.
            assert!(first.is_ascii_lowercase() && (at + 1 == COUNT || first <= words[at + 1].as_bytes()[0]));
            let mut letter = (first - b'a') as usize;
            begins[letter] = at;
            while letter > 0 {
                letter -= 1;
                begins[letter] = at;
            }
        }
        Self { words, begins }
    }

    pub(super) fn has(&self, word: &str) -> bool {
        let first = word.as_bytes().first().and_then(|first| first.checked_sub(b'a')).map(usize::from);
        let Some(letter) = first.filter(|letter| *letter < LETTERS) else { return false };
        self.words[self.begins[letter]..self.begins[letter + 1]].contains(&word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_listed_is_found_and_nothing_else() {
        const WORDS: [&str; 6] = ["a", "at", "an", "may", "me", "zeal"];
        const LIST: Listed<6> = Listed::of(WORDS);
        assert!(WORDS.iter().all(|word| LIST.has(word)));
        for other in ["", "b", "m", "mays", "zea", "zz", "At", "_a", "'a", "{a", "é", "\u{7f}", "9"] {
            assert!(!LIST.has(other), "{other:?}");
        }
        assert!(!Listed::of([]).has("a"));
    }
}
