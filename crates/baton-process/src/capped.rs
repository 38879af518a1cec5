//! Output of which the beginning and the end are kept.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;

/// The first and the last bytes of a stream of any length, in bounded memory.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Capped {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    half: usize,
    total: u64,
}

impl Capped {
    /// Keeps `limit` bytes: half from the head, half from the tail.
    pub(crate) fn new(limit: usize) -> Self {
        Self { half: limit / 2, ..Self::default() }
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        let room = self.half.saturating_sub(self.head.len()).min(bytes.len());
        let (to_head, to_tail) = bytes.split_at(room);
        self.head.extend_from_slice(to_head);
        let fresh = &to_tail[to_tail.len().saturating_sub(self.half)..];
        let surplus = (self.tail.len() + fresh.len()).saturating_sub(self.half);
        self.tail.drain(..surplus);
        self.tail.extend(fresh);
    }

    /// How many bytes the stream had.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// How many bytes are held here.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.head.len() + self.tail.len()
    }

    /// How many bytes are missing between head and tail.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.total - self.kept() as u64
    }

    /// What was kept as text, with a note where bytes are missing. Bytes that are no UTF-8 become U+FFFD. The text is
    /// untrusted: it can hold control sequences.
    #[must_use]
    pub fn text(&self) -> String {
        let tail: Vec<u8> = self.tail.iter().copied().collect();
        if self.left_out() == 0 {
            return String::from_utf8_lossy(&[self.head.as_slice(), &tail].concat()).into_owned();
        }
        let (head, tail) = (lossy(&self.head), lossy(&tail));
        format!("{head}\n[{} bytes left out]\n{tail}", self.left_out())
    }
}

fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

impl fmt::Debug for Capped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Capped({} of {} bytes)", self.kept(), self.total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capped(limit: usize, pieces: &[&[u8]]) -> Capped {
        let mut capped = Capped::new(limit);
        pieces.iter().for_each(|piece| capped.push(piece));
        capped
    }

    #[test]
    fn short_output_is_whole() {
        let text = capped(8, &[b"ab", b"cdef", b"gh"]);
        assert_eq!((text.text().as_str(), text.left_out()), ("abcdefgh", 0));
    }

    #[test]
    fn a_letter_split_between_head_and_tail_is_joined_again() {
        assert_eq!(capped(4, &["aéb".as_bytes()]).text(), "aéb");
    }

    #[test]
    fn long_output_keeps_both_ends() {
        let text = capped(4, &[b"abcdefgh", b"ij"]);
        assert_eq!(text.text(), "ab\n[6 bytes left out]\nij");
        assert_eq!((text.total(), text.kept(), text.left_out()), (10, 4, 6));
    }

    #[test]
    fn pieces_do_not_matter() {
        let whole: Vec<u8> = (0..=255).collect();
        let expected = capped(20, &[&whole]);
        for size in 1..40 {
            assert_eq!(capped(20, &whole.chunks(size).collect::<Vec<_>>()), expected, "in pieces of {size}");
        }
    }

    #[test]
    fn nothing_is_kept_of_a_limit_of_zero() {
        let text = capped(0, &[b"abc"]);
        assert_eq!((text.kept(), text.total()), (0, 3));
    }

    #[test]
    fn debug_shows_no_content() {
        assert_eq!(format!("{:?}", capped(8, &[b"secret"])), "Capped(6 of 6 bytes)");
    }
}
