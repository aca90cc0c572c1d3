//! Values as they may be shown: without passwords.

use reqwest::Url;

/// What is shown in place of what is secret.
const HIDDEN: &str = "***";
/// Words in the name of a query parameter whose value is secret.
const SECRET_WORDS: [&str; 4] = ["password", "passwd", "secret", "token"];

/// The text, with what is secret in a URL hidden. It may stand after a name, as in `1=http://...`.
pub(super) fn shown(text: &str) -> String {
    let start = match (text.find("://"), text.find('=')) {
        (Some(scheme), Some(equals)) if equals < scheme => equals + 1,
        (Some(_), _) => 0,
        (None, _) => return text.to_owned(),
    };
    let (name, address) = text.split_at(start);
    match Url::parse(address) {
        Ok(url) if has_secret(&url) => format!("{name}{}", hidden(url)),
        Ok(_) => text.to_owned(),
        // It cannot be told where in it a password would be.
        Err(_) if address.contains('@') => format!("{name}{HIDDEN}"),
        Err(_) => text.to_owned(),
    }
}

fn has_secret(url: &Url) -> bool {
    url.password().is_some() || url.query_pairs().any(|(name, _)| is_secret(&name))
}

fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    SECRET_WORDS.iter().any(|word| name.contains(word))
}

fn hidden(mut url: Url) -> String {
    if url.password().is_some() && url.set_password(Some(HIDDEN)).is_err() {
        return HIDDEN.to_owned();
    }
    if url.query().is_some() {
        let pairs: Vec<(String, String)> = url
            .query_pairs()
            .map(|(name, value)| {
                let value = if is_secret(&name) { HIDDEN } else { &value };
                (name.to_string(), value.to_owned())
            })
            .collect();
        url.query_pairs_mut().clear().extend_pairs(pairs);
    }
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hides_passwords_and_nothing_else() {
        for (text, expected) in [
            (
                "postgres://me:hunter2@h:5432/d",
                "postgres://me:***@h:5432/d",
            ),
            (
                "postgres://h/d?user=me&password=hunter2",
                "postgres://h/d?user=me&password=***",
            ),
            ("1=http://me:hunter2@h:1", "1=http://me:***@h:1/"),
            ("postgres://me:hun/ter2@h:port/d", "***"),
            (
                "sqlite:///var/lib/threefold/1.sqlite",
                "sqlite:///var/lib/threefold/1.sqlite",
            ),
            ("postgres://me@h/d", "postgres://me@h/d"),
            ("2=http://127.0.0.1:9082", "2=http://127.0.0.1:9082"),
            ("/etc/threefold/secret", "/etc/threefold/secret"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }
}
