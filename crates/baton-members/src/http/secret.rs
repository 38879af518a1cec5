//! An API key.

use std::fmt;

/// A key that can be sent, and not shown: `Debug` is masked and there is no `Display`.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Surrounding white space, as it comes with a pasted key, is left out.
    #[must_use]
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(text.as_ref().trim().to_owned())
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The key itself: for a header, and for looking for it in what must not hold it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_show_itself() {
        let secret = Secret::new(" sk-very-secret-1\n");
        assert_eq!(format!("{secret:?}"), "Secret(***)");
        assert_eq!(secret.expose(), "sk-very-secret-1");
        assert!(Secret::new("  ").is_empty());
    }
}
