//! The only sources of time and of new ids.

use std::time::Duration;

use baton_core::ids::RunId;
use baton_core::units::Timestamp;

use crate::BoxFuture;

pub trait Clock: Send + Sync {
    /// Wall time, for the record and for display. It may jump.
    fn now(&self) -> Timestamp;

    /// Waits by monotonic time: a jump of the wall clock neither shortens nor lengthens it.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

pub trait Ids: Send + Sync {
    /// A new run id: unique, and sorted by time.
    fn run(&self) -> RunId;

    /// A seed for one run.
    fn seed(&self) -> u64;
}
