//! The client: MQTT rules as a pure function. Knows no socket, clock or promise.
