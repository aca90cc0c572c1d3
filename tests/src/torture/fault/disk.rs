//! A disk with no room left for the log, until it is emptied: the replica stops, and takes up where it was.

use std::time::Duration;

use futures_util::FutureExt;

use super::{Company, Dice, Fault, Healed, Injected, Scene, Victims};

/// Runs a command with its data folder on a small disk that nobody else sees and that is full two seconds later. When the command
/// has ended by itself, what is on the small disk goes back to where it was.
const ON_A_DISK_THAT_FILLS: &str = r#"
    data=$1; shift; copy=$data.while-full
    rm -rf "$copy"; cp -a "$data" "$copy" || exit 9
    used=$(du -sk "$data" | cut -f1)
    mount -t tmpfs -o size=$((used + 2048))k tmpfs "$data" || exit 9
    cp -a "$copy/." "$data/" || exit 9
    "$@" &
    process=$!
    sleep 2
    cat /dev/zero >"$data/filler" 2>/dev/null
    echo "THE DISK IS FULL" >&2
    wait $process
    rm -f "$data/filler"
    rm -rf "$copy"; cp -a "$data" "$copy" || exit 9
    umount "$data" && rm -rf "$data" && mv "$copy" "$data"
"#;
/// What it says then.
const FULL: &str = "THE DISK IS FULL";
/// In namespaces of its own, which need no rights on most systems.
const ALONE: [&str; 8] = [
    "unshare",
    "--user",
    "--map-root-user",
    "--mount",
    "--pid",
    "--fork",
    "--kill-child",
    "sh",
];
const END_TIMEOUT: Duration = Duration::from_secs(60);

/// See the module.
#[derive(Debug)]
pub(super) struct FullDisk {
    victims: Victims,
}

impl FullDisk {
    pub(super) fn draw(dice: &mut Dice) -> Self {
        Self {
            victims: dice.pick(&[Victims::Leader, Victims::Follower]),
        }
    }
}

impl Fault for FullDisk {
    fn kind(&self) -> String {
        format!("full disk {:?}", self.victims).to_lowercase()
    }

    /// A second end of the same process would take its data with it.
    fn company(&self) -> Company {
        Company::None
    }

    fn inject<'a>(&'a mut self, scene: &'a Scene) -> Injected<'a> {
        async {
            let id = self.victims.find(scene).await[0];
            let replica = scene.cluster.replica(id);
            scene.kill(id);
            let full = || replica.log().matches(FULL).count();
            let before = full();
            let data = replica.data_folder();
            let data = data.to_str().expect("a path in UTF-8");
            let mut wrapper = ALONE.to_vec();
            wrapper.extend(["-c", ON_A_DISK_THAT_FILLS, "sh", data]);
            replica.start_through(&wrapper);
            scene.disturb(id);
            replica.ends(END_TIMEOUT).await?;
            scene.disturb(id);
            match full() > before {
                true => Ok(format!("the disk of {id} was full")),
                false => Ok(format!(
                    "the disk of {id} could not be filled: are there user namespaces?"
                )),
            }
        }
        .boxed_local()
    }

    fn heal<'a>(&'a mut self, _scene: &'a Scene) -> Healed<'a> {
        std::future::ready(Ok(())).boxed_local()
    }
}
