//! Properties that hold for all inputs: 10,000 generated cases in total, the same on every machine.

#![allow(clippy::unwrap_used, reason = "a test may stop where something is not as it must be")]

mod chain;
mod choosing;
mod consensus;
mod feedback;
mod golden;
mod reading;

use proptest::prelude::ProptestConfig;
use proptest::test_runner::{RngAlgorithm, RngSeed};

/// So many cases from a fixed seed; nothing is written beside the sources.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        rng_algorithm: RngAlgorithm::ChaCha,
        rng_seed: RngSeed::Fixed(2_026),
        ..ProptestConfig::default()
    }
}
