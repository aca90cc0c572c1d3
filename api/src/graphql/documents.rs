//! Documents that were parsed lately. Clients send the same few documents again and again, and to parse one takes longer than to
//! execute it.

use std::sync::Arc;

use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{Request, ServerError};
use quick_cache::sync::Cache;

use super::guard;

/// Most documents that are kept.
const MAX_DOCUMENTS: usize = 512;
/// Longest document that is kept, in bytes.
const MAX_LENGTH: usize = 16 << 10;

/// See the module. Cheap to clone; all clones share what is kept.
#[derive(Clone)]
pub(super) struct Documents {
    parsed: Arc<Cache<String, Arc<ExecutableDocument>>>,
}

impl Documents {
    /// None is known yet.
    pub(super) fn new() -> Self {
        Self {
            parsed: Arc::new(Cache::new(MAX_DOCUMENTS)),
        }
    }

    /// Gives a request its parsed document, if that may be worked on.
    ///
    /// # Errors
    /// Those of [`guard::admit`].
    pub(super) fn admit(&self, request: &mut Request) -> Result<(), ServerError> {
        let known = self.parsed.get(request.query.as_str());
        let document = match known {
            Some(document) => document,
            None => {
                let document = Arc::new(guard::admit(&request.query)?);
                if request.query.len() <= MAX_LENGTH {
                    self.parsed.insert(request.query.clone(), document.clone());
                }
                document
            }
        };
        request.set_parsed_query(Arc::unwrap_or_clone(document));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_bounded_and_refusals_are_not() {
        let documents = Documents::new();
        let admit = |text: String| documents.admit(&mut Request::new(text));
        for number in 0..10 * MAX_DOCUMENTS {
            admit(format!("{{ a{number} }}")).unwrap();
        }
        assert!(documents.parsed.len() <= MAX_DOCUMENTS);
        let long = format!("{{ a }} # {}", "x".repeat(MAX_LENGTH));
        admit(long.clone()).unwrap();
        assert!(documents.parsed.get(&long).is_none());
        for _ in 0..2 {
            admit("{".to_owned()).unwrap_err();
        }
        let mut again = Request::new("{ a1 }");
        for _ in 0..2 {
            documents.admit(&mut again).unwrap();
            assert_eq!(again.parsed_query().unwrap().operations.iter().count(), 1);
        }
    }
}
