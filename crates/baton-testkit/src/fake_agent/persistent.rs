//! Processes that serve many turns, and how they fail in a later one. What is the same in all protocols.

use std::io::{self, BufRead, Write};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::dialect::Dialect;
use super::output;
use super::record::{Event, Recorder};
use super::turn::Turn;

/// What a process does from its second turn on. All but the first are faults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Later {
    #[default]
    Answers,
    /// Exits after its first answer.
    DiesBetween,
    /// Writes `bytes` of lines after its first answer, unasked.
    FloodsBetween,
    /// Exits when the second prompt was read.
    DiesWhenAsked,
    /// Exits in the middle of the second answer.
    DiesInAnswer,
    /// Shows life, and never answers. Obeys a wish to stop where the protocol has one.
    Hangs,
    /// Noise around a good answer.
    Garbage,
    /// Writes `bytes` of lines in place of an answer, and stays.
    Floods,
    /// Answers under another id: of a turn, a session, or a request.
    WrongId,
    /// The vendor refuses for the number of requests.
    Fails,
    /// Answers, and stays when its input ends.
    StaysAtTheEnd,
}

impl Later {
    /// Every one.
    pub const ALL: [Self; 11] = [
        Self::Answers,
        Self::DiesBetween,
        Self::FloodsBetween,
        Self::DiesWhenAsked,
        Self::DiesInAnswer,
        Self::Hangs,
        Self::Garbage,
        Self::Floods,
        Self::WrongId,
        Self::Fails,
        Self::StaysAtTheEnd,
    ];
}

/// How one protocol says things.
pub(super) trait Voice {
    fn begin(&self) -> io::Result<()>;
    fn answer(&self, text: &str) -> io::Result<()>;
    /// The answer's first half.
    fn half(&self) -> io::Result<()>;
    fn answer_elsewhere(&self, text: &str) -> io::Result<()>;
    fn fail(&self) -> io::Result<()>;
}

/// The turn with this number in its process, from 1. A code ends the program.
pub(super) fn perform(number: usize, turn: &Turn, voice: &dyn Voice) -> io::Result<Option<i32>> {
    let script = &turn.script;
    if number == 1 {
        voice.begin()?;
        voice.answer(&script.answer)?;
        return after_the_first(turn);
    }
    if script.later == Later::DiesWhenAsked {
        return Ok(Some(3));
    }
    voice.begin()?;
    match script.later {
        Later::DiesInAnswer => {
            voice.half()?;
            return Ok(Some(3));
        }
        Later::Hangs => {}
        Later::Garbage => {
            output::line("Loaded cached credentials.")?;
            output::line(b"\xff\xfe{\0")?;
            voice.answer(&script.answer)?;
            output::line("{\"type\":\"of_tomorrow\"}")?;
        }
        Later::Floods => flood(script.bytes)?,
        Later::WrongId => voice.answer_elsewhere("This is of another turn.")?,
        Later::Fails => voice.fail()?,
        _ => voice.answer(&script.answer)?,
    }
    Ok(None)
}

pub(super) fn after_the_first(turn: &Turn) -> io::Result<Option<i32>> {
    match turn.script.later {
        Later::DiesBetween => return Ok(Some(0)),
        Later::FloodsBetween => flood(turn.script.bytes)?,
        _ => {}
    }
    Ok(None)
}

pub(super) fn at_the_end(turn: &Turn) {
    if turn.script.later == Later::StaysAtTheEnd {
        loop {
            std::thread::park();
        }
    }
}

fn flood(bytes: usize) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    output::flood(&mut stdout, b"{\"type\":\"keep_alive\"}\n", bytes)?;
    stdout.flush()
}

/// Whether these arguments start Claude's program for many turns.
pub(super) fn is_asked_for(turn: &Turn) -> bool {
    turn.option("--input-format") == Some("stream-json")
}

/// Claude's program: a line for each prompt, until the input ends.
pub(super) fn serve(mut turn: Turn, dialect: &dyn Dialect, recorder: &Recorder) -> io::Result<i32> {
    let before = turn.number;
    for (index, line) in io::stdin().lock().lines().enumerate() {
        let message: Value = serde_json::from_str(&line?).map_err(io::Error::other)?;
        turn.prompt = message["message"]["content"][0]["text"].as_str().unwrap_or_default().to_owned();
        recorder.add(Event::Asked { prompt: turn.prompt.clone() })?;
        turn.number = before + index;
        let voice = Claude { turn: &turn, dialect, message: &message };
        if let Some(code) = perform(index + 1, &turn, &voice)? {
            return Ok(code);
        }
    }
    at_the_end(&turn);
    Ok(0)
}

struct Claude<'a> {
    turn: &'a Turn,
    dialect: &'a dyn Dialect,
    message: &'a Value,
}

impl Claude<'_> {
    /// The prompt again, as the program does when it takes one up.
    fn echo(&self) -> io::Result<()> {
        let mut echo = self.message.clone();
        echo["isReplay"] = json!(true);
        output::line(echo.to_string())
    }

    fn lines(&self, turn: &Turn, text: &str) -> io::Result<()> {
        self.dialect.answer(turn, text).iter().try_for_each(output::line)
    }
}

impl Voice for Claude<'_> {
    fn begin(&self) -> io::Result<()> {
        self.dialect.opening(self.turn).iter().try_for_each(output::line)
    }

    fn answer(&self, text: &str) -> io::Result<()> {
        self.echo()?;
        self.lines(self.turn, text)
    }

    fn half(&self) -> io::Result<()> {
        self.echo()?;
        self.dialect.answer(self.turn, "The change").first().map_or(Ok(()), output::line)
    }

    /// Without taking the prompt up: the end of another turn.
    fn answer_elsewhere(&self, text: &str) -> io::Result<()> {
        self.lines(self.turn, text)
    }

    fn fail(&self) -> io::Result<()> {
        self.echo()?;
        let failure = self.dialect.failure(self.turn, super::dialect::Trouble::RateLimited);
        failure.stdout.last().map_or(Ok(()), output::line)
    }
}
