//! What the user asked, and what a decision on it would be.

use serde::{Deserialize, Serialize};

use crate::hash::Hash;

macro_rules! names {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name as written in configuration, JSON and on screens.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.pad(self.as_str())
            }
        }
    };
}

names! {
    /// What sort of work a task is; a row of the role matrix.
    Kind {
        Architecture = "architecture",
        Implementation = "implementation",
        SecurityReview = "security_review",
        CodeReview = "code_review",
        Performance = "performance",
        CodebaseAnalysis = "codebase_analysis",
        Brainstorming = "brainstorming",
        QuickFix = "quick_fix",
        Documentation = "documentation",
        TestingStrategy = "testing_strategy",
        Refactoring = "refactoring",
        Alternatives = "alternatives",
    }
}

names! {
    /// How much work a task is; sets the size of the team.
    Complexity { Quick = "quick", Standard = "standard", Complex = "complex" }
}

names! {
    /// What is at stake; sets the threshold.
    Priority { Low = "low", Normal = "normal", High = "high", Critical = "critical" }
}

impl Priority {
    /// As [`Self::parse`], for what a person or a program asks for: `medium` is another word for `normal`.
    #[must_use]
    pub fn asked(text: &str) -> Option<Self> {
        if text == "medium" { Some(Self::Normal) } else { Self::parse(text) }
    }
}

/// What a decision on the task would be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// Should this stand as it is: approve, revise or reject.
    Verdict,
    /// One of the options that the user named.
    Choice(Vec<String>),
    /// What is wrong here, and where; a verdict goes with it.
    Findings,
    /// A change of files, as one diff: tried and checked before anything is counted.
    Patch,
    /// A test that fails while a claim is true, as one diff. Never asked of a task: a workflow puts it about one claim.
    Test {
        /// What the test's name holds, so that it is known in what a command prints.
        mark: String,
    },
    /// A text; nothing to count but agreement is reported by the members themselves.
    Text,
}

impl Question {
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Verdict => "verdict",
            Self::Choice(_) => "choice",
            Self::Findings => "findings",
            Self::Patch => "patch",
            Self::Test { .. } => "test",
            Self::Text => "text",
        }
    }
}

/// Where an attachment came from; decides how its lines are numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttachmentForm {
    /// A whole file.
    File,
    /// A unified diff: only the lines in its hunks are known.
    Diff,
}

/// A text that goes with the task. Its bytes are kept by hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    pub name: String,
    pub form: AttachmentForm,
    pub content: Hash,
    pub bytes: u64,
}

/// What the user said about the task beyond its words; each overrides what classification would say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hints {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complexity: Option<Complexity>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<Question>,
    /// Nobody said so: a patch could be tried where the task is about, so that one may be asked for where the words tell
    /// to change something.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub may_patch: bool,
}

/// What the user asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    pub prompt: String,
    pub attachments: Vec<Attachment>,
    pub hints: Hints,
    /// The directory the task is about; members that can read files are started there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
}

impl Task {
    /// A rough count of the tokens that a member must read: four bytes each, which errs to the high side for prose.
    #[must_use]
    pub fn estimated_tokens(&self) -> u64 {
        self.bytes() / 4
    }

    /// The size of the task and of what is attached.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let attached: u64 = self.attachments.iter().map(|attachment| attachment.bytes).sum();
        self.prompt.len() as u64 + attached
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_match_their_stored_form() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(*kind));
            assert_eq!(serde_json::to_string(kind).unwrap(), format!("\"{kind}\""));
        }
        assert_eq!(Kind::ALL.len(), 12);
        assert_eq!(Priority::parse("urgent"), None);
        assert_eq!(
            (Priority::asked("medium"), Priority::asked("high")),
            (Some(Priority::Normal), Some(Priority::High))
        );
        assert_eq!((Priority::asked("Medium"), Priority::parse("medium")), (None, None));
        assert!(Priority::Low < Priority::Critical);
    }
}
