use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use baton_process::find_program;

fn file(directory: &Path, name: &str, mode: u32) -> PathBuf {
    fs::create_dir_all(directory).unwrap();
    let path = directory.join(name);
    fs::write(&path, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path
}

fn path_of(directories: &[&Path]) -> OsString {
    std::env::join_paths(directories).unwrap()
}

#[test]
fn the_first_executable_wins() {
    let root = tempfile::tempdir().unwrap();
    let (one, two, three) = (root.path().join("one"), root.path().join("two"), root.path().join("three"));
    file(&one, "agent", 0o644);
    fs::create_dir_all(two.join("agent")).unwrap();
    let expected = file(&three, "agent", 0o755);
    let path = path_of(&[Path::new("/nowhere"), &one, &two, &three]);
    assert_eq!(find_program("agent", &path), Some(expected));
    assert_eq!(find_program("other", &path), None);
}

#[test]
fn links_keep_their_name() {
    let root = tempfile::tempdir().unwrap();
    let target = file(root.path(), "node", 0o755);
    let link = root.path().join("claude");
    symlink(target, &link).unwrap();
    assert_eq!(find_program("claude", &path_of(&[root.path()])), Some(link));
}

#[test]
fn relative_directories_and_names_are_not_searched() {
    let path = OsString::from(".:bin::tests");
    assert_eq!(find_program("sh", &path), None);
    for name in ["", ".", "..", "./sh", "bin/sh", "../bin/sh", "sh/"] {
        assert_eq!(find_program(name, &OsString::from("/usr:/bin")), None, "{name:?}");
    }
}

#[test]
fn an_absolute_name_is_only_checked() {
    let none = OsString::new();
    assert_eq!(find_program("/bin/sh", &none), Some(PathBuf::from("/bin/sh")));
    assert_eq!(find_program("/bin/no-such-program", &none), None);
    assert_eq!(find_program("/etc/passwd", &none), None);
}
