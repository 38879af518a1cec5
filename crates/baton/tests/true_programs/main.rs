//! The true agent programs, asked by the true binary, against a scripted model server: one table of what each does
//! when all goes well, when its vendor fails, and when somebody is killed.
//!
//! `cargo xtask e2e` installs the programs and runs this. Which programs, how they are led to the server, and what
//! must be seen in each case is data: `programs.toml`. Without the programs this says that it was skipped.

#[cfg(test)]
mod cases;
#[cfg(test)]
mod leftovers;
#[cfg(test)]
mod place;
#[cfg(test)]
mod programs;
#[cfg(test)]
mod record;
#[cfg(test)]
mod runner;
#[cfg(test)]
mod table;

#[cfg(test)]
fn main() -> std::process::ExitCode {
    runner::run()
}
