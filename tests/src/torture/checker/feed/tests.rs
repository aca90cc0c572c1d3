use proptest::prelude::*;

use super::*;
use crate::torture::checker::testing::{accepted_add, finals, history, row};

fn batch(revision: u64) -> WatchedEvent {
    let change = Change {
        kind: ChangeKind::Added,
        row: row(revision + 100, revision),
    };
    WatchedEvent::Batch {
        revision,
        digest: revision,
        changes: vec![change],
    }
}

fn judged(watcher: u16, events: Vec<WatchedEvent>, rows: &[Row]) -> Verdict {
    let watched = events.into_iter().map(|event| Watched {
        watcher,
        replica: 1,
        at: 0,
        event,
    });
    let history = History {
        watched: watched.collect(),
        ..History::default()
    };
    judge(&history, &finals(rows))
}

fn rows(revisions: impl IntoIterator<Item = u64>) -> Vec<Row> {
    revisions
        .into_iter()
        .map(|revision| row(revision + 100, revision))
        .collect()
}

#[test]
fn a_feed_that_is_whole_is_accepted_over_reconnects() {
    let events = vec![
        WatchedEvent::Subscribed(0),
        WatchedEvent::Bookmark(0),
        batch(1),
        batch(2),
        WatchedEvent::Subscribed(2),
        WatchedEvent::Bookmark(2),
        batch(3),
        WatchedEvent::Finished(3),
    ];
    let verdict = judged(0, events, &rows(1..=3));
    assert!(verdict.holds(), "{verdict:?}");
    assert_eq!(verdict.checked, 3 + 3);
}

#[test]
fn what_a_feed_must_not_do_is_found() {
    let finished = WatchedEvent::Finished;
    for (events, last) in [
        (vec![batch(1), batch(3), finished(3)], 3),
        (vec![batch(1), batch(1), finished(1)], 1),
        (vec![batch(2), batch(1), finished(2)], 2),
        (vec![batch(1), finished(2)], 2),
        (vec![batch(1)], 1),
        (vec![batch(1), WatchedEvent::Bookmark(2), finished(2)], 2),
        (
            vec![batch(1), batch(2), WatchedEvent::Bookmark(1), finished(2)],
            2,
        ),
        (
            vec![
                batch(1),
                WatchedEvent::ResyncRequired { oldest: 2, head: 2 },
                finished(2),
            ],
            2,
        ),
    ] {
        let said = format!("{events:?}");
        let verdict = judged(0, events, &rows(1..=last));
        assert!(!verdict.holds(), "{said}");
    }
}

#[test]
fn a_subscriber_that_is_too_late_is_told_so() {
    let events = vec![
        batch(1),
        WatchedEvent::ResyncRequired { oldest: 3, head: 5 },
        WatchedEvent::Finished(5),
    ];
    assert!(judged(0, events, &rows(1..=5)).holds());
}

#[test]
fn two_subscribers_see_the_same() {
    let of = |watcher, digest| {
        let event = WatchedEvent::Batch {
            revision: 1,
            digest,
            changes: vec![],
        };
        [event, WatchedEvent::Finished(1)].map(|event| Watched {
            watcher,
            replica: watcher,
            at: 0,
            event,
        })
    };
    for (other, violations) in [(7, 0), (8, 1)] {
        let watched = [of(1, 7), of(2, other)].concat();
        let history = History {
            watched,
            ..History::default()
        };
        assert_eq!(judge(&history, &[]).violations, violations);
    }
}

#[test]
fn the_feed_the_answers_and_the_table_agree() {
    let watched = |row| {
        let change = Change {
            kind: ChangeKind::Added,
            row,
        };
        let event = WatchedEvent::Batch {
            revision: 1,
            digest: 1,
            changes: vec![change],
        };
        [event, WatchedEvent::Finished(1)]
            .map(|event| Watched {
                watcher: 0,
                replica: 1,
                at: 0,
                event,
            })
            .to_vec()
    };
    let judged = |seen: Row, stored: &[Row]| {
        let operations = history([accepted_add(1, 2, 7, 1)]);
        judge(
            &History {
                watched: watched(seen),
                ..operations
            },
            &finals(stored),
        )
        .violations
    };
    let other = Row {
        amount: 9,
        ..row(7, 1)
    };
    assert_eq!(judged(row(7, 1), &[row(7, 1)]), 0);
    assert_eq!(judged(other, &[other]), 1, "not what was answered");
    assert_eq!(judged(row(7, 1), &[other]), 1, "not what is stored");
    assert_eq!(judged(row(7, 1), &[]), 1, "not stored at all");
    assert_eq!(
        judged(row(7, 1), &[row(7, 1), row(8, 2)]),
        1,
        "stored, and never told"
    );
}

proptest! {
    /// Any revision left out, repeated or exchanged with the next shows, wherever the connection breaks.
    #[test]
    fn any_spoilt_feed_is_rejected(length in 3..40_u64, at in any::<prop::sample::Index>(), way in 0..3, broken in any::<prop::sample::Index>()) {
        let mut events: Vec<WatchedEvent> = (1..=length).map(batch).collect();
        let at = at.index(events.len() - 1);
        match way {
            0 => drop(events.remove(at)),
            1 => events.insert(at, events[at].clone()),
            _ => events.swap(at, at + 1),
        }
        let broken = broken.index(events.len());
        let position = events[..broken].iter().map(|event| match event {
            WatchedEvent::Batch { revision, .. } => *revision,
            _ => 0,
        });
        events.insert(broken, WatchedEvent::Subscribed(position.max().unwrap_or(0)));
        events.push(WatchedEvent::Finished(length));
        let verdict = judged(0, events, &rows(1..=length));
        prop_assert!(!verdict.holds());
    }
}
