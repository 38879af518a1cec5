//! What people see: the live view, decisions, lists. Data goes to standard output, everything else to standard error.

pub(crate) mod became;
pub(crate) mod decision;
mod disputes;
pub(crate) mod json;
pub(crate) mod live;
pub(crate) mod markdown;
pub(crate) mod page;
mod patches;
pub(crate) mod plan;
mod reproductions;
#[cfg(test)]
mod sample;
pub(crate) mod sarif;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod taking;
pub(crate) mod turns;
mod unfilled;
pub(crate) mod words;

use std::io::Write;

use crate::failure::{Exit, Failure};

/// Texts that a decision refers to by hash.
#[derive(Clone, Debug, Default)]
pub(crate) struct Texts {
    /// The adopted text or patch, where one was asked for.
    pub(crate) answer: Option<String>,
    /// The diffs of the tests for claims, in their order; `None` where there is none.
    pub(crate) tests: Vec<Option<String>>,
}

/// The only owner of standard output. Handed out by `main`, so that two parts can never write into each other.
pub(crate) struct Output {
    stdout: anstream::AutoStream<std::io::Stdout>,
}

impl Output {
    pub(crate) fn new() -> Self {
        Self { stdout: anstream::stdout() }
    }

    /// The columns to fill on standard output.
    pub(crate) fn width(&self) -> usize {
        width(&console::Term::stdout())
    }

    /// The columns of the terminal for a list; `None` where a program reads it, which wants one record a line.
    pub(crate) fn list_width(&self) -> Option<usize> {
        room(&console::Term::stdout())
    }

    /// Writes a whole text.
    pub(crate) fn print(&mut self, text: &str) -> Result<(), Failure> {
        ended(self.stdout.write_all(text.as_bytes()).and_then(|()| self.stdout.flush()))
    }

    /// Writes a text byte for byte for a program to read; on a terminal, without what could move its cursor.
    pub(crate) fn print_exact(&mut self, text: &str) -> Result<(), Failure> {
        if self.stdout.is_terminal() {
            return self.print(&baton_core::text::printable(text));
        }
        let mut stdout = self.stdout.as_inner();
        ended(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
    }
}

/// A reader that went away early (`| head`) is no failure.
fn ended(written: std::io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::new(Exit::BadInput, format!("standard output cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}

/// The columns to fill on a terminal.
fn width(terminal: &console::Term) -> usize {
    let variable = std::env::var("COLUMNS").ok();
    page::columns(variable.as_deref(), terminal.size_checked().map(|(_, columns)| columns))
}

/// All columns of a terminal; `None` where there is none.
fn room(terminal: &console::Term) -> Option<usize> {
    let variable = std::env::var("COLUMNS").ok();
    let size = terminal.size_checked().map(|(_, columns)| columns);
    terminal.is_term().then(|| page::room(variable.as_deref(), size))
}

/// A note for the user, on standard error; wrapped on a terminal alone.
pub(crate) fn note(text: &str) {
    let fitted = match room(&console::Term::stderr()) {
        Some(width) if !text.is_empty() => page::fitted(text, width),
        _ => format!("{text}\n"),
    };
    // Nothing sensible can be done when even standard error is gone.
    let _ = write!(anstream::stderr(), "{fitted}");
}

/// The columns to fill on standard error.
pub(crate) fn note_width() -> usize {
    width(&console::Term::stderr())
}

/// A failure, on standard error: what happened, then what to do.
pub(crate) fn failure(failure: &Failure) {
    let error = style::bad("error");
    note(&format!("{error}: {}", failure.message));
    for hint in &failure.hints {
        note(&format!("  {}: {hint}", style::dim("try")));
    }
}
