//! Promise: `docker/compose.yaml` is the seven containers of the design, each server with a database and a log of its own,
//! closed to the network unless told otherwise. Reads the files; starts nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

const CLIENT: &str = "expensestrackerfrontendcontainer";
const SERVERS: [&str; 3] = [
    "expensestrackercontainer",
    "expensestrackercontainer2",
    "expensestrackercontainer3",
];
const DATABASES: [&str; 3] = [
    "postgrescontainer1",
    "postgrescontainer2",
    "postgrescontainer3",
];

fn file(path: &str) -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The file as compose reads it, where nothing is set in the environment.
fn compose() -> Value {
    let mut compose: Value = serde_saphyr::from_str(&file("docker/compose.yaml")).unwrap();
    with_defaults(&mut compose);
    compose
}

/// Puts defaults in the places of variables. One without a default would be needed to start, which is not what we promise.
fn with_defaults(value: &mut Value) {
    match value {
        Value::String(text) => {
            // The innermost first: one may stand in the default of another.
            while let Some((before, rest)) = text.rsplit_once("${") {
                let (variable, after) = rest.split_once('}').expect("a variable ends");
                // What is there only where a variable is set is not there.
                let (_, default) = variable
                    .split_once(":+")
                    .map(|(name, _)| (name, ""))
                    .or_else(|| variable.split_once(":-"))
                    .unwrap_or_else(|| panic!("{variable} has no default"));
                *text = format!("{before}{default}{after}");
            }
        }
        Value::Array(list) => list.iter_mut().for_each(with_defaults),
        Value::Object(map) => map.values_mut().for_each(with_defaults),
        _ => {}
    }
}

fn service<'a>(compose: &'a Value, name: &str) -> &'a Value {
    let service = &compose["services"][name];
    assert!(service.is_object(), "there is no service {name}");
    service
}

fn services(compose: &Value) -> impl Iterator<Item = (&String, &Value)> {
    compose["services"].as_object().unwrap().iter()
}

fn texts(list: &Value) -> Vec<&str> {
    let list = list
        .as_array()
        .unwrap_or_else(|| panic!("{list} is no list"));
    list.iter().map(|one| one.as_str().unwrap()).collect()
}

/// What a list or a map is of: networks and dependencies come as either.
fn names(value: &Value) -> BTreeSet<&str> {
    match value {
        Value::Object(map) => map.keys().map(String::as_str).collect(),
        _ => texts(value).into_iter().collect(),
    }
}

/// The volumes of a service, by the place where it sees them.
fn volumes(service: &Value) -> BTreeMap<&str, &str> {
    texts(&service["volumes"])
        .into_iter()
        .map(|volume| {
            let mut parts = volume.split(':');
            let name = parts.next().unwrap();
            (parts.next().unwrap(), name)
        })
        .collect()
}

#[test]
fn there_are_seven_containers_by_their_names() {
    let compose = compose();
    let expected: BTreeSet<&str> = [CLIENT]
        .into_iter()
        .chain(SERVERS)
        .chain(DATABASES)
        .collect();
    assert_eq!(names(&compose["services"]), expected);
    for (name, service) in services(&compose) {
        assert_eq!(service["container_name"], **name);
    }
}

#[test]
fn each_is_published_on_loopback_alone_at_its_port() {
    let compose = compose();
    let mut published = BTreeMap::new();
    for (name, service) in services(&compose) {
        for port in texts(&service["ports"]) {
            let [address, outside, inside] = port.split(':').collect::<Vec<_>>()[..] else {
                panic!("{name}: {port}");
            };
            assert_eq!(address, "127.0.0.1", "{name}: {port}");
            let twice = published.insert(name.as_str(), (outside.to_owned(), inside.to_owned()));
            assert_eq!(twice, None, "{name} publishes one port");
        }
        assert!(service.get("network_mode").is_none(), "{name}");
    }
    let expected = [
        (CLIENT, "8080", "8080"),
        (SERVERS[0], "8081", "8081"),
        (SERVERS[1], "8082", "8081"),
        (SERVERS[2], "8083", "8081"),
        (DATABASES[0], "5432", "5432"),
        (DATABASES[1], "5433", "5432"),
        (DATABASES[2], "5434", "5432"),
    ];
    let expected =
        expected.map(|(name, outside, inside)| (name, (outside.to_owned(), inside.to_owned())));
    assert_eq!(published, expected.into());
}

#[test]
fn each_server_has_a_database_and_a_log_of_its_own() {
    let compose = compose();
    let mut logs = BTreeSet::new();
    let mut rows = BTreeSet::new();
    for (number, (server_name, database_name)) in SERVERS.into_iter().zip(DATABASES).enumerate() {
        let id = number + 1;
        let server = service(&compose, server_name);
        let database = service(&compose, database_name);
        let settings = &server["environment"];
        assert_eq!(settings["THREEFOLD_ID"], id);
        assert_eq!(
            settings["THREEFOLD_DATABASE"],
            format!("postgres://threefold@{database_name}:5432/threefold")
        );
        assert_eq!(
            settings["THREEFOLD_PUBLIC_URL"],
            format!("http://localhost:{}", 8080 + id)
        );

        let server_volumes = volumes(server);
        let data = settings["THREEFOLD_DATA"].as_str().unwrap();
        assert!(
            logs.insert(server_volumes[data]),
            "{server_name} shares its log"
        );
        let database_volumes = volumes(database);
        assert!(
            rows.insert(database_volumes["/var/lib/postgresql/data"]),
            "{database_name} shares its data"
        );
        // The password is between these two.
        let password = "/var/lib/threefold/database";
        assert_eq!(server_volumes[password], database_volumes[password]);
        assert_eq!(settings["PGPASSFILE"], format!("{password}/pgpass"));
        let readers = services(&compose)
            .filter(|(_, other)| other.get("volumes").is_some())
            .filter(|(_, other)| {
                volumes(other)
                    .values()
                    .any(|&v| v == server_volumes[password])
            });
        assert_eq!(readers.count(), 2);

        // And so is the network.
        let networks = names(&database["networks"]);
        assert_eq!(networks.len(), 1, "{database_name}");
        let network = networks.first().unwrap();
        let on_it =
            services(&compose).filter(|(_, other)| names(&other["networks"]).contains(network));
        let on_it: BTreeSet<&str> = on_it.map(|(name, _)| name.as_str()).collect();
        assert_eq!(on_it, BTreeSet::from([server_name, database_name]));
    }
    let declared = names(&compose["volumes"]);
    for (name, service) in services(&compose) {
        if service.get("volumes").is_some() {
            for volume in volumes(service).values() {
                assert!(
                    declared.contains(volume),
                    "{name}: {volume} is no named volume"
                );
            }
        }
    }
}

#[test]
fn servers_meet_on_a_network_that_leads_nowhere_else() {
    let compose = compose();
    assert_eq!(compose["networks"]["peers"]["internal"], true);
    let on_it =
        services(&compose).filter(|(_, service)| names(&service["networks"]).contains("peers"));
    let on_it: BTreeSet<&str> = on_it.map(|(name, _)| name.as_str()).collect();
    assert_eq!(on_it, SERVERS.into());

    let peers = "1=http://peer1:9081,2=http://peer2:9081,3=http://peer3:9081";
    for (number, name) in SERVERS.into_iter().enumerate() {
        let server = service(&compose, name);
        let alias = format!("peer{}", number + 1);
        assert_eq!(
            texts(&server["networks"]["peers"]["aliases"]),
            [alias.as_str()]
        );
        // By that name it listens on this network only.
        assert_eq!(
            server["environment"]["THREEFOLD_PEER_LISTEN"],
            format!("{alias}:9081")
        );
        assert_eq!(server["environment"]["THREEFOLD_PEER"], peers);
    }
}

#[test]
fn nobody_is_let_in_without_a_token_and_no_secret_is_written_down() {
    let compose = compose();
    for name in SERVERS {
        let server = service(&compose, name);
        let settings = &server["environment"];
        assert_eq!(settings["THREEFOLD_CREATE_SECRETS"], "true");
        assert!(settings.get("THREEFOLD_OPEN").is_none());
        for secret in [
            "THREEFOLD_CLUSTER_SECRET_FILE",
            "THREEFOLD_ACCESS_TOKEN_FILE",
        ] {
            let path = settings[secret].as_str().unwrap();
            let (folder, _) = path.rsplit_once('/').unwrap();
            assert_eq!(volumes(server)[folder], "secrets", "{name}");
        }
        let origins: Vec<_> = settings["THREEFOLD_ALLOW_ORIGIN"]
            .as_str()
            .unwrap()
            .split(',')
            .collect();
        assert!(origins.contains(&"http://localhost:8080"), "{origins:?}");
        assert!(origins.contains(&"http://127.0.0.1:8080"), "{origins:?}");
        // An empty one would be refused.
        assert_eq!(origins.len(), 2, "{origins:?}");
    }
    for (name, service) in services(&compose) {
        let settings = service["environment"].as_object().unwrap();
        assert!(
            settings.keys().all(|key| !key.contains("PASSWORD")),
            "{name}"
        );
        if !SERVERS.contains(&name.as_str()) && name != CLIENT {
            assert!(
                !volumes(service).values().any(|&volume| volume == "secrets"),
                "{name}"
            );
        }
    }
}

/// A key without a value passes on a variable that is set, and nothing where it is not: an empty one would be refused, or
/// silence the log.
#[test]
fn what_is_not_set_does_not_arrive_as_empty() {
    let compose = compose();
    for name in SERVERS {
        let settings = service(&compose, name)["environment"].as_object().unwrap();
        for variable in [
            "THREEFOLD_LOG",
            "THREEFOLD_LOG_FORMAT",
            "THREEFOLD_LOG_LIMIT",
            "THREEFOLD_MIN_IN_SYNC",
            "THREEFOLD_IN_SYNC_TIMEOUT_MS",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "OTEL_TRACES_SAMPLER",
            "OTEL_TRACES_SAMPLER_ARG",
        ] {
            assert_eq!(
                settings.get(variable),
                Some(&Value::Null),
                "{name}: {variable}"
            );
        }
        assert!(settings.values().all(|value| value != ""), "{name}");
    }
}

#[test]
fn each_is_looked_after_and_bounded() {
    let compose = compose();
    for (name, service) in services(&compose) {
        let check = texts(&service["healthcheck"]["test"]);
        assert_eq!(check[0], "CMD", "{name}: no shell is needed");
        for setting in ["interval", "timeout", "start_period", "retries"] {
            assert!(
                !service["healthcheck"][setting].is_null(),
                "{name}: {setting}"
            );
        }
        assert_eq!(service["restart"], "unless-stopped", "{name}");
        let memory = service["mem_limit"].as_str().unwrap();
        let megabytes: u32 = memory.strip_suffix('m').unwrap().parse().unwrap();
        assert!((64..=1024).contains(&megabytes), "{name}: {memory}");
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(texts(&service["cap_drop"]), ["ALL"], "{name}");
        assert_eq!(
            texts(&service["security_opt"]),
            ["no-new-privileges:true"],
            "{name}"
        );
        assert!(service.get("privileged").is_none(), "{name}");
        assert!(!service["pids_limit"].is_null(), "{name}");
        assert!(
            !service["logging"]["options"]["max-size"].is_null(),
            "{name}"
        );
        assert!(
            service.get("stop_grace_period").is_some() || name == CLIENT,
            "{name}"
        );
    }
    for name in SERVERS {
        let server = service(&compose, name);
        assert_eq!(
            texts(&server["healthcheck"]["test"])[1..],
            ["/usr/local/bin/threefold", "health"]
        );
        // What the check asks is what the server listens on.
        assert_eq!(server["environment"]["THREEFOLD_LISTEN"], "0.0.0.0:8081");
    }
}

#[test]
fn they_start_in_the_order_of_their_health() {
    let compose = compose();
    let waits_for = |name: &str| -> BTreeSet<String> {
        let Some(others) = service(&compose, name).get("depends_on") else {
            return BTreeSet::new();
        };
        for (other, how) in others.as_object().unwrap() {
            assert_eq!(how["condition"], "service_healthy", "{name} on {other}");
        }
        names(others).into_iter().map(str::to_owned).collect()
    };
    assert_eq!(waits_for(CLIENT), SERVERS.map(str::to_owned).into());
    for (server, database) in SERVERS.into_iter().zip(DATABASES) {
        assert_eq!(waits_for(server), [database.to_owned()].into());
        assert!(waits_for(database).is_empty());
    }
}

#[test]
fn every_base_image_is_pinned_and_can_be_replaced() {
    let dockerfile = file("docker/Dockerfile");
    let mut arguments = BTreeSet::new();
    let mut stages = BTreeSet::from(["scratch"]);
    for line in dockerfile.lines() {
        if let Some(argument) = line.strip_prefix("ARG ") {
            let (name, default) = argument.split_once('=').unwrap();
            arguments.insert(name);
            if name.ends_with("_IMAGE") {
                let (_, tag) = default.split_once(':').unwrap();
                let numbers = tag
                    .split(['.', '-'])
                    .take_while(|part| part.parse::<u32>().is_ok());
                assert!(numbers.count() >= 2, "{argument} is not pinned");
            }
        }
        if let Some(from) = line.strip_prefix("FROM ") {
            let (base, stage) = from.split_once(" AS ").unwrap();
            let argument = base
                .strip_prefix("${")
                .and_then(|rest| rest.strip_suffix('}'));
            let known = argument.map_or(stages.contains(base), |name| arguments.contains(name));
            assert!(known, "{line}");
            stages.insert(stage);
        }
    }
    let compose = compose();
    let mut images = BTreeMap::new();
    for (name, service) in services(&compose) {
        let image = service["image"].as_str().unwrap();
        assert!(
            image.starts_with("threefold-"),
            "{name}: {image} is built here"
        );
        assert_eq!(service["pull_policy"], "never", "{name}");
        let built = images.entry(image).or_insert(0);
        if let Some(build) = service.get("build") {
            *built += 1;
            assert!(stages.contains(build["target"].as_str().unwrap()), "{name}");
            assert_eq!(names(&build["args"]), arguments, "{name}");
        }
    }
    assert_eq!(images.len(), 3);
    assert!(
        images.values().all(|&built| built == 1),
        "each image is built once: {images:?}"
    );
    let bases = file("docker/local-bases/bases.env");
    for argument in arguments.iter().filter(|name| name.ends_with("_IMAGE")) {
        assert!(
            bases.contains(&format!("\n{argument}=")),
            "{argument} has no local image"
        );
    }
}

#[test]
fn the_server_runs_as_nobody_in_particular_and_its_dependencies_are_a_layer() {
    let dockerfile = file("docker/Dockerfile");
    let stage = |name: &str| {
        let (_, rest) = dockerfile.split_once(&format!(" AS {name}\n")).unwrap();
        rest.split("\nFROM ").next().unwrap().to_owned()
    };
    let server = stage("server");
    assert!(server.contains("\nUSER 10001:10001\n"), "{server}");
    assert!(
        !server.contains("RUN "),
        "there is no shell to run it: {server}"
    );
    assert!(
        server.contains(r#"CMD ["/usr/local/bin/threefold", "health"]"#),
        "{server}"
    );
    assert!(stage("client").contains("\nUSER 10002:10002\n"));

    // A crate that the layer does not know would fail the build, and only there.
    let dependencies = stage("dependencies");
    let workspace = file("Cargo.toml");
    let (_, members) = workspace.split_once("members = [").unwrap();
    let (members, _) = members.split_once(']').unwrap();
    for member in members
        .split(',')
        .map(|member| member.trim().trim_matches('"'))
    {
        let line = format!("\nCOPY {member}/Cargo.toml {member}/\n");
        assert!(
            dependencies.contains(&line),
            "{member} is missing: {dependencies}"
        );
    }
}
