//! What a program wrote, kept as a transcript: `PROGRAM-VERSION/CHANNEL/CASE.out`, and beside it what cannot be read
//! off that. What differs from run to run is replaced, so that a new version's difference is all that is seen.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::programs::{Case, Row};

/// Passes everything through, and keeps it. Where the program is ended there is no code.
const WRAPPER: &str = r#"#!/bin/sh
tape="$HOME/../tape"
if [ "$1" = --version ] || [ ! -d "$tape" ]; then exec "REAL" "$@"; fi
number=1
while ! mkdir "$tape/$number" 2> /dev/null; do number=$((number + 1)); done
tape="$tape/$number"
mkfifo "$tape/pipe"
tee "$tape/err" < "$tape/pipe" >&2 &
{ "REAL" "$@" 2> "$tape/pipe"; echo $? > "$tape/exit"; } | tee "$tape/out"
wait
exit "$(cat "$tape/exit")"
"#;

/// Settings of an `acp` seat by which its messages are read.
const READING: [&str; 7] = ["usage", "error_texts", "retry_texts", "retry_messages", "mode", "login", "model_via"];

/// Writes a program for each row that stands before the true one.
///
/// # Errors
/// When one cannot be written.
pub(crate) fn wrappers(folder: &Path, agents: &Path, rows: &[Row]) -> Result<(), String> {
    let write = |row: &Row| {
        let real = agents.join("node_modules/.bin").join(&row.program);
        let path = folder.join(&row.program);
        std::fs::create_dir_all(folder)?;
        std::fs::write(&path, WRAPPER.replace("REAL", &real.to_string_lossy()))?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))
    };
    rows.iter().try_for_each(write).map_err(|error| format!("{}: {error}", folder.display()))
}

/// The name of a case's transcript, if it is kept.
fn name(case: Case) -> Option<&'static str> {
    match case {
        Case::First => Some("success"),
        Case::Resume => Some("resume"),
        Case::Unauthorized => Some("status_401"),
        Case::RateLimited => Some("status_429"),
        Case::ServerError => Some("status_500"),
        Case::Cut => Some("cut_stream"),
        _ => None,
    }
}

/// One row's transcripts.
pub(crate) struct Recorder {
    /// Where the wrapper writes; it is there only while something is to be kept.
    tape: PathBuf,
    /// Where this row's transcripts go.
    golden: PathBuf,
    row: Row,
    ids: Ids,
}

impl Recorder {
    pub(crate) fn new(row: &Row, version: &str, folder: &Path, agents: &Path, golden: &Path) -> Self {
        let (program, way) = row.name.split_once(' ').unwrap_or((&row.name, "cli"));
        let channel = match (program, way) {
            ("claude" | "codex", "cli") => format!("{program}-cli"),
            (_, way) => way.to_owned(),
        };
        let places = [("work", "/work-dir"), ("home", "/home-dir"), ("tmp", "/temporary")];
        let places = places.iter().map(|(name, shown)| (folder.join(name).display().to_string(), *shown));
        Self {
            tape: folder.join("tape"),
            golden: golden.join(format!("{program}-{version}")).join(channel),
            row: row.clone(),
            ids: Ids { places: places.chain([(agents.display().to_string(), "/agents")]).collect(), ..Ids::default() },
        }
    }

    pub(crate) fn begin(&self, case: Case) {
        if name(case).is_some() {
            // Without it the program is run as it is.
            let _ = std::fs::create_dir_all(&self.tape);
        }
    }

    /// Keeps the case's first call. `resumed` is the conversation that it was told to go on with.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub(crate) fn end(&mut self, case: Case, resumed: Option<&str>) -> Result<(), String> {
        let Some(name) = name(case) else { return Ok(()) };
        self.ids.seen.clear();
        let read = |part: &str| std::fs::read(self.tape.join("1").join(part)).ok();
        let text = |bytes: Option<Vec<u8>>| String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned();
        let (out, stderr, exit) = (text(read("out")), text(read("err")), text(read("exit")));
        let resumed = resumed.filter(|_| case == Case::Resume).map(|id| self.ids.replace(id));
        let exit = match exit.trim().parse::<i64>() {
            _ if self.row.name.ends_with("acp") => json!(0),
            Ok(code) => json!(code),
            Err(_) => json!("stopped"),
        };
        let mut program = json!({ "exit": exit, "stderr": self.ids.replace(&stderr), "resumed": resumed });
        self.add_seat(&mut program);
        let golden = format!("{:#}\n", json!({ "program": program, "turn": null }));
        let out = self.ids.replace(&out);
        let written = std::fs::create_dir_all(&self.golden)
            .and_then(|()| std::fs::write(self.golden.join(format!("{name}.out")), out))
            .and_then(|()| std::fs::write(self.golden.join(format!("{name}.json")), golden))
            .and_then(|()| std::fs::remove_dir_all(&self.tape));
        written.map_err(|error| format!("{}: {error}", self.golden.display()))
    }

    fn add_seat(&self, program: &mut Value) {
        let way = self.golden.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match way.as_str() {
            "cli" => program["seat"] = json!(self.row.seat),
            "acp" => program["settings"] = json!(self.reading()),
            _ => {}
        }
    }

    fn reading(&self) -> BTreeMap<String, String> {
        let configuration: toml::Table = self.row.configuration.replace("{limits}", "").parse().unwrap_or_default();
        let member = configuration.get("member").and_then(|members| members.get(0));
        let settings = member.and_then(|member| member.get("settings")).and_then(toml::Value::as_table);
        let settings = settings.into_iter().flatten().filter(|(name, _)| READING.contains(&name.as_str()));
        settings.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
    }
}

/// What is written for that which differs: the same for the same, by the order in which it was first seen.
#[derive(Default)]
struct Ids {
    places: Vec<(String, &'static str)>,
    seen: BTreeMap<String, usize>,
}

impl Ids {
    fn replace(&mut self, text: &str) -> String {
        let text = self.places.iter().fold(text.to_owned(), |text, (place, shown)| text.replace(place, shown));
        let is_word = |letter: char| letter.is_ascii_alphanumeric() || "_.:-".contains(letter);
        let mut replaced = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some(start) = rest.find(is_word) {
            let (between, words) = rest.split_at(start);
            let (word, after) = words.split_at(words.find(|letter| !is_word(letter)).unwrap_or(words.len()));
            let bare = word.trim_matches(['.', ':', '-']);
            replaced.push_str(between);
            replaced.push_str(&if bare.is_empty() { word.to_owned() } else { word.replace(bare, &self.word(bare)) });
            rest = after;
        }
        replaced.push_str(rest);
        without_times(&without_host(&replaced))
    }

    fn word(&mut self, word: &str) -> String {
        if is_uuid(word) {
            return format!("00000000-0000-4000-8000-{:012}", self.number(word));
        }
        if let Some((kind, rest)) = word.split_once('_')
            && kind.len() <= 6
            && rest.len() >= 16
            && rest.bytes().any(|byte| byte.is_ascii_digit())
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
        {
            return format!("{kind}_{:026}", self.number(word));
        }
        let digits = word.bytes().all(|byte| byte.is_ascii_digit());
        match word.split_once(':') {
            _ if digits && word.len() == 13 => "1700000000000".to_owned(),
            _ if is_time(word) => "2026-01-01T00:00:00.000Z".to_owned(),
            Some(("127.0.0.1", _)) => "127.0.0.1:1".to_owned(),
            _ => word.to_owned(),
        }
    }

    fn number(&mut self, id: &str) -> usize {
        let next = self.seen.len() + 1;
        *self.seen.entry(id.to_owned()).or_insert(next)
    }
}

fn is_uuid(word: &str) -> bool {
    let parts: Vec<usize> = word.split('-').map(str::len).collect();
    parts == [8, 4, 4, 4, 12] && word.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

fn is_time(word: &str) -> bool {
    let date = word.split_once('T').map(|(date, time)| (date.len(), time.matches(':').count()));
    date == Some((10, 2)) && word.starts_with("20")
}

fn without_host(text: &str) -> String {
    let mut parts = text.split("\"hostname\":\"");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let rest = part.split_once('"').map_or("", |(_, rest)| rest);
        format!("{text}\"hostname\":\"host\"{rest}")
    })
}

/// Numbers that say how long something took, as members of an object, made zero.
fn without_times(text: &str) -> String {
    let is_time = |key: &str| {
        let key = key.to_lowercase();
        ["_ms", "ms", "duration", "latency", "elapsed", "bytes", "_seconds"].iter().any(|end| key.ends_with(end))
    };
    let mut parts = text.split("\":");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let key = shown.rsplit('"').next().unwrap_or_default().to_owned();
        let (blank, value) = part.split_at(part.len() - part.trim_start().len());
        let end = value.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(value.len());
        let known = end > 0 && is_time(&key);
        shown.push_str("\":");
        shown.push_str(blank);
        shown.push_str(if known { "0" } else { &value[..end] });
        shown.push_str(&value[end..]);
    }
    shown
}
