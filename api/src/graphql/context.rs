//! What belongs to one request: how fresh its reads are, when its mutations answer, and who asks.

use std::sync::Arc;

use async_graphql::Context;
use threefold_entity::Revision;
use threefold_replication::outcome::Acknowledgement;
use threefold_replication::{ReadConsistency, Replica, ServiceError};
use tokio::sync::OnceCell;

use super::error::ApiError;
use super::loader::Loaders;

/// Header, or key of the `connection_init` payload: `linearizable` or `local`.
pub const READ_CONSISTENCY: &str = "read-consistency";
/// Header, or key: reads wait until this replica has this revision.
pub const MIN_REVISION: &str = "min-revision";
/// Header, or key: `all` or `quorum`.
pub const WRITE_ACKNOWLEDGEMENT: &str = "write-acknowledgement";

/// What a client says about its requests, in headers or when it opens a socket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestSettings {
    /// How fresh reads are.
    pub consistency: ReadConsistency,
    /// Reads wait for this revision.
    pub min_revision: Option<Revision>,
    /// When mutations answer.
    pub acknowledgement: Acknowledgement,
}

impl RequestSettings {
    /// Reads the settings; `value` looks one up by its lower-case name.
    ///
    /// # Errors
    /// A value that is none, with the ones that are.
    pub fn parse<'a>(value: impl Fn(&str) -> Option<&'a str>) -> Result<Self, String> {
        let consistency = match value(READ_CONSISTENCY).map(str::trim) {
            None => ReadConsistency::default(),
            Some(text) if text.eq_ignore_ascii_case("linearizable") => {
                ReadConsistency::Linearizable
            }
            Some(text) if text.eq_ignore_ascii_case("local") => ReadConsistency::Local,
            Some(_) => return Err("Read-Consistency may be linearizable or local".into()),
        };
        let acknowledgement = match value(WRITE_ACKNOWLEDGEMENT).map(str::trim) {
            None => Acknowledgement::default(),
            Some(text) if text.eq_ignore_ascii_case("all") => Acknowledgement::All,
            Some(text) if text.eq_ignore_ascii_case("quorum") => Acknowledgement::Quorum,
            Some(_) => return Err("Write-Acknowledgement may be all or quorum".into()),
        };
        let min_revision = match value(MIN_REVISION).map(str::trim) {
            None => None,
            Some(text) => Some(text.parse().map_err(|e| format!("Min-Revision: {e}"))?),
        };
        Ok(Self {
            consistency,
            min_revision,
            acknowledgement,
        })
    }
}

/// Who asks. Until people have accounts of their own, an actor is only a word for the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor(pub Arc<str>);

/// One request, shared by all its resolvers.
#[derive(Debug)]
pub struct RequestContext {
    settings: RequestSettings,
    actor: Actor,
    /// The read barrier: waited for by the first root field that reads, shared by the others.
    barrier: OnceCell<Result<Revision, ServiceError>>,
}

impl RequestContext {
    /// A request that has not read anything yet.
    pub fn new(settings: RequestSettings, actor: Actor) -> Self {
        Self {
            settings,
            actor,
            barrier: OnceCell::new(),
        }
    }
}

/// What resolvers reach through their context.
pub(super) trait ContextExt {
    /// The replica that serves.
    fn replica(&self) -> Result<&Replica, ApiError>;
    /// The loaders of edges.
    fn loaders(&self) -> Result<&Loaders, ApiError>;
    /// Who asks.
    fn actor(&self) -> Result<&str, ApiError>;
    /// When mutations answer.
    fn acknowledgement(&self) -> Result<Acknowledgement, ApiError>;
    /// Waits, once a request, until this replica's database is as fresh as the request asks.
    async fn read_barrier(&self) -> Result<Revision, ApiError>;
}

impl ContextExt for Context<'_> {
    fn replica(&self) -> Result<&Replica, ApiError> {
        self.data()
            .map_err(|_| ApiError::Bug("the schema has no replica"))
    }

    fn loaders(&self) -> Result<&Loaders, ApiError> {
        self.data()
            .map_err(|_| ApiError::Bug("the schema has no loaders"))
    }

    fn actor(&self) -> Result<&str, ApiError> {
        Ok(&request(self)?.actor.0)
    }

    fn acknowledgement(&self) -> Result<Acknowledgement, ApiError> {
        Ok(request(self)?.settings.acknowledgement)
    }

    async fn read_barrier(&self) -> Result<Revision, ApiError> {
        let RequestContext {
            settings, barrier, ..
        } = request(self)?;
        let replica = self.replica()?;
        let read = || replica.read(settings.consistency, settings.min_revision);
        Ok(barrier.get_or_init(read).await.clone()?)
    }
}

fn request<'a>(context: &'a Context<'_>) -> Result<&'a RequestContext, ApiError> {
    context
        .data()
        .map_err(|_| ApiError::Bug("the request has no context"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(name: &'static str, value: &'static str) -> Result<RequestSettings, String> {
        RequestSettings::parse(|asked| (asked == name).then_some(value))
    }

    #[test]
    fn settings_have_defaults() {
        let settings = RequestSettings::parse(|_| None).unwrap();
        assert_eq!(settings, RequestSettings::default());
        assert_eq!(settings.consistency, ReadConsistency::Linearizable);
        assert_eq!(settings.acknowledgement, Acknowledgement::All);
    }

    #[test]
    fn settings_are_read() {
        assert_eq!(
            parse("read-consistency", "Local").unwrap().consistency,
            ReadConsistency::Local
        );
        assert_eq!(
            parse("write-acknowledgement", "quorum")
                .unwrap()
                .acknowledgement,
            Acknowledgement::Quorum
        );
        assert_eq!(
            parse("min-revision", "7").unwrap().min_revision,
            Some(7.into())
        );
    }

    #[test]
    fn wrong_settings_name_the_right_ones() {
        assert_eq!(
            parse("read-consistency", "strong").unwrap_err(),
            "Read-Consistency may be linearizable or local"
        );
        assert_eq!(
            parse("write-acknowledgement", "").unwrap_err(),
            "Write-Acknowledgement may be all or quorum"
        );
        assert!(
            parse("min-revision", "-7")
                .unwrap_err()
                .starts_with("Min-Revision: a revision is")
        );
    }
}
