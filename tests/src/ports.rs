//! Loopback ports that no other test takes, in this process or another one.

use std::fs::{self, File};
use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use tokio::net::TcpSocket;
use uuid::Uuid;

/// Below the range that the system hands out for outgoing connections, so that none of those takes a port while its
/// replica is down.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// A port that belongs to this process until this is dropped, whether something listens on it or not.
#[derive(Debug)]
pub struct Port {
    number: u16,
    _lock: File,
}

impl Port {
    /// The number.
    pub fn number(&self) -> u16 {
        self.number
    }
}

/// Reserves a free port.
pub fn reserve() -> Port {
    reserve_row(1).pop().expect("a row of one has one port")
}

/// Reserves free ports that follow each other.
pub fn reserve_row(length: u16) -> Vec<Port> {
    let [high, low, ..] = *Uuid::new_v4().as_bytes();
    let offset = u16::from_be_bytes([high, low]) % COUNT;
    (0..COUNT)
        .map(|step| FIRST + (offset + step) % (COUNT - length))
        .find_map(|first| (first..first + length).map(try_reserve).collect())
        .expect("a free port on 127.0.0.1")
}

fn try_reserve(number: u16) -> Option<Port> {
    let folder = lock_folder();
    fs::create_dir_all(&folder).expect("the folder for port locks");
    let lock = File::create(folder.join(number.to_string())).expect("a port lock");
    lock.try_lock().ok()?;
    is_free(number).ok()?;
    Some(Port {
        number,
        _lock: lock,
    })
}

/// Nothing listens there, and not for a moment does this: a process that another thread starts just then would keep the socket until
/// it has become another program.
fn is_free(number: u16) -> io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind((Ipv4Addr::LOCALHOST, number).into())
}

/// The system drops a lock with its process, so nothing here has to be tidied up after a crash.
fn lock_folder() -> PathBuf {
    std::env::temp_dir().join("threefold-test-ports")
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_port_is_reserved_once() {
        let port = reserve();
        assert!(try_reserve(port.number()).is_none());
        let number = port.number();
        drop(port);
        assert!(try_reserve(number).is_some());
    }

    #[test]
    fn a_port_is_not_reserved_where_somebody_listens() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let number = listener.local_addr().unwrap().port();
        assert!(try_reserve(number).is_none());
        drop(listener);
        assert!(try_reserve(number).is_some());
    }

    #[test]
    fn a_row_is_consecutive() {
        let row = reserve_row(3);
        let numbers: Vec<u16> = row.iter().map(Port::number).collect();
        assert_eq!(numbers, [numbers[0], numbers[0] + 1, numbers[0] + 2]);
    }
}
