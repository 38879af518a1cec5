//! A check: a command of the user's own, such as the tests or a linter, as a seat. Its outcome is evidence.
//!
//! What it says is read from its exit code alone: 0 passed, any other failed. Where it could not do its work, it
//! abstains, and nothing follows from it. The turn itself is good then, so that it is told once, as a check and not as a
//! seat that failed:
//!
//! - Its program, or another one that it was said to need, is not on the `PATH`.
//! - It exits with 126 or 127, by which a shell says that a program cannot be run or was not found; or it fails because
//!   a build tool would have needed the network, or because the program only stands for a tool that is not set up
//!   (`baton_core::evidence::could_not_run`).
//! - It does not end by itself: a deadline, a signal, too much output, no start. Only a wish to stop makes a turn that is
//!   cancelled.
//!
//! No shell is involved, nothing is read from the input, and the command runs in the turn's directory. Its environment
//! is cleared but for variables that builds and tests need; those of proxies, which can hold a password, and of the
//! user's desktop are not among them. Build tools are told to stay off the network, because what is checked may have
//! been written by a model; that is a request to them and no fence.
//!
//! Only the total deadline is kept: a build is silent for long, and its silence says nothing.
//!
//! Settings (others are refused when the channel is made):
//!
//! | setting | meaning |
//! |---|---|
//! | `program` | a name to be found on the `PATH`, or an absolute path |
//! | `arg.0`, `arg.1`, … | its arguments |
//! | `args` | the same as one JSON list |
//! | `command` | program and arguments in one, cut at white space; there is no quoting |
//! | `abstain_without` | further programs, separated by commas, without which it abstains |
//! | `target_dir` | `private`: an empty `CARGO_TARGET_DIR`, removed afterwards; or an absolute path for it |
//! | `env.NAME` | sets a variable for the command |

mod channel;
mod settings;

pub use channel::CheckChannel;
pub use settings::CheckError;
