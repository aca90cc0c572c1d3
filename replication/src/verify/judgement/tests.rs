use super::*;
use crate::verify::digest::{TableDigest, schema};

/// A digest in which the named buckets hold something of their own.
fn digest(own: &[(usize, u8)]) -> Digest {
    let mut buckets = vec![0; BUCKETS * 16];
    for (bucket, content) in own {
        buckets[bucket * 16] = *content;
    }
    Digest {
        schema: schema(),
        index: 9,
        revision: 5,
        tables: vec![TableDigest {
            name: "expense".to_owned(),
            rows: 1,
            buckets,
            unreadable: None,
        }],
        took_ms: 1,
    }
}

fn unreadable() -> Digest {
    let mut digest = digest(&[]);
    digest.tables[0].buckets.clear();
    digest.tables[0].unreadable = Some("damage".to_owned());
    digest
}

/// Digests of replicas 1, 2, ..., of a cluster of so many.
fn judged_of(members: u64, digests: &[Digest], leader: u64) -> Judgement {
    let digests: BTreeMap<u64, &Digest> = (1..).zip(digests).collect();
    let jury = Jury {
        members: (1..=members).collect(),
        leader: Some(leader),
        ..Jury::default()
    };
    judge(&digests, &jury)
}

/// All members are there.
fn judged(digests: &[Digest], leader: u64) -> Judgement {
    judged_of(digests.len() as u64, digests, leader)
}

fn wrong_replicas(judgement: &Judgement) -> Vec<u64> {
    judgement.wrong.keys().copied().collect()
}

#[test]
fn equal_digests_accuse_nobody() {
    let same = [digest(&[(7, 1)]), digest(&[(7, 1)]), digest(&[(7, 1)])];
    assert_eq!(judged(&same, 1), Judgement::default());
    assert_eq!(judged(&same[..1], 1), Judgement::default());
    assert_eq!(judged(&[], 1), Judgement::default());
    assert_eq!(judged_of(3, &same[..2], 1), Judgement::default());
}

#[test]
fn the_one_that_differs_from_most_is_wrong_even_if_it_leads() {
    let digests = [digest(&[(7, 1)]), digest(&[]), digest(&[])];
    for leader in 1..=3 {
        let judgement = judged(&digests, leader);
        assert_eq!(wrong_replicas(&judgement), [1]);
        assert!(judgement.undecided.is_empty());
        assert_eq!(judgement.spots().len(), 1);
    }
}

#[test]
fn two_that_are_wrong_in_different_rows_are_both_found() {
    let digests = [digest(&[]), digest(&[(7, 1)]), digest(&[(8, 1)])];
    let judgement = judged(&digests, 2);
    assert_eq!(wrong_replicas(&judgement), [2, 3]);
    assert!(judgement.undecided.is_empty());
}

#[test]
fn three_versions_of_one_bucket_accuse_nobody() {
    let digests = [digest(&[]), digest(&[(7, 1)]), digest(&[(7, 2)])];
    let judgement = judged(&digests, 1);
    assert!(judgement.wrong.is_empty());
    assert_eq!(judgement.undecided.len(), 1);
    let halves = [
        digest(&[]),
        digest(&[]),
        digest(&[(7, 2)]),
        digest(&[(7, 2)]),
    ];
    assert!(judged(&halves, 1).wrong.is_empty());
}

#[test]
fn in_a_cluster_of_two_the_leader_is_right() {
    let digests = [digest(&[]), digest(&[(7, 1)])];
    assert_eq!(wrong_replicas(&judged(&digests, 1)), [2]);
    assert_eq!(wrong_replicas(&judged(&digests, 2)), [1]);
    // A leader that was not compared says nothing.
    assert!(judged(&digests, 3).wrong.is_empty());
    assert_eq!(judged(&digests, 3).undecided.len(), 1);
}

#[test]
fn one_against_one_of_three_accuses_nobody_whoever_leads() {
    let digests = [digest(&[]), digest(&[(7, 1)])];
    for leader in 1..=3 {
        let judgement = judged_of(3, &digests, leader);
        assert!(judgement.wrong.is_empty(), "{leader}: {judgement:?}");
        assert_eq!(judgement.undecided.len(), 1);
    }
}

#[test]
fn it_takes_a_majority_of_the_members_and_not_of_those_that_answered() {
    let two_to_one = [digest(&[]), digest(&[]), digest(&[(7, 1)])];
    let judgement = judged_of(5, &two_to_one, 1);
    assert!(judgement.wrong.is_empty());
    assert_eq!(judgement.undecided.len(), 1);
    assert_eq!(wrong_replicas(&judged_of(3, &two_to_one, 3)), [3]);
    let three_to_one = [digest(&[]), digest(&[]), digest(&[]), digest(&[(7, 1)])];
    assert_eq!(wrong_replicas(&judged_of(5, &three_to_one, 4)), [4]);
}

#[test]
fn one_that_is_quarantined_already_puts_nobody_in_doubt() {
    let digests = [digest(&[]), digest(&[(7, 1)])];
    let by_id: BTreeMap<u64, &Digest> = (1..).zip(&digests).collect();
    let jury = |quarantined: &[u64]| Jury {
        members: [1, 2, 3].into(),
        quarantined: quarantined.iter().copied().collect(),
        leader: Some(1),
    };
    let judgement = judge(&by_id, &jury(&[2]));
    assert_eq!(wrong_replicas(&judgement), [2]);
    assert!(judgement.undecided.is_empty());
    assert_eq!(judge(&by_id, &jury(&[1, 2])).undecided.len(), 1);
    assert_eq!(judge(&by_id, &jury(&[3])).undecided.len(), 1);
}

#[test]
fn a_table_that_cannot_be_read_is_wrong() {
    let digests = [unreadable(), digest(&[]), digest(&[])];
    assert_eq!(wrong_replicas(&judged(&digests, 1)), [1]);
    // No two that cannot be read agree.
    let digests = [unreadable(), unreadable(), digest(&[])];
    let judgement = judged(&digests, 3);
    assert!(judgement.wrong.is_empty());
    assert_eq!(judgement.undecided.len(), BUCKETS);
    assert!(judged(&[unreadable(), digest(&[])], 1).wrong.is_empty());
    assert_eq!(
        wrong_replicas(&judged(&[unreadable(), digest(&[])], 2)),
        [1]
    );
}

#[test]
fn the_accused_believes_only_what_it_sees() {
    let digests = [digest(&[]), digest(&[]), digest(&[(7, 1)])];
    let by_id: BTreeMap<u64, &Digest> = (1..).zip(&digests).collect();
    let spot = Spot {
        table: "expense".to_owned(),
        bucket: 7,
    };
    let evidence = Evidence::of(Uuid::nil(), &by_id, &spot, Some(1));
    let reason = evidence.weigh(3, &digests[2], &[1, 2, 3]).unwrap();
    assert!(
        reason.contains("replicas 1 and 2 at revision 5"),
        "{reason}"
    );
    // Those who are right, one who has found something else itself, and one who was not compared.
    evidence.weigh(1, &digests[0], &[1, 2, 3]).unwrap_err();
    evidence
        .weigh(3, &digest(&[(7, 2)]), &[1, 2, 3])
        .unwrap_err();
    evidence.weigh(4, &digests[2], &[1, 2, 3]).unwrap_err();
    // It knows itself who the members are: no majority of five, and no stranger's word.
    evidence
        .weigh(3, &digests[2], &[1, 2, 3, 4, 5])
        .unwrap_err();
    evidence.weigh(3, &digests[2], &[2, 3, 4]).unwrap_err();
    // One against one: in a cluster of two, by the leader; in one of three, by nobody.
    let two: BTreeMap<u64, &Digest> = (2..).zip(&digests[1..]).collect();
    let evidence = Evidence::of(Uuid::nil(), &two, &spot, Some(1));
    evidence.weigh(3, &digests[2], &[2, 3]).unwrap_err();
    let evidence = Evidence::of(Uuid::nil(), &two, &spot, Some(2));
    evidence.weigh(3, &digests[2], &[2, 3]).unwrap();
    evidence.weigh(3, &digests[2], &[1, 2, 3]).unwrap_err();
    // No such table.
    let nowhere = Spot {
        table: "nothing".to_owned(),
        bucket: 7,
    };
    let evidence = Evidence::of(Uuid::nil(), &by_id, &nowhere, Some(1));
    evidence.weigh(3, &digests[2], &[1, 2, 3]).unwrap_err();
}
