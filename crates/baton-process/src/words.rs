//! Looks for texts in a stream, wherever it is cut into pieces.

/// The texts, and the end of what was searched: a text may begin there and end in the next piece.
pub(crate) struct Words {
    words: Vec<String>,
    longest: usize,
    searched: Vec<u8>,
}

impl Words {
    /// Empty texts are never found.
    pub(crate) fn new(mut words: Vec<String>) -> Self {
        words.retain(|word| !word.is_empty());
        let longest = words.iter().map(String::len).max().unwrap_or_default();
        Self { words, longest, searched: Vec::new() }
    }

    /// Whether one of the texts ends in this piece of the stream.
    pub(crate) fn found_in(&mut self, piece: &[u8]) -> bool {
        if self.words.is_empty() {
            return false;
        }
        self.searched.extend_from_slice(piece);
        let text = String::from_utf8_lossy(&self.searched);
        let found = self.words.iter().any(|word| text.contains(word.as_str()));
        let done = (self.searched.len() + 1).saturating_sub(self.longest).min(self.searched.len());
        self.searched.drain(..done);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(words: &[&str], text: &[u8], size: usize) -> usize {
        let mut words = Words::new(words.iter().map(ToString::to_string).collect());
        text.chunks(size).filter(|piece| words.found_in(piece)).count()
    }

    #[test]
    fn pieces_do_not_matter() {
        let text = "noise \u{fffd} Wärme: attempt 1 failed, noise".as_bytes();
        for size in 1..=text.len() {
            for words in [&["attempt 1"][..], &["Wärme"], &["never", "d, n"], &["n"]] {
                assert!(found(words, text, size) >= 1, "{words:?} in pieces of {size}");
            }
            assert_eq!(found(&["attempt 2", ""], text, size), 0, "in pieces of {size}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_hide_nothing() {
        for size in 1..5 {
            assert_eq!(found(&["failed"], b"\xff\0\xc3failed\xff", size), 1, "in pieces of {size}");
        }
    }

    #[test]
    fn little_is_kept_of_a_long_stream() {
        let mut words = Words::new(vec!["failed".to_owned()]);
        assert!(!words.found_in(&[b'x'; 100_000]));
        assert_eq!(words.searched.len(), 5);
    }
}
