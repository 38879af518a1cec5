//! What goes with a task: files named on the command line, and a text or diff on standard input.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use baton_core::task::{Attachment, AttachmentForm};
use baton_port::Blob;

use crate::failure::Failure;
use crate::render;

/// The largest single attachment. A member reads every byte of it, on every call.
const LARGEST: u64 = 2 << 20;
/// All attachments together.
const LARGEST_SUM: u64 = 8 << 20;
/// After this time without a byte on standard input the user is told that it is waited for ...
const PATIENCE: Duration = Duration::from_secs(1);
/// ... and after this further time baton stops.
const SILENCE: Duration = Duration::from_secs(9);

/// Attachments with their bytes.
#[derive(Debug, Default)]
pub(crate) struct Attached {
    pub(crate) attachments: Vec<Attachment>,
    pub(crate) blobs: Vec<Blob>,
}

impl Attached {
    pub(crate) fn file(&mut self, path: &Path, base: &Path, deny: &[String]) -> Result<(), Failure> {
        let shown = path.display();
        let name = display_name(path, base);
        if let Some(pattern) = deny.iter().find(|pattern| matches(pattern, &name)) {
            return Err(Failure::input(format!("`{name}` may not be attached: the configuration denies `{pattern}`")));
        }
        let meta = std::fs::metadata(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Failure::input(format!("there is no file `{shown}`")).hint(taken_from()),
            _ => Failure::input(format!("`{shown}` cannot be read: {error}")),
        })?;
        if meta.is_dir() {
            return Err(Failure::input(format!("`{shown}` is a directory")).hint("name the files in it that matter"));
        }
        if !meta.is_file() {
            return Err(Failure::input(format!("`{shown}` is no regular file")).hint("pipe it in instead"));
        }
        if meta.len() > LARGEST {
            return Err(too_large(&shown.to_string(), meta.len()));
        }
        let bytes = std::fs::File::open(path)
            .and_then(bounded)
            .map_err(|error| Failure::input(format!("`{shown}` cannot be read: {error}")))?;
        self.add(&name, bytes)
    }

    /// Adds a text under a name; tells a diff from a file by its first lines.
    pub(crate) fn add(&mut self, name: &str, bytes: Vec<u8>) -> Result<(), Failure> {
        if bytes.len() as u64 > LARGEST {
            return Err(too_large(name, bytes.len() as u64));
        }
        if self.attachments.iter().any(|known| known.name == name) {
            return Ok(()); // Named twice: sent, and paid for, once.
        }
        if bytes.contains(&0) || std::str::from_utf8(&bytes).is_err() {
            return Err(Failure::input(format!("`{name}` is no text: it has bytes that are not UTF-8"))
                .hint("attach the text that matters, or a description of it"));
        }
        let form = if is_diff(&bytes) { AttachmentForm::Diff } else { AttachmentForm::File };
        let blob = Blob::new(bytes);
        let size = blob.bytes.len() as u64;
        self.attachments.push(Attachment { name: name.to_owned(), form, content: blob.hash, bytes: size });
        self.blobs.push(blob);
        let sum: u64 = self.attachments.iter().map(|attachment| attachment.bytes).sum();
        if sum > LARGEST_SUM {
            return Err(too_large("all attachments together", sum));
        }
        Ok(())
    }
}

/// For a program that calls, the current directory is the server's and need not be its own.
fn taken_from() -> String {
    let place = std::env::current_dir().map_or_else(|_| String::new(), |place| format!(", {}", place.display()));
    format!("paths are taken from the current directory{place}")
}

fn too_large(what: &str, bytes: u64) -> Failure {
    let mebi = |bytes: u64| format!("{}.{} MiB", bytes >> 20, ((bytes & ((1 << 20) - 1)) * 10) >> 20);
    let size = if bytes == LARGEST + 1 { format!("more than {}", mebi(LARGEST)) } else { mebi(bytes) };
    Failure::input(format!("`{what}` is too large: {size}")).hint(format!(
        "one attachment may have {}, all together {}: cut out the part that matters",
        mebi(LARGEST),
        mebi(LARGEST_SUM)
    ))
}

/// The path as members should name it: relative to the workspace where it is inside.
fn display_name(path: &Path, base: &Path) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let inside = absolute.strip_prefix(base).map(Path::to_owned);
    inside.unwrap_or(absolute).to_string_lossy().into_owned()
}

/// `*` stands for anything; a pattern without a slash is held against the last part of the path.
fn matches(pattern: &str, name: &str) -> bool {
    let subject = if pattern.contains('/') { name } else { name.rsplit('/').next().unwrap_or(name) };
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| subject.strip_prefix(first)) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

fn is_diff(bytes: &[u8]) -> bool {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(64 << 10)]);
    let has = |lead: &str| head.lines().any(|line| line.starts_with(lead));
    head.starts_with("diff --git ") || (has("--- ") && has("+++ ") && has("@@ "))
}

/// At most one byte more than may be attached, so that what is too large is seen as such.
fn bounded(input: impl Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(LARGEST + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// All of standard input, when something is piped in. An input that is open and stays silent ends in an error: without
/// what was to come, the members would be asked and paid for another question.
pub(crate) fn piped() -> Result<Option<Vec<u8>>, Failure> {
    use std::io::IsTerminal;
    if std::io::stdin().is_terminal() {
        return Ok(None);
    }
    let (sender, receiver) = channel();
    // The thread ends with the input, or with the process: a blocking read cannot be called off.
    std::thread::spawn(move || {
        let mut stdin = std::io::stdin().lock();
        let mut first = [0; 1];
        let begun = stdin.read(&mut first);
        let _ = sender.send(begun.map(|count| first[..count].to_vec()));
        let _ = sender.send(bounded(stdin));
    });
    let mut bytes = first_byte(&receiver)?;
    if let Ok(rest) = receiver.recv() {
        bytes.extend(rest.map_err(unreadable)?);
    }
    Ok((!bytes.is_empty()).then_some(bytes))
}

fn unreadable(error: std::io::Error) -> Failure {
    Failure::input(format!("standard input cannot be read: {error}"))
}

fn first_byte(receiver: &Receiver<std::io::Result<Vec<u8>>>) -> Result<Vec<u8>, Failure> {
    for patience in [PATIENCE, SILENCE] {
        match receiver.recv_timeout(patience) {
            Ok(first) => return first.map_err(unreadable),
            Err(RecvTimeoutError::Timeout) if patience == PATIENCE => render::note("waiting for standard input"),
            Err(RecvTimeoutError::Timeout) => break,
            Err(RecvTimeoutError::Disconnected) => return Ok(Vec::new()),
        }
    }
    Err(Failure::input("standard input is open and nothing comes; nobody was asked")
        .hint("`< /dev/null` when nothing is to come")
        .hint("`-f -` to wait for it as long as it takes"))
}

/// All of standard input, however long it takes: the user named it.
pub(crate) fn whole_input() -> Result<Vec<u8>, Failure> {
    bounded(std::io::stdin()).map_err(unreadable)
}

/// The task itself, from standard input.
pub(crate) fn task_from_input() -> Result<String, Failure> {
    let bytes = whole_input()?;
    if bytes.len() as u64 > LARGEST {
        return Err(too_large("the task", bytes.len() as u64));
    }
    String::from_utf8(bytes).map_err(|_| Failure::input("standard input is no text: it has bytes that are not UTF-8"))
}

/// Where a task takes place: the repository around the current directory, else the directory itself.
pub(crate) fn workspace(directory: &Path) -> PathBuf {
    directory.ancestors().find(|place| place.join(".git").exists()).unwrap_or(directory).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_hold_against_names_and_paths() {
        for (pattern, name, held) in [
            (".env*", "a/b/.env.local", true),
            ("*.pem", "keys/x.pem", true),
            ("*.pem", "keys/x.pem.txt", false),
            ("secrets/*", "secrets/a/b", true),
            ("secrets/*", "src/secrets.rs", false),
            ("a*c*e", "abcde", true),
            ("exact", "exactly", false),
        ] {
            assert_eq!(matches(pattern, name), held, "{pattern} {name}");
        }
    }

    #[test]
    fn a_diff_is_told_from_a_file() {
        let form = |text: &str| {
            let mut attached = Attached::default();
            attached.add("x", text.as_bytes().to_vec()).unwrap();
            attached.attachments[0].form
        };
        assert_eq!(form("diff --git a/x b/x\n"), AttachmentForm::Diff);
        assert_eq!(form("--- a\n+++ b\n@@ -1 +1 @@\n"), AttachmentForm::Diff);
        assert_eq!(form("--- a title\ntext\n"), AttachmentForm::File);
    }

    #[test]
    fn what_is_no_text_or_too_much_is_refused_with_a_way_out() {
        let mut attached = Attached::default();
        let binary = attached.add("a.png", vec![0, 1, 2]).unwrap_err();
        assert!(binary.message.contains("no text") && !binary.hints.is_empty());
        let large = attached.add("log", vec![b'x'; (2 << 20) + 1]).unwrap_err();
        assert!(large.message.contains("2.0 MiB") && large.hints[0].contains("cut out"));
        assert!(attached.attachments.is_empty());
        for name in ["a", "b", "c", "d", "d"] {
            attached.add(name, vec![b'x'; 2 << 20]).unwrap();
        }
        assert_eq!(attached.attachments.len(), 4, "the same one is attached once");
        assert!(attached.add("one more", vec![b'x']).is_err());
    }

    #[test]
    fn names_are_relative_to_the_workspace() {
        assert_eq!(display_name(Path::new("/w/src/a.rs"), Path::new("/w")), "src/a.rs");
        assert_eq!(display_name(Path::new("/x/a.rs"), Path::new("/w")), "/x/a.rs");
    }
}
