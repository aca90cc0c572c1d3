//! How much one request may ask for.

use super::input::filter::WholeFilter;

/// Deepest nesting of fields; introspection by common tools needs 15.
pub const MAX_DEPTH: usize = 20;
/// Most fields of an answer, where a field inside a page counts once for each row of the page.
pub const MAX_COMPLEXITY: usize = 10_000;
/// Deepest nesting of selections that is parsed at all.
pub const MAX_NESTING: usize = 32;
/// Most directives of one field.
pub const MAX_DIRECTIVES: usize = 8;
/// Most keys that one loader asks the database for at once.
pub const MAX_LOADER_BATCH: usize = 500;

/// The library's message about a limit, with the limit named; none if it is about something else.
pub(super) fn named(message: &str) -> Option<String> {
    if message == "Query is too complex." {
        Some(format!(
            "the query asks for too much: its complexity is over {MAX_COMPLEXITY} (fields, times the rows of the pages they are in); ask for fewer rows or fields"
        ))
    } else if message == "Query is nested too deep." {
        Some(format!(
            "the query is nested too deep: at most {MAX_DEPTH} levels of fields"
        ))
    } else if message.starts_with("The recursion depth of the query") {
        Some(format!(
            "the query is nested too deep: at most {MAX_NESTING} levels of selections"
        ))
    } else if message.starts_with("The number of directives on the field") {
        Some(format!(
            "too many directives: at most {MAX_DIRECTIVES} on one field"
        ))
    } else {
        None
    }
}

/// Rows that a page is counted as, before its arguments are checked.
pub(super) fn page_weight(first: Option<i32>, last: Option<i32>) -> usize {
    let size = first.or(last).and_then(|size| u64::try_from(size).ok());
    let size = size
        .unwrap_or(crate::read::page::DEFAULT_PAGE)
        .clamp(1, crate::read::page::MAX_PAGE);
    usize::try_from(size).unwrap_or(usize::MAX)
}

/// Fields that each filter of a list counts as: it is work for the database, whatever is selected.
const FILTER_WEIGHT: usize = 10;

/// What a filter adds to the complexity; the first one is free.
pub(super) fn filter_weight(filter: Option<&WholeFilter>) -> usize {
    filter.map_or(0, |filter| (filter.count() - 1) * FILTER_WEIGHT)
}
