//! What one account may do at a time.

use baton_core::member::{Limits, Payer};
use baton_core::run::{Inputs, Status};
use baton_engine::Silent;
use baton_port::Cancel;

use super::house::{House, attached, but, inputs, verdict};
use super::panel::Does;

/// Three members, of which `a` and `b` share an account.
fn sharing(payer: Payer, concurrent: u32) -> Inputs {
    let mut inputs = inputs(&["a", "b", "c"]);
    for member in &mut inputs.members {
        member.payer = payer;
        member.limits = Limits { concurrent, ..Limits::default() };
    }
    inputs.members[0].account = "shared".into();
    inputs.members[1].account = "shared".into();
    inputs
}

fn slow() -> House {
    let late = Does::SaysLate(200, 300, verdict("approve"));
    House::new(but(&[("a", late.clone()), ("b", late.clone()), ("c", late)]))
}

#[tokio::test]
async fn an_account_for_one_is_used_by_one_and_delays_no_other() {
    let house = slow();
    house.run(sharing(Payer::Key, 1)).await;
    assert_eq!(house.panel.most("shared").0, 1);
    assert_eq!(house.panel.names()[1], "c", "another account does not wait");
    assert_eq!(house.clock.elapsed_ms(), 1_000, "two turns one after the other");
}

#[tokio::test]
async fn an_account_for_several_is_used_by_several() {
    let house = slow();
    house.run(sharing(Payer::Key, 2)).await;
    assert_eq!(house.panel.most("shared"), (2, 2));
    assert_eq!(house.clock.elapsed_ms(), 500);
}

#[tokio::test]
async fn logins_start_one_after_the_other_until_the_first_sign_of_life() {
    let house = slow();
    house.run(sharing(Payer::Subscription, 4)).await;
    assert_eq!(house.panel.most("shared"), (2, 1), "two at once, but not while one starts");
    assert_eq!(house.clock.elapsed_ms(), 700);
}

#[tokio::test]
async fn runs_of_one_process_share_its_accounts() {
    let house = slow();
    let engine = house.engine("one");
    let cancel = Cancel::default();
    let run = || engine.run(sharing(Payer::Key, 1), vec![attached()], &Silent, &cancel);
    let (one, two) = house.timed(async { tokio::join!(run(), run()) }).await;
    assert_eq!((one.unwrap().1.status, two.unwrap().1.status), (Status::Decided, Status::Decided));
    assert_eq!(house.panel.most("shared").0, 1);
    assert_eq!(house.panel.names().len(), 6);
}

#[tokio::test]
async fn a_place_is_given_back_by_a_channel_that_breaks() {
    let house = House::new(but(&[("a", Does::Panics)]));
    let (_, state) = house.run(sharing(Payer::Subscription, 1)).await;
    assert_eq!(state.decision.unwrap().model_count, 2);
}

#[tokio::test]
async fn who_waits_for_a_place_can_be_stopped() {
    let house = House::new(but(&[("a", Does::Hangs), ("b", Does::Hangs)]));
    let engine = house.engine("one");
    let cancel = Cancel::default();
    let stop = async {
        house.until_asked(2).await;
        cancel.request();
    };
    let (ended, ()) = tokio::join!(engine.run(sharing(Payer::Key, 1), vec![attached()], &Silent, &cancel), stop);
    assert_eq!(ended.unwrap().1.status, Status::Cancelled);
    assert_eq!(house.panel.names().len(), 2, "the second one was never asked");
}
