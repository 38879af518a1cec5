//! What a fake agent is to do.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::acp::AcpMode;
use super::mcp::McpMode;
use super::mode::Mode;
use super::persistent::Later;

/// The script of a fake agent, as a JSON file; each field has a default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Script {
    /// What the first turn does.
    pub mode: Mode,
    /// What it does with a conversation, started as an agent of the Agent Client Protocol.
    pub acp: AcpMode,
    /// What it does with a conversation, started as a server of the Model Context Protocol.
    pub mcp: McpMode,
    /// What a process that serves many turns does from its second one on.
    pub later: Later,
    /// What later turns do, in order; the last one stays. Turns are counted in `record`, which must be named.
    pub then: Vec<Mode>,
    /// The text of the answer.
    pub answer: String,
    /// Where to write what was seen; see [`super::record`].
    pub record: Option<PathBuf>,
    /// What `--version` prints, instead of the real program's words.
    pub version: Option<String>,
    /// The session's id when the caller names none.
    pub session: String,
    /// The model that is reported.
    pub model: String,
    /// Tokens per turn.
    pub input_tokens: u64,
    /// Tokens per turn.
    pub output_tokens: u64,
    /// Dollars per turn.
    pub cost: f64,
    /// How much a flood writes.
    pub bytes: usize,
    /// How many children [`Mode::ManyChildren`] starts; at most 20.
    pub children: usize,
    /// The file of [`Mode::WritesOutside`].
    pub outside: Option<PathBuf>,
    /// When the limit of [`Mode::RateLimited`] ends.
    pub retry_after_seconds: u64,
    /// The pause between two signs of life.
    pub pause_milliseconds: u64,
    /// How long to wait for the end of standard input before that is recorded as a violation.
    pub stdin_milliseconds: u64,
    /// Whether to record TERM, INT and HUP; exits 128 + number then.
    pub signals: bool,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            mode: Mode::Answer,
            acp: AcpMode::Answer,
            mcp: McpMode::Answer,
            later: Later::Answers,
            then: Vec::new(),
            answer: "The change is correct.".to_owned(),
            record: None,
            version: None,
            session: "0190c6a2-5f00-7000-8000-000000000001".to_owned(),
            model: "fake-model-1".to_owned(),
            input_tokens: 100,
            output_tokens: 20,
            cost: 0.01,
            bytes: 50_000_000,
            children: 20,
            outside: None,
            retry_after_seconds: 3600,
            pause_milliseconds: 5,
            stdin_milliseconds: 10_000,
            signals: false,
        }
    }
}

impl Script {
    /// The default script in this mode.
    #[must_use]
    pub fn of(mode: Mode) -> Self {
        Self { mode, ..Self::default() }
    }

    /// Writes the script where `Script::find` looks.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        std::fs::write(path, serde_json::to_vec_pretty(self)?)
    }

    /// The file that belongs to the program at `program`.
    #[must_use]
    pub fn path_beside(program: &OsStr) -> PathBuf {
        let mut path = program.to_owned();
        path.push(".script.json");
        PathBuf::from(path)
    }

    /// `FAKE_AGENT_SCRIPT`, else the file beside the program, else the default.
    pub(crate) fn find(program: &OsStr) -> io::Result<Self> {
        let named = std::env::var_os("FAKE_AGENT_SCRIPT").map(PathBuf::from);
        let beside = Some(Self::path_beside(program)).filter(|path| path.is_file());
        match named.or(beside) {
            Some(path) => Ok(serde_json::from_slice(&std::fs::read(path)?)?),
            None => Ok(Self::default()),
        }
    }

    /// The mode of the turn with this number, counted from 1.
    pub(crate) fn mode_of_turn(&self, turn: usize) -> Mode {
        let later = turn.checked_sub(2).map(|index| index.min(self.then.len().saturating_sub(1)));
        later.and_then(|index| self.then.get(index)).copied().unwrap_or(self.mode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_turns_follow_the_list_and_stay_at_its_end() {
        let script = Script { then: vec![Mode::AuthError, Mode::Banner], ..Script::of(Mode::RateLimited) };
        let modes: Vec<Mode> = (1..=4).map(|turn| script.mode_of_turn(turn)).collect();
        assert_eq!(modes, [Mode::RateLimited, Mode::AuthError, Mode::Banner, Mode::Banner]);
        assert_eq!(Script::of(Mode::Banner).mode_of_turn(5), Mode::Banner);
    }

    #[test]
    fn every_mode_survives_a_file() {
        let root = tempfile::tempdir().unwrap();
        for mode in Mode::ALL {
            let path = root.path().join("claude.script.json");
            let script = Script { signals: true, ..Script::of(mode) };
            script.save(&path).unwrap();
            assert_eq!(Script::path_beside(root.path().join("claude").as_os_str()), path);
            assert_eq!(Script::find(root.path().join("claude").as_os_str()).unwrap(), script);
        }
    }

    #[test]
    fn a_misspelt_field_is_refused() {
        assert!(serde_json::from_str::<Script>(r#"{"mod":"answer"}"#).is_err());
        assert_eq!(serde_json::from_str::<Script>("{}").unwrap(), Script::default());
    }
}
