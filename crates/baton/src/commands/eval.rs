//! `baton eval`: how good the decision rules are on recorded opinions. Nobody is asked and nothing is stored.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs::Metadata;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use baton_core::text::{one_line, printable};
use baton_eval::{BrokenLine, Recorded, Remark, Report};

use crate::cli::Eval;
use crate::failure::{Exit, Failure};
use crate::render::{self, Output};

/// How many broken lines are told; the others are counted.
const MOST_TOLD: usize = 20;
/// The same of remarks, which stop nothing.
const MOST_REMARKS: usize = 10;
/// Stands for standard input.
const INPUT: &str = "-";

pub(crate) fn eval(eval: &Eval, output: &mut Output) -> Result<Exit, Failure> {
    let named: Vec<&PathBuf> = eval.files.iter().chain(&eval.train).collect();
    if let Some(out) = &eval.cases {
        keeps_its_inputs(out, &named)?;
    }
    if named.iter().filter(|file| file.as_os_str() == INPUT).count() > 1 {
        return Err(Failure::input("standard input (`-`) can be read once"));
    }
    let (mut cases, mut training) = read_all(&eval.files, &eval.train)?;
    if cases.is_empty() {
        return Err(Failure::input("there is no case in what was given"));
    }
    if !eval.members.is_empty() {
        let members = members(&eval.members, &cases, &training)?;
        cases.keep(&members);
        training.keep(&members);
    }
    let shared = shared(&cases, &training);
    if shared > 0 {
        render::note(&format!("{} both learned from and measured on: the figures flatter", of_cases(shared)));
    }
    let report = Report::of(&cases, &training);
    if let Some(path) = &eval.cases {
        write_cases(path, &report)?;
    }
    let text = if eval.json { json(&report)? } else { report.table() };
    output.print(&text)?;
    Ok(Exit::Ok)
}

/// What is decided is never written over what it was decided from, by whatever name or link.
fn keeps_its_inputs(out: &Path, inputs: &[&PathBuf]) -> Result<(), Failure> {
    if out.as_os_str() == INPUT {
        return Err(Failure::input("`--cases -`: standard output is for the figures").hint("name a file"));
    }
    let Ok(there) = std::fs::metadata(out) else { return Ok(()) };
    let same = |other: Metadata| there.is_file() && (other.dev(), other.ino()) == (there.dev(), there.ino());
    let input = inputs.iter().find(|input| std::fs::metadata(input).is_ok_and(same));
    match input {
        Some(input) => Err(Failure::input(format!(
            "`--cases {}` would write over `{}`, which is to be read; nothing was changed",
            out.display(),
            input.display()
        ))
        .hint("name another file")),
        None => Ok(()),
    }
}

/// How many cases with a truth, by kind and id, are in both.
fn shared(cases: &Recorded, training: &Recorded) -> usize {
    let (cases, training) = (keys(cases), keys(training));
    cases.intersection(&training).count()
}

/// Nothing is learned from conflicts.
fn keys(recorded: &Recorded) -> BTreeSet<(&'static str, &str)> {
    let choice = recorded.choice.iter().filter(|case| case.truth.is_some()).map(|case| ("choice", case.id.as_str()));
    let findings =
        recorded.findings.iter().filter(|case| case.truth.is_some()).map(|case| ("findings", case.id.as_str()));
    let task = recorded.task.iter().filter(|case| case.truth.is_some()).map(|case| ("task", case.id.as_str()));
    choice.chain(findings).chain(task).collect()
}

fn of_cases(count: usize) -> String {
    if count == 1 { "1 case is".to_owned() } else { format!("{count} cases are") }
}

/// The cases and those to learn from. Every broken line of every file is told, else every remark.
fn read_all(files: &[PathBuf], train: &[PathBuf]) -> Result<(Recorded, Recorded), Failure> {
    let (mut cases, mut training) = (Recorded::default(), Recorded::default());
    let mut broken: Vec<(String, BrokenLine)> = Vec::new();
    let mut remarks: Vec<(String, Remark)> = Vec::new();
    let to_measure = files.iter().map(|file| (file, false));
    for (file, learns) in to_measure.chain(train.iter().map(|file| (file, true))) {
        let into = if learns { &mut training } else { &mut cases };
        let name = || file.display().to_string();
        match into.read_bytes(&bytes_of(file)?) {
            Ok(lines) => remarks.extend(lines.into_iter().map(|line| (name(), line))),
            Err(lines) => broken.extend(lines.into_iter().map(|line| (name(), line))),
        }
    }
    if !broken.is_empty() {
        return Err(told(&broken));
    }
    tell(&remarks);
    Ok((cases, training))
}

fn bytes_of(file: &Path) -> Result<Vec<u8>, Failure> {
    if file.as_os_str() == INPUT {
        let mut bytes = Vec::new();
        let read = std::io::stdin().read_to_end(&mut bytes);
        return read.map(|_| bytes).map_err(|error| Failure::input(format!("standard input cannot be read: {error}")));
    }
    std::fs::read(file).map_err(|error| Failure::input(format!("`{}` cannot be read: {error}", file.display())))
}

fn tell(remarks: &[(String, Remark)]) {
    for (file, remark) in remarks.iter().take(MOST_REMARKS) {
        render::note(&format!("{file}:{}: {}", remark.line, one_line(&remark.what, 300)));
    }
    if remarks.len() > MOST_REMARKS {
        render::note(&format!("and {} more of these", remarks.len() - MOST_REMARKS));
    }
}

fn told(broken: &[(String, BrokenLine)]) -> Failure {
    let mut message = match broken.len() {
        1 => "a line is no case:".to_owned(),
        count => format!("{count} lines are no cases:"),
    };
    for (file, line) in broken.iter().take(MOST_TOLD) {
        // Writing into a String does not fail.
        let _ = write!(message, "\n{file}:{}: {}", line.line, one_line(&plain(&line.because), 300));
    }
    if broken.len() > MOST_TOLD {
        let _ = write!(message, "\nand {} more", broken.len() - MOST_TOLD);
    }
    Failure::input(message).hint("`docs/decisions.md` gives the shapes")
}

/// The parser's words in a user's. Each case is read by itself, so the parser takes every line for the first.
fn plain(because: &str) -> String {
    const WORDS: &[(&str, &str)] = &[
        (" at line 1 column ", ", column "),
        ("expected u8", "expected a tier from 1 to 5"),
        ("expected u32", "expected the number of a line"),
        ("expected a sequence", "expected a list"),
        ("expected a map", "expected an object"),
        ("invalid type: sequence", "invalid type: list"),
        ("invalid type: map", "invalid type: object"),
        ("unknown variant", "unknown word"),
    ];
    WORDS.iter().fold(printable(because), |text, (theirs, ours)| text.replace(theirs, ours))
}

/// The members asked for, each of whom has an opinion somewhere.
fn members(asked: &[String], cases: &Recorded, training: &Recorded) -> Result<Vec<String>, Failure> {
    let asked: Vec<String> =
        asked.iter().map(|member| member.trim().to_owned()).filter(|name| !name.is_empty()).collect();
    if asked.is_empty() {
        return Err(Failure::input("`--members` names nobody"));
    }
    let mut there = cases.members();
    there.extend(training.members());
    let unknown: BTreeSet<&str> = asked.iter().map(String::as_str).filter(|name| !there.contains(name)).collect();
    if unknown.is_empty() {
        return Ok(asked);
    }
    let list = |names: BTreeSet<&str>| names.into_iter().take(MOST_TOLD).collect::<Vec<_>>().join(", ");
    let unknown: BTreeSet<String> = unknown.into_iter().map(|name| format!("`{}`", one_line(name, 100))).collect();
    let who = if unknown.len() == 1 { "a member" } else { "the members" };
    let names = list(unknown.iter().map(String::as_str).collect());
    Err(Failure::input(format!("no case has an opinion of {who} {names}"))
        .hint(format!("these have: {}", one_line(&list(there), 600))))
}

fn write_cases(path: &Path, report: &Report) -> Result<(), Failure> {
    let lines = report.lines.json().map_err(|error| Failure::input(error.to_string()))?;
    std::fs::write(path, lines)
        .map_err(|error| Failure::input(format!("`{}` cannot be written: {error}", path.display())))
}

fn json(report: &Report) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(report).map_err(|error| Failure::input(error.to_string()))?;
    Ok(format!("{text}\n"))
}
