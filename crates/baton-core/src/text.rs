//! Small, pure helpers on text that came from a model, a file or a person.

/// The text with every control character but newline and tab taken out, and with characters that change the reading
/// direction or have no width made visible. What passes here cannot move a terminal's cursor or hide a word.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\t' => clean.push(character),
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => {
                clean.push('\u{fffd}');
            }
            _ if character.is_control() => {}
            _ => clean.push(character),
        }
    }
    clean
}

/// One line of at most `limit` characters; what is cut is marked.
#[must_use]
pub fn one_line(text: &str, limit: usize) -> String {
    let joined = printable(text).split_whitespace().collect::<Vec<_>>().join(" ");
    if joined.chars().count() <= limit {
        return joined;
    }
    let mut short: String = joined.chars().take(limit.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// The longest prefix of at most `limit` bytes that ends between two characters.
#[must_use]
pub fn prefix(text: &str, limit: usize) -> &str {
    if text.len() <= limit {
        return text;
    }
    let end = (0..=limit).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    &text[..end]
}

/// Lower-case words of letters and digits, as used to compare claims. `snake_case` and `camelCase` stay one word.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    text.split(|character: char| !(character.is_alphanumeric() || character == '_'))
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_moves_a_cursor_passes() {
        assert_eq!(printable("a\u{1b}[31mb\r\u{7}\u{9b}c\nd"), "a[31mbc\nd");
        assert_eq!(printable("x\u{202e}y"), "x\u{fffd}y");
    }

    #[test]
    fn lines_and_prefixes_are_cut_between_characters() {
        assert_eq!(one_line("a  b\n c", 10), "a b c");
        assert_eq!(one_line("äöüäöü", 4), "äöü…");
        assert_eq!(prefix("äö", 3), "ä");
        assert_eq!(prefix("ab", 9), "ab");
    }

    #[test]
    fn words_keep_identifiers_whole() {
        assert_eq!(words("retry_count: u32!"), ["retry_count", "u32"]);
    }
}
