use baton_core::feedback::FeedbackError;
use baton_core::ids::RunId;
use baton_core::journal::ChainError;
use baton_core::run::{CodecError, Illegal};
use baton_port::StoreError;

use crate::prompt::PromptError;

/// Why the engine stopped. The run stays as recorded.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("there is no run `{0}`")]
    NoSuchRun(String),
    #[error("run {} does not wait for an answer", .0.short())]
    NotWaiting(RunId),
    #[error("the journal was changed: {0}")]
    Chain(#[from] ChainError),
    #[error(transparent)]
    Codec(#[from] CodecError),
    #[error("the journal cannot be followed: {0}")]
    Illegal(#[from] Illegal),
    #[error(transparent)]
    Prompt(#[from] PromptError),
    #[error(transparent)]
    Feedback(#[from] FeedbackError),
    #[error("an event could not be written: {0}")]
    Encode(#[from] serde_json::Error),
}
