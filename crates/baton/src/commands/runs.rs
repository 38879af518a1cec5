//! `baton runs`: what was asked, and what came of it.

use std::fmt::Write;

use baton_core::journal::Stream;
use baton_core::text::one_line;
use baton_port::RunSummary;
use serde_json::{Value, json};

use crate::cli::Runs;
use crate::compose::Setup;
use crate::failure::{Exit, Failure};
use crate::render::{self, Output, style};

pub(crate) async fn runs(runs: &Runs, output: &mut Output) -> Result<Exit, Failure> {
    let setup = Setup::open()?;
    let summaries = setup.engine.runs(runs.limit).await?;
    let lines: Vec<Line> = summaries.iter().filter_map(Line::read).collect();
    if runs.json {
        let list: Vec<Value> = lines.iter().map(Line::json).collect();
        output.print(&format!("{:#}\n", Value::from(list)))?;
    } else if lines.is_empty() {
        render::note("no runs yet; `baton demo` shows what one looks like");
    } else {
        let mut text = String::new();
        lines.iter().for_each(|line| line.write(&mut text));
        output.print(&text)?;
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
}

impl Line {
    fn read(summary: &RunSummary) -> Option<Self> {
        let Some(Stream::Run(run)) = Stream::parse(&summary.stream) else { return None };
        let first: Value = serde_json::from_str(&summary.first.header).unwrap_or_default();
        let decided = summary.decided.as_ref().and_then(|row| serde_json::from_str::<Value>(&row.header).ok());
        let state = match (&decided, summary.last.kind.as_str()) {
            (_, "cancel_requested") => "cancelled".to_owned(),
            (Some(header), _) => header["recommendation"].as_str().unwrap_or("decided").to_owned(),
            (None, _) => "open".to_owned(),
        };
        #[expect(clippy::cast_precision_loss, reason = "at most a million")]
        let confidence =
            decided.and_then(|header| header["confidence"].as_u64()).map(|millionths| millionths as f64 / 1e6);
        Some(Self {
            run: run.to_string(),
            short: run.short().to_owned(),
            at: summary.first.at.0,
            prompt: first["prompt"].as_str().unwrap_or_default().to_owned(),
            state,
            confidence,
        })
    }

    fn json(&self) -> Value {
        json!({ "run": self.run, "at": self.at, "prompt": self.prompt, "state": self.state, "overallConfidence": self.confidence })
    }

    fn write(&self, text: &mut String) {
        let confidence = self.confidence.map_or("    ".to_owned(), |value| format!("{value:.2}"));
        let _ = writeln!(
            text,
            "{}  {}  {:26} {confidence}  {}",
            style::strong(&self.short),
            style::dim(&local_time(self.at)),
            self.state.replace('_', " "),
            one_line(&self.prompt, 60)
        );
    }
}

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
