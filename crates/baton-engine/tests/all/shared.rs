//! What several processes know of one account: two stores on one file, each with an engine of its own.

use std::sync::{Arc, Mutex};

use baton_core::handover::{Away, Because};
use baton_core::ids::RunId;
use baton_core::member::{Limits, Payer};
use baton_core::outcome::Outcome;
use baton_core::run::{Inputs, Status};
use baton_core::units::Timestamp;
use baton_engine::{Engine, EngineError, Ports, Silent};
use baton_port::{Cancel, Clock, Journal, Opens, StoreError};
use baton_store::{Options, SqliteStore};

use super::house::{House, attached, but, ends, engine, id, inputs, settle, starts, verdict};
use super::panel::{Asked, Does};

/// A machine on which any number of processes run.
struct Machine {
    house: House,
    folder: tempfile::TempDir,
    /// Of all processes that were started.
    stores: Mutex<Vec<Arc<SqliteStore>>>,
}

impl Machine {
    fn new(others: &[(&'static str, Does)]) -> Self {
        Self::with(but(others))
    }

    fn with(script: impl Fn(&Asked) -> Does + Send + Sync + 'static) -> Self {
        let house = House::new(script);
        // What the panel looks at is in the other store.
        house.panel.trust();
        Self { house, folder: tempfile::tempdir().unwrap(), stores: Mutex::default() }
    }

    fn store(&self) -> Arc<SqliteStore> {
        Arc::new(SqliteStore::open(self.folder.path(), Options::default()).unwrap())
    }

    fn process(&self, owner: &str) -> Engine {
        let store = self.store();
        self.stores.lock().unwrap().push(store.clone());
        let ports = Ports { journal: store.clone(), blobs: store.clone(), rows: store, ..self.house.ports() };
        engine(ports, owner)
    }

    async fn run(&self, engine: &Engine, inputs: Inputs) -> RunId {
        let cancel = Cancel::default();
        let run = engine.run(inputs, vec![attached()], &Silent, &cancel);
        let (run, state) = run.await.unwrap();
        assert_eq!(state.status, Status::Decided);
        run
    }

    async fn asked(&self, engine: &Engine, inputs: Inputs) -> Vec<String> {
        let run = self.run(engine, inputs).await;
        let events = engine.events(&run).await.unwrap().into_iter().map(|stamped| stamped.event);
        starts(&events.collect::<Vec<_>>()).iter().map(|start| start.split(' ').next().unwrap().to_owned()).collect()
    }

    fn pass(&self, milliseconds: u64) {
        self.house.clock.advance(std::time::Duration::from_millis(milliseconds));
    }
}

/// Moves the clock by a little whenever nothing can happen without it. However slow the machine is, each step lets one
/// call of every store be done and heard.
async fn until<T>(machine: &Machine, future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    loop {
        tokio::select! {
            biased;
            output = &mut future => return output,
            () = breathe(machine) => machine.pass(50),
        }
    }
}

/// What a store was given before this is done after it: its writer takes one after the other.
async fn breathe(machine: &Machine) {
    let stores = machine.stores.lock().unwrap().clone();
    for store in stores {
        store.claim("barrier", "nobody", Timestamp(0), 0).await.ok();
        baton_port::Rows::get(&*store, "barrier", "").await.unwrap();
    }
    settle().await;
}

async fn frozen(engine: &Engine, mut inputs: Inputs) -> Inputs {
    let away = engine.away(&inputs.members).await.unwrap();
    inputs.handover.as_mut().unwrap().away = away;
    inputs
}

#[tokio::test]
async fn what_one_process_found_used_up_another_goes_round_until_the_reset_also_after_a_restart() {
    let machine = Machine::new(&[("a", Does::Fails(Outcome::QuotaExhausted))]);
    let four = || inputs(&["a", "b", "c", "d"]);
    let one = machine.process("one");
    assert_eq!(machine.asked(&one, four()).await, ["a", "b", "c", "d"]);
    drop(one);
    let two = machine.process("two");
    let later = frozen(&two, four()).await;
    let away = later.handover.as_ref().unwrap().away.clone();
    assert!(matches!(&away[..], [Away { account, because: Because::Quota, .. }] if account == "a"), "{away:?}");
    let run = machine.run(&two, later).await;
    let state = two.state(&run).await.unwrap();
    let notes = &state.plan.as_ref().unwrap().team.notes;
    assert!(notes[0].starts_with("a is out of quota until ") && notes[0].ends_with("; d takes over"), "{notes:?}");
    assert!(matches!(two.verify(&run).await.unwrap(), baton_engine::Verification::Equal { .. }));
    machine.pass(3_600_000);
    let after = frozen(&machine.process("three"), four()).await;
    assert_eq!(after.handover.unwrap().away, [], "it takes over again by itself");
}

#[tokio::test]
async fn a_run_that_did_not_know_asks_nobody_in_vain_either() {
    let machine = Machine::new(&[("a", Does::Fails(Outcome::QuotaExhausted))]);
    let one = machine.process("one");
    machine.run(&one, inputs(&["a", "b", "c", "d"])).await;
    let calls = machine.house.panel.names().iter().filter(|name| *name == "a").count();
    // Submitted as if before: nothing is frozen into it.
    let two = machine.process("two");
    let run = machine.run(&two, inputs(&["a", "b", "c", "d"])).await;
    assert_eq!(machine.house.panel.names().iter().filter(|name| *name == "a").count(), calls, "it was not called");
    let events: Vec<_> = two.events(&run).await.unwrap().into_iter().map(|stamped| stamped.event).collect();
    assert!(ends(&events).contains(&"0.0 quota used up".to_owned()), "and that is in its journal");
    let state = two.state(&run).await.unwrap();
    assert!(state.steps[0].attempts[0].detail.contains("a is out of quota until"));
    assert_eq!(state.steps[0].attempts[0].cost, Some(baton_core::units::MicroUsd(0)));
}

#[tokio::test]
async fn the_member_says_until_when_its_quota_is_used_up() {
    let told = |opens| {
        let mut turn = baton_port::Turn::failed(Outcome::QuotaExhausted, "limit reached");
        turn.opens = Some(opens);
        Machine::new(&[("a", Does::Returns(Box::new(turn)))])
    };
    let now = House::new(but(&[])).clock.now();
    for (opens, expected) in [(Opens::At(now.plus_millis(7_000_000)), 7_000_000), (Opens::AfterMs(50_000), 50_000)] {
        let machine = told(opens);
        let engine = machine.process("one");
        machine.run(&engine, inputs(&["a", "b", "c"])).await;
        let away = engine.away(&inputs(&["a"]).members).await.unwrap();
        assert_eq!(away[0].until, now.plus_millis(expected), "and not for the configured hour");
    }
}

#[tokio::test]
async fn a_person_who_names_the_member_is_heard_and_an_answer_opens_the_account() {
    let machine = Machine::new(&[]);
    let engine = machine.process("one");
    let spent = serde_json::json!({ "spent_until": machine.house.clock.now().plus_millis(9_000_000) });
    baton_port::Rows::set(&*machine.store(), "account", "a", 0, spent.to_string()).await.unwrap();
    assert_eq!(engine.away(&inputs(&["a"]).members).await.unwrap().len(), 1);
    let named = Inputs { named: vec![id("a")], ..frozen(&engine, inputs(&["a", "b"])).await };
    assert_eq!(machine.asked(&engine, named).await, ["a"]);
    assert_eq!(engine.away(&inputs(&["a"]).members).await.unwrap(), []);
}

#[tokio::test]
async fn an_account_that_fails_again_and_again_rests_and_is_tried_by_one_call() {
    let machine = Machine::new(&[("a", Does::Fails(Outcome::Crashed))]);
    let engine = machine.process("one");
    let only_a = || Inputs { named: vec![], ..inputs(&["a"]) };
    for _ in 0..5 {
        machine.run(&engine, only_a()).await;
    }
    assert_eq!(machine.house.panel.names().len(), 5);
    let away = machine.process("two").away(&only_a().members).await.unwrap();
    assert!(matches!(&away[..], [Away { because: Because::Failures, .. }]), "{away:?}");
    // It is not called while it rests; then one call tries it, and fails again.
    machine.run(&machine.process("two"), only_a()).await;
    machine.pass(30_000);
    machine.run(&machine.process("two"), only_a()).await;
    assert_eq!(machine.house.panel.names().len(), 6);
    let away = engine.away(&only_a().members).await.unwrap();
    let rest = away[0].until.millis_since(machine.house.clock.now());
    assert!(rest > 30_000 && rest <= 60_000, "the next rest is longer: {rest}");
}

#[tokio::test]
async fn while_one_call_tries_a_rested_account_no_other_process_does() {
    let machine = Machine::with(|asked: &Asked| match asked.before {
        0..5 => Does::Fails(Outcome::Crashed),
        _ => Does::WaitsAtDoor(verdict("approve")),
    });
    let (one, two) = (machine.process("one"), machine.process("two"));
    for _ in 0..5 {
        machine.run(&one, inputs(&["a"])).await;
    }
    machine.pass(30_000);
    let cancel = Cancel::default();
    let trying = one.run(inputs(&["a"]), vec![attached()], &Silent, &cancel);
    let other = async {
        while machine.house.panel.names().len() < 6 {
            breathe(&machine).await;
        }
        let run = machine.run(&two, inputs(&["a"])).await;
        machine.house.panel.door.add_permits(1);
        two.state(&run).await.unwrap()
    };
    let (tried, told) = until(&machine, async { tokio::join!(trying, other) }).await;
    assert_eq!(tried.unwrap().1.decision.unwrap().model_count, 1);
    assert!(told.steps[0].attempts[0].detail.contains("another call tries it just now"));
    assert_eq!(machine.house.panel.names().len(), 6, "only one call was made");
    assert_eq!(two.away(&inputs(&["a"]).members).await.unwrap(), [], "and its answer opens the account for all");
}

fn one_at_a_time(payer: Payer) -> Inputs {
    let mut inputs = inputs(&["a"]);
    inputs.members[0].payer = payer;
    inputs.members[0].limits = Limits { concurrent: 1, ..Limits::default() };
    inputs
}

#[tokio::test]
async fn processes_share_the_places_of_an_account() {
    for payer in [Payer::Key, Payer::Subscription, Payer::Unknown] {
        let machine = Machine::new(&[("a", Does::SaysLate(200, 300, verdict("approve")))]);
        let (one, two) = (machine.process("one"), machine.process("two"));
        let cancel = Cancel::default();
        let run = |engine| Engine::run(engine, one_at_a_time(payer), vec![attached()], &Silent, &cancel);
        let both = async { tokio::join!(run(&one), run(&two)) };
        let (first, second): (Result<_, EngineError>, _) = until(&machine, both).await;
        assert_eq!((first.unwrap().1.status, second.unwrap().1.status), (Status::Decided, Status::Decided));
        assert_eq!(machine.house.panel.most("a").0, 1, "{payer:?}");
        assert_eq!(machine.house.panel.names().len(), 2);
    }
}

#[tokio::test]
async fn the_place_of_a_dead_process_is_taken_over() {
    let machine = Machine::new(&[]);
    let dead = machine.store();
    dead.claim("account:a/turn-0", "dead", machine.house.clock.now(), 15_000).await.unwrap();
    // Known to be gone: at once.
    let knowing = machine.process("knowing").with_gone_owners(|owner| owner == "dead");
    let before = machine.house.clock.elapsed_ms();
    machine.run(&knowing, one_at_a_time(Payer::Key)).await;
    assert!(machine.house.clock.elapsed_ms() - before < 15_000);
    // Not known to be gone: when its lease has run out.
    dead.claim("account:a/turn-0", "dead", machine.house.clock.now(), 15_000).await.unwrap();
    let before = machine.house.clock.elapsed_ms();
    until(&machine, machine.run(&machine.process("patient"), one_at_a_time(Payer::Key))).await;
    assert!(machine.house.clock.elapsed_ms() - before >= 15_000);
    let free = dead.claim("account:a/turn-0", "next", machine.house.clock.now(), 1).await;
    assert!(!matches!(free, Err(StoreError::Busy { .. })), "and it is given back at the end");
}

#[tokio::test]
async fn a_long_turn_keeps_its_place() {
    let machine = Machine::new(&[("a", Does::SaysLate(0, 40_000, verdict("approve")))]);
    let engine = machine.process("one");
    let watcher = machine.store();
    let cancel = Cancel::default();
    let watch = async {
        while machine.house.clock.elapsed_ms() < 30_000 {
            breathe(&machine).await;
        }
        watcher.claim("account:a/turn-0", "other", machine.house.clock.now(), 1_000).await
    };
    let run = engine.run(one_at_a_time(Payer::Key), vec![attached()], &Silent, &cancel);
    let (ran, claimed) = until(&machine, async { tokio::join!(run, watch) }).await;
    assert_eq!(ran.unwrap().1.status, Status::Decided);
    assert!(matches!(claimed, Err(StoreError::Busy { .. })), "{claimed:?}");
}
