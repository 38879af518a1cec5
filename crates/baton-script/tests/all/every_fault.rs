//! The catalogue as a whole: every fault, in every dialect, streamed or not.

use std::collections::HashSet;

use baton_script::{Answer, Fault};

use crate::client::{DIALECTS, Ending, Patience, call, playing, send_up_to};

/// How a fault shows on the wire; `None`: the response is proper and only its content is at fault.
const fn ending(fault: Fault) -> Ending {
    match fault {
        Fault::HangBeforeHead
        | Fault::HangAfterHead
        | Fault::HangMidStream
        | Fault::KeepAliveOnly
        | Fault::EndlessTokens
        | Fault::HugeLine => Ending::Unfinished,
        Fault::CloseBeforeHead | Fault::CutMidStream | Fault::CutInCharacter | Fault::BrokenChunk => Ending::Cut,
        Fault::Reset | Fault::ResetMidStream => Ending::Reset,
        _ => Ending::Proper,
    }
}

#[test]
fn there_are_at_least_forty_with_names_of_their_own() {
    let names: HashSet<_> = Fault::ALL.iter().map(|fault| fault.name()).collect();
    assert_eq!(names.len(), Fault::ALL.len());
    assert!(names.len() >= 40);
    for fault in Fault::ALL {
        let written = serde_json::to_value(fault).unwrap();
        assert_eq!(written, fault.name());
        assert_eq!(serde_json::from_value::<Fault>(written).unwrap(), *fault);
    }
}

#[tokio::test]
async fn each_ends_as_the_catalogue_says_and_lets_go_of_the_client() {
    for fault in Fault::ALL {
        let server = playing(Answer {
            gap_ms: u64::from(*fault == Fault::KeepAliveOnly),
            ..Answer::fault(*fault).after_deltas(1)
        })
        .await;
        for dialect in DIALECTS {
            for streamed in [false, true] {
                // Of what has no end, and of a huge line, no more than this is read.
                let limit = if *fault == Fault::KeepAliveOnly { 1500 } else { 1 << 20 };
                let (response, stream) =
                    send_up_to(&server, &call(dialect, streamed), limit, Patience::with(Some(*fault))).await;
                let place = format!("{} at {} streamed {streamed}", fault.name(), dialect.0);
                assert_eq!(response.ending, ending(*fault), "{place}");
                drop(stream);
                server.idle().await;
            }
        }
        assert_eq!(server.counts().paid, 8);
        assert_eq!(server.violations(), [], "{}", fault.name());
        server.shutdown().await;
    }
}

#[test]
fn those_that_never_end_are_marked() {
    for fault in Fault::ALL {
        let unfinished = ending(*fault) == Ending::Unfinished && *fault != Fault::HugeLine;
        assert_eq!(fault.never_ends(), unfinished, "{}", fault.name());
    }
}
