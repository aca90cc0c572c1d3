//! The name that was meant, for one that is not known.

/// How alike two names are at least for one to be offered in place of the other: 0 is unlike, 1 is the same.
const ALIKE: f64 = 0.8;

/// The known name nearest to `given`, if one is near. Case and the choice between `-` and `_` do not count.
pub(super) fn nearest<'a>(
    given: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let bare = |name: &str| name.to_lowercase().replace('_', "-");
    let given = bare(given);
    let scored = known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&given, &bare(name)), name));
    scored
        .filter(|(score, _)| *score >= ALIKE)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, name)| name)
}

/// `; did you mean ...?`, or nothing where no name is near.
pub(crate) fn hint<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(given, known).map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_what_is_near_and_nothing_else() {
        let known = [
            "in-sync-timeout-ms",
            "election-timeout-ms",
            "peer",
            "peer-listen",
            "id",
        ];
        for (given, expected) in [
            ("in-sync-timeout", Some("in-sync-timeout-ms")),
            ("IN_SYNC_TIMEOUT_MS", Some("in-sync-timeout-ms")),
            ("elecion-timeout-ms", Some("election-timeout-ms")),
            ("peers", Some("peer")),
            ("peer-lisen", Some("peer-listen")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(given, known), expected, "{given}");
        }
    }
}
