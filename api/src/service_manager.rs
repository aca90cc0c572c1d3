//! What systemd hears of a replica that it started; without systemd, nobody does.

use sd_notify::NotifyState;

/// The replica is up: it holds its ports, its data folder and its database. It may still wait for the others.
pub fn ready() {
    tell(NotifyState::Ready);
}

/// The replica has been told to stop, or stops because of a fault.
pub fn stopping() {
    tell(NotifyState::Stopping);
}

fn tell(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "systemd cannot be told how this replica is");
    }
}
