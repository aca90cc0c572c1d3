//! What the environment says about exporting traces, checked: the library would silently do something else.

use std::time::Duration;

use reqwest::Url;

const ENDPOINTS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
];
const PROTOCOLS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
];
const TIMEOUTS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
    "OTEL_EXPORTER_OTLP_TIMEOUT",
];
const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
const SAMPLER_ARGUMENT: &str = "OTEL_TRACES_SAMPLER_ARG";
const SAMPLERS: [&str; 6] = [
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
];
/// Longest wait for the collector where none is set.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What the exporter is not told by the library itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Settings {
    /// Longest wait for the collector to take a batch.
    pub(super) timeout: Duration,
}

/// Reads the settings; none where no collector is named, or tracing is switched off.
pub(super) fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Settings>, String> {
    let variable = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
    let first = |names: [&'static str; 2]| {
        let mut set = names
            .into_iter()
            .filter_map(|name| Some((name, variable(name)?)));
        set.next()
    };
    let disabled =
        variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let exported = match variable("OTEL_TRACES_EXPORTER").as_deref() {
        None | Some("otlp") => true,
        Some("none") => false,
        Some(other) => {
            return Err(format!(
                "OTEL_TRACES_EXPORTER={other}: traces are exported by otlp, or by none"
            ));
        }
    };
    let Some((name, endpoint)) = first(ENDPOINTS).filter(|_| exported && !disabled) else {
        return Ok(None);
    };
    check_endpoint(name, &endpoint)?;
    if let Some((name, protocol)) = first(PROTOCOLS)
        && protocol != "http/protobuf"
    {
        return Err(format!(
            "{name}={protocol}: traces are sent as http/protobuf only; give that, and the collector's port for HTTP \
             (4318 as a rule) in OTEL_EXPORTER_OTLP_ENDPOINT"
        ));
    }
    check_sampler(variable(SAMPLER), variable(SAMPLER_ARGUMENT))?;
    let timeout = match first(TIMEOUTS) {
        None => TIMEOUT,
        Some((name, text)) => match text.trim().parse() {
            Ok(milliseconds @ 1..=60_000) => Duration::from_millis(milliseconds),
            _ => return Err(format!("{name}={text}: give 1 to 60000 milliseconds")),
        },
    };
    Ok(Some(Settings { timeout }))
}

/// The value is not repeated: it may hold a password.
fn check_endpoint(name: &str, endpoint: &str) -> Result<(), String> {
    let url = Url::parse(endpoint)
        .map_err(|error| format!("{name} is no URL such as http://127.0.0.1:4318: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("{name}: the URL begins with http:// or https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!(
            "{name} holds a user or password; give them as a header, in OTEL_EXPORTER_OTLP_HEADERS"
        ));
    }
    Ok(())
}

fn check_sampler(sampler: Option<String>, argument: Option<String>) -> Result<(), String> {
    let Some(sampler) = sampler else {
        return Ok(());
    };
    if !SAMPLERS.contains(&sampler.as_str()) {
        return Err(format!(
            "{SAMPLER}={sampler}: give one of {}",
            SAMPLERS.join(", ")
        ));
    }
    let ratio = argument.as_deref().map_or(Ok(1.0), str::parse::<f64>);
    if sampler.ends_with("traceidratio") && !ratio.is_ok_and(|ratio| (0.0..=1.0).contains(&ratio)) {
        return Err(format!(
            "{SAMPLER_ARGUMENT}: give the part that is sampled, from 0 to 1, such as 0.01"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");

    fn with(settings: &[(&str, &str)]) -> Result<Option<Settings>, String> {
        read(|asked| {
            let set = settings.iter().find(|(name, _)| *name == asked);
            set.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn nothing_is_exported_unless_a_collector_is_named() {
        assert_eq!(with(&[]), Ok(None));
        assert_eq!(with(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "")]), Ok(None));
        assert_eq!(with(&[ENDPOINT, ("OTEL_SDK_DISABLED", "TRUE")]), Ok(None));
        assert_eq!(
            with(&[ENDPOINT, ("OTEL_TRACES_EXPORTER", "none")]),
            Ok(None)
        );
        let timeout = TIMEOUT;
        assert_eq!(with(&[ENDPOINT]), Ok(Some(Settings { timeout })));
    }

    #[test]
    fn what_cannot_be_done_is_named_with_the_way_out() {
        for (name, value, message) in [
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "http/protobuf"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "0", "1 to 60000"),
            (
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
                "collector:4318",
                "http://",
            ),
            (
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
                "http://u:secret@h",
                "OTEL_EXPORTER_OTLP_HEADERS",
            ),
            (
                "OTEL_TRACES_SAMPLER",
                "sometimes",
                "parentbased_traceidratio",
            ),
            ("OTEL_TRACES_EXPORTER", "zipkin", "otlp"),
        ] {
            let error = with(&[ENDPOINT, (name, value)]).unwrap_err();
            assert!(error.contains(name) && error.contains(message), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
        let ratio = |text| {
            let sampler = ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio");
            with(&[ENDPOINT, sampler, ("OTEL_TRACES_SAMPLER_ARG", text)])
        };
        assert!(ratio("0.25").is_ok());
        for wrong in ["2", "-0.1", "NaN", "half"] {
            assert!(ratio(wrong).unwrap_err().contains("from 0 to 1"));
        }
    }
}
