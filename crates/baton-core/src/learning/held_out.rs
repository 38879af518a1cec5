//! Lessons decided by weights that were not learned from them: what a rule is worth shows only there.

use super::{ENOUGH, Knowledge, Lesson, Tiers, fit};
use crate::consensus::choice::{self, Asked, Choice};

/// Parts into which the lessons are cut; each is decided by weights from the others.
const PARTS: usize = 4;
/// With fewer lessons than this the parts would be too small to learn from.
const FEWEST: usize = 2 * ENOUGH as usize;

/// Lessons, and for each part of them what the other parts teach.
pub(super) struct HeldOut<'l, 'a> {
    pub(super) lessons: &'l [Lesson<'a>],
    others: Vec<Knowledge>,
    tiers: &'l Tiers,
}

impl<'l, 'a> HeldOut<'l, 'a> {
    /// `None` where there are too few lessons. They come in their fixed order, their votes canonical.
    pub(super) fn of(lessons: &'l [Lesson<'a>], tiers: &'l Tiers) -> Option<Self> {
        let others = |part: usize| -> Knowledge {
            let others = (0..).zip(lessons).filter(|(index, _): &(usize, _)| index % PARTS != part);
            fit::fit(&others.map(|(_, lesson)| lesson.clone()).collect::<Vec<_>>(), tiers)
        };
        let enough = lessons.len() >= FEWEST;
        enough.then(|| Self { lessons, others: (0..PARTS).map(others).collect(), tiers })
    }

    /// Every lesson with its decision, where such a member is followed.
    pub(super) fn decided(&self, follow: Option<&str>) -> impl Iterator<Item = (&'l Lesson<'a>, Choice<'a>)> {
        let following = |known: &Knowledge| Knowledge { follow: follow.map(str::to_owned), ..known.clone() };
        let others: Vec<Knowledge> = self.others.iter().map(following).collect();
        let tiers = self.tiers;
        self.lessons.iter().enumerate().map(move |(index, lesson)| {
            let asked = Asked { topic: lesson.topic, options: lesson.options };
            (lesson, choice::decide(&lesson.votes, &asked, &others[index % PARTS], tiers))
        })
    }
}
