//! Makes the file of a secret that does not exist yet.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rand::Rng;

/// Random bytes of a new secret; its text is twice as long.
const SECRET_BYTES: usize = 32;

/// Makes the file with a new secret, readable by its owner alone, unless there is one; true where it was made. What is
/// there already is never changed. Whoever else does the same at the same moment, in a folder that they share, ends
/// with the same secret: one file is first, and it is whole when it appears.
///
/// # Errors
/// A folder that cannot be written.
pub fn ensure(path: &Path) -> io::Result<bool> {
    if path.exists() {
        return Ok(false);
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let unfinished = beside(path);
    let made = write(&unfinished).and_then(|()| match fs::hard_link(&unfinished, path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    });
    // A file that stays behind is useless, not harmful.
    fs::remove_file(&unfinished).ok();
    made
}

/// A name that nobody else uses, in another container of the same process id neither.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", hex::<8>()));
    path.with_file_name(name)
}

fn write(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(path)?;
    writeln!(file, "{}", hex::<SECRET_BYTES>())?;
    file.sync_all()
}

fn hex<const BYTES: usize>() -> String {
    let mut bytes = [0_u8; BYTES];
    rand::rng().fill_bytes(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Barrier;

    use super::*;
    use crate::secret::read_file;

    #[test]
    fn a_secret_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets/cluster-secret");
        assert!(ensure(&path).unwrap());
        let first = read_file(&path).unwrap();
        assert_eq!(first.len(), 2 * SECRET_BYTES);
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );

        assert!(!ensure(&path).unwrap());
        assert_eq!(read_file(&path).unwrap(), first);
        let other = folder.path().join("other");
        assert!(ensure(&other).unwrap());
        assert_ne!(read_file(&other).unwrap(), first);
    }

    #[test]
    fn all_who_make_it_at_once_end_with_the_same() {
        const WRITERS: usize = 8;
        for _ in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("cluster-secret");
            let together = Barrier::new(WRITERS);
            let (made, read): (Vec<bool>, Vec<String>) = std::thread::scope(|scope| {
                let writers: Vec<_> = (0..WRITERS)
                    .map(|_| {
                        scope.spawn(|| {
                            together.wait();
                            (ensure(&path).unwrap(), read_file(&path).unwrap())
                        })
                    })
                    .collect();
                writers
                    .into_iter()
                    .map(|writer| writer.join().unwrap())
                    .unzip()
            });
            assert_eq!(made.iter().filter(|&&made| made).count(), 1);
            assert!(read.iter().all(|secret| *secret == read[0]));
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        }
    }
}
