//! What a command inside cannot do, each tried for real.

use std::io::Read;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use baton_core::evidence::CheckResult;
use baton_core::outcome::Outcome;
use baton_port::Channel;

use crate::room::{Room, change, member, on_runtime, result, shell_check, trial};

/// Runs a script with a patch that applies; its output, unless there is no sandbox here.
fn run(room: &Room, script: &str) -> Option<(CheckResult, String)> {
    let turn = room.attempt(&change("value.txt", "two", "2"), script);
    let text = String::from_utf8_lossy(&turn.transcript.bytes).into_owned();
    Some((result(&turn)?, text))
}

#[test]
fn there_is_no_network() {
    for room in Room::for_each_maker() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let script = format!("exec 3<>/dev/tcp/127.0.0.1/{port} && echo connected");
        let Some((outcome, text)) = run(&room, &format!("command -v bash >/dev/null || exit 127; bash -c '{script}'"))
        else {
            continue;
        };
        assert_ne!(outcome, CheckResult::Passed, "{text}");
        assert!(!text.contains("\nconnected"), "{text}");
        assert!(listener.accept().is_err(), "nobody came");
    }
}

#[test]
fn only_the_tree_and_the_private_folder_can_be_written() {
    for room in Room::for_each_maker() {
        let outside = room.folder.path().join("outside");
        let script = format!(
            "cat value.txt; echo x > new && echo x > \"$HOME/a\" && echo x > \"$TMPDIR/b\" && echo writes-inside; \
             for place in '{0}' '{1}/value.txt' '{1}/.git/hooks/pre-commit' /etc/baton-test /tmp/baton-test; do \
             (echo x > \"$place\") 2>/dev/null && echo \"broken $place\"; done; \
             mount -o remount,bind,rw / 2>/dev/null && echo broken-mount; \
             unshare -Urm sh -c 'mount -o remount,bind,rw /' 2>/dev/null && echo broken-nested; exit 0",
            outside.display(),
            room.repository().display()
        );
        let Some((outcome, text)) = run(&room, &script) else { continue };
        assert_eq!(outcome, CheckResult::Passed, "{text}");
        assert!(text.contains("one\n2\nthree") && text.contains("writes-inside"), "{text}");
        assert!(!text.contains("\nbroken"), "{text}");
        assert!(!outside.exists());
        assert_eq!(room.left(), 0);
    }
}

#[test]
fn sockets_of_other_programs_and_processes_are_out_of_reach() {
    for room in Room::for_each_maker() {
        let path = room.folder.path().join("docker.sock");
        let _listener = UnixListener::bind(&path).unwrap();
        let script = format!(
            "[ -S '{}' ] && echo broken-socket; find /run -type s | grep . && echo broken-run; \
             kill -0 {} 2>/dev/null && echo broken-kill; (: > /dev/tty) 2>/dev/null && echo broken-terminal; \
             grep CapEff /proc/self/status; echo \"home=$HOME\"; env",
            path.display(),
            std::process::id()
        );
        let Some((outcome, text)) = run(&room, &script) else { continue };
        assert_eq!(outcome, CheckResult::Passed, "{text}");
        assert!(!text.contains("\nbroken"), "{text}");
        assert!(text.contains("CapEff:\t0000000000000000") && text.contains("/private/home"), "{text}");
    }
}

/// One check's leftovers are the next one's private folder: a link there leads nowhere.
#[test]
fn what_one_check_leaves_behind_is_not_followed_when_the_next_one_begins() {
    for room in Room::for_each_maker() {
        let outside = room.folder.path().join("outside");
        std::fs::write(&outside, "the user's own").unwrap();
        let script = format!(
            "for name in sockets notes notes.mounts begun index; do ln -sf '{}' \"$HOME/../$name\"; done",
            outside.display()
        );
        let checks = ["first", "second"].map(|id| shell_check(id, &script));
        let channel = room.workshop().trial(&member(&checks)).unwrap();
        let turn = on_runtime(channel.turn(&room.request(&change("value.txt", "two", "2"))));
        if result(&turn).is_some() {
            assert_eq!(trial(&turn).checks[1].result, CheckResult::Passed, "{turn:?}");
        }
        assert_eq!(std::fs::read_to_string(&outside).unwrap(), "the user's own");
    }
}

#[test]
fn how_a_check_ends_is_told_apart() {
    for room in Room::for_each_maker() {
        let Some((failed, _)) = run(&room, "echo 'src/a.rs:3: wrong'; exit 1") else { continue };
        assert_eq!(failed, CheckResult::Failed);
        for script in ["exit 127", "echo you\\'re using offline mode; exit 101"] {
            let (abstained, text) = run(&room, script).unwrap();
            assert!(matches!(abstained, CheckResult::Abstained { .. }), "{script}: {text}");
        }
        // Its first words are not believed either.
        let (own, _) = run(&room, "echo 'bwrap: no'; exit 125").unwrap();
        assert_eq!(own, CheckResult::Failed, "the command's own code");
    }
}

#[expect(clippy::disallowed_methods, reason = "a test makes a pipe as its user would")]
fn pipe(room: &Room) -> PathBuf {
    let path = room.folder.path().join("held");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    path
}

/// What hangs inside, also in a session of its own, holds a pipe open; it is closed when nobody is left.
#[test]
fn a_check_that_is_stopped_leaves_no_process() {
    for room in Room::for_each_maker() {
        let workshop = room.workshop();
        if on_runtime(workshop.sandbox()).is_err() {
            continue;
        }
        let held = pipe(&room);
        let script = format!("exec 9>'{}'; echo alive >&9; setsid sleep 1000 & sleep 1000", held.display());
        let channel = workshop.trial(&member(&[shell_check("hangs", &script)])).unwrap();
        let request = room.request(&change("value.txt", "two", "2"));
        let cancel = request.cancel.clone();
        let reader = std::thread::spawn(move || {
            let mut opened = std::fs::File::open(held).unwrap();
            let mut alive = [0; 6];
            opened.read_exact(&mut alive).unwrap();
            cancel.request();
            opened.read_to_end(&mut Vec::new()).unwrap()
        });
        let turn = on_runtime(channel.turn(&request));
        assert_eq!((reader.join().unwrap(), turn.outcome), (0, Outcome::Cancelled));
        assert_eq!(room.left(), 0);
    }
}

#[test]
fn where_nothing_can_be_shut_in_nothing_is_run() {
    let room = Room::new();
    // Nothing that the sandbox could be furnished from is below a folder for copies that cannot be made.
    std::fs::write(room.copies(), "a file").unwrap();
    let workshop = room.workshop();
    let because = on_runtime(async { workshop.sandbox().await.err().cloned() });
    let refusal = because.unwrap();
    assert!(refusal.because.contains("unshare: ") && refusal.because.contains("; bwrap: "), "{refusal:?}");
    assert!(!refusal.mend.is_empty());
    let turn = room.attempt(&change("value.txt", "two", "2"), "true");
    assert!(trial(&turn).checks.is_empty(), "{turn:?}");
    assert_eq!(turn.text.as_deref(), Some(change("value.txt", "two", "2").as_str()), "the diff is kept as it came");
}

#[test]
fn cargo_builds_and_tests_inside() {
    for room in Room::for_each_maker() {
        if std::env::var_os("PATH")
            .is_none_or(|path| !std::env::split_paths(&path).any(|folder| folder.join("cargo").is_file()))
        {
            eprintln!("not tested: cargo is not on the PATH");
            continue;
        }
        std::fs::create_dir(room.repository().join("src")).unwrap();
        room.write("Cargo.toml", "[package]\nname = \"sample\"\nversion = \"0.1.0\"\nedition = \"2021\"\n");
        room.write(
            "src/lib.rs",
            "#[test]\nfn holds() {\n    assert_eq!(include_str!(\"../value.txt\").lines().nth(1), Some(\"2\"));\n}\n",
        );
        room.commit();
        let Some((outcome, text)) = run(&room, "cargo test --offline --lib") else { continue };
        assert_eq!(outcome, CheckResult::Passed, "{text}");
        let turn = room.attempt(&change("value.txt", "two", "3"), "cargo test --offline --lib");
        assert_eq!(result(&turn), Some(CheckResult::Failed), "{}", String::from_utf8_lossy(&turn.transcript.bytes));
    }
}
