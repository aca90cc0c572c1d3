//! A GraphQL client over HTTP, written by hand so that it hides nothing: what the replica says is what the test sees.

mod documents;
mod types;

use std::time::Duration;

use reqwest::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

pub use self::types::{
    Acknowledgement, Expense, ExpensePage, GraphqlError, Money, NewExpense, Outcome, Payload,
    Receipt, ReplicaView, UserError,
};

const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Talks to one replica. A clone shares its connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    access_token: Option<String>,
    read_consistency: Option<&'static str>,
    min_revision: Option<u64>,
    write_acknowledgement: Option<&'static str>,
    timeout: Duration,
}

/// Why there is no answer to use.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The connection failed, or nothing came in time.
    #[error("no answer: {0:?}")]
    Transport(#[from] reqwest::Error),
    /// The replica answered with errors.
    #[error("status {status}, {errors:?}")]
    Graphql {
        /// The status of HTTP.
        status: StatusCode,
        /// What the replica said.
        errors: Vec<GraphqlError>,
    },
    /// The answer is not what the schema promises.
    #[error("status {status}, an answer out of shape ({reason}): {body}")]
    Malformed {
        /// The status of HTTP.
        status: StatusCode,
        /// What did not fit.
        reason: String,
        /// What came.
        body: String,
    },
}

impl ClientError {
    /// `extensions.code` of the first error.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Graphql { errors, .. } => errors.first()?.code(),
            Self::Transport(_) | Self::Malformed { .. } => None,
        }
    }

    /// The status of HTTP, where there was an answer.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Graphql { status, .. } | Self::Malformed { status, .. } => Some(*status),
            Self::Transport(_) => None,
        }
    }
}

impl Client {
    /// A client with the service's defaults: linearizable reads, writes acknowledged by all.
    pub fn new(url: &str) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("an HTTP client");
        Self {
            http,
            url: url.to_owned(),
            access_token: None,
            read_consistency: None,
            min_revision: None,
            write_acknowledgement: None,
            timeout: REQUEST_TIMEOUT,
        }
    }

    /// The same, reading what this replica has now.
    #[must_use]
    pub fn local(&self) -> Self {
        Self {
            read_consistency: Some("local"),
            ..self.clone()
        }
    }

    /// The same, reading once this replica has come that far.
    #[must_use]
    pub fn at_least(&self, revision: u64) -> Self {
        Self {
            read_consistency: Some("local"),
            min_revision: Some(revision),
            ..self.clone()
        }
    }

    /// The same, with writes acknowledged by a majority.
    #[must_use]
    pub fn quorum(&self) -> Self {
        Self {
            write_acknowledgement: Some("quorum"),
            ..self.clone()
        }
    }

    /// The same, with an access token.
    #[must_use]
    pub fn with_access_token(&self, token: &str) -> Self {
        Self {
            access_token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    /// The same, giving up on an answer after that time.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self {
            timeout,
            ..self.clone()
        }
    }

    /// Adds an expense.
    pub async fn add_expense(&self, expense: &NewExpense) -> Result<Payload, ClientError> {
        self.mutate("addExpense", documents::ADD_EXPENSE, json!(expense))
            .await
    }

    /// Changes an expense; `changes` holds the fields of `UpdateExpenseInput` but its id.
    pub async fn update_expense(&self, id: Uuid, changes: Value) -> Result<Payload, ClientError> {
        self.mutate(
            "updateExpense",
            documents::UPDATE_EXPENSE,
            with_id(id, changes),
        )
        .await
    }

    /// Deletes an expense; `options` holds the fields of `DeleteExpenseInput` but its id.
    pub async fn delete_expense(&self, id: Uuid, options: Value) -> Result<Payload, ClientError> {
        self.mutate(
            "deleteExpense",
            documents::DELETE_EXPENSE,
            with_id(id, options),
        )
        .await
    }

    /// One expense by its id.
    pub async fn expense(&self, id: Uuid) -> Result<Option<Expense>, ClientError> {
        let data = self
            .execute(documents::EXPENSE, json!({ "id": id }))
            .await?;
        self.read(data, "expense")
    }

    /// The newest expenses.
    pub async fn expenses(&self, first: u32) -> Result<ExpensePage, ClientError> {
        let data = self
            .execute(documents::EXPENSES, json!({ "first": first }))
            .await?;
        self.read(data, "expenses")
    }

    /// How this replica sees itself.
    pub async fn replica(&self) -> Result<ReplicaView, ClientError> {
        let data = self
            .local()
            .with_timeout(Duration::from_secs(3))
            .execute(documents::REPLICA, json!({}))
            .await?;
        self.read(data, "replica")
    }

    /// How this replica sees itself, within this client's own patience.
    pub async fn replica_once(&self) -> Result<ReplicaView, ClientError> {
        let asked = self.local().execute(documents::REPLICA, json!({})).await;
        self.read(asked?, "replica")
    }

    /// How this replica sees all.
    pub async fn replicas(&self) -> Result<Vec<ReplicaView>, ClientError> {
        let data = self.local().execute(documents::REPLICAS, json!({})).await?;
        self.read(data, "replicas")
    }

    /// What became of a mutation.
    pub async fn outcome(&self, idempotency_key: Uuid) -> Result<Option<Outcome>, ClientError> {
        let data = self
            .execute(
                documents::OUTCOME,
                json!({ "idempotencyKey": idempotency_key }),
            )
            .await?;
        self.read(data, "outcome")
    }

    /// Executes any document and returns its `data`.
    pub async fn execute(&self, query: &str, variables: Value) -> Result<Value, ClientError> {
        let body = json!({ "query": query, "variables": variables }).to_string();
        self.execute_body(body).await
    }

    /// Sends a body as it stands, well formed or not, and returns the `data` of the answer.
    pub async fn execute_body(&self, body: String) -> Result<Value, ClientError> {
        let (status, text) = self.post(body).await?;
        let malformed = |reason: String| ClientError::Malformed {
            status,
            reason,
            body: text.clone(),
        };
        let mut answer: Value =
            serde_json::from_str(&text).map_err(|error| malformed(error.to_string()))?;
        if let Some(errors) = answer.get_mut("errors").map(Value::take) {
            let errors =
                serde_json::from_value(errors).map_err(|error| malformed(error.to_string()))?;
            return Err(ClientError::Graphql { status, errors });
        }
        if !status.is_success() {
            return Err(malformed("a failure without errors".to_owned()));
        }
        match answer.get_mut("data").map(Value::take) {
            Some(data) if data.is_object() => Ok(data),
            _ => Err(malformed("no data".to_owned())),
        }
    }

    async fn post(&self, body: String) -> Result<(StatusCode, String), ClientError> {
        let mut request = self
            .http
            .post(format!("{}/graphql", self.url))
            .timeout(self.timeout)
            .header("Content-Type", "application/json")
            .header(
                "Accept",
                "application/graphql-response+json, application/json;q=0.9",
            )
            .body(body);
        if let Some(token) = &self.access_token {
            request = request.bearer_auth(token);
        }
        if let Some(consistency) = self.read_consistency {
            request = request.header("Read-Consistency", consistency);
        }
        if let Some(revision) = self.min_revision {
            request = request.header("Min-Revision", revision.to_string());
        }
        if let Some(acknowledgement) = self.write_acknowledgement {
            request = request.header("Write-Acknowledgement", acknowledgement);
        }
        let response = request.send().await?;
        let status = response.status();
        Ok((status, response.text().await?))
    }

    async fn mutate(
        &self,
        field: &str,
        document: &str,
        input: Value,
    ) -> Result<Payload, ClientError> {
        let data = self.execute(document, json!({ "input": input })).await?;
        self.read(data, field)
    }

    fn read<T: DeserializeOwned>(&self, mut data: Value, field: &str) -> Result<T, ClientError> {
        let value = data.get_mut(field).map(Value::take).unwrap_or_default();
        let body = value.to_string();
        serde_json::from_value(value).map_err(|error| ClientError::Malformed {
            status: StatusCode::OK,
            reason: format!("{field}: {error}"),
            body,
        })
    }
}

fn with_id(id: Uuid, mut input: Value) -> Value {
    input["id"] = json!(id);
    input
}
