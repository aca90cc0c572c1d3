//! How text is made findable: the same words and sort keys on PostgreSQL and SQLite, whatever their collations.

use std::collections::BTreeSet;

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Most words of one expense that are indexed; the rest of very long notes is not searched.
pub const MAX_WORDS: usize = 64;
/// Longest indexed prefix of a word, in characters.
pub const MAX_WORD_CHARS: usize = 32;

/// Text without case and accents: `Größe` becomes `große`, `CAFÉ` becomes `cafe`.
pub fn fold(text: &str) -> String {
    text.nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .collect()
}

/// The folded words of a text, in order of appearance, bounded by [`MAX_WORDS`] and [`MAX_WORD_CHARS`].
pub fn words(text: &str) -> Vec<String> {
    fold(text)
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(MAX_WORDS)
        .map(|word| word.chars().take(MAX_WORD_CHARS).collect())
        .collect()
}

/// The index term of a tag: kept apart from words by a leading `#`, which no word has.
pub fn tag_term(tag: &str) -> String {
    format!("#{tag}")
}

/// Every term an expense is found by: its tags, and the words of its description and notes.
pub fn terms(description: &str, notes: Option<&str>, tags: &[String]) -> BTreeSet<String> {
    let text = words(description)
        .into_iter()
        .chain(words(notes.unwrap_or_default()));
    let tag_words = tags.iter().flat_map(|tag| words(tag));
    text.chain(tag_words)
        .take(MAX_WORDS)
        .chain(tags.iter().map(|tag| tag_term(tag)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_without_case_and_accents() {
        assert_eq!(words("Café GRÖẞE, 2-mal"), ["cafe", "große", "2", "mal"]);
        assert_eq!(words("寿司 さくら"), ["寿司", "さくら"]);
    }

    #[test]
    fn tags_and_words_do_not_mix() {
        let terms = terms("Train", Some("to Bern"), &["Trip".into()]);
        assert_eq!(
            terms.into_iter().collect::<Vec<_>>(),
            ["#Trip", "bern", "to", "train", "trip"]
        );
    }

    #[test]
    fn long_text_is_bounded() {
        let long = "wörter ".repeat(5000);
        assert!(words(&long).len() <= MAX_WORDS);
        assert_eq!(words(&"x".repeat(500))[0].len(), MAX_WORD_CHARS);
    }
}
