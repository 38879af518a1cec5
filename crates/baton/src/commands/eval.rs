//! `baton eval`: how good the decision rules are on recorded opinions. Nobody is asked and nothing is stored.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use baton_core::text::{one_line, printable};
use baton_eval::{BrokenLine, Recorded, Report};

use crate::cli::Eval;
use crate::failure::{Exit, Failure};
use crate::render::{self, Output};

/// How many broken lines are told; the others are counted.
const MOST_TOLD: usize = 20;

pub(crate) fn eval(eval: &Eval, output: &mut Output) -> Result<Exit, Failure> {
    let (mut cases, mut training) = read_all(&eval.files, &eval.train)?;
    if cases.is_empty() {
        return Err(Failure::input("there is no case in what was given"));
    }
    let members: Vec<String> = eval.members.iter().map(|member| member.trim().to_owned()).collect();
    if !members.is_empty() {
        known(&members, &cases, &training)?;
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

/// How many cases, by kind and id, are in both.
fn shared(cases: &Recorded, training: &Recorded) -> usize {
    let (cases, training) = (keys(cases), keys(training));
    cases.intersection(&training).count()
}

fn keys(recorded: &Recorded) -> BTreeSet<(&'static str, &str)> {
    let choice = recorded.choice.iter().map(|case| ("choice", case.id.as_str()));
    let findings = recorded.findings.iter().map(|case| ("findings", case.id.as_str()));
    let task = recorded.task.iter().map(|case| ("task", case.id.as_str()));
    choice.chain(findings).chain(task).collect()
}

fn of_cases(count: usize) -> String {
    if count == 1 { "1 case is".to_owned() } else { format!("{count} cases are") }
}

/// The cases and those to learn from. Every broken line of every file is told.
fn read_all(files: &[PathBuf], train: &[PathBuf]) -> Result<(Recorded, Recorded), Failure> {
    let (mut cases, mut training) = (Recorded::default(), Recorded::default());
    let mut broken: Vec<(String, BrokenLine)> = Vec::new();
    let to_measure = files.iter().map(|file| (file, false));
    for (file, learns) in to_measure.chain(train.iter().map(|file| (file, true))) {
        let into = if learns { &mut training } else { &mut cases };
        let lines = into.read(&text_of(file)?).err().unwrap_or_default();
        broken.extend(lines.into_iter().map(|line| (file.display().to_string(), line)));
    }
    if broken.is_empty() { Ok((cases, training)) } else { Err(told(&broken)) }
}

fn text_of(file: &Path) -> Result<String, Failure> {
    let bytes =
        std::fs::read(file).map_err(|error| Failure::input(format!("`{}` cannot be read: {error}", file.display())))?;
    String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + good.iter().filter(|byte| **byte == b'\n').count();
        Failure::input(format!("{}:{line}: is no text in UTF-8", file.display()))
    })
}

fn told(broken: &[(String, BrokenLine)]) -> Failure {
    let mut message = match broken.len() {
        1 => "a line is no case:".to_owned(),
        count => format!("{count} lines are no cases:"),
    };
    for (file, line) in broken.iter().take(MOST_TOLD) {
        // Writing into a String does not fail.
        // Each case is read by itself, so the parser takes every line for the first.
        let because = line.because.replace(" at line 1 column ", ", column ");
        let _ = write!(message, "\n{file}:{}: {}", line.line, one_line(&printable(&because), 300));
    }
    if broken.len() > MOST_TOLD {
        let _ = write!(message, "\nand {} more", broken.len() - MOST_TOLD);
    }
    Failure::input(message).hint("`docs/decisions.md` gives the shapes")
}

fn known(members: &[String], cases: &Recorded, training: &Recorded) -> Result<(), Failure> {
    let mut there = cases.members();
    there.extend(training.members());
    let Some(unknown) = members.iter().find(|member| !there.contains(member.as_str())) else { return Ok(()) };
    let names: Vec<&str> = there.into_iter().take(MOST_TOLD).collect();
    Err(Failure::input(format!("no case has an opinion of a member `{unknown}`"))
        .hint(format!("these have: {}", names.join(", "))))
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
