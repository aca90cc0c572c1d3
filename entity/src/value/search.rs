//! How text is made findable: the same words and sort keys on PostgreSQL and SQLite, whatever their collations.

use std::collections::BTreeSet;

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Most different words of one expense that are indexed; the rest of very long notes is not searched.
pub const MAX_WORDS: usize = 256;
/// Longest indexed prefix of a word, in characters.
pub const MAX_WORD_CHARS: usize = 32;

/// Text without case and accents: `Größe` becomes `große`, `CAFÉ` becomes `cafe`.
pub fn fold(text: &str) -> String {
    text.nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .collect()
}

/// The folded words of a text, in order of appearance, each cut at [`MAX_WORD_CHARS`].
pub fn words(text: &str) -> Vec<String> {
    fold(text)
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| word.chars().take(MAX_WORD_CHARS).collect())
        .collect()
}

/// The index term of a tag: kept apart from words by a leading `#`, which no word has.
pub fn tag_term(tag: &str) -> String {
    format!("#{tag}")
}

/// Every term an expense is found by: its tags, and the words of its description, its tags and its notes, of which no
/// more than [`MAX_WORDS`] count. Notes come last, so that long ones take nothing from the others.
pub fn terms(description: &str, notes: Option<&str>, tags: &[String]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let texts = [description]
        .into_iter()
        .chain(tags.iter().map(String::as_str))
        .chain(notes);
    for word in texts.flat_map(words) {
        if found.len() == MAX_WORDS {
            break;
        }
        found.insert(word);
    }
    found.extend(tags.iter().map(|tag| tag_term(tag)));
    found
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
        let long: String = (0..5000).map(|n| format!("wort{n} ")).collect();
        let terms = terms("Zug", Some(&long), &["Reise".into()]);
        assert_eq!(terms.len(), MAX_WORDS + 1);
        assert!(
            ["zug", "reise", "#Reise", "wort0"]
                .iter()
                .all(|term| terms.contains(*term))
        );
        assert_eq!(words(&"x".repeat(500))[0].len(), MAX_WORD_CHARS);
    }
}
