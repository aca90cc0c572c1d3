//! Names of categories, and when two of them are the same.

use unicode_normalization::UnicodeNormalization;

/// Name of a category, equal to the same name in other case or composed of other characters.
#[derive(Debug, Clone)]
pub struct CategoryName {
    name: String,
    folded: String,
}

impl PartialEq for CategoryName {
    fn eq(&self, other: &Self) -> bool {
        self.folded == other.folded
    }
}

impl Eq for CategoryName {}

impl CategoryName {
    /// A name without the spaces around it; none if nothing is left.
    pub fn new(name: &str) -> Option<Self> {
        let name = name.trim();
        let folded = name.nfc().collect::<String>().to_lowercase();
        (!name.is_empty()).then(|| Self {
            name: name.to_owned(),
            folded,
        })
    }

    /// As written.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What equal names have in common.
    pub fn folded(&self) -> &str {
        &self.folded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_categories_are_equal_in_any_case_and_composition() {
        let folded = |name| CategoryName::new(name).unwrap().folded;
        assert_eq!(folded(" CAFE\u{301} "), folded("café"));
        assert_eq!(CategoryName::new("  "), None);
    }
}
