//! The ledger that an import goes to, and its categories.

use std::collections::HashMap;

use uuid::Uuid;

use super::category_name::CategoryName;
use super::cluster::{Cluster, ClusterError};
use super::keys::{CategoryId, Keys, MAX_ATTEMPTS};
use super::verdict::verdict;
use super::wire::{self, Named};

/// Why there is no ledger or category to send to.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    #[error("there is no ledger {wanted:?}; there are: {names}")]
    NoSuchLedger { wanted: String, names: String },
    #[error("there are several ledgers, so --ledger must name one of: {names}")]
    WhichLedger { names: String },
    #[error("the category {name:?} cannot be added: {reason}")]
    Category { name: String, reason: String },
}

/// Finds the ledger by its id, or by its name in any case; none wanted finds the only one.
///
/// # Errors
/// No ledger, or more than one, is meant.
pub async fn find_ledger(
    cluster: &mut Cluster,
    wanted: Option<&str>,
) -> Result<Named, LedgerError> {
    let ledgers = cluster
        .request::<wire::Ledgers>(wire::LEDGERS, &())
        .await?
        .data
        .ledgers;
    choose(ledgers, wanted)
}

fn choose(mut ledgers: Vec<Named>, wanted: Option<&str>) -> Result<Named, LedgerError> {
    let names = ledgers
        .iter()
        .map(|ledger| format!("{:?} ({})", ledger.name, ledger.id));
    let names = names.collect::<Vec<_>>().join(", ");
    if let Some(wanted) = wanted {
        let id = wanted.parse::<Uuid>().ok();
        let name = CategoryName::new(wanted);
        ledgers.retain(|ledger| Some(ledger.id) == id || CategoryName::new(&ledger.name) == name);
    }
    match (ledgers.pop(), ledgers.is_empty(), wanted) {
        (Some(ledger), true, _) => Ok(ledger),
        (None, _, Some(wanted)) => Err(LedgerError::NoSuchLedger {
            wanted: wanted.to_owned(),
            names,
        }),
        _ => Err(LedgerError::WhichLedger { names }),
    }
}

/// The categories of one ledger, by name.
pub struct Categories {
    ledger_id: Uuid,
    keys: Keys,
    /// How the file writes each category first: what is added does not depend on where an import carries on.
    spellings: HashMap<String, CategoryName>,
    /// None until it was asked for.
    ids: Option<HashMap<String, Uuid>>,
}

impl Categories {
    /// The categories of a ledger, and how the file that is imported writes them, by folded name.
    pub fn new(ledger_id: Uuid, keys: Keys, spellings: HashMap<String, CategoryName>) -> Self {
        Self {
            ledger_id,
            keys,
            spellings,
            ids: None,
        }
    }

    /// The id of a category with that name; one that the ledger does not have is added.
    ///
    /// # Errors
    /// The cluster brings no answer, or refuses the name.
    pub async fn id(
        &mut self,
        cluster: &mut Cluster,
        name: &CategoryName,
    ) -> Result<Uuid, LedgerError> {
        if self.ids.is_none() {
            self.look_up(cluster).await?;
        }
        if let Some(id) = self.known(name) {
            return Ok(id);
        }
        let id = self.add(cluster, name).await?;
        self.ids
            .get_or_insert_default()
            .insert(name.folded().to_owned(), id);
        Ok(id)
    }

    fn known(&self, name: &CategoryName) -> Option<Uuid> {
        self.ids.as_ref()?.get(name.folded()).copied()
    }

    async fn look_up(&mut self, cluster: &mut Cluster) -> Result<(), LedgerError> {
        let variables = wire::LedgerVariables {
            ledger_id: self.ledger_id,
        };
        let answer = cluster
            .request::<wire::Categories>(wire::CATEGORIES, &variables)
            .await?;
        let named = |category: Named| {
            Some((
                CategoryName::new(&category.name)?.folded().to_owned(),
                category.id,
            ))
        };
        self.ids = Some(
            answer
                .data
                .categories
                .into_iter()
                .filter_map(named)
                .collect(),
        );
        Ok(())
    }

    async fn add(
        &mut self,
        cluster: &mut Cluster,
        name: &CategoryName,
    ) -> Result<Uuid, LedgerError> {
        let spelling = self
            .spellings
            .get(name.folded())
            .unwrap_or(name)
            .name()
            .to_owned();
        let mut reason = String::new();
        for which in [CategoryId::Shared, CategoryId::Own] {
            let id = self.keys.category(name.folded(), which);
            let Some(idempotency_key) = self.unused_key(cluster, name, which).await? else {
                reason = format!("that was tried {MAX_ATTEMPTS} times");
                break;
            };
            let ledger_id = self.ledger_id;
            let input = wire::AddCategory {
                idempotency_key,
                id,
                ledger_id,
                name: &spelling,
            };
            let answer = cluster
                .request::<wire::AddCategoryData>(wire::ADD_CATEGORY, &wire::Input { input })
                .await?;
            let Some(error) = answer.data.add_category.user_errors.into_iter().next() else {
                return Ok(id);
            };
            reason = error.message;
            if error.code != "ALREADY_EXISTS" {
                break;
            }
            // Somebody else has added the name meanwhile, or a category with this id has got another name.
            self.look_up(cluster).await?;
            if let Some(id) = self.known(name) {
                return Ok(id);
            }
        }
        Err(LedgerError::Category {
            name: spelling,
            reason,
        })
    }

    /// The first key that nothing came of yet. One under which the category was added is used up too: the ledger
    /// does not have it any more.
    async fn unused_key(
        &self,
        cluster: &mut Cluster,
        name: &CategoryName,
        which: CategoryId,
    ) -> Result<Option<Uuid>, ClusterError> {
        for key in self.keys.category_keys(name.folded(), which) {
            if verdict(cluster, key).await?.is_none() {
                return Ok(Some(key));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledgers(names: &[&str]) -> Vec<Named> {
        let named = |(id, name): (usize, &&str)| Named {
            id: Uuid::from_u128(id as u128),
            name: (*name).to_owned(),
        };
        names.iter().enumerate().map(named).collect()
    }

    #[test]
    fn a_ledger_is_found_by_name_or_id_and_the_only_one_by_itself() {
        let two = ledgers(&["Home", "Trip"]);
        assert_eq!(
            choose(two.clone(), Some("trip")).unwrap().id,
            Uuid::from_u128(1)
        );
        let id = Uuid::from_u128(0).to_string();
        assert_eq!(choose(two.clone(), Some(&id)).unwrap().name, "Home");
        assert_eq!(choose(ledgers(&["Home"]), None).unwrap().name, "Home");
        assert!(matches!(
            choose(two.clone(), None),
            Err(LedgerError::WhichLedger { .. })
        ));
        let error = choose(two, Some("work")).unwrap_err().to_string();
        assert!(
            error.contains("\"Home\" (") && error.contains("\"Trip\" ("),
            "{error}"
        );
    }
}
