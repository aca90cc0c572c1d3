//! Failpoints inside the replicas: ends, pauses and failures at places where they hurt most.

use futures_util::FutureExt;

use super::{Dice, Fault, Ground, Healed, Injected, Scene};

/// Passed all the time under load.
const BUSY: [&str; 14] = [
    "mutation.begin",
    "mutation.answer",
    "forward.sent",
    "batch.begin",
    "batch.settled",
    "append.before",
    "append.flushed",
    "append.flushed",
    "append.acknowledged",
    "apply.begin",
    "apply.commit",
    "apply.committed",
    "apply.published",
    "flush.before",
];
/// Passed at elections, and when the log is cut.
const RARE: [&str; 9] = [
    "vote.before",
    "vote.saved",
    "truncate.before",
    "truncate.after",
    "purge.before",
    "purge.flushed",
    "purge.marked",
    "purge.after",
    "flush.before",
];
/// Failures that pass: they are tried again.
const PASSING: [&str; 4] = [
    "apply.begin",
    "apply.commit",
    "apply.committed",
    "flush.before",
];
/// Failures that do not: the replica stops.
const LASTING: [&str; 2] = ["append.before", "vote.before"];

/// One failpoint, on one replica or on all.
#[derive(Debug)]
pub(super) struct Failpoints {
    name: &'static str,
    action: String,
    /// How many replicas, from a drawn one on.
    count: usize,
    first: usize,
    set: Vec<u16>,
}

impl Failpoints {
    pub(super) fn draw(dice: &mut Dice, ground: Ground) -> Self {
        let (name, action) = match dice.below(10) {
            0..4 => (dice.pick(&BUSY), format!("{}*off->1*crash", dice.below(30))),
            4..6 => (dice.pick(&RARE), "1*crash".to_owned()),
            6..8 => {
                let sleep = dice.pick(&[20, 100, 400, 1_500]);
                (dice.pick(&BUSY), format!("20%sleep({sleep})"))
            }
            8 => (
                dice.pick(&PASSING),
                format!("{}%error", dice.pick(&[5, 30, 80])),
            ),
            _ => (
                dice.pick(&LASTING),
                format!("{}*off->1*error", dice.below(10)),
            ),
        };
        let all = usize::from(ground.replicas);
        Self {
            name,
            action,
            count: dice.pick(&[1, 1, 1, 2, all]),
            first: usize::try_from(dice.below(u64::from(ground.replicas))).expect("few replicas"),
            set: Vec::new(),
        }
    }
}

impl Fault for Failpoints {
    fn kind(&self) -> String {
        let what = self
            .action
            .rsplit(['>', '*', '%'])
            .next()
            .unwrap_or_default();
        let what = what.split('(').next().unwrap_or_default();
        format!("failpoint {} {what}", self.name)
    }

    fn inject<'a>(&'a mut self, scene: &'a Scene) -> Injected<'a> {
        async {
            let order = scene.leader_first().await;
            let from_first = order.iter().cycle().skip(self.first);
            for id in from_first.take(self.count) {
                if scene.set_failpoint(*id, self.name, &self.action).await {
                    self.set.push(*id);
                }
            }
            Ok(format!(
                "{}={} on {:?}, leader first: {order:?}",
                self.name, self.action, self.set
            ))
        }
        .boxed_local()
    }

    fn heal<'a>(&'a mut self, scene: &'a Scene) -> Healed<'a> {
        async {
            scene.count_failpoints().await;
            for id in self.set.drain(..) {
                scene.set_failpoint(id, self.name, "off").await;
            }
            Ok(())
        }
        .boxed_local()
    }
}
