//! Names for what an import sends, derived from the file alone: the same file makes the same keys and ids, so
//! that a second import of it, or a chunk sent twice, adds nothing.
//!
//! A cluster remembers refusals as well, with their keys. So each thing has a series of keys, one an attempt, and
//! an import takes the first one that nothing came of yet: what was refused can be mended and sent again.
//!
//! Every derivation is a promise to imports of the past. To change one, or the limits in
//! [`super::chunk`], is to forget what has been imported before.

use uuid::{Builder, Uuid};

/// Most keys of one thing.
pub const MAX_ATTEMPTS: u32 = 1000;

/// Hash of a file's whole content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileHash([u8; 32]);

impl From<blake3::Hash> for FileHash {
    fn from(hash: blake3::Hash) -> Self {
        Self(*hash.as_bytes())
    }
}

/// Makes the keys and ids of one file's import into one ledger.
#[derive(Debug, Clone, Copy)]
pub struct Keys {
    file: FileHash,
    ledger_id: Uuid,
}

impl Keys {
    /// Keys for the file with that hash and the ledger with that id.
    pub fn new(file: FileHash, ledger_id: Uuid) -> Self {
        Self { file, ledger_id }
    }

    /// Idempotency keys of the chunk with that number, counted from 0.
    pub fn chunk(&self, number: u64) -> impl Iterator<Item = Uuid> {
        attempts(self.derive(
            "threefold import v1: idempotency key of a chunk",
            &number.to_le_bytes(),
        ))
    }

    /// Id of the expense in that row, counted from 0 without the header.
    pub fn expense(&self, row: u64) -> Uuid {
        self.derive("threefold import v1: id of an expense", &row.to_le_bytes())
    }

    /// Idempotency keys for adding the category with that id; see [`Keys::category`].
    pub fn category_keys(&self, folded_name: &str, id: CategoryId) -> impl Iterator<Item = Uuid> {
        let context = match id {
            CategoryId::Shared => "threefold import v1: idempotency key of a category",
            CategoryId::Own => "threefold import v1: idempotency key of a category with its own id",
        };
        attempts(self.derive(context, folded_name.as_bytes()))
    }

    /// Id of a category to add. All files share one id a name at first; where a category with that id has been
    /// renamed since, the file takes an id of its own.
    pub fn category(&self, folded_name: &str, id: CategoryId) -> Uuid {
        let context = "threefold import v1: id of a category";
        match id {
            CategoryId::Shared => derive(
                context,
                &[self.ledger_id.as_bytes(), folded_name.as_bytes()],
            ),
            CategoryId::Own => self.derive(context, folded_name.as_bytes()),
        }
    }

    fn derive(&self, context: &str, what: &[u8]) -> Uuid {
        derive(context, &[&self.file.0, self.ledger_id.as_bytes(), what])
    }
}

/// Which id a category is added with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CategoryId {
    /// The id that every file derives from the name.
    Shared,
    /// The id that only this file derives from the name.
    Own,
}

/// The keys of one thing, in the order in which they are used up.
fn attempts(first: Uuid) -> impl Iterator<Item = Uuid> {
    const CONTEXT: &str = "threefold import v1: idempotency key of a further attempt";
    let further = (1..MAX_ATTEMPTS)
        .map(move |attempt| derive(CONTEXT, &[first.as_bytes(), &attempt.to_le_bytes()]));
    std::iter::once(first).chain(further)
}

/// A version 8 UUID from the hash of `parts`; only the last part may vary in length.
fn derive(context: &str, parts: &[&[u8]]) -> Uuid {
    let mut hasher = blake3::Hasher::new_derive_key(context);
    for part in parts {
        hasher.update(part);
    }
    let mut bytes = [0; 16];
    hasher.finalize_xof().fill(&mut bytes);
    Builder::from_custom_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn keys(content: &[u8], ledger: u128) -> Keys {
        Keys::new(blake3::hash(content).into(), Uuid::from_u128(ledger))
    }

    fn first(mut keys: impl Iterator<Item = Uuid>) -> Uuid {
        keys.next().unwrap()
    }

    #[test]
    fn derivations_never_change() {
        let keys = keys(b"date,description,amount,currency\n", 1);
        let derived = [
            first(keys.chunk(0)),
            keys.expense(0),
            keys.category("food", CategoryId::Shared),
            first(keys.category_keys("food", CategoryId::Shared)),
            keys.category("food", CategoryId::Own),
            first(keys.category_keys("food", CategoryId::Own)),
            keys.chunk(0).nth(1).unwrap(),
        ];
        assert_eq!(
            derived.map(|id| id.to_string()),
            [
                "95ee3dd1-40ac-8d91-a3cf-ad81ddd40809",
                "1a5f85a3-7855-89b8-999f-780f97d7ce79",
                "1bd917b0-0326-8177-8d65-fa95cb5d6867",
                "6a975117-298d-8e04-bb5b-0c02470fd1b9",
                "ee0bfdc2-ad29-8744-aa39-28aa7f604b71",
                "0c43e79e-d51b-831b-948c-fcc8ce3fe949",
                "18bcbc46-bc03-84de-bc59-a66932d75ca2"
            ]
        );
    }

    #[test]
    fn everything_has_its_own_name() {
        let mut all = HashSet::new();
        for keys in [keys(b"a", 1), keys(b"b", 1), keys(b"a", 2)] {
            for number in 0..3 {
                assert!(keys.chunk(number).all(|key| all.insert(key)));
                assert!(all.insert(keys.expense(number)));
            }
            assert!(all.insert(keys.category("food", CategoryId::Own)));
            for id in [CategoryId::Shared, CategoryId::Own] {
                assert!(keys.category_keys("food", id).all(|key| all.insert(key)));
            }
        }
    }

    #[test]
    fn files_share_the_first_id_of_a_category() {
        let [a, b] = [keys(b"a", 1), keys(b"b", 1)];
        let shared = |keys: Keys| keys.category("food", CategoryId::Shared);
        assert_eq!(shared(a), shared(b));
        assert_ne!(shared(a), shared(keys(b"a", 2)));
        assert_ne!(shared(a), a.category("food", CategoryId::Own));
    }
}
