//! How replicas talk to each other: the peer schema on the private listener, and the calls to it.
//!
//! Bulky payloads travel as one scalar, [`schema::Payload`]; what is in them is the replication's affair.

pub mod client;
#[cfg(feature = "failpoints")]
pub mod failpoint;
pub mod http;
pub mod schema;

use threefold_replication::peer::PeerMethod;

/// A document is sent inside JSON as it stands here: it holds nothing that would have to be escaped.
macro_rules! document {
    ($operation:literal, $field:literal) => {
        concat!(
            $operation,
            "($clusterId: UUID, $from: String!, $to: String!, $payload: Payload!) { result: ",
            $field,
            "(clusterId: $clusterId, from: $from, to: $to, payload: $payload) }"
        )
    };
}
/// Header with the format of a call's payload; without it, format 1.
const FORMAT: &str = "threefold-format";
/// Header with the birth mark of the replica that a call is meant for; without it, whoever has the number takes the call.
const BIRTH_MARK: &str = "threefold-birth-mark";
/// Most bytes of a call: a batch of log entries or a chunk of a snapshot, in base64.
pub const MAX_CALL_BYTES: usize = 64 << 20;

/// Every method, with the document that calls it. The answer is always called `result`.
pub const DOCUMENTS: [(PeerMethod, &str); 15] = [
    (PeerMethod::Hello, document!("query", "hello")),
    (PeerMethod::Found, document!("mutation", "found")),
    (
        PeerMethod::AppendEntries,
        document!("mutation", "appendEntries"),
    ),
    (PeerMethod::Vote, document!("mutation", "vote")),
    (
        PeerMethod::InstallSnapshot,
        document!("mutation", "installSnapshot"),
    ),
    (PeerMethod::Propose, document!("mutation", "propose")),
    (PeerMethod::ReadIndex, document!("query", "readIndex")),
    (PeerMethod::TakeOver, document!("mutation", "takeOver")),
    (PeerMethod::Members, document!("query", "members")),
    (PeerMethod::Add, document!("mutation", "add")),
    (PeerMethod::Promote, document!("mutation", "promote")),
    (PeerMethod::Remove, document!("mutation", "remove")),
    (PeerMethod::Replace, document!("mutation", "replace")),
    (PeerMethod::Dismiss, document!("mutation", "dismiss")),
    (PeerMethod::Verify, document!("mutation", "verify")),
];

/// The document that follows a peer's reports.
pub const REPORTS_DOCUMENT: &str = document!("subscription", "replicaStatus");

/// The document of a method.
pub fn document_of(method: PeerMethod) -> &'static str {
    let index = match method {
        PeerMethod::Hello => 0,
        PeerMethod::Found => 1,
        PeerMethod::AppendEntries => 2,
        PeerMethod::Vote => 3,
        PeerMethod::InstallSnapshot => 4,
        PeerMethod::Propose => 5,
        PeerMethod::ReadIndex => 6,
        PeerMethod::TakeOver => 7,
        PeerMethod::Members => 8,
        PeerMethod::Add => 9,
        PeerMethod::Promote => 10,
        PeerMethod::Remove => 11,
        PeerMethod::Replace => 12,
        PeerMethod::Dismiss => 13,
        PeerMethod::Verify => 14,
    };
    DOCUMENTS[index].1
}

/// The method that a document calls; none where no replica of this version would send it.
pub fn method_of(document: &str) -> Option<PeerMethod> {
    let known = DOCUMENTS.iter().find(|(_, known)| *known == document);
    known.map(|(method, _)| *method)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_has_its_document() {
        for (method, document) in DOCUMENTS {
            assert_eq!(document_of(method), document);
            assert_eq!(method_of(document), Some(method));
            assert!(!document.contains(['"', '\\', '\n']));
        }
    }
}
