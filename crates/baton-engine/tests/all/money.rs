//! The spending cap.

use baton_core::consensus::Blocker;
use baton_core::member::Payer;
use baton_core::outcome::Outcome;
use baton_core::run::{Inputs, StepStatus};
use baton_core::units::MicroUsd;

use super::house::{House, approves, but, inputs};
use super::panel::Does;

/// Paid by use; a turn is expected to cost about 40,000 millionths, and costs 600.
fn paid(cap: u64) -> Inputs {
    let mut inputs = inputs(&["a", "b", "c", "d"]);
    inputs.rules.spend_cap = Some(MicroUsd(cap));
    inputs.members.iter_mut().for_each(|member| member.payer = Payer::Key);
    inputs
}

#[tokio::test]
async fn a_parallel_wave_does_not_pass_the_cap_together() {
    for (cap, seated) in [(39_000, 0), (41_000, 1), (81_000, 2), (500_000, 3)] {
        let house = House::new(approves);
        let (run, state) = house.run(paid(cap)).await;
        assert_eq!(house.panel.names().len(), seated, "cap {cap}");
        let left_out = state.steps.iter().filter(|step| step.status == StepStatus::OverBudget).count();
        assert_eq!(left_out, 3 - seated);
        assert!(state.cost().0 <= MicroUsd(cap));
        assert_eq!(state.decision.unwrap().blocked_by(Blocker::Budget), seated == 0);
        house.check(&run).await;
    }
}

#[tokio::test]
async fn a_call_of_unknown_cost_counts_as_what_was_set_aside() {
    // `a` fails without saying what it used: its share is gone, and nobody can step in.
    let house = House::new(but(&[("a", Does::Fails(Outcome::Crashed))]));
    let (run, state) = house.run(paid(125_000)).await;
    assert_eq!(house.panel.names().len(), 3);
    assert!(state.cost().1, "unknown is said");
    assert!(state.committed() <= MicroUsd(125_000));
    house.check(&run).await;
}
