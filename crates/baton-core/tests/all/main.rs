//! Properties that hold for all inputs: more than 10,000 generated cases in total, the same on every machine.
//! `cargo xtask properties` runs a hundred times as many.

#![allow(clippy::unwrap_used, reason = "a test may stop where something is not as it must be")]

mod answers;
mod chain;
mod choosing;
mod consensus;
mod feedback;
mod findings;
mod golden;
mod patch;
mod reading;
mod routing;

use proptest::prelude::ProptestConfig;
use proptest::test_runner::{RngAlgorithm, RngSeed};

/// So many cases from a fixed seed, times `BATON_PROPERTY_FACTOR`; nothing is written beside the sources.
fn cases(cases: u32) -> ProptestConfig {
    let factor = std::env::var("BATON_PROPERTY_FACTOR").ok().and_then(|factor| factor.parse().ok()).unwrap_or(1);
    let cases = cases.saturating_mul(factor);
    ProptestConfig {
        cases,
        // The default is a number, whatever the number of cases.
        max_global_rejects: cases.max(1_024),
        failure_persistence: None,
        rng_algorithm: RngAlgorithm::ChaCha,
        rng_seed: RngSeed::Fixed(2_026),
        ..ProptestConfig::default()
    }
}
