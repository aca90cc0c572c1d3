//! Traces for a collector: OTLP as protobuf over HTTP, set up by OpenTelemetry's own environment variables.
//!
//! Spans wait in a bounded queue and are sent in batches from a thread of their own. Where the collector does not take
//! them they are lost, and nothing else happens: no request waits for it.

mod carrier;
mod complaint;
mod settings;

use opentelemetry::{Key, KeyValue, Value};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchSpanProcessor, SdkTracerProvider};

use self::carrier::Carrier;
use self::complaint::Complaining;

/// Makes spans and exports them, where the environment names a collector; none where it does not.
///
/// # Errors
/// A setting that cannot be used, by its name.
pub(super) fn provider(replica: u64) -> Result<Option<SdkTracerProvider>, String> {
    let environment = |name: &str| std::env::var(name).ok();
    let Some(settings) = settings::read(environment)? else {
        return Ok(None);
    };
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Carrier::new(settings.timeout)?)
        .build()
        .map_err(|error| {
            format!("traces cannot be exported as the OTEL_EXPORTER_OTLP_ variables ask: {error}")
        })?;
    // Its queue has a bound of 2,048 spans, OTEL_BSP_MAX_QUEUE_SIZE; what does not fit is dropped.
    let processor = BatchSpanProcessor::builder(Complaining::new(exporter)).build();
    // The sampler is OTEL_TRACES_SAMPLER's.
    let provider = SdkTracerProvider::builder()
        .with_span_processor(processor)
        .with_resource(resource(replica))
        .build();
    Ok(Some(provider))
}

/// Who says it: `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` add to it.
fn resource(replica: u64) -> Resource {
    let named = Resource::builder().build();
    let service_name = Key::from_static_str("service.name");
    let is_named = named
        .get(&service_name)
        .is_some_and(|name| !name.as_str().starts_with("unknown_service"));
    let own = [
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("service.instance.id", replica.to_string()),
    ];
    let resource = Resource::builder().with_attributes(own);
    if is_named {
        resource.build()
    } else {
        resource
            .with_attribute(KeyValue::new(service_name, Value::from("threefold")))
            .build()
    }
}
