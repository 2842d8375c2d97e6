//! Between JavaScript's values and the core's. What does not fit is an error that names the field.
//! The `name` of each error is a word for programs, in the manner of DOM exceptions.

use super::{
    from_js::{FromJs, Unfit},
    to_js::{exchanged, writable},
};
#[cfg(feature = "broker")]
use crate::broker::KeepError;
#[cfg(feature = "client")]
use crate::client::Misuse;
use crate::{
    codec::{Publish, PublishProperties, Text},
    time::Timestamp,
    topic::InvalidTopic,
};
use js_sys::Error;
use wasm_bindgen::prelude::*;

/// JavaScript's clock, in milliseconds since 1970; what is before that is then.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast from f64 saturates")]
pub(super) const fn timestamp(milliseconds: f64) -> Timestamp {
    Timestamp(milliseconds as u64)
}

/// A point in time for JavaScript's timers, which know no later one than `f64` counts exactly.
#[allow(clippy::cast_precision_loss, reason = "beyond 285,000 years a timer may be late")]
pub(super) const fn milliseconds(at: Timestamp) -> f64 {
    at.0 as f64
}

/// What JavaScript gave cannot be used.
pub(super) fn invalid(message: &str) -> Error {
    fault("invalid-options", message)
}

pub(super) fn invalid_topic(invalid: InvalidTopic) -> Error {
    fault("invalid-topic", &invalid.to_string())
}

#[cfg(feature = "broker")]
pub(super) fn not_kept(error: KeepError) -> Error {
    let code = if error == KeepError::NoRoom { "storage-full" } else { "invalid-options" };
    fault(code, &error.to_string())
}

#[cfg(feature = "client")]
pub(super) fn misused(misuse: &Misuse) -> Error {
    fault(code(misuse), &misuse.to_string())
}

fn fault(code: &str, message: &str) -> Error {
    let error = Error::new(message);
    error.set_name(code);
    error
}

/// One word for each thing that the host can do wrong.
#[cfg(feature = "client")]
pub(super) const fn code(misuse: &Misuse) -> &'static str {
    match misuse {
        Misuse::InvalidConnect(_) | Misuse::NoFilters | Misuse::InvalidSubscriptionIdentifier => "invalid-options",
        Misuse::InvalidTopic(_) => "invalid-topic",
        Misuse::NoLocalOnShared => "no-local-on-shared",
        Misuse::QoSNotSupported { .. } => "qos-not-supported",
        Misuse::RetainNotSupported => "retain-not-supported",
        Misuse::PacketTooLarge { .. } => "packet-too-large",
        Misuse::WildcardSubscriptionsNotSupported => "wildcard-subscriptions-not-supported",
        Misuse::SharedSubscriptionsNotSupported => "shared-subscriptions-not-supported",
        Misuse::SubscriptionIdentifiersNotSupported => "subscription-identifiers-not-supported",
        Misuse::QueueFull => "queue-full",
        Misuse::PacketIdentifiersExhausted => "packet-identifiers-exhausted",
    }
}

/// Reads an object of options. `undefined` and `null` mean that there are none.
pub(super) fn read<T: FromJs + Default>(value: &JsValue) -> Result<T, Error> {
    if value.is_undefined() || value.is_null() {
        return Ok(T::default());
    }
    T::from_js(value).map_err(|Unfit { path, expected }| match path.as_str() {
        "" => invalid(expected),
        path => invalid(&format!("{path}: {expected}")),
    })
}

/// Text from JavaScript, where it may hold what MQTT cannot carry.
pub(super) fn text(what: &str, value: String) -> Result<Text, Error> {
    Text::try_from(value).map_err(|error| invalid(&format!("{what}: {error}")))
}

exchanged!(PublishProperties {
    payload_format_indicator,
    message_expiry_interval,
    topic_alias,
    response_topic,
    correlation_data,
    user_properties,
    subscription_identifiers,
    content_type,
});

writable!(Publish { topic, payload, qos, properties });
