//! The broker: MQTT rules as a pure function. Knows no socket, clock or storage engine.
