//! How far a replica has come, a line whenever there is something new to say.

use std::time::{Duration, Instant};

use threefold_replication::operator::{Member, Standing};

/// Shortest time between two lines that only tell of numbers.
const INTERVAL: Duration = Duration::from_secs(2);

/// Remembers what was said last.
#[derive(Debug, Default)]
pub(super) struct Progress {
    last: String,
    said_at: Option<Instant>,
}

impl Progress {
    /// Says it, unless it was said last.
    pub(super) fn say(&mut self, line: &str) {
        if self.last != line {
            println!("  {line}");
            line.clone_into(&mut self.last);
            self.said_at = Some(Instant::now());
        }
    }

    /// Says how far a replica has come, at most every two seconds.
    pub(super) fn of(&mut self, member: &Member) {
        if self.said_at.is_some_and(|at| at.elapsed() < INTERVAL) {
            return;
        }
        let far = match member {
            Member {
                reachable: false, ..
            } => "is not heard; is its process alive?".to_owned(),
            Member { behind: None, .. } => "receives a snapshot".to_owned(),
            Member { in_sync: true, .. } => "has caught up".to_owned(),
            Member {
                behind: Some(entries),
                ..
            } => format!("is {entries} log entries behind"),
        };
        let standing = name(member.standing);
        self.say(&format!("replica {} ({standing}) {far}", member.id));
    }
}

/// For people.
pub(super) fn name(standing: Standing) -> &'static str {
    match standing {
        Standing::Voter => "voter",
        Standing::Learner => "learner",
        Standing::Joining => "joining",
        Standing::Leaving => "leaving",
    }
}
