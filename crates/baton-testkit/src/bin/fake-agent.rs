//! A program that pretends to be an agent, well or badly: see `baton_testkit::fake_agent`.

use std::process::ExitCode;

#[cfg(unix)]
fn main() -> ExitCode {
    baton_testkit::fake_agent::main()
}

#[cfg(not(unix))]
fn main() -> ExitCode {
    ExitCode::FAILURE
}
