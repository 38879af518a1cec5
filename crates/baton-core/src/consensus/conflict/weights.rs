//! Made by `cargo xtask train-conflicts` from the cases in `training/conflicts`; not to be edited by hand.

/// Log-odds without any feature, in hundredths.
pub(super) const BIAS: i32 = -187;

/// What each of the features of `pairs` adds where it is there in full, in hundredths of log-odds.
#[rustfmt::skip]
pub(super) const WEIGHTS: &[i32] = &[
     185, // the rules for this form of question put them on two sides
      34, // ... though their verdicts agree
      30, // ... where one of named options was asked for
     -51, // ... where yes or no was asked for
      65, // ... where a severity was asked for
     177, // choices have no word in common
      29, // different amounts, where none was asked for
     123, // different amounts, where an amount was asked for
    -114, // the same option
      95, // one of named options was asked for
     167, // how long the longer answer is, up to 60 words
     178, // how long the shorter answer is, up to 30 words
      58, // how many words of the task both take up, up to 4
     260, // one approves, the other does not, and neither's own prose clearly says the opposite
    -124, // all verdicts of the panel agree, two at least
    -107, // one member of the panel approves, nobody else gives a verdict
      10, // no verdict, and prose on both sides
     -36, // how clear the weaker of two opposite stances is
      68, // both stances are clear and opposite
      95, // a yes and a no
      45, // one takes a position, the other leans to the opposite
      68, // how clearly the prose of one is against the verdict of the other
     157, // one approves, the other takes no side: how long it is, up to 40 words
     -63, // one does not approve, the other has no verdict and denies something
     125, // one does not approve, the other has no verdict: how good it sounds, or (below 0) how bad
];
