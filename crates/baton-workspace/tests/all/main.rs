//! Copies of real repositories, and a sandbox that a command tries to leave.

#[cfg(test)]
mod history;
#[cfg(test)]
mod probe;
#[cfg(test)]
mod reproduction;
#[cfg(test)]
mod room;
#[cfg(test)]
mod sandbox;
#[cfg(test)]
mod worktree;
