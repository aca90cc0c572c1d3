//! Secrets that requests must bring: the clients' access token and the replicas' cluster secret.

pub mod create;

use std::path::Path;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use subtle::{Choice, ConstantTimeEq};

/// Fewest bytes of a secret.
pub const MIN_SECRET_BYTES: usize = 16;

/// Most secrets of one file: the one in use, and those that are on their way in or out.
pub const MAX_SECRETS: usize = 4;

/// A secret that callers must present as `Authorization: Bearer ...`; while it is being changed, one of several.
///
/// Only hashes are kept, and hashes are compared, all of them: neither contents nor length of the secret shows in the time
/// it takes.
#[derive(Clone)]
pub struct Secret {
    hashes: Vec<[u8; 32]>,
}

impl Secret {
    /// The secret with this text.
    pub fn new(text: &str) -> Self {
        Self::any_of(&[text.to_owned()])
    }

    /// Any of these.
    pub fn any_of(texts: &[String]) -> Self {
        let hashes = texts
            .iter()
            .map(|text| *blake3::hash(text.as_bytes()).as_bytes());
        Self {
            hashes: hashes.collect(),
        }
    }

    /// True for the secret's text.
    pub fn is(&self, presented: &str) -> bool {
        let presented = *blake3::hash(presented.as_bytes()).as_bytes();
        let equal = self.hashes.iter().map(|hash| hash.ct_eq(&presented));
        equal.fold(Choice::from(0), |any, equal| any | equal).into()
    }

    /// True for `Bearer` and the secret's text.
    pub fn is_bearer(&self, authorization: &str) -> bool {
        bearer(authorization).is_some_and(|token| self.is(token))
    }

    /// True where the headers carry it.
    pub fn is_in(&self, headers: &HeaderMap) -> bool {
        let header = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        header.is_some_and(|value| self.is_bearer(value))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The secret that is in use, as a file has it: its first line.
///
/// # Errors
/// As [`read_all`].
pub fn read_file(path: &Path) -> Result<String, String> {
    let mut secrets = read_all(path)?;
    Ok(secrets.swap_remove(0))
}

/// The secrets in a file, one a line, without the white space around them. The first is the one to present, all of them
/// are accepted: so a secret can be changed on one replica after the other.
///
/// # Errors
/// A file that cannot be read, holds none or more than [`MAX_SECRETS`], or a line that is too short or holds what no
/// header can carry.
pub fn read_all(path: &Path) -> Result<Vec<String>, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| format!("{} cannot be read: {e}", path.display()))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let secrets: Vec<String> = lines.map(str::to_owned).collect();
    if secrets.len() > MAX_SECRETS {
        return Err(format!(
            "{} holds {} secrets, at most {MAX_SECRETS} are taken: one a line, the one in use first",
            path.display(),
            secrets.len()
        ));
    }
    let shortest = secrets.iter().map(String::len).min().unwrap_or_default();
    if shortest < MIN_SECRET_BYTES {
        return Err(format!(
            "{} holds {shortest} bytes, a secret has at least {MIN_SECRET_BYTES}; make one with: openssl rand -hex 32 > {}",
            path.display(),
            path.display()
        ));
    }
    let visible = |secret: &String| secret.bytes().all(|byte| byte.is_ascii_graphic());
    if !secrets.iter().all(visible) {
        return Err(format!(
            "{} holds characters other than visible ASCII ones",
            path.display()
        ));
    }
    Ok(secrets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_secret_opens() {
        let secret = Secret::new("correct horse battery");
        assert!(secret.is_bearer("Bearer correct horse battery"));
        assert!(secret.is_bearer("bearer  correct horse battery "));
        for wrong in [
            "",
            "Bearer",
            "Bearer ",
            "correct horse battery",
            "Basic correct horse battery",
            "Bearer correct",
        ] {
            assert!(!secret.is_bearer(wrong), "{wrong:?}");
        }
        assert!(!format!("{secret:?}").contains("correct"));
    }

    #[test]
    fn a_short_secret_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, "  0123456789abcde \n").unwrap();
        assert!(
            read_file(&path)
                .unwrap_err()
                .contains("holds 15 bytes, a secret has at least 16")
        );
        std::fs::write(&path, "  0123456789abcdef \n").unwrap();
        assert_eq!(read_file(&path).unwrap(), "0123456789abcdef");
        std::fs::write(&path, "0123456789abcdef\nshort\n").unwrap();
        assert!(read_all(&path).unwrap_err().contains("holds 5 bytes"));
        std::fs::write(&path, "\n").unwrap();
        assert!(read_file(&path).unwrap_err().contains("holds 0 bytes"));
    }

    #[test]
    fn a_file_may_hold_the_next_secret_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, "the-one-in-use-now\nthe-one-that-comes\n").unwrap();
        assert_eq!(read_file(&path).unwrap(), "the-one-in-use-now");
        let both = Secret::any_of(&read_all(&path).unwrap());
        assert!(both.is("the-one-in-use-now") && both.is("the-one-that-comes"));
        assert!(!both.is("the-one-in-use-now\nthe-one-that-comes") && !both.is(""));
        std::fs::write(&path, "0123456789abcdef\n".repeat(5)).unwrap();
        assert!(read_all(&path).unwrap_err().contains("at most 4"));
    }
}
