//! A seat of each program that can stay, in front of the fake.

use std::sync::Arc;

use baton_core::member::Member;
use baton_port::{Channel, Turn, TurnRequest};
use baton_testkit::fake_agent::{Later, Script};

use crate::stage::{Stage, member};

/// More than the caps of a turn.
const FLOOD: usize = 3 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Claude,
    Codex,
    Acp,
}

pub(crate) const KINDS: [Kind; 3] = [Kind::Claude, Kind::Codex, Kind::Acp];

/// A seat that a pool may keep. Its fake answers the first turn, and then does as `later` says.
pub(crate) fn seat(kind: Kind, later: Later) -> Stage {
    let (kind, program, settings) = match kind {
        Kind::Claude => ("claude-cli", "claude", &[][..]),
        Kind::Codex => ("codex-cli", "codex", &[][..]),
        Kind::Acp => ("acp", "agent", &[("program", "agent"), ("arg.0", "--acp")][..]),
    };
    let member = Member { model: None, ..member(kind, settings) };
    Stage::new(member, program, Script { later, bytes: FLOOD, ..Script::default() })
}

pub(crate) async fn ask(channel: &Arc<dyn Channel>, request: TurnRequest) -> Turn {
    channel.turn(&request).await
}
