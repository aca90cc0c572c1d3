//! The bytes of a CSV file on their way to the parser: hashed, bounded, and with one form of file end.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::{self, Read, Seek};
use std::rc::Rc;

use super::keys::FileHash;

/// Longest record, in bytes, give or take a read buffer. The longest valid one needs under 200 KB: what is
/// longer comes from a quote that is never closed, and would otherwise pull the whole file into memory.
pub const MAX_RECORD_BYTES: usize = 1024 * 1024;

/// Bytes that [`peek`] looks at to find the header line.
const PEEK_BYTES: u64 = 64 * 1024;

/// The first bytes of the file, enough for its header line; the file is left at its beginning.
///
/// # Errors
/// The file cannot be read, or cannot be read twice (a pipe).
pub fn peek(file: &mut File) -> io::Result<Vec<u8>> {
    file.rewind()?;
    let mut head = Vec::new();
    file.by_ref().take(PEEK_BYTES).read_to_end(&mut head)?;
    file.rewind()?;
    Ok(head)
}

/// A reader over a whole file, shared by the parser (which reads) and its owner (who asks for the hash).
pub struct Source<R> {
    inner: R,
    state: Rc<State>,
    last_byte: u8,
    ended: bool,
}

/// What a [`Source`] knows of the bytes that went through it.
#[derive(Default)]
pub struct State {
    hasher: RefCell<blake3::Hasher>,
    record_bytes: Cell<usize>,
    total_bytes: Cell<u64>,
}

impl State {
    /// Begins a new record: the bound on its length starts from zero.
    pub fn begin_record(&self) {
        self.record_bytes.set(0);
    }

    /// Bytes read so far.
    pub fn total_bytes(&self) -> u64 {
        self.total_bytes.get()
    }

    /// Hash of all bytes read so far: of the file, once its end has been read.
    pub fn hash(&self) -> FileHash {
        FileHash::from(self.hasher.borrow().finalize())
    }
}

impl<R: Read> Source<R> {
    /// A source that reads `inner` to its end.
    pub fn new(inner: R) -> (Self, Rc<State>) {
        let state = Rc::new(State::default());
        (
            Self {
                inner,
                state: Rc::clone(&state),
                last_byte: b'\n',
                ended: false,
            },
            state,
        )
    }
}

impl<R: Read> Read for Source<R> {
    /// Reads on, and adds a line end after the last line if the file has none: a record always ends in one, so
    /// that lines can be counted.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ended || buffer.is_empty() {
            return Ok(0);
        }
        let length = self.inner.read(buffer)?;
        if let Some(last) = buffer[..length].last() {
            self.last_byte = *last;
        } else {
            self.ended = true;
            if self.last_byte == b'\n' {
                return Ok(0);
            }
            buffer[0] = b'\n';
            return Ok(1);
        }
        self.state.hasher.borrow_mut().update(&buffer[..length]);
        self.state
            .total_bytes
            .set(self.state.total_bytes.get() + length as u64);

        let record_bytes = self.state.record_bytes.get() + length;
        self.state.record_bytes.set(record_bytes);
        if record_bytes > MAX_RECORD_BYTES {
            let reason = "it is longer than 1 MiB; is a quote opened and never closed?";
            return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
        }
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, FileHash) {
        let (mut source, state) = Source::new(text.as_bytes());
        let mut all = String::new();
        source.read_to_string(&mut all).unwrap();
        (all, state.hash())
    }

    #[test]
    fn the_last_line_ends_and_the_hash_is_of_the_file_alone() {
        assert_eq!(
            read("a\nb"),
            ("a\nb\n".to_owned(), FileHash::from(blake3::hash(b"a\nb")))
        );
        assert_eq!(
            read("a\nb\n"),
            ("a\nb\n".to_owned(), FileHash::from(blake3::hash(b"a\nb\n")))
        );
        assert_eq!(read("").0, "");
    }

    #[test]
    fn an_endless_record_is_refused() {
        let (mut source, state) = Source::new(io::repeat(b'x'));
        let error = io::copy(&mut source, &mut io::sink()).unwrap_err();
        assert!(error.to_string().contains("never closed"));
        assert!(state.total_bytes() < 2 * MAX_RECORD_BYTES as u64);
    }
}
