//! Pages of a list: keyset pagination in both directions, so that page 10,000 costs what page 1 costs.

use super::cursor;
use super::order::{ExpenseOrder, Position};
use super::{ReadError, ReadResult};

/// Most rows of a page.
pub const MAX_PAGE: u64 = 100;
/// Rows of a page where the caller says nothing.
pub const DEFAULT_PAGE: u64 = 50;

/// What a caller asked for, not yet checked; as in the Relay connection specification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageArgs {
    /// So many rows from the start.
    pub first: Option<i32>,
    /// Behind this cursor.
    pub after: Option<String>,
    /// So many rows from the end.
    pub last: Option<i32>,
    /// Ahead of this cursor.
    pub before: Option<String>,
}

/// A page to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// In which order.
    pub order: ExpenseOrder,
    /// How many rows.
    pub limit: u64,
    /// Counted from the end of the range instead of its start.
    pub backward: bool,
    /// The range starts behind this.
    pub after: Option<Position>,
    /// The range ends ahead of this.
    pub before: Option<Position>,
}

impl PageArgs {
    /// The page that is asked for. With neither `first` nor `last` it has [`DEFAULT_PAGE`] rows: the last ones
    /// where only `before` is given, otherwise the first ones.
    ///
    /// # Errors
    /// Sizes other than 1 to [`MAX_PAGE`], both sizes at once, cursors that are not ours.
    pub fn check(&self, order: ExpenseOrder) -> ReadResult<PageRequest> {
        let (limit, backward) = match (self.first, self.last) {
            (Some(_), Some(_)) => {
                return Err(ReadError::Invalid("give first or last, not both".into()));
            }
            (Some(first), None) => (size("first", first)?, false),
            (None, Some(last)) => (size("last", last)?, true),
            (None, None) => (DEFAULT_PAGE, self.before.is_some() && self.after.is_none()),
        };
        let position = |cursor: &Option<String>| {
            cursor
                .as_deref()
                .map(|c| cursor::decode(c, order))
                .transpose()
        };
        Ok(PageRequest {
            order,
            limit,
            backward,
            after: position(&self.after)?,
            before: position(&self.before)?,
        })
    }
}

fn size(name: &str, given: i32) -> ReadResult<u64> {
    let size = u64::try_from(given)
        .ok()
        .filter(|size| (1..=MAX_PAGE).contains(size));
    size.ok_or_else(|| ReadError::Invalid(format!("{name} is {given}, it may be 1 to {MAX_PAGE}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(first: Option<i32>, last: Option<i32>) -> Result<(u64, bool), String> {
        let args = PageArgs {
            first,
            last,
            ..PageArgs::default()
        };
        let page = args
            .check(ExpenseOrder::default())
            .map_err(|e| e.to_string())?;
        Ok((page.limit, page.backward))
    }

    #[test]
    fn sizes_are_bounded() {
        assert_eq!(check(None, None), Ok((50, false)));
        assert_eq!(check(Some(100), None), Ok((100, false)));
        assert_eq!(check(None, Some(1)), Ok((1, true)));
        assert_eq!(
            check(Some(101), None),
            Err("first is 101, it may be 1 to 100".into())
        );
        assert_eq!(
            check(None, Some(0)),
            Err("last is 0, it may be 1 to 100".into())
        );
        assert_eq!(
            check(Some(-1), None),
            Err("first is -1, it may be 1 to 100".into())
        );
        assert_eq!(
            check(Some(1), Some(1)),
            Err("give first or last, not both".into())
        );
    }
}
