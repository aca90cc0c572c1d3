//! Names of categories, and when two of them are the same.

use threefold_entity::value::search::fold;

/// Name of a category, equal to every name that a ledger takes for the same: case and accents do not count.
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
        (!name.is_empty()).then(|| Self {
            name: name.to_owned(),
            folded: fold(name),
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
    fn names_of_categories_are_equal_in_any_case_and_without_accents() {
        let name = |name| CategoryName::new(name).unwrap();
        assert_eq!(name(" CAFE\u{301} "), name("café"));
        assert_eq!(name("CAFÉ"), name("cafe"));
        assert_ne!(name("cafe"), name("coffee"));
        assert_eq!(CategoryName::new("  "), None);
    }
}
