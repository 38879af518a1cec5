//! What happens to the children when somebody above them dies.

use std::future::pending;
use std::process::Stdio;

use baton_process::{Ending, Flow};
use baton_testkit::fake_agent::{MARKER, Mode, Script};
use rustix::process::{Pid, Signal, kill_process};

use crate::place::{FAKE_AGENT, Place, on_runtime, wait_for, with_shim};

fn children_started(place: &Place) -> usize {
    place.record().iter().map(|start| start.children.len()).sum()
}

async fn wait_for_children(place: &Place) {
    wait_for(|| children_started(place) == 20, || format!("{} of 20 children", children_started(place))).await;
}

fn find(place: &Place, word: &str) -> Pid {
    let survivors = place.survivors();
    let (id, _) = survivors.iter().find(|(_, command)| command.contains(word)).unwrap();
    Pid::from_raw(i32::try_from(*id).unwrap()).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "this test is the one who kills the process that starts children")]
fn start_host(place: &Place) -> std::process::Child {
    let script = place.root().join("inner.json");
    Script { record: Some(place.record_path()), ..Script::of(Mode::ManyChildren) }.save(&script).unwrap();
    std::process::Command::new(FAKE_AGENT)
        .arg("__host")
        .env(MARKER, &place.marker)
        .env("FAKE_AGENT_SCRIPT", script)
        .current_dir(place.root())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn nobody_outlives_a_caller_that_is_killed() {
    let place = Place::new();
    let mut host = start_host(&place);
    on_runtime(async {
        wait_for_children(&place).await;
        // Caller, shim, agent and its children.
        assert_eq!(place.survivors().len(), 23);
        host.kill().unwrap();
        host.wait().unwrap();
        place.wait_until_empty().await;
    });
}

#[test]
fn nobody_outlives_a_caller_that_is_killed_early() {
    for _ in 0..10 {
        let place = Place::new();
        let mut host = start_host(&place);
        on_runtime(async {
            wait_for(|| place.survivors().len() > 1, || "no shim yet".to_owned()).await;
            host.kill().unwrap();
            host.wait().unwrap();
            place.wait_until_empty().await;
        });
    }
}

#[test]
fn nobody_outlives_a_run_that_is_dropped() {
    let place = Place::new();
    on_runtime(async {
        let command = place.claude(&Script::of(Mode::ManyChildren));
        let launcher = with_shim();
        let mut on_line = |_: baton_process::Line<'_>| Flow::Payload;
        tokio::select! {
            report = launcher.run(command, pending(), &mut on_line) => panic!("{report:?}"),
            () = wait_for_children(&place) => {}
        }
        place.wait_until_empty().await;
    });
}

#[test]
fn a_shim_that_is_killed_is_reported_and_the_child_does_not_run_on() {
    let place = Place::new();
    let command = place.claude(&Script::of(Mode::SilentAfterFirst));
    let report = on_runtime(with_shim().run(command, pending(), &mut |_| {
        kill_process(find(&place, "__shim"), Signal::KILL).unwrap();
        Flow::Payload
    }));
    assert_eq!((report.ending, report.exit), (Ending::Lost, None));
    on_runtime(place.wait_until_empty());
}

#[test]
fn a_shim_that_is_asked_to_end_ends_its_child() {
    let place = Place::new();
    let command = place.claude(&Script::of(Mode::SilentAfterFirst));
    let report = on_runtime(with_shim().run(command, pending(), &mut |_| {
        kill_process(find(&place, "__shim"), Signal::TERM).unwrap();
        Flow::Payload
    }));
    assert_eq!(report.ending, Ending::Signalled { signal: 15 });
    assert_eq!(place.survivors(), []);
}

#[test]
#[ignore = "waits for the launcher's last resort, which takes five seconds"]
fn a_shim_that_is_stopped_does_not_hold_up_the_caller() {
    let place = Place::new();
    let command = place.claude(&Script::of(Mode::SilentAfterFirst));
    let mut first = true;
    let report = on_runtime(with_shim().run(command, pending(), &mut |_| {
        if std::mem::take(&mut first) {
            kill_process(find(&place, "__shim"), Signal::STOP).unwrap();
        }
        Flow::Stop
    }));
    assert_eq!(report.ending, Ending::Stopped);
    on_runtime(place.wait_until_empty());
}
