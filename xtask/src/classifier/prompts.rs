//! The training prompts: text files, one prompt a line under the name of its kind. The first file says the shape.

use std::fs;
use std::path::Path;

use baton_core::classify::highest;
use baton_core::task::{Complexity, Kind, Priority};

/// A prompt and what it should be taken for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Prompt {
    pub(super) text: String,
    pub(super) kind: Kind,
    /// Other kinds that are as good.
    pub(super) others: Vec<Kind>,
    pub(super) complexity: Complexity,
    pub(super) priority: Priority,
    /// How many prompts it counts as in training.
    pub(super) weight: f64,
}

/// How much of a prompt's weight its other kinds share.
const OTHERS: f64 = 0.3;

impl Prompt {
    /// The share of each kind.
    pub(super) fn kinds(&self) -> Vec<f64> {
        let mut shares = vec![0.0; Kind::ALL.len()];
        let left = if self.others.is_empty() { 0.0 } else { OTHERS };
        shares[self.kind as usize] = 1.0 - left;
        for other in &self.others {
            #[expect(clippy::cast_precision_loss, reason = "one or two kinds")]
            let count = self.others.len() as f64;
            shares[*other as usize] += left / count;
        }
        shares
    }

    /// The share of each complexity.
    pub(super) fn complexities(&self) -> Vec<f64> {
        Complexity::ALL.iter().map(|complexity| f64::from(u8::from(*complexity == self.complexity))).collect()
    }

    /// Whether this kind is one of those that the prompt may be taken for.
    pub(super) fn accepts(&self, kind: Kind) -> bool {
        debug_assert_eq!(highest(&self.kinds()), self.kind as usize);
        kind == self.kind || self.others.contains(&kind)
    }
}

/// What the shipped model is trained on: the project's own prompts, then the recorded cases that it may learn from.
pub(super) fn all(root: &Path) -> Result<Vec<Prompt>, String> {
    let mut prompts = own(root)?;
    prompts.extend(super::measure::cases(&root.join("crates/baton-core/training/cases.jsonl"))?);
    Ok(prompts)
}

/// The project's own prompts, files in the order of their names.
pub(super) fn own(root: &Path) -> Result<Vec<Prompt>, String> {
    let folder = root.join("crates/baton-core/training");
    let entries = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(|error| error.to_string())?.path());
    }
    paths.sort();
    let mut prompts = Vec::new();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|ending| ending == "txt")) {
        let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        prompts.extend(read(&path.display().to_string(), &text)?);
    }
    Ok(prompts)
}

/// Reads one file's text.
pub(super) fn read(name: &str, text: &str) -> Result<Vec<Prompt>, String> {
    let mut kind = None;
    let mut prompts = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let at = |because: &str| format!("{name}:{}: {because}", number + 1);
        if let Some(title) = line.strip_prefix("## ") {
            kind = Some(Kind::parse(title.trim()).ok_or_else(|| at("no such kind"))?);
        } else if !line.is_empty() && !line.starts_with('#') {
            let kind = kind.ok_or_else(|| at("no kind was named yet"))?;
            prompts.push(prompt(kind, line).ok_or_else(|| at("is no prompt: see the head of prompts-1.txt"))?);
        }
    }
    Ok(prompts)
}

fn prompt(kind: Kind, line: &str) -> Option<Prompt> {
    let (labels, text) = line.split_once(" | ")?;
    let mut complexity = None;
    let mut priority = Priority::Normal;
    let mut others = Vec::new();
    for label in labels.split(' ') {
        match label {
            "q" => complexity = Some(Complexity::Quick),
            "s" => complexity = Some(Complexity::Standard),
            "c" => complexity = Some(Complexity::Complex),
            "l" => priority = Priority::Low,
            "h" => priority = Priority::High,
            "u" => priority = Priority::Critical,
            _ => {
                for name in label.strip_prefix('>')?.split(',') {
                    others.push(Kind::parse(name)?);
                }
            }
        }
    }
    Some(Prompt { text: text.replace("\\n", "\n"), kind, others, complexity: complexity?, priority, weight: 1.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_read_and_broken_lines_are_named() {
        let text = "# about\n## refactoring\ns h >code_review,quick_fix | a | b\\nc\n";
        let prompts = read("x", text).unwrap();
        assert_eq!(
            prompts,
            [Prompt {
                text: "a | b\nc".into(),
                kind: Kind::Refactoring,
                others: vec![Kind::CodeReview, Kind::QuickFix],
                complexity: Complexity::Standard,
                priority: Priority::High,
                weight: 1.0,
            }]
        );
        assert!((prompts[0].kinds().iter().sum::<f64>() - 1.0).abs() < 1e-12);
        for broken in
            ["q | before a kind", "## poetry", "## refactoring\nh | no complexity", "## refactoring\nq no bar"]
        {
            assert!(read("x", broken).unwrap_err().starts_with("x:"), "{broken}");
        }
    }
}
