//! Taking secrets out of what is shown or kept.

use super::Secret;

/// What stands for a secret.
const MASK: &str = "***";

/// How the vendors' keys begin.
const PREFIXES: &[&str] =
    &["sk-", "sk_", "pk-", "rk-", "key-", "xai-", "gsk_", "AIza", "ghp_", "gho_", "github_pat_", "hf_", "pplx-"];

/// A key shorter than this is no secret, and masking it would spoil every text.
const SHORTEST_KEY: usize = 6;

/// The text without `key`, without anything that looks like an API key or follows `Bearer`, and without the user
/// information of URLs.
#[must_use]
pub fn redact(text: &str, key: Option<&Secret>) -> String {
    let known = key.map(Secret::expose).filter(|key| key.len() >= SHORTEST_KEY);
    let without_key = known.map_or_else(|| text.to_owned(), |key| text.replace(key, MASK));
    mask_tokens(&mask_user_information(&without_key))
}

/// Overwrites each occurrence of the key in place, so that lengths stay as they were received.
pub(crate) fn blot(bytes: &mut [u8], key: Option<&Secret>) {
    let Some(key) = key.map(|key| key.expose().as_bytes()).filter(|key| key.len() >= SHORTEST_KEY) else {
        return;
    };
    let mut at = 0;
    while let Some(found) = find(&bytes[at..], key) {
        bytes[at + found..at + found + key.len()].fill(b'*');
        at += found + key.len();
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = *wanted.first()?;
    let mut at = 0;
    loop {
        at += bytes[at..].iter().position(|byte| *byte == first)?;
        if bytes[at..].starts_with(wanted) {
            return Some(at);
        }
        at += 1;
    }
}

/// `scheme://user:password@host` becomes `scheme://***@host`.
fn mask_user_information(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        clean.push_str(before);
        let authority = after.find(|c: char| c.is_whitespace() || "/?#\"'<>".contains(c)).unwrap_or(after.len());
        rest = match after[..authority].rfind('@') {
            Some(end) => {
                clean.push_str(MASK);
                &after[end..]
            }
            None => after,
        };
    }
    clean.push_str(rest);
    clean
}

fn mask_tokens(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    let mut previous = "";
    while !rest.is_empty() {
        let start = rest.find(is_token).unwrap_or(rest.len());
        clean.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = rest.find(|c| !is_token(c)).unwrap_or(rest.len());
        let token = &rest[..end];
        clean.push_str(&masked(token, previous));
        previous = token;
        rest = &rest[end..];
    }
    clean
}

fn is_token(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-_.*".contains(character)
}

fn masked(token: &str, previous: &str) -> String {
    if previous.eq_ignore_ascii_case("bearer") && token.len() >= 8 {
        return MASK.to_owned();
    }
    for prefix in PREFIXES {
        if let Some(rest) = token.strip_prefix(prefix)
            && looks_random(rest)
        {
            return format!("{prefix}{MASK}");
        }
    }
    token.to_owned()
}

/// Words such as `key-value` and `sk-learn` stay readable.
fn looks_random(rest: &str) -> bool {
    let odd = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_uppercase() || byte == b'*';
    rest.len() >= 16 || (rest.len() >= 6 && rest.bytes().any(odd))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configured_key_is_masked_wherever_it_stands() {
        let key = Secret::new("plain and odd/key");
        assert_eq!(redact("no plain and odd/key, plain and odd/key!", Some(&key)), "no ***, ***!");
        assert_eq!(redact("a b", Some(&Secret::new("a"))), "a b", "too short to be one");
    }

    #[test]
    fn what_looks_like_a_key_is_masked() {
        for (text, wanted) in [
            ("bad key: sk-proj-Abc123DEF456.", "bad key: sk-***"),
            ("given key-0123456789abcdef, no", "given key-***, no"),
            ("Incorrect API key provided: sk-ab***xyz9", "Incorrect API key provided: sk-***"),
            ("authorization: Bearer abcdefgh", "authorization: Bearer ***"),
            ("AIzaSyA1234567 xai-1234567", "AIza*** xai-***"),
        ] {
            assert_eq!(redact(text, None), wanted);
        }
    }

    #[test]
    fn plain_words_stay() {
        for text in ["sk-learn and key-value", "the key-holder", "äöü → sk-", "3.5 a_b c-d", ""] {
            assert_eq!(redact(text, None), text);
        }
    }

    #[test]
    fn user_information_of_urls_is_masked() {
        let text = "https://me:pass@host/a?b=c@d and http://host:1/x@y";
        assert_eq!(redact(text, None), "https://***@host/a?b=c@d and http://host:1/x@y");
        assert_eq!(redact("x://a@b@c", None), "x://***@c");
    }

    #[test]
    fn bytes_keep_their_length() {
        let mut bytes = b"\xffaasecretsecre secret".to_vec();
        blot(&mut bytes, Some(&Secret::new("secret")));
        assert_eq!(bytes, b"\xffaa******secre ******");
    }
}
