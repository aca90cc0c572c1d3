//! The peer schema: what replicas ask of each other.

use async_graphql::{
    Context, Error, ErrorExtensionValues, InputValueError, InputValueResult, Object, Scalar,
    ScalarType, Schema, SchemaBuilder, Subscription, ValidationMode, Value,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use threefold_replication::Replica;
use threefold_replication::peer::{Envelope, PeerFault, PeerMethod};
use uuid::Uuid;

use crate::graphql::error::ErrorCode;
use crate::graphql::export;

/// The peer schema over one replica.
pub type PeerSchema = Schema<PeerQuery, PeerMutation, PeerSubscription>;

/// The schema that answers peers for this replica.
pub fn build(replica: Replica) -> PeerSchema {
    // Only replicas with the secret get here, with the documents of this crate; the rules of full validation would
    // copy payloads to look at them.
    builder()
        .data(replica)
        .validation_mode(ValidationMode::Fast)
        .finish()
}

/// The peer schema's definition, as committed in `api/peer.graphql`.
pub fn sdl() -> String {
    export(&builder().finish())
}

fn builder() -> SchemaBuilder<PeerQuery, PeerMutation, PeerSubscription> {
    Schema::build(PeerQuery, PeerMutation, PeerSubscription)
        .limit_depth(4)
        .limit_complexity(8)
}

/// A message between replicas: MessagePack in base64.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload(pub Bytes);

/// A message between replicas: MessagePack in base64.
#[Scalar(specified_by_url = "https://www.rfc-editor.org/rfc/rfc4648#section-4")]
impl ScalarType for Payload {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = value else {
            return Err(InputValueError::custom("a payload is a string"));
        };
        let bytes = STANDARD
            .decode(text)
            .map_err(|_| InputValueError::custom("a payload is base64"))?;
        Ok(Self(bytes.into()))
    }

    fn to_value(&self) -> Value {
        Value::String(STANDARD.encode(&self.0))
    }
}

/// Format of a call's payload, as its header says.
pub(super) struct Format(pub(super) u32);

/// Birth mark of the replica that a call is meant for, as its header says.
pub(super) struct BirthMark(pub(super) Option<Uuid>);

/// The addresses of a call, as they travel.
struct Addresses {
    cluster_id: Option<Uuid>,
    from: String,
    to: String,
}

impl Addresses {
    fn envelope(self, ctx: &Context<'_>, payload: Payload) -> Result<Envelope, PeerFault> {
        let id = |text: &str| {
            text.parse().map_err(|_| {
                PeerFault::Malformed(format!(
                    "{:?} is no replica id",
                    text.chars().take(20).collect::<String>()
                ))
            })
        };
        Ok(Envelope {
            cluster_id: self.cluster_id,
            from: id(&self.from)?,
            to: id(&self.to)?,
            birth_mark: ctx.data_opt::<BirthMark>().and_then(|mark| mark.0),
            format: ctx.data_opt::<Format>().map_or(1, |format| format.0),
            payload: payload.0,
        })
    }
}

fn replica<'a>(ctx: &'a Context<'_>) -> Result<&'a Replica, Error> {
    ctx.data()
}

async fn serve(
    ctx: &Context<'_>,
    method: PeerMethod,
    addresses: Addresses,
    payload: Payload,
) -> Result<Payload, Error> {
    let envelope = addresses
        .envelope(ctx, payload)
        .map_err(|fault| refusal(&fault))?;
    let answer = replica(ctx)?.serve_peer(method, envelope).await;
    answer.map(Payload).map_err(|fault| refusal(&fault))
}

/// A fault as it travels: the message for people, and the whole fault in `extensions.fault`.
fn refusal(fault: &PeerFault) -> Error {
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", code(fault).as_str());
    match serde_json::to_string(fault) {
        Ok(text) => extensions.set("fault", text),
        Err(error) => tracing::error!(%error, "a fault could not be written"),
    }
    Error {
        message: fault.to_string(),
        source: None,
        extensions: Some(extensions),
    }
}

fn code(fault: &PeerFault) -> ErrorCode {
    use threefold_replication::peer::ServiceFault;
    match fault {
        PeerFault::WrongReplica { .. }
        | PeerFault::WrongBirth(_)
        | PeerFault::WrongCluster { .. } => ErrorCode::Forbidden,
        PeerFault::Malformed(_) => ErrorCode::BadUserInput,
        PeerFault::NotLeader(..) => ErrorCode::NoLeader,
        PeerFault::Service(ServiceFault::NotEnoughReplicas { .. }) => ErrorCode::NotEnoughReplicas,
        PeerFault::Service(ServiceFault::Overloaded(_)) => ErrorCode::RateLimited,
        PeerFault::Service(ServiceFault::Unavailable(_)) => ErrorCode::Internal,
    }
}

/// Calls that change nothing.
pub struct PeerQuery;

/// Calls that change nothing.
#[Object]
impl PeerQuery {
    /// Who are you, and do you belong to a cluster yet?
    async fn hello(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The sender's cluster, if it belongs to one.")] cluster_id: Option<Uuid>,
        #[graphql(desc = "The sender.")] from: String,
        #[graphql(desc = "The replica it is meant for; another one refuses.")] to: String,
        payload: Payload,
    ) -> Result<Payload, Error> {
        serve(
            ctx,
            PeerMethod::Hello,
            Addresses {
                cluster_id,
                from,
                to,
            },
            payload,
        )
        .await
    }

    /// The leader's read index, for a linearizable read on a follower.
    async fn read_index(
        &self,
        ctx: &Context<'_>,
        cluster_id: Option<Uuid>,
        from: String,
        to: String,
        payload: Payload,
    ) -> Result<Payload, Error> {
        serve(
            ctx,
            PeerMethod::ReadIndex,
            Addresses {
                cluster_id,
                from,
                to,
            },
            payload,
        )
        .await
    }

    /// Who is in the membership, as the leader sees it? Asked by operators, of any replica.
    async fn members(
        &self,
        ctx: &Context<'_>,
        cluster_id: Option<Uuid>,
        from: String,
        to: String,
        payload: Payload,
    ) -> Result<Payload, Error> {
        serve(
            ctx,
            PeerMethod::Members,
            Addresses {
                cluster_id,
                from,
                to,
            },
            payload,
        )
        .await
    }
}

/// Calls that change something.
pub struct PeerMutation;

/// Calls that change something.
#[Object]
impl PeerMutation {
    /// Join the cluster that the sender is founding.
    async fn found(
        &self,
        ctx: &Context<'_>,
        cluster_id: Option<Uuid>,
        from: String,
        to: String,
        payload: Payload,
    ) -> Result<Payload, Error> {
        serve(
            ctx,
            PeerMethod::Found,
            Addresses {
                cluster_id,
                from,
                to,
            },
            payload,
        )
        .await
    }

    /// Store these log entries; the result is the ACK.
    async fn append_entries(
        &self,
        ctx: &Context<'_>,
        cluster_id: Option<Uuid>,
        from: String,
        to: String,
        payload: Payload,
    ) -> Result<Payload, Error> {
        serve(
            ctx,
            PeerMethod::AppendEntries,
            Addresses {
                cluster_id,
                from,
                to,
            },
            payload,
        )
        .await
    }

    /// Vote for the sender.
    async fn vote(
        &self,
        ctx: &Context<'_>,
        cluster_id: Option<Uuid>,
        from: String,
        to: String,
        payload: Payload,
    ) -> Result<Payload, Error> {
        serve(
            ctx,
            PeerMethod::Vote,
            Addresses {
                cluster_id,
                from,
                to,
            },
            payload,
        )
        .await
    }

    /// One chunk of a snapshot.
    async fn install_snapshot(
        &self,
        ctx: &Context<'_>,
        cluster_id: Option<Uuid>,
        from: String,
        to: String,
        payload: Payload,
    ) -> Result<Payload, Error> {
        serve(
            ctx,
            PeerMethod::InstallSnapshot,
            Addresses {
                cluster_id,
                from,
                to,
            },
            payload,
        )
        .await
    }

    /// Proposals on their way from a follower to the leader.
    async fn propose(
        &self,
        ctx: &Context<'_>,
        cluster_id: Option<Uuid>,
        from: String,
        to: String,
        payload: Payload,
    ) -> Result<Payload, Error> {
        serve(
            ctx,
            PeerMethod::Propose,
            Addresses {
                cluster_id,
                from,
                to,
            },
            payload,
        )
        .await
    }

    /// Lead in the place of the sender, which is stopping.
    async fn take_over(
        &self,
        ctx: &Context<'_>,
        cluster_id: Option<Uuid>,
        from: String,
        to: String,
        payload: Payload,
    ) -> Result<Payload, Error> {
        serve(
            ctx,
            PeerMethod::TakeOver,
            Addresses {
                cluster_id,
                from,
                to,
            },
            payload,
        )
        .await
    }

    /// Take in a replica that is started empty. Asked by operators, of any replica.
    async fn add(
        &self,
        ctx: &Context<'_>,
        cluster_id: Option<Uuid>,
        from: String,
        to: String,
        payload: Payload,
    ) -> Result<Payload, Error> {
        serve(
            ctx,
            PeerMethod::Add,
            Addresses {
                cluster_id,
                from,
                to,
            },
            payload,
        )
        .await
    }

    /// Give a replica that has everything a vote. Asked by operators, of any replica.
    async fn promote(
        &self,
        ctx: &Context<'_>,
        cluster_id: Option<Uuid>,
        from: String,
        to: String,
        payload: Payload,
    ) -> Result<Payload, Error> {
        serve(
            ctx,
            PeerMethod::Promote,
            Addresses {
                cluster_id,
                from,
                to,
            },
            payload,
        )
        .await
    }

    /// Take a replica out of the membership. Asked by operators, of any replica.
    async fn remove(
        &self,
        ctx: &Context<'_>,
        cluster_id: Option<Uuid>,
        from: String,
        to: String,
        payload: Payload,
    ) -> Result<Payload, Error> {
        serve(
            ctx,
            PeerMethod::Remove,
            Addresses {
                cluster_id,
                from,
                to,
            },
            payload,
        )
        .await
    }

    /// Take in a replica that is started empty, in the place of another one. Asked by operators, of any replica.
    async fn replace(
        &self,
        ctx: &Context<'_>,
        cluster_id: Option<Uuid>,
        from: String,
        to: String,
        payload: Payload,
    ) -> Result<Payload, Error> {
        serve(
            ctx,
            PeerMethod::Replace,
            Addresses {
                cluster_id,
                from,
                to,
            },
            payload,
        )
        .await
    }

    /// The receiver has left the membership: it finishes what it has begun, and stops.
    async fn dismiss(
        &self,
        ctx: &Context<'_>,
        cluster_id: Option<Uuid>,
        from: String,
        to: String,
        payload: Payload,
    ) -> Result<Payload, Error> {
        serve(
            ctx,
            PeerMethod::Dismiss,
            Addresses {
                cluster_id,
                from,
                to,
            },
            payload,
        )
        .await
    }

    /// A step of a comparison of the replicas' tables.
    async fn verify(
        &self,
        ctx: &Context<'_>,
        cluster_id: Option<Uuid>,
        from: String,
        to: String,
        payload: Payload,
    ) -> Result<Payload, Error> {
        serve(
            ctx,
            PeerMethod::Verify,
            Addresses {
                cluster_id,
                from,
                to,
            },
            payload,
        )
        .await
    }
}

/// What replicas follow of each other.
pub struct PeerSubscription;

/// What replicas follow of each other.
#[Subscription]
impl PeerSubscription {
    /// The replica's reports of itself, whenever it changes and regularly while it does not.
    async fn replica_status(
        &self,
        ctx: &Context<'_>,
        cluster_id: Option<Uuid>,
        from: String,
        to: String,
        payload: Payload,
    ) -> Result<impl Stream<Item = Payload>, Error> {
        let envelope = Addresses {
            cluster_id,
            from,
            to,
        }
        .envelope(ctx, payload)
        .map_err(|fault| refusal(&fault))?;
        let reports = replica(ctx)?
            .reports(&envelope)
            .map_err(|fault| refusal(&fault))?;
        Ok(reports.map(Payload))
    }
}
