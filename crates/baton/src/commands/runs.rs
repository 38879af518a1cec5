//! `baton runs`: what was asked, and what came of it.

use baton_core::ids::RunId;
use baton_core::journal::Stream;
use baton_core::run::{RunState, Status};
use baton_core::text::one_line;
use baton_core::units::MicroUsd;
use baton_port::RunSummary;
use serde_json::{Value, json};

use crate::cli::Runs;
use crate::compose::Setup;
use crate::failure::{Exit, Failure};
use crate::render::page::Page;
use crate::render::table::{self, Column, Record};
use crate::render::{self, Output, style};

pub(crate) async fn runs(runs: &Runs, output: &mut Output) -> Result<Exit, Failure> {
    let setup = Setup::open()?;
    let summaries = setup.engine.runs(usize::from(runs.limit)).await?;
    let mut lines = Vec::with_capacity(summaries.len());
    for summary in &summaries {
        if let Some(Stream::Run(run)) = Stream::parse(&summary.stream) {
            let state = setup.engine.state(&run).await;
            lines.push(Line::read(&run, summary, state.as_ref().ok()));
        }
    }
    if runs.json {
        let list: Vec<Value> = lines.iter().map(Line::json).collect();
        output.print(&format!("{:#}\n", Value::from(list)))?;
    } else if lines.is_empty() {
        render::note("no runs yet; `baton demo` shows what one looks like");
    } else {
        let width = output.list_width();
        let mut page = Page::list(width);
        table::write(COLUMNS, &lines.iter().map(Line::record).collect::<Vec<_>>(), width, &mut page);
        output.print(&page.into_text())?;
    }
    Ok(Exit::Ok)
}

struct Line {
    run: String,
    short: String,
    at: i64,
    prompt: String,
    state: String,
    confidence: Option<f64>,
    /// What its ended turns cost, whether some did not say, and who paid.
    cost: Option<(MicroUsd, bool)>,
    payers: String,
    is_open: bool,
}

impl Line {
    /// From the first event's header, and from the folded state where the journal can be followed.
    fn read(run: &RunId, summary: &RunSummary, state: Option<&RunState>) -> Self {
        let first: Value = serde_json::from_str(&summary.first.header).unwrap_or_default();
        let decision = state.and_then(|state| state.decision.as_deref());
        let recommendation = decision.and_then(|decision| serde_json::to_value(decision.recommendation).ok());
        let word = match state.map(|state| state.status) {
            None => "unreadable".to_owned(),
            Some(Status::Decided) => {
                recommendation.and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
            }
            Some(status) => render::json::status(status).to_owned(),
        };
        Self {
            run: run.to_string(),
            short: run.short().to_owned(),
            at: summary.first.at.0,
            prompt: first["prompt"].as_str().unwrap_or_default().to_owned(),
            state: word,
            confidence: decision.map(|decision| decision.overall_confidence.as_f64()),
            cost: state.map(RunState::cost),
            payers: state.map(render::turns::payers).unwrap_or_default(),
            is_open: state.is_some_and(|state| state.status == Status::Open),
        }
    }

    fn json(&self) -> Value {
        json!({
            "run": self.run, "at": self.at, "prompt": self.prompt, "state": self.state,
            "overallConfidence": self.confidence,
            "costUsd": self.cost.map(|(cost, _)| render::turns::dollars(cost)),
            "costUnknown": self.cost.map(|(_, unknown)| unknown), "paidBy": self.payers,
        })
    }

    fn record(&self) -> Record {
        // What is under way has not said what it costs.
        let so_far = if self.is_open { " so far" } else { "" };
        let cost = self.cost.map(|(cost, unknown)| style::paid(cost, unknown, &self.payers) + so_far);
        let cells = vec![
            style::strong(&self.short),
            style::dim(&local_time(self.at)),
            self.state.replace('_', " "),
            self.confidence.map_or(String::new(), |value| format!("{value:.2}")),
            one_line(&self.prompt, 60),
            style::dim(&cost.unwrap_or_default()),
        ];
        Record { cells, notes: Vec::new() }
    }
}

const COLUMNS: &[Column] = &[
    Column::new("", 8).gap(2),
    Column::new("", 16).gap(2).folds(2, ""),
    Column::new("", 26),
    Column::new("", 4).gap(2).folds(3, "confidence"),
    Column::new("", 0).gap(2).wraps(),
    Column::new("", 0).folds(4, ""),
];

/// Local date and minute.
pub(crate) fn local_time(millis: i64) -> String {
    match jiff::Timestamp::from_millisecond(millis) {
        Ok(instant) => {
            let local = instant.to_zoned(jiff::tz::TimeZone::system());
            local.strftime("%Y-%m-%d %H:%M").to_string()
        }
        Err(_) => "????-??-?? ??:??".to_owned(),
    }
}
