//! Text with holes: the wire formats stand in the source as they stand on the wire.

/// Appends `template`, with each `$name` replaced by its value. Values are not looked at again, so a
/// reply that contains a `$` stays as it is; a name without a value stays too.
pub(crate) fn fill(out: &mut String, template: &str, values: &[(&str, &str)]) {
    let mut rest = template;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
        let length = after.find(|c| !is_name(c)).unwrap_or(after.len());
        match values.iter().find(|(name, _)| *name == &after[..length]) {
            Some((_, value)) => out.push_str(value),
            None => out.push_str(&rest[at..=at + length]),
        }
        rest = &after[length..];
    }
    out.push_str(rest);
}

/// As [`fill`], into a new text.
pub(crate) fn filled(template: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(template.len() + 64);
    fill(&mut out, template, values);
    out
}

/// A text as a JSON string, with its quotes.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{0}'..='\u{1f}' => out.push_str(&format!("\\u{:04x}", u32::from(character))),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_filled_in_once_and_unknown_names_stay() {
        let text = filled("<$a|$b_c|$other|$>", &[("a", "$b_c"), ("b_c", "2")]);
        assert_eq!(text, "<$b_c|2|$other|$>");
    }

    #[test]
    fn quoting_agrees_with_a_json_reader() {
        let odd = "a\"b\\c\nd\re\tf\u{1}g\u{8}hé€😀$x";
        let read: String = serde_json::from_str(&quoted(odd)).unwrap();
        assert_eq!(read, odd);
    }
}
