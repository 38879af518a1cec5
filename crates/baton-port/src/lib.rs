//! The contract between the engine and the outside: small traits, documented more than coded.
//!
//! Nothing here names a runtime, a database or a protocol. Futures are the standard library's, boxed, so that every
//! trait can be used as `dyn`. Failures of a member are values ([`Turn`]), never errors; failures of the store are
//! [`StoreError`], and the caller must stop.

mod cancel;
mod channel;
mod clock;
mod files;
mod store;

use std::future::Future;
use std::pin::Pin;

pub use cancel::{Cancel, Cancelled};
pub use channel::{
    Availability, Caps, Channel, Deadlines, Exchange, HowToMend, Opens, Progress, ProgressSink, SessionUse, Transcript,
    Turn, TurnRequest,
};
pub use clock::{Clock, Ids};
pub use files::{Files, Found, NoFiles};
pub use store::{Append, Blob, Blobs, Journal, Lease, Rows, RunSummary, StoreError, VersionedRow};

/// A boxed future that can move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
