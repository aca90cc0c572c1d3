//! Files with secrets that too many can read.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The permission bits of those who are neither the owner nor in the file's group.
const OTHERS: u32 = 0o007;

/// A warning where everybody on this machine may use the file. Containers often hand secrets over like that, to a place
/// that nobody else sees: so it is no error. A group may read it: that is how a service is given its secrets.
pub(super) fn warning(path: &Path) -> Option<String> {
    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    let path = path.display();
    (mode & OTHERS != 0).then(|| {
        format!("{path} holds a secret, and everybody on this machine may use it: chmod o= {path}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_everybody_may_use_is_warned_of() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for (mode, expected) in [(0o600, false), (0o640, false), (0o644, true), (0o444, true)] {
            std::fs::set_permissions(file.path(), PermissionsExt::from_mode(mode)).unwrap();
            assert_eq!(warning(file.path()).is_some(), expected, "{mode:o}");
        }
    }
}
