//! The files around a task, as members name them: with another prefix, shortened, or from the root of the machine.

use std::collections::VecDeque;
use std::fs;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use baton_port::{BoxFuture, Files, Found};

/// The largest file that is read, and all files of one look together.
const LARGEST: u64 = 2 << 20;
const LARGEST_SUM: u64 = 8 << 20;
/// A larger workspace is not searched for names that are not there as given.
const MOST_ENTRIES: usize = 20_000;
/// What git and package managers keep is no place that a member means by a shortened name.
const PASSED_OVER: [&str; 3] = [".git", "node_modules", "target"];

/// The files of this machine. Only regular files below the workspace are opened, also where links lead.
#[derive(Clone, Copy, Debug, Default)]
pub struct WorkspaceFiles;

impl Files for WorkspaceFiles {
    fn find<'a>(&'a self, workspace: &'a Path, names: &'a [String]) -> BoxFuture<'a, Vec<Found>> {
        let (root, wanted) = (workspace.to_owned(), names.to_vec());
        Box::pin(async move {
            let looked = tokio::task::spawn_blocking(move || look(&root, &wanted)).await;
            looked.unwrap_or_else(|_| vec![Found::Unknown; names.len()])
        })
    }
}

fn look(workspace: &Path, names: &[String]) -> Vec<Found> {
    let Ok(root) = fs::canonicalize(workspace) else { return vec![Found::Unknown; names.len()] };
    let mut look = Look { workspace, root, left: LARGEST_SUM, all: None };
    names.iter().map(|name| look.one(name)).collect()
}

struct Look<'a> {
    /// As the task names it.
    workspace: &'a Path,
    root: PathBuf,
    /// Bytes that may still be read.
    left: u64,
    /// The paths of all files, once they were needed; `None` inside where there are too many.
    all: Option<Option<Vec<String>>>,
}

impl Look<'_> {
    fn one(&mut self, name: &str) -> Found {
        let Some(path) = self.inside(name) else { return Found::Unknown };
        for candidate in self.spellings(&path) {
            match self.read(&candidate) {
                Ok(text) => return text.map_or(Found::Unknown, |text| Found::Text { path: candidate, text }),
                Err(error) if is_absence(&error) => {}
                Err(_) => return Found::Unknown,
            }
        }
        self.search(&path)
    }

    /// A name as a path from the root; `None` where it leads out.
    fn inside(&self, name: &str) -> Option<String> {
        let name = name.trim().replace('\\', "/");
        let path = Path::new(&name);
        let path = if path.is_absolute() {
            path.strip_prefix(self.workspace).or_else(|_| path.strip_prefix(&self.root)).ok()?
        } else {
            path
        };
        let mut parts = Vec::new();
        for part in path.components() {
            match part {
                Component::Normal(part) => parts.push(part.to_str()?),
                Component::CurDir => {}
                Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
            }
        }
        (!parts.is_empty() && parts[0] != "~").then(|| parts.join("/"))
    }

    /// The path, and the path without the side of a diff or the name of the workspace itself.
    fn spellings(&self, path: &str) -> Vec<String> {
        let own = self.root.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let rest = path.split_once('/').filter(|(first, _)| ["a", "b", own].contains(first));
        std::iter::once(path).chain(rest.map(|(_, rest)| rest)).map(str::to_owned).collect()
    }

    /// The file's text; `None` where it may not be looked at.
    fn read(&mut self, path: &str) -> io::Result<Option<String>> {
        let place = fs::canonicalize(self.root.join(path))?;
        let meta = fs::symlink_metadata(&place)?;
        if !place.starts_with(&self.root) || !meta.is_file() || meta.len() > LARGEST.min(self.left) {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        fs::File::open(place)?.take(LARGEST).read_to_end(&mut bytes)?;
        self.left = self.left.saturating_sub(bytes.len() as u64);
        Ok(if bytes.contains(&0) { None } else { String::from_utf8(bytes).ok() })
    }

    /// Where there is no file of this path: the one whose path ends in it, or in which it ends. A bare file name at the
    /// end of a longer path is no such end: many folders hold a file of that name.
    fn search(&mut self, path: &str) -> Found {
        let root = &self.root;
        let Some(all) = self.all.get_or_insert_with(|| paths(root)) else { return Found::Unknown };
        let lower = path.to_lowercase();
        let is_end = |long: &str, short: &str| long.strip_suffix(short).is_some_and(|head| head.ends_with('/'));
        let fits = |file: &&String| {
            let file = file.to_lowercase();
            file == lower || is_end(&file, &lower) || (file.contains('/') && is_end(&lower, &file))
        };
        let mut found = all.iter().filter(fits);
        match (found.next().cloned(), found.next()) {
            (None, _) => Found::Absent,
            (Some(only), None) => match self.read(&only) {
                Ok(Some(text)) => Found::Text { path: only, text },
                _ => Found::Unknown,
            },
            (Some(_), Some(_)) => Found::Unknown,
        }
    }
}

/// A part of the path is missing, or is a file.
fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// All paths below a folder, through no link; `None` where there are too many, or one cannot be listed.
fn paths(root: &Path) -> Option<Vec<String>> {
    let mut found = Vec::new();
    let mut folders = VecDeque::from([(root.to_owned(), String::new())]);
    let mut entries = 0;
    while let Some((folder, lead)) = folders.pop_front() {
        for entry in fs::read_dir(folder).ok()? {
            let entry = entry.ok()?;
            entries += 1;
            if entries > MOST_ENTRIES {
                return None;
            }
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{lead}{name}");
            if !entry.file_type().ok()?.is_dir() {
                found.push(path);
            } else if !PASSED_OVER.contains(&name.as_str()) {
                folders.push_back((entry.path(), format!("{path}/")));
            }
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &[u8]| {
            let path = folder.path().join("repo").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("Cargo.toml", b"[package]\n");
        write("src/net.rs", b"fn net() {}\n");
        write("one/mod.rs", b"1\n");
        write("two/mod.rs", b"2\n");
        write("image", &[1, 0, 2]);
        write(".git/HEAD", b"ref\n");
        fs::write(folder.path().join("secret"), "key\n").unwrap();
        folder
    }

    fn find(folder: &tempfile::TempDir, name: &str) -> Found {
        look(&folder.path().join("repo"), &[name.to_owned()]).remove(0)
    }

    fn path_of(found: Found) -> Option<String> {
        match found {
            Found::Text { path, .. } => Some(path),
            Found::Absent | Found::Unknown => None,
        }
    }

    #[test]
    fn a_file_is_found_however_its_path_is_written() {
        let folder = workspace();
        let absolute = folder.path().join("repo/src/net.rs").to_string_lossy().into_owned();
        let names =
            ["src/net.rs", "./src/net.rs", "a/src/net.rs", "b/src/net.rs", "repo/src/net.rs", "net.rs", &absolute];
        for name in names.into_iter().chain(["elsewhere/src/net.rs", "src\\net.rs", "SRC/Net.rs"]) {
            assert_eq!(path_of(find(&folder, name)).as_deref(), Some("src/net.rs"), "{name}");
        }
    }

    #[test]
    fn what_is_nowhere_is_absent_and_what_is_doubtful_is_unknown() {
        let folder = workspace();
        for name in ["src/ghost.rs", "ghost.rs", "src/ghost/Cargo.toml", "src/net.rs/deep", "a/ghost.rs"] {
            assert_eq!(find(&folder, name), Found::Absent, "{name}");
        }
        for name in ["mod.rs", "image", "src", "", ".", "~/net.rs", "/etc/hosts", "../secret", "src/../../secret"] {
            assert_eq!(find(&folder, name), Found::Unknown, "{name}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn no_link_leads_out_and_no_pipe_is_waited_for() {
        let folder = workspace();
        let link =
            |to: &str, name: &str| std::os::unix::fs::symlink(to, folder.path().join("repo").join(name)).unwrap();
        link("../secret", "out");
        link("..", "up");
        link("src/net.rs", "in");
        link("/dev/zero", "zero");
        let socket = std::os::unix::net::UnixListener::bind(folder.path().join("repo/socket")).unwrap();
        for name in ["out", "up/secret", "zero", "socket"] {
            assert_eq!(find(&folder, name), Found::Unknown, "{name}");
        }
        assert!(matches!(find(&folder, "in"), Found::Text { .. }));
        drop(socket);
    }

    #[test]
    fn what_is_read_is_bounded() {
        let folder = workspace();
        let write = |name: &str, bytes: u64| {
            let text = vec![b'x'; usize::try_from(bytes).unwrap()];
            fs::write(folder.path().join("repo").join(name), text).unwrap();
        };
        write("huge", LARGEST + 1);
        assert_eq!(find(&folder, "huge"), Found::Unknown);
        let names: Vec<String> = (0..5).map(|number| format!("large{number}")).collect();
        names.iter().for_each(|name| write(name, LARGEST));
        let found = look(&folder.path().join("repo"), &names);
        assert_eq!(found.iter().filter(|one| **one == Found::Unknown).count(), 1, "four fill the sum");
    }

    #[test]
    fn without_a_workspace_nothing_is_absent() {
        let gone = Path::new("/nowhere/at/all");
        assert_eq!(look(gone, &["a.rs".into()]), [Found::Unknown]);
    }
}
