//! How members are reached: one channel a folder.

pub mod acp;
pub mod check;
pub mod cli;
pub mod http;
pub mod mcp;
mod rpc;
mod tools;
pub mod warm;

pub use tools::{OpenError, SERVERS, Tools, is_logged_in, open};
