//! `baton demo`: the main job from end to end, without any account.
//!
//! It is the same engine, the same channels and the same screen as `ask`. Only the other end is different: a scripted
//! server on loopback that this program starts itself. The home is temporary, no member of this machine is looked for,
//! and every answer is marked as scripted in the journal and on the screen, so that nothing is ever learned from it.

use std::path::{Path, PathBuf};

use baton_core::catalog::RoleRow;
use baton_core::run::Inputs;
use baton_core::task::{Hints, Task};
use baton_script::{Script, Server};
use serde::Deserialize;

use crate::attach::Attached;
use crate::cli::{Demo, RunFlags};
use crate::commands::ask;
use crate::compose::Setup;
use crate::config::{Config, Entry};
use crate::failure::{Exit, Failure};
use crate::render::page::Page;
use crate::render::{self, Output, style};
use crate::system::Home;

const SCRIPT: &str = include_str!("../demo/script.json");
const SEATS: &str = include_str!("../demo/seats.toml");
/// The sample project. Its manifest has another name here so that no workspace takes it in.
const SAMPLE: &[(&str, &str)] = &[
    ("Cargo.toml", include_str!("../demo/sample/Cargo.toml.txt")),
    ("src/lib.rs", include_str!("../demo/sample/src/lib.rs")),
];

#[derive(Deserialize)]
struct Table {
    task: DemoTask,
    role: Vec<RoleRow>,
    member: Vec<Entry>,
}

#[derive(Deserialize)]
struct DemoTask {
    prompt: String,
    attach: Vec<PathBuf>,
    workflow: String,
}

pub(crate) async fn demo(demo: Demo, output: &mut Output) -> Result<Exit, Failure> {
    let folder = Folder::make(demo.keep.as_deref())?;
    let sample = write_sample(folder.path())?;
    let script: Script = serde_json::from_str(SCRIPT).map_err(|error| broken(&error))?;
    let server = Server::start(script)
        .await
        .map_err(|error| Failure::configuration(format!("the demo's server cannot listen on 127.0.0.1: {error}")))?;
    let table: Table = toml::from_str(&SEATS.replace("{server}", &server.url())).map_err(|error| broken(&error))?;
    introduce(&table, &demo);
    let result = run(&table, folder.path(), &sample, &demo, output).await;
    server.shutdown().await;
    folder.tell();
    result
}

async fn run(table: &Table, folder: &Path, sample: &Path, demo: &Demo, output: &mut Output) -> Result<Exit, Failure> {
    let home = Home::at(&folder.join("home"));
    let mut config = Config::load(&home)?;
    config.entries.clear();
    config.locals.clear();
    config.roles.clone_from(&table.role);
    let setup = Setup::with(&home, config, sample.to_owned(), vec![("BATON_DEMO_KEY".into(), "demo".into())])?;
    let mut attached = Attached::default();
    for file in &table.task.attach {
        attached.file(&sample.join(file), sample, &[])?;
    }
    let task = Task {
        prompt: table.task.prompt.clone(),
        attachments: attached.attachments.clone(),
        hints: Hints::default(),
        workspace: Some(sample.to_string_lossy().into_owned()),
    };
    let members = table.member.iter().map(|entry| entry.member.clone()).collect();
    let workflow = setup.config.workflow(&table.task.workflow)?.clone();
    let inputs: Inputs = setup.freeze(task, workflow, members).await?;
    let flags = RunFlags { json: demo.json, yes: true, ..RunFlags::default() };
    ask::run(&setup, inputs, attached, &flags, output).await
}

fn introduce(table: &Table, demo: &Demo) {
    if demo.json {
        return;
    }
    let scripted: Vec<&str> =
        table.member.iter().filter(|entry| entry.member.scripted).map(|entry| entry.member.id.as_str()).collect();
    let mut page = Page::new(render::note_width());
    page.paragraph("", 0, &style::strong("A demonstration. No account is used and nothing leaves this machine."));
    page.paragraph("  task      ", 12, &table.task.prompt);
    page.paragraph("  members   ", 12, &format!("{} {}", scripted.join(", "), style::warn("[scripted answers]")));
    page.paragraph("  check     ", 12, "the sample's own tests, run for real by your cargo");
    render::note(&page.into_text());
}

fn write_sample(folder: &Path) -> Result<PathBuf, Failure> {
    let sample = folder.join("sample");
    for (name, text) in SAMPLE {
        let path = sample.join(name);
        let made = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(&path, text));
        made.map_err(|error| Failure::new(Exit::Store, format!("{} cannot be written: {error}", path.display())))?;
    }
    Ok(sample)
}

/// The demo's files are compiled in; a test keeps them sound.
fn broken(error: &dyn std::fmt::Display) -> Failure {
    Failure::configuration(format!("the demo's own data is broken: {error}"))
}

/// The demo's folder: removed at the end, unless the user wants to keep it.
enum Folder {
    Temporary(tempfile::TempDir),
    Kept(PathBuf),
}

impl Folder {
    fn make(keep: Option<&Path>) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| {
            Failure::new(Exit::Store, format!("the demo's folder cannot be made: {error}"))
                .hint("name one that can be: baton demo --keep DIRECTORY")
        };
        match keep {
            Some(path) => {
                let path = std::path::absolute(path).map_err(failed)?;
                std::fs::create_dir_all(&path).map_err(failed)?;
                Ok(Self::Kept(path))
            }
            None => tempfile::Builder::new().prefix("baton-demo-").tempdir().map(Self::Temporary).map_err(failed),
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Kept(path) => path,
        }
    }

    fn tell(&self) {
        if let Self::Kept(path) = self {
            render::note(&format!("kept: BATON_HOME={} baton show --transcripts", path.join("home").display()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demos_data_is_sound() {
        let script: Script = serde_json::from_str(SCRIPT).unwrap();
        assert!(!script.rules.is_empty());
        let table: Table = toml::from_str(&SEATS.replace("{server}", "http://127.0.0.1:1")).unwrap();
        assert!(table.member.iter().all(|entry| entry.member.scripted || entry.member.is_check()));
        assert!(SAMPLE.iter().map(|(_, text)| text.lines().count()).sum::<usize>() < 150);
    }
}
