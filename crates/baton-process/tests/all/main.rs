//! What `baton-process` promises, shown with programs that every system has. The misbehaving ones, and all that needs
//! a shim, are in the test kit, where the fake agent lives.
#![cfg(unix)]

#[cfg(test)]
mod command;
#[cfg(test)]
mod find;
#[cfg(test)]
mod run;
