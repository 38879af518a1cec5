//! The hash chain: whole streams verify, and no change goes unseen.

use baton_core::journal::{Actor, ChainError, NewEvent, Row, verify_chain};
use baton_core::units::Timestamp;
use proptest::prelude::*;
use proptest::sample::{Index, select};

fn event() -> impl Strategy<Value = NewEvent> {
    let actor = prop_oneof![Just(Actor::Engine), Just(Actor::Person), any::<String>().prop_map(Actor::Client)];
    let body = prop::option::of(prop::collection::vec(any::<u8>(), 0..20));
    (select(vec!["submitted", "decided"]), any::<u16>(), any::<i64>(), actor, any::<String>(), body).prop_map(
        |(kind, version, at, actor, header, body)| NewEvent { kind, version, at: Timestamp(at), actor, header, body },
    )
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    (prop::collection::vec(event(), 1..8), any::<u64>()).prop_map(|(events, epoch)| {
        let mut rows: Vec<Row> = Vec::new();
        for event in events {
            let previous = rows.last().map(|row| (row.ordinal, row.hash));
            rows.push(Row::next(previous, "run:r", epoch, event));
        }
        rows
    })
}

type Change = fn(&mut Row);

fn changes() -> Vec<Change> {
    vec![
        |row| row.header.push(' '),
        |row| row.kind.push('x'),
        |row| row.version = row.version.wrapping_add(1),
        |row| row.at = Timestamp(row.at.0.wrapping_add(1)),
        |row| row.epoch = row.epoch.wrapping_add(1),
        |row| row.actor.push('x'),
        |row| row.stream.push('x'),
        |row| row.prev_hash = row.hash,
        |row| row.hash = row.prev_hash,
        |row| row.body_hash = Some(row.hash),
        |row| row.body = Some(row.body.take().map_or(vec![1], |body| [body, vec![0]].concat())),
    ]
}

proptest! {
    #![proptest_config(super::cases(300))]

    #[test]
    fn a_whole_stream_verifies_with_and_without_its_bodies(rows in rows(), dropped in any::<[Index; 2]>()) {
        prop_assert_eq!(verify_chain(&rows), Ok(()));
        let mut without = rows;
        for index in dropped {
            let at = index.index(without.len());
            without[at].body = None;
            prop_assert_eq!(without[at].body_dropped(), without[at].body_hash.is_some());
        }
        prop_assert_eq!(verify_chain(&without), Ok(()));
    }

    #[test]
    fn any_change_is_seen_at_its_row(rows in rows(), at in any::<Index>(), change in select(changes())) {
        let mut changed = rows;
        let at = at.index(changed.len());
        change(&mut changed[at]);
        let ordinal = at as u64;
        let error = verify_chain(&changed).unwrap_err();
        prop_assert!(error == ChainError::Broken { ordinal } || error == ChainError::Body { ordinal }, "{:?}", error);
    }

    #[test]
    fn no_row_can_be_taken_out_or_moved(rows in rows(), at in any::<Index>()) {
        prop_assume!(rows.len() > 1);
        let at = at.index(rows.len() - 1);
        let mut without = rows.clone();
        without.remove(at);
        prop_assert_eq!(verify_chain(&without), Err(ChainError::Gap { ordinal: at as u64 }));
        let mut moved = rows;
        moved.swap(at, at + 1);
        prop_assert!(verify_chain(&moved).is_err());
    }
}
