//! So many lines a minute from one place in the code: a fault that repeats does not fill a disk.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::{Level, Metadata};

/// The time that a bound is for.
const WINDOW: Duration = Duration::from_secs(60);
/// Most places that are counted one by one; all others share one count.
const MAX_PLACES: usize = 1_024;

/// Counts lines by the place that writes them. Lines at `debug` and `trace` are not counted: somebody has asked for them.
#[derive(Debug)]
pub(super) struct RateLimit {
    /// None for no bound.
    most: Option<u32>,
    places: Mutex<HashMap<u64, Place>>,
}

/// A place in the code, in the window of its newest lines.
#[derive(Debug)]
struct Place {
    name: String,
    level: Level,
    since: Instant,
    written: u32,
    left_out: u64,
}

/// Lines of one place that were not written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LeftOut {
    /// Target, file and line.
    pub(super) place: String,
    /// Their level.
    pub(super) level: Level,
    /// How many.
    pub(super) lines: u64,
}

impl RateLimit {
    /// At most so many lines a minute; 0 for no bound.
    pub(super) fn new(lines_a_minute: u32) -> Self {
        Self {
            most: (lines_a_minute > 0).then_some(lines_a_minute),
            places: Mutex::default(),
        }
    }

    /// True if one more line may be written from there now.
    pub(super) fn admit(&self, metadata: &Metadata<'_>) -> bool {
        self.admit_at(metadata, Instant::now())
    }

    fn admit_at(&self, metadata: &Metadata<'_>, now: Instant) -> bool {
        let Some(most) = self.most else { return true };
        if *metadata.level() > Level::INFO {
            return true;
        }
        let mut places = self.places();
        let mut key = key(metadata);
        if places.len() >= MAX_PLACES && !places.contains_key(&key) {
            places.retain(|_, place| place.left_out > 0 || !place.is_over(now));
            if places.len() >= MAX_PLACES {
                key = 0;
            }
        }
        let place = places
            .entry(key)
            .or_insert_with(|| Place::new(key, metadata, now));
        if place.is_over(now) {
            // What was left out before stays until it is told.
            place.since = now;
            place.written = 0;
        }
        let admitted = place.written < most;
        if admitted {
            place.written += 1;
        } else {
            place.left_out += 1;
        }
        admitted
    }

    /// What was left out by places whose minute is over. Each is told once.
    pub(super) fn take_over(&self) -> Vec<LeftOut> {
        self.take(Instant::now())
    }

    /// What was left out by any place.
    pub(super) fn take_all(&self) -> Vec<LeftOut> {
        self.take(Instant::now() + WINDOW)
    }

    fn take(&self, now: Instant) -> Vec<LeftOut> {
        let mut places = self.places();
        let over = places
            .values_mut()
            .filter(|place| place.left_out > 0 && place.is_over(now));
        let mut left_out: Vec<LeftOut> = over
            .map(|place| LeftOut {
                place: place.name.clone(),
                level: place.level,
                lines: std::mem::take(&mut place.left_out),
            })
            .collect();
        left_out.sort_by(|a, b| a.place.cmp(&b.place));
        left_out
    }

    fn places(&self) -> MutexGuard<'_, HashMap<u64, Place>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    fn new(key: u64, metadata: &Metadata<'_>, now: Instant) -> Self {
        let name = match (key, metadata.file(), metadata.line()) {
            (0, _, _) => "many places".to_owned(),
            (_, Some(file), Some(line)) => format!("{} ({file}:{line})", metadata.target()),
            _ => metadata.target().to_owned(),
        };
        Self {
            name,
            level: *metadata.level(),
            since: now,
            written: 0,
            left_out: 0,
        }
    }

    fn is_over(&self, now: Instant) -> bool {
        now.duration_since(self.since) >= WINDOW
    }
}

fn key(metadata: &Metadata<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    (metadata.target(), metadata.file(), metadata.line()).hash(&mut hasher);
    metadata.level().hash(&mut hasher);
    // 0 is for all that do not fit.
    hasher.finish().max(1)
}

#[cfg(test)]
mod tests {
    use tracing::callsite::{Callsite, Identifier};
    use tracing::field::FieldSet;
    use tracing::metadata::Kind;
    use tracing::subscriber::Interest;

    use super::*;

    struct Nowhere;
    static NOWHERE: Nowhere = Nowhere;
    impl Callsite for Nowhere {
        fn set_interest(&self, _: Interest) {}
        fn metadata(&self) -> &Metadata<'_> {
            unreachable!("only its identity is used")
        }
    }

    fn at(level: Level, line: u32) -> Metadata<'static> {
        let fields = FieldSet::new(&[], Identifier(&NOWHERE));
        let (file, module) = (Some("src/a.rs"), Some("a"));
        Metadata::new(
            "event",
            "a",
            level,
            file,
            Some(line),
            module,
            fields,
            Kind::EVENT,
        )
    }

    fn admitted(limit: &RateLimit, place: &Metadata<'_>, count: usize, now: Instant) -> usize {
        (0..count).filter(|_| limit.admit_at(place, now)).count()
    }

    #[test]
    fn each_place_has_its_own_bound_and_what_is_left_out_is_told_once() {
        let (limit, start) = (RateLimit::new(3), Instant::now());
        let (one, two) = (at(Level::WARN, 1), at(Level::ERROR, 2));
        assert_eq!(admitted(&limit, &one, 10, start), 3);
        assert_eq!(admitted(&limit, &two, 2, start), 2);
        assert_eq!(limit.take(start + WINDOW / 2), []);
        let told = limit.take(start + WINDOW);
        let expected = LeftOut {
            place: "a (src/a.rs:1)".to_owned(),
            level: Level::WARN,
            lines: 7,
        };
        assert_eq!(told, [expected]);
        assert_eq!(limit.take(start + WINDOW), []);
    }

    #[test]
    fn the_next_minute_begins_anew_and_forgets_no_count() {
        let (limit, start) = (RateLimit::new(3), Instant::now());
        let place = at(Level::INFO, 1);
        assert_eq!(admitted(&limit, &place, 5, start), 3);
        assert_eq!(admitted(&limit, &place, 5, start + WINDOW), 3);
        let told = limit.take(start + WINDOW * 2);
        assert_eq!(told[0].lines, 4);
    }

    #[test]
    fn what_somebody_asked_for_is_not_bounded() {
        let now = Instant::now();
        for level in [Level::DEBUG, Level::TRACE] {
            assert_eq!(admitted(&RateLimit::new(1), &at(level, 1), 9, now), 9);
        }
        assert_eq!(admitted(&RateLimit::new(0), &at(Level::WARN, 1), 9, now), 9);
    }

    #[test]
    fn memory_is_bounded_however_many_places_write() {
        let (limit, start) = (RateLimit::new(1), Instant::now());
        let many = u32::try_from(MAX_PLACES).unwrap() * 2;
        let admitted = (0..many).filter(|line| limit.admit_at(&at(Level::WARN, *line), start));
        // Those that do not fit share one place.
        assert_eq!(admitted.count(), MAX_PLACES + 1);
        assert_eq!(limit.places().len(), MAX_PLACES + 1);
        assert_eq!(limit.take(start + WINDOW)[0].place, "many places");
        // Idle ones make room.
        assert!(limit.admit_at(&at(Level::WARN, many + 1), start + WINDOW));
        assert!(limit.places().len() < 10);
    }
}
