//! `baton`: one task, many models, one decision that can be checked.

mod attach;
mod cli;
mod commands;
mod compose;
mod config;
mod consent;
mod demo;
mod failure;
mod render;
mod seats;
mod system;
mod trust;

use std::process::ExitCode;

use crate::cli::{Cli, Command};
use crate::failure::{Exit, Failure};
use crate::render::Output;

/// The hidden first argument under which this program ends the children of a baton that was killed.
const SHIM: &str = "__shim";

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == SHIM) {
        return code(baton_process::shim::main(arguments));
    }
    let cli = match Cli::read(std::env::args_os().collect()) {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let mut output = Output::new();
    match run(cli.command, &mut output) {
        Ok(exit) => code(exit as i32),
        Err(failure) => {
            render::failure(&failure);
            code(failure.exit as i32)
        }
    }
}

fn code(code: i32) -> ExitCode {
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

/// Help and version are asked for and go to standard output; anything else is bad input.
fn usage(error: &clap::Error) -> ExitCode {
    // When the terminal is gone there is nobody to tell.
    let _ = error.print();
    if error.use_stderr() { code(Exit::BadInput as i32) } else { ExitCode::SUCCESS }
}

fn run(command: Command, output: &mut Output) -> Result<Exit, Failure> {
    match command {
        Command::Completions { shell } => commands::completions(shell, output),
        Command::Mcp => block_on(commands::mcp::serve()),
        Command::Ask(ask) => block_on(commands::ask::ask(ask, output)),
        Command::Consult(consult) => block_on(commands::consult::consult(consult, output)),
        Command::Resume(resume) => block_on(commands::resume::resume(resume, output)),
        Command::Runs(runs) => block_on(commands::runs::runs(&runs, output)),
        Command::Show(show) => block_on(commands::show::show(&show, output)),
        Command::Verify(run) => block_on(commands::verify::verify(&run, output)),
        Command::Override(put) => block_on(commands::respond::put_instead(put, output)),
        Command::Respond(respond) => block_on(commands::respond::respond(respond, output)),
        Command::Cancel(run) => block_on(commands::respond::cancel(&run)),
        Command::Rate(rate) => block_on(commands::rate::rate(&rate, output)),
        Command::Accept(finding) => block_on(commands::rate::finding(&finding, true)),
        Command::Reject(finding) => block_on(commands::rate::finding(&finding, false)),
        Command::Members(members) => block_on(commands::members::members(&members, output)),
        Command::Doctor(doctor) => block_on(commands::doctor::doctor(&doctor, output)),
        Command::Trust(trust) => block_on(commands::trust::trust(&trust)),
        Command::Eval(eval) => commands::eval::eval(&eval, output),
        Command::Demo(demo) => block_on(demo::demo(demo, output)),
    }
}

fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::configuration(format!("the runtime cannot be started: {error}")))?.block_on(work)
}
