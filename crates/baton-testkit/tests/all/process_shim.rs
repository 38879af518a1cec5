//! What the shim adds to a run, and what it must not change.

use std::future::{pending, ready};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use baton_process::{Command, Ending, Exit, Flow, Input, Limits, Report, Stdin};
use baton_testkit::fake_agent::{MARKER, Mode, Script};

use crate::place::{FAKE_AGENT, Place, limits, on_runtime, wait_for, with_shim};

fn shell(place: &Place, script: &str) -> Command {
    place.command("/bin/sh").args(["-c", script]).env("PATH", "/usr/bin:/bin")
}

fn output(command: Command) -> (Report, String) {
    let (report, bytes) = on_runtime(with_shim().output(command, pending()));
    (report, String::from_utf8(bytes).unwrap())
}

#[test]
fn exit_codes_and_signals_pass_unchanged() {
    let place = Place::new();
    for code in [0, 1, 2, 42, 55, 125, 126, 127, 128, 137, 145, 255] {
        assert_eq!(output(shell(&place, &format!("exit {code}"))).0.ending, Ending::Exited { code });
    }
    for signal in [1, 2, 6, 9, 11, 13, 15] {
        assert_eq!(output(shell(&place, &format!("kill -{signal} $$"))).0.ending, Ending::Signalled { signal });
    }
}

#[test]
fn the_child_sees_its_own_environment_directory_and_arguments() {
    let place = Place::new();
    let (_, text) = output(place.command("/usr/bin/env"));
    assert_eq!(text, format!("{MARKER}={}\n", place.marker));
    let (report, text) = output(shell(&place, "pwd -P; printf '%s|' \"$@\"").args(["sh", "", "a b", "--", "__shim"]));
    let directory = place.root().canonicalize().unwrap();
    assert_eq!(text, format!("{}\n|a b|--|__shim|", directory.display()));
    assert!(report.pid.is_some());
}

/// What this process itself inherited open is inherited further; nothing of ours is added.
#[test]
#[expect(clippy::disallowed_methods, reason = "a plain start is what the launcher is compared with")]
fn the_child_gets_no_open_file_of_ours() {
    let place = Place::new();
    let list = "ls /proc/self/fd";
    let plain = std::process::Command::new("/bin/sh").args(["-c", list]).output().unwrap();
    assert_eq!(output(shell(&place, list)).1, String::from_utf8(plain.stdout).unwrap());
}

#[test]
fn new_files_are_private_and_no_core_is_written() {
    let place = Place::new();
    assert_eq!(output(shell(&place, "umask; ulimit -c; ulimit -H -c")).1, "0077\n0\n0\n");
}

#[test]
fn the_child_has_no_terminal_and_a_group_of_its_own() {
    let place = Place::new();
    let (report, text) = output(shell(&place, "echo $$; cut -d' ' -f 5-7 /proc/$$/stat; : </dev/tty"));
    let lines: Vec<&str> = text.lines().collect();
    let pid = report.pid.unwrap().to_string();
    let place_of: Vec<&str> = lines[1].split(' ').collect();
    let (group, session, terminal) = (place_of[0], place_of[1], place_of[2]);
    assert_eq!((lines[0], group), (pid.as_str(), pid.as_str()));
    assert_ne!(session, pid);
    assert_eq!(terminal, "0");
    assert!(report.stderr.text().contains("/dev/tty"), "{}", report.stderr.text());
}

#[test]
fn big_input_and_big_output_cross() {
    let place = Place::new();
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|number| (number % 251) as u8).collect();
    let command = shell(&place, "cat").stdin(Stdin::Bytes(bytes.clone()));
    let (report, back) = on_runtime(with_shim().output(command, pending()));
    assert_eq!((report.ending, report.stdin_taken), (Ending::Exited { code: 0 }, true));
    assert!(back == bytes);
}

#[test]
fn an_open_input_carries_a_conversation() {
    let place = Place::new();
    let (stdin, input) = Stdin::open();
    let mut input: Option<Input> = Some(input);
    input.as_ref().unwrap().send("first\n").unwrap();
    let mut seen = Vec::new();
    let command = shell(&place, "while read -r word; do echo \"heard $word\"; done; echo bye").stdin(stdin);
    let report = on_runtime(with_shim().run(command, pending(), &mut |line| {
        seen.push(line.text().into_owned());
        match seen.len() {
            1 => input.as_ref().unwrap().send("second\n").unwrap(),
            _ => drop(input.take()),
        }
        Flow::Payload
    }));
    assert_eq!(seen, ["heard first", "heard second", "bye"]);
    assert_eq!(report.ending, Ending::Exited { code: 0 });
}

#[test]
fn a_program_that_cannot_start_is_an_ending() {
    let place = Place::new();
    let file = |name: &str, text: &str, mode| {
        let path = place.root().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    };
    let missing_interpreter = file("script", "#!/no/such/interpreter\n", 0o755);
    let not_executable = file("text", "hello", 0o644);
    let ending = |program: &std::path::Path| {
        let report = output(place.command(program)).0;
        assert_eq!((report.pid, report.exit), (None, None));
        report.ending
    };
    assert!(matches!(ending(&missing_interpreter), Ending::NotFound { .. }));
    assert!(matches!(ending(&not_executable), Ending::StartFailed { error } if error.contains("ermission")));
    assert!(matches!(ending(std::path::Path::new("/no/such")), Ending::NotFound { .. }));
}

#[test]
fn output_of_the_last_moment_is_not_lost() {
    let place = Place::new();
    let sizes: Vec<usize> = (0..20).map(|_| output(shell(&place, "head -c 60000 /dev/zero")).1.len()).collect();
    assert_eq!(sizes, [60_000; 20]);
}

#[test]
fn a_second_process_may_finish_its_output_within_the_drain() {
    let place = Place::new();
    let limits = Limits { drain: Duration::from_secs(60), ..limits() };
    let (report, text) = output(shell(&place, "(sleep 0.05; echo late) & echo early").limits(limits));
    assert_eq!((report.ending, text.as_str()), (Ending::Exited { code: 0 }, "early\nlate\n"));
}

#[test]
fn cancel_ends_everybody() {
    let place = Place::new();
    let command = place.claude(&Script::of(Mode::ManyChildren));
    let all_started = async {
        let started = || place.record().iter().map(|start| start.children.len()).sum::<usize>();
        wait_for(|| started() == 20, || format!("{} of 20 children", started())).await;
    };
    let report = on_runtime(with_shim().run(command, all_started, &mut |_| Flow::Payload));
    assert_eq!((report.ending, report.exit), (Ending::Cancelled, Some(Exit::Signal(15))));
    assert_eq!(place.survivors(), []);
}

#[test]
fn a_run_that_is_cancelled_before_it_starts_ends_too() {
    let place = Place::new();
    let command = place.claude(&Script::of(Mode::SilentForever));
    let report = on_runtime(with_shim().run(command, ready(()), &mut |_| Flow::Payload));
    assert_eq!(report.ending, Ending::Cancelled);
    assert_eq!(place.survivors(), []);
}

#[test]
fn a_child_that_cleans_up_within_the_grace_is_not_killed() {
    let place = Place::new();
    let limits = Limits { idle: Duration::from_millis(100), grace: Duration::from_secs(60), ..limits() };
    let script = Script { signals: true, ..Script::of(Mode::SilentAfterFirst) };
    let report = on_runtime(with_shim().run(place.claude(&script).limits(limits), pending(), &mut |_| Flow::Payload));
    assert_eq!(report.exit, Some(Exit::Code(143)));
    assert_eq!(place.record()[0].signals, ["TERM"]);
}

#[test]
fn a_shim_within_a_shim_is_ended_with_all_below_it() {
    let place = Place::new();
    let script = place.root().join("inner.json");
    let inner = Script { record: Some(place.record_path()), ..Script::of(Mode::ManyChildren) };
    inner.save(&script).unwrap();
    let command = place.command(FAKE_AGENT).arg("__host").env("FAKE_AGENT_SCRIPT", &script);
    let all_started = async {
        let started = || place.record().iter().map(|start| start.children.len()).sum::<usize>();
        wait_for(|| started() == 20, || format!("{} of 20 children", started())).await;
    };
    let report = on_runtime(with_shim().run(command, all_started, &mut |_| Flow::Payload));
    assert_eq!(report.ending, Ending::Cancelled);
    assert_eq!(place.survivors(), []);
}
