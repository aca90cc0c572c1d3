use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

/// Answers every byte with itself.
async fn echo() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut read, mut write) = stream.split();
                tokio::io::copy(&mut read, &mut write).await.ok();
            });
        }
    });
    port
}

async fn says(stream: &mut TcpStream, limit: Duration) -> bool {
    stream.write_all(b"x").await.unwrap();
    hears(stream, limit).await
}

async fn hears(stream: &mut TcpStream, limit: Duration) -> bool {
    let mut byte = [0];
    let read = tokio::time::timeout(limit, stream.read_exact(&mut byte)).await;
    matches!(read, Ok(Ok(_)))
}

const SOON: Duration = Duration::from_secs(5);
const A_WHILE: Duration = Duration::from_millis(200);

#[tokio::test]
async fn a_link_does_what_it_is_told() {
    let targets = [echo().await, echo().await];
    let links = Links::start(&targets).await;
    let address = (Ipv4Addr::LOCALHOST, links.port(1, 2));
    let mut stream = TcpStream::connect(address).await.unwrap();
    assert!(says(&mut stream, SOON).await);

    // Either way cut, nothing comes back; healed, it comes late.
    for (from, to) in [(1, 2), (2, 1)] {
        links.set(from, to, Condition::Cut);
        assert!(!says(&mut stream, A_WHILE).await);
        links.heal();
        assert!(hears(&mut stream, SOON).await);
    }

    links.set(
        1,
        2,
        Condition::Slow {
            latency: A_WHILE,
            bytes_per_second: 1_000_000,
        },
    );
    let begun = Instant::now();
    assert!(says(&mut stream, SOON).await);
    assert!(begun.elapsed() >= A_WHILE);

    // What was connected breaks, and nobody listens any more.
    links.set(1, 2, Condition::Refused);
    assert!(!hears(&mut stream, SOON).await);
    let refused = async { while TcpStream::connect(address).await.is_ok() {} };
    tokio::time::timeout(SOON, refused).await.unwrap();
    links.heal();
    let again = async {
        loop {
            if let Ok(mut stream) = TcpStream::connect(address).await {
                break says(&mut stream, SOON).await;
            }
        }
    };
    assert!(tokio::time::timeout(SOON, again).await.unwrap());
    // By its entry anybody reaches a replica, but for what befalls any way to it.
    let entry = (Ipv4Addr::LOCALHOST, links.port(2, 2));
    let mut stream = TcpStream::connect(entry).await.unwrap();
    assert!(says(&mut stream, SOON).await);
    links.set(2, 1, Condition::Cut);
    assert!(!says(&mut stream, A_WHILE).await);
    links.set(1, 2, Condition::Cut);
    links.set(2, 1, Condition::Open);
    // What was held back on the way out is not what is said now.
    assert!(hears(&mut stream, SOON).await);
    assert!(!says(&mut stream, A_WHILE).await);
    links.heal();
    assert!(hears(&mut stream, SOON).await);
}
