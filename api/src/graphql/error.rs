//! The one place that says what a client reads of an error, and what the log reads.
//!
//! What a client may not have is a `UserError` in the payload of a mutation. Everything else is an [`ApiError`]:
//! a GraphQL error with `extensions.code`.

use async_graphql::{Error, ErrorExtensionValues, Response, ServerError, Value};
use threefold_replication::ServiceError;

use super::limits;
use crate::read::ReadError;

/// `extensions.code` of a GraphQL error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// The request cannot be understood or breaks a rule.
    BadUserInput,
    /// No access token, or a wrong one.
    Unauthenticated,
    /// The caller may not do this.
    Forbidden,
    /// No leader for longer than a request waits.
    NoLeader,
    /// Too few replicas are in sync.
    NotEnoughReplicas,
    /// No answer in time.
    Timeout,
    /// The query asks for too much at once.
    TooComplex,
    /// The request or its answer is too large.
    TooLarge,
    /// Too many requests at once.
    RateLimited,
    /// This replica serves nothing until it is replaced.
    ReplicaQuarantined,
    /// A fault of ours; the log says more.
    Internal,
}

impl ErrorCode {
    /// Every code there is.
    pub const ALL: [Self; 11] = [
        Self::BadUserInput,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NoLeader,
        Self::NotEnoughReplicas,
        Self::Timeout,
        Self::TooComplex,
        Self::TooLarge,
        Self::RateLimited,
        Self::ReplicaQuarantined,
        Self::Internal,
    ];

    /// The code as clients read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::NoLeader => "NO_LEADER",
            Self::NotEnoughReplicas => "NOT_ENOUGH_REPLICAS",
            Self::Timeout => "TIMEOUT",
            Self::TooComplex => "TOO_COMPLEX",
            Self::TooLarge => "TOO_LARGE",
            Self::RateLimited => "RATE_LIMITED",
            Self::ReplicaQuarantined => "REPLICA_QUARANTINED",
            Self::Internal => "INTERNAL",
        }
    }
}

/// Why a resolver has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The replica could not serve it.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The database could not be read as asked.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The request breaks a rule.
    #[error("{0}")]
    Invalid(String),
    /// A fault of this program.
    #[error("{0}")]
    Bug(&'static str),
}

impl ApiError {
    /// The code that a client reads.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Service(fault) => match fault {
                ServiceError::NoLeader(_) | ServiceError::Forming | ServiceError::Stopping => {
                    ErrorCode::NoLeader
                }
                ServiceError::NotEnoughReplicas { .. } => ErrorCode::NotEnoughReplicas,
                ServiceError::InDoubt { .. } | ServiceError::Behind(_) => ErrorCode::Timeout,
                ServiceError::Overloaded(_) => ErrorCode::RateLimited,
                ServiceError::TooLarge { .. } => ErrorCode::TooLarge,
                ServiceError::Quarantined(_) => ErrorCode::ReplicaQuarantined,
                ServiceError::Database(_) => ErrorCode::Internal,
            },
            Self::Read(ReadError::Invalid(_)) | Self::Invalid(_) => ErrorCode::BadUserInput,
            Self::Read(ReadError::TooLarge(_)) => ErrorCode::TooLarge,
            Self::Read(ReadError::Database(_) | ReadError::Unreadable(_)) | Self::Bug(_) => {
                ErrorCode::Internal
            }
        }
    }

    /// The message that a client reads: the error's own, but for faults of ours, whose details go to the log.
    pub(crate) fn client_message(&self) -> String {
        if self.code() == ErrorCode::Internal {
            tracing::error!(error = %self, "a request failed");
            "this replica could not answer; its log says why; try again, or use another replica"
                .to_owned()
        } else {
            self.to_string()
        }
    }
}

impl From<ApiError> for Error {
    fn from(error: ApiError) -> Self {
        let mut extensions = ErrorExtensionValues::default();
        extensions.set("code", error.code().as_str());
        if let ApiError::Service(ServiceError::InDoubt { key, .. }) = &error {
            extensions.set("idempotencyKey", key.to_string());
        }
        Self {
            message: error.client_message(),
            source: None,
            extensions: Some(extensions),
        }
    }
}

/// An error outside any resolver, with its code.
pub fn request_error(code: ErrorCode, message: impl Into<String>) -> ServerError {
    let mut error = ServerError::new(message, None);
    set_code(&mut error, code);
    error
}

/// Gives the errors that the library itself raises a code: they are all about the request. Limits are named.
pub(super) fn complete(errors: &mut [ServerError]) {
    for error in errors.iter_mut().filter(|error| code_of(error).is_none()) {
        if let Some(message) = limits::named(&error.message) {
            error.message = message;
            set_code(error, ErrorCode::TooComplex);
        } else {
            set_code(error, ErrorCode::BadUserInput);
        }
    }
}

/// What an answer came to, for whoever counts answers: `ok`, `user_errors`, or the code of its first error.
pub(crate) fn outcome_of(answer: &Response) -> &'static str {
    if let Some(error) = answer.errors.first() {
        let code = match code_of(error) {
            Some(Value::String(code)) => ErrorCode::ALL.iter().find(|known| known.as_str() == code),
            _ => None,
        };
        return code.unwrap_or(&ErrorCode::Internal).as_str();
    }
    let refused = |payload: &Value| match payload {
        Value::Object(payload) => matches!(
            payload.get("userErrors"),
            Some(Value::List(errors)) if !errors.is_empty()
        ),
        _ => false,
    };
    match &answer.data {
        Value::Object(data) if data.values().any(refused) => "user_errors",
        _ => "ok",
    }
}

fn code_of(error: &ServerError) -> Option<&Value> {
    error
        .extensions
        .as_ref()
        .and_then(|extensions| extensions.get("code"))
}

fn set_code(error: &mut ServerError, code: ErrorCode) {
    error
        .extensions
        .get_or_insert_default()
        .set("code", code.as_str());
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use uuid::Uuid;

    fn coded(error: impl Into<ApiError>) -> (String, Error) {
        let error: Error = error.into().into();
        let code = error
            .extensions
            .as_ref()
            .unwrap()
            .get("code")
            .unwrap()
            .to_string();
        (code.trim_matches('"').to_owned(), error)
    }

    #[test]
    fn a_mutation_in_doubt_brings_its_key() {
        let key = Uuid::from_u128(9);
        let (code, error) = coded(ServiceError::InDoubt {
            key,
            waited: Duration::from_secs(1),
        });
        assert_eq!(code, "TIMEOUT");
        assert_eq!(
            error.extensions.unwrap().get("idempotencyKey"),
            Some(&Value::from(key.to_string()))
        );
    }

    #[test]
    fn details_of_a_database_fault_stay_here() {
        let (code, error) = coded(ServiceError::Database("password in the URL".into()));
        assert_eq!(code, "INTERNAL");
        assert!(!error.message.contains("password"));
    }

    #[test]
    fn the_librarys_errors_get_a_code() {
        let mut errors = vec![
            ServerError::new("Query is too complex.", None),
            ServerError::new("Unknown field", None),
            request_error(ErrorCode::Unauthenticated, "no"),
        ];
        complete(&mut errors);
        let codes: Vec<String> = errors
            .iter()
            .map(|e| code_of(e).unwrap().to_string())
            .collect();
        assert_eq!(
            codes,
            [
                r#""TOO_COMPLEX""#,
                r#""BAD_USER_INPUT""#,
                r#""UNAUTHENTICATED""#
            ]
        );
        assert!(
            errors[0]
                .message
                .contains(&limits::MAX_COMPLEXITY.to_string())
        );
    }
}
