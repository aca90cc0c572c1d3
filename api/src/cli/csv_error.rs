//! Errors of the `csv` crate as the errors that they are underneath.

use std::io;

/// The reader's or writer's own error, with its kind, which the conversion of the `csv` crate hides.
pub fn io_error(error: csv::Error) -> io::Error {
    if !error.is_io_error() {
        return io::Error::other(error);
    }
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_an_error_is_kept() {
        let error = csv::Error::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(io_error(error).kind(), io::ErrorKind::BrokenPipe);
    }
}
