use std::fs;
use std::future::{pending, ready};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use baton_process::{Command, Deadline, Ending, Exit, Flow, Launcher, Limits, Line, Overflow, Report, Stdin, Vitals};

fn shell(script: &str) -> Command {
    Command::new("/bin/sh", "/").args(["-c", script]).env("PATH", "/usr/bin:/bin").limits(limits())
}

fn limits() -> Limits {
    Limits { grace: Duration::from_millis(100), drain: Duration::from_millis(100), ..Limits::default() }
}

fn on_runtime<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn run(command: Command, answer: impl FnMut(Line<'_>) -> Flow + Send) -> Report {
    let mut answer = answer;
    on_runtime(Launcher::without_shim().run(command, pending(), &mut answer))
}

fn lines(command: Command) -> (Report, Vec<(String, bool)>) {
    let mut seen = Vec::new();
    let report = run(command, |line| {
        seen.push((line.text().into_owned(), line.terminated));
        Flow::Payload
    });
    (report, seen)
}

fn output(command: Command) -> (Report, Vec<u8>) {
    on_runtime(Launcher::without_shim().output(command, pending()))
}

fn timed_out(which: Deadline) -> Ending {
    Ending::TimedOut { which }
}

#[test]
fn lines_exit_code_and_stderr_are_reported() {
    let (report, seen) = lines(shell("echo one; printf two; echo oops >&2; exit 3"));
    assert_eq!(report.ending, Ending::Exited { code: 3 });
    assert_eq!((report.exit_code(), report.exit), (Some(3), Some(Exit::Code(3))));
    assert_eq!(seen, [("one".to_owned(), true), ("two".to_owned(), false)]);
    assert!(report.ended_mid_line && report.stdin_taken && !report.finished);
    assert_eq!((report.stderr.text().as_str(), report.stdout_bytes), ("oops\n", 7));
    assert!(report.pid.is_some() && report.first_output <= Some(report.elapsed));
}

#[test]
fn a_signal_is_told_from_an_exit_code() {
    let (report, _) = lines(shell("kill -SEGV $$"));
    assert_eq!((report.ending, report.exit), (Ending::Signalled { signal: 11 }, Some(Exit::Signal(11))));
    assert_eq!(lines(shell("exit 139")).0.ending, Ending::Exited { code: 139 });
}

#[test]
fn the_environment_is_what_was_said_and_nothing_else() {
    let command = Command::new("/usr/bin/env", "/").env("ONLY", "this").env("LONG", "a b\tc");
    assert_eq!(output(command).1, b"LONG=a b\tc\nONLY=this\n");
}

#[test]
fn the_directory_is_the_one_named() {
    let root = tempfile::tempdir().unwrap();
    let place = root.path().canonicalize().unwrap();
    let command = Command::new("/bin/sh", &place).args(["-c", "pwd -P"]).limits(limits());
    assert_eq!(String::from_utf8(output(command).1).unwrap().trim_end(), place.to_str().unwrap());
}

#[test]
fn arguments_are_not_interpreted() {
    let odd = ["a b", "$HOME", "`id`", "'", "\"", "", "*", "-n"];
    let command = shell("printf '%s|' \"$@\"").arg("sh").args(odd);
    assert_eq!(output(command).1, format!("{}|", odd.join("|")).as_bytes());
}

#[test]
fn big_input_and_big_output_cross_without_blocking() {
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|number| (number % 251) as u8).collect();
    let (report, back) = output(shell("cat").stdin(Stdin::Bytes(bytes.clone())));
    assert_eq!(report.ending, Ending::Exited { code: 0 });
    assert!(report.stdin_taken);
    assert!(back == bytes, "{} of {} bytes came back", back.len(), bytes.len());
}

#[test]
fn an_unread_input_is_no_failure() {
    let (report, _) = lines(shell("exec <&-; echo done").stdin(Stdin::Bytes(vec![b'x'; 1 << 20])));
    assert_eq!(report.ending, Ending::Exited { code: 0 });
    assert!(!report.stdin_taken);
}

#[test]
fn an_open_input_carries_a_conversation() {
    let (stdin, input) = Stdin::open();
    let mut input = Some(input);
    input.as_ref().unwrap().send("first\n").unwrap();
    let mut seen = Vec::new();
    let report = run(shell("while read -r word; do echo \"heard $word\"; done; echo bye").stdin(stdin), |line| {
        seen.push(line.text().into_owned());
        match seen.len() {
            1 => input.as_ref().unwrap().send("second\n").unwrap(),
            _ => drop(input.take()),
        }
        Flow::Payload
    });
    assert_eq!(seen, ["heard first", "heard second", "bye"]);
    assert_eq!(report.ending, Ending::Exited { code: 0 });
}

#[test]
fn the_last_word_closes_an_open_input() {
    let (stdin, input) = Stdin::open();
    input.send("hello\n").unwrap();
    let report = run(shell("cat; exit 4").stdin(stdin), |_| Flow::Finished);
    assert_eq!((report.ending, report.finished), (Ending::Exited { code: 4 }, true));
    assert!(input.send("more").is_err());
}

#[test]
fn what_stays_after_its_last_word_is_ended_without_blame() {
    let mut seen = 0;
    let report = run(shell("echo answer; echo late; exec sleep 1000"), |_| {
        seen += 1;
        Flow::Finished
    });
    assert_eq!((report.ending, seen), (Ending::Lingered, 2));
    assert_eq!(report.exit, Some(Exit::Signal(15)));
}

#[test]
fn stop_ends_the_run_and_the_lines() {
    let mut seen = 0;
    let report = run(shell("while :; do echo retry; done"), |_| {
        seen += 1;
        if seen == 3 { Flow::Stop } else { Flow::Payload }
    });
    assert_eq!((report.ending, seen), (Ending::Stopped, 3));
}

#[test]
fn a_word_on_standard_error_stops_the_run() {
    let noise = "head -c 100000 /dev/zero >&2; echo 'Attempt 1 failed with status 429' >&2; exec sleep 1000";
    let report = lines(shell(noise).stop_at_stderr(["never said", "failed with status"])).0;
    assert_eq!(report.ending, Ending::Stopped);
    assert!(report.stderr.text().contains("status 429"));
    let harmless = lines(shell("echo failed >&2").stop_at_stderr(["failed with"])).0;
    assert_eq!(harmless.ending, Ending::Exited { code: 0 });
}

#[test]
fn cancel_ends_the_run() {
    let command = shell("exec sleep 1000");
    let report = on_runtime(Launcher::without_shim().run(command, ready(()), &mut |_| Flow::Payload));
    assert_eq!(report.ending, Ending::Cancelled);
}

#[test]
fn each_clock_has_its_own_name() {
    let short = Duration::from_millis(60);
    let silent = || shell("exec sleep 1000");
    let noisy = || shell("while :; do echo .; sleep 0.01; done");
    let first = Limits { first_output: short, ..limits() };
    assert_eq!(lines(silent().limits(first)).0.ending, timed_out(Deadline::FirstOutput));
    let total = Limits { total: short, ..limits() };
    assert_eq!(lines(silent().limits(total.clone())).0.ending, timed_out(Deadline::Total));
    assert_eq!(lines(noisy().limits(total)).0.ending, timed_out(Deadline::Total));
    let idle = Limits { idle: short, ..limits() };
    let report = run(noisy().limits(idle), |_| Flow::Continue);
    assert_eq!(report.ending, timed_out(Deadline::Idle));
}

#[test]
fn limits_can_be_switched_off() {
    let never = Limits::UNLIMITED;
    let limits = Limits { first_output: never, idle: never, total: never, grace: never, drain: never, ..limits() };
    assert_eq!(lines(shell("echo word").limits(limits)).0.ending, Ending::Exited { code: 0 });
}

#[test]
fn a_child_that_ignores_term_is_killed_after_the_grace() {
    let limits = Limits { first_output: Duration::from_millis(60), ..limits() };
    let report = lines(
        shell("trap '' TERM; echo ready; while :; do sleep 0.01; done")
            .limits(Limits { idle: Duration::from_millis(60), ..limits }),
    )
    .0;
    assert_eq!((report.ending, report.exit), (timed_out(Deadline::Idle), Some(Exit::Signal(9))));
}

#[test]
fn output_is_bounded() {
    let limits = Limits { stdout_bytes: 100_000, line_bytes: 1_000, stderr_bytes: 1_000, ..limits() };
    let flood = shell("while :; do echo 0123456789; done").limits(limits.clone());
    let mut bytes = 0;
    let report = run(flood, |line| {
        bytes += line.bytes.len() + 1;
        Flow::Payload
    });
    assert_eq!(report.ending, Ending::TooMuchOutput { which: Overflow::Stdout });
    assert!((99_000..=100_000).contains(&bytes), "{bytes}");
    let line = shell("head -c 5000 /dev/zero; exec sleep 1000").limits(limits.clone());
    assert_eq!(lines(line).0.ending, Ending::TooMuchOutput { which: Overflow::Line });
    let stderr = shell("head -c 5000000 /dev/zero >&2").limits(limits);
    let report = lines(stderr).0;
    assert_eq!(report.ending, Ending::Exited { code: 0 });
    assert_eq!((report.stderr.total(), report.stderr.kept()), (5_000_000, 1_000));
}

#[test]
fn whole_output_is_cut_at_its_limit() {
    let limits = Limits { stdout_bytes: 1_000, line_bytes: 10, ..limits() };
    let (report, bytes) = output(shell("head -c 1000 /dev/zero").limits(limits.clone()));
    assert_eq!((report.ending, bytes.len()), (Ending::Exited { code: 0 }, 1_000));
    let (report, _) = output(shell("head -c 1001 /dev/zero").limits(limits));
    assert!(matches!(report.ending, Ending::TooMuchOutput { .. }));
}

#[test]
fn a_grandchild_that_holds_the_output_is_ended_after_the_drain() {
    let (report, seen) = lines(shell("sleep 1000 & echo $!"));
    assert_eq!(report.ending, Ending::Exited { code: 0 });
    let grandchild = &seen[0].0;
    assert!(!is_running(grandchild), "{grandchild} is left");
}

#[test]
fn a_stopped_group_is_ended_too() {
    let limits = Limits { idle: Duration::from_millis(60), ..limits() };
    let (report, _) = lines(shell("echo ready; kill -STOP $$").limits(limits));
    assert_eq!((report.ending, report.exit), (timed_out(Deadline::Idle), Some(Exit::Signal(15))));
}

#[test]
fn dropping_the_run_kills_the_group() {
    let mut pid = String::new();
    on_runtime(async {
        let (said, heard) = tokio::sync::oneshot::channel();
        let mut said = Some(said);
        let mut on_line = |line: Line<'_>| {
            if let Some(said) = said.take() {
                said.send(line.text().into_owned()).unwrap();
            }
            Flow::Payload
        };
        let launcher = Launcher::without_shim();
        let run = launcher.run(shell("echo $$; exec sleep 1000"), pending(), &mut on_line);
        tokio::select! {
            _ = run => unreachable!(),
            said = heard => pid = said.unwrap(),
        }
    });
    while is_running(&pid) {
        std::thread::yield_now();
    }
}

/// A zombie does not run; who reaps it depends on where the tests run.
fn is_running(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
}

#[test]
fn a_program_that_cannot_start_is_an_ending() {
    let root = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str, mode| {
        let path = root.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    };
    let missing_interpreter = file("script", "#!/no/such/interpreter\n", 0o755);
    let not_executable = file("text", "hello", 0o644);
    let ending = |program: &Path, directory: &Path| lines(Command::new(program, directory)).0.ending;
    let here = root.path();
    assert!(matches!(ending(Path::new("/no/such/program"), here), Ending::NotFound { .. }));
    assert!(matches!(ending(&missing_interpreter, here), Ending::NotFound { .. }));
    assert!(matches!(ending(&not_executable, here), Ending::StartFailed { .. }));
    assert!(matches!(ending(Path::new("sh"), here), Ending::StartFailed { .. }));
    let no_directory = ending(Path::new("/bin/sh"), &here.join("gone"));
    assert!(matches!(no_directory, Ending::StartFailed { error } if error.contains("directory")));
    let long = lines(Command::new("/bin/sh", here).arg("x".repeat(4 << 20))).0.ending;
    assert!(matches!(long, Ending::StartFailed { .. }));
}

#[test]
fn a_missing_shim_is_an_ending() {
    let shim = |program: &str, arguments: &[&str]| baton_process::Shim {
        program: program.into(),
        arguments: arguments.iter().map(Into::into).collect(),
    };
    for shim in [shim("/no/such/shim", &[]), shim("/bin/sh", &["-c", "exit 0"])] {
        let launcher = Launcher::with_shim(shim);
        let report = on_runtime(launcher.run(shell("echo hi"), pending(), &mut |_| Flow::Payload));
        assert!(matches!(report.ending, Ending::StartFailed { ref error } if error.contains("shim")), "{report:?}");
    }
}

#[test]
fn a_run_can_move_between_threads() {
    fn assert_send(_: &impl Send) {}
    let launcher = Launcher::without_shim();
    let mut on_line = |_: Line<'_>| Flow::Continue;
    let run = launcher.run(shell("true"), pending(), &mut on_line);
    assert_send(&run);
}

#[test]
fn vitals_show_a_run_while_it_goes_on_and_nothing_afterwards() {
    let vitals = Vitals::default();
    assert_eq!((vitals.pid(), vitals.resident(), vitals.input_taken()), (None, None, 0));
    let (stdin, input) = Stdin::open();
    let command = shell("read line; echo $$; read line; exit 0").stdin(stdin).vitals(vitals.clone());
    input.send("first\n").unwrap();
    let mut seen = None;
    let report = run(command, |line| {
        seen = Some((line.text().into_owned(), vitals.pid(), vitals.resident(), vitals.input_taken()));
        input.send("second\n").unwrap();
        Flow::Payload
    });
    let (pid, shown, resident, taken) = seen.unwrap();
    assert_eq!(shown.map(|pid| pid.to_string()), Some(pid));
    assert_eq!(resident.is_some_and(|bytes| bytes > 0), cfg!(target_os = "linux"));
    assert_eq!((taken, report.pid.is_some()), (6, true));
    assert_eq!((vitals.pid(), vitals.resident(), vitals.input_taken()), (None, None, 13));
}

#[test]
fn input_that_nobody_can_read_is_not_counted() {
    let vitals = Vitals::default();
    let (stdin, input) = Stdin::open();
    let command = shell("exec 0<&-; echo closed; sleep 60").stdin(stdin).vitals(vitals.clone());
    run(command.limits(Limits { idle: Duration::from_millis(200), ..limits() }), |_| {
        input.send("lost\n").unwrap();
        Flow::Payload
    });
    assert_eq!(vitals.input_taken(), 0);
}
