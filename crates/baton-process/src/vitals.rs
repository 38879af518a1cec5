//! What can be seen of a run from outside while it goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::platform;

/// A look at one run: given to [`crate::Command::vitals`], and kept by who wants to look. Clones look at the same run.
#[derive(Clone, Debug, Default)]
pub struct Vitals(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// Zero before the start and after the end.
    pid: AtomicU32,
    taken: AtomicU64,
}

impl Vitals {
    /// The child's process id, which is also the id of its process group, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        Some(self.0.pid.load(Ordering::Acquire)).filter(|pid| *pid != 0)
    }

    /// Bytes of the input that the child's pipe took so far. A byte that is not counted here was certainly not sent;
    /// one that is may still not have been read.
    #[must_use]
    pub fn input_taken(&self) -> u64 {
        self.0.taken.load(Ordering::Acquire)
    }

    /// Resident bytes of the child's process group, where the system tells them (Linux) and it runs. Pages that its
    /// processes share are counted for each of them.
    #[must_use]
    pub fn resident(&self) -> Option<u64> {
        platform::group_resident(self.pid()?)
    }

    pub(crate) fn started(&self, pid: u32) {
        self.0.pid.store(pid, Ordering::Release);
    }

    pub(crate) fn gone(&self) {
        self.0.pid.store(0, Ordering::Release);
    }

    pub(crate) fn took(&self, bytes: usize) {
        self.0.taken.fetch_add(bytes as u64, Ordering::AcqRel);
    }
}
