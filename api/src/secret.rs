//! Secrets that requests must bring: the clients' access token and the replicas' cluster secret.

pub mod create;

use std::path::Path;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use subtle::ConstantTimeEq;

/// Fewest bytes of a secret.
pub const MIN_SECRET_BYTES: usize = 16;

/// A secret that callers must present as `Authorization: Bearer ...`.
///
/// Only a hash is kept, and hashes are compared: neither contents nor length of the secret shows in the time it takes.
#[derive(Clone)]
pub struct Secret {
    hash: [u8; 32],
}

impl Secret {
    /// The secret with this text.
    pub fn new(text: &str) -> Self {
        Self {
            hash: *blake3::hash(text.as_bytes()).as_bytes(),
        }
    }

    /// True for the secret's text.
    pub fn is(&self, presented: &str) -> bool {
        self.hash
            .ct_eq(blake3::hash(presented.as_bytes()).as_bytes())
            .into()
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

/// The secret in a file, without the white space around it.
///
/// # Errors
/// A file that cannot be read, is too short, or holds what no header can carry.
pub fn read_file(path: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| format!("{} cannot be read: {e}", path.display()))?;
    let secret = text.trim();
    if secret.len() < MIN_SECRET_BYTES {
        return Err(format!(
            "{} holds {} bytes, a secret has at least {MIN_SECRET_BYTES}; make one with: openssl rand -hex 32 > {}",
            path.display(),
            secret.len(),
            path.display()
        ));
    }
    if !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(format!(
            "{} holds characters other than visible ASCII ones",
            path.display()
        ));
    }
    Ok(secret.to_owned())
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
    }
}
