use baton_core::ids::{MemberId, RunId, StepId};
use baton_core::run::{RunState, Stamped};
use baton_port::Progress;

/// Somebody who watches a run. Called in order; must not block.
pub trait Observer: Send + Sync {
    /// The run is on disk under this id.
    fn begun(&self, _run: &RunId) {}

    /// An event is on disk, and the state after it.
    fn event(&self, _event: &Stamped, _state: &RunState) {}

    /// A member shows a sign of life. Lossy, and never journalled.
    fn progress(&self, _step: StepId, _member: &MemberId, _progress: &Progress) {}
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {}
