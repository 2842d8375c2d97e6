//! PUBACK, PUBREC, PUBREL and PUBCOMP (3.4 to 3.7).

use crate::harness::*;
use mqlite::{
    broker::{Authentication, Config, Grant, Grants},
    codec::{Connect, ConnectProperties, ReasonCode},
};
use std::num::NonZeroU32;

#[test]
fn nobody_there_is_0x10() {
    let mut trace = Trace::new(V5);
    trace.connect("ada");
    trace.send("ada", publish("t", "x", AtLeastOnce, 1));
    trace.expect("ada", puback(1, ReasonCode::NoMatchingSubscribers));
    trace.send("ada", publish("t", "x", ExactlyOnce, 2));
    trace.expect("ada", pubrec(2, ReasonCode::NoMatchingSubscribers));
}

/// A client whose Maximum Packet Size has room for the CONNACK and for no Reason String that says anything.
fn terse(request_problem_information: Option<bool>, maximum_packet_size: Option<u32>) -> Trace {
    let grant = |filter| Grant { filter: text(filter), ..Default::default() };
    let authentication = Authentication::Open(Grants::of(vec![grant("allowed")]));
    let mut trace = Trace::with(V5, Config { authentication, topic_alias_maximum: 0, ..Default::default() });
    let maximum_packet_size = maximum_packet_size.and_then(NonZeroU32::new);
    let properties = ConnectProperties { maximum_packet_size, request_problem_information, ..Default::default() };
    trace.connect_with("ada", Connect { properties, ..connect("ada") });
    trace
}

/// [MQTT-3.4.2-1] [MQTT-3.4.2-2] [MQTT-3.4.2-3] [MQTT-3.5.2-1] [MQTT-3.5.2-2] [MQTT-3.5.2-3] [MQTT-3.6.2-1] [MQTT-3.6.2-2]
/// [MQTT-3.6.2-3] [MQTT-3.7.2-1] [MQTT-3.7.2-2] [MQTT-3.7.2-3] [MQTT-3.9.2-1] [MQTT-3.9.2-2] [MQTT-3.9.3-2] [MQTT-3.11.2-1]
/// [MQTT-3.11.2-2] [MQTT-3.11.3-2] [MQTT-3.1.2-29]
#[test]
fn an_answer_that_refuses_is_no_larger_than_the_client_takes_and_no_wordier_than_it_wants() {
    for mut trace in [terse(None, Some(13)), terse(Some(false), None)] {
        trace.send("ada", publish("forbidden", "x", AtLeastOnce, 1));
        trace.expect("ada", puback(1, ReasonCode::NotAuthorized));
        trace.send("ada", publish("forbidden", "x", ExactlyOnce, 1));
        trace.expect("ada", pubrec(1, ReasonCode::NotAuthorized));
        trace.send("ada", pubrec(9, ReasonCode::Success));
        trace.expect("ada", pubrel(9, ReasonCode::PacketIdentifierNotFound));
        trace.send("ada", pubrel(9, ReasonCode::Success));
        trace.expect("ada", pubcomp(9, ReasonCode::PacketIdentifierNotFound));
        trace.send("ada", subscribe(2, &[("forbidden", AtMostOnce), (&"deep/".repeat(200), AtMostOnce)]));
        trace.expect("ada", suback(2, &[ReasonCode::NotAuthorized, ReasonCode::TopicFilterInvalid]));
        trace.send("ada", unsubscribe(3, &["forbidden"]));
        trace.expect("ada", unsuback(3, &[ReasonCode::NoSubscriptionExisted]));
    }
}

/// [3.1.1 MQTT-3.3.5-2] What 3.1.1 cannot refuse in words is acknowledged and goes nowhere.
#[test]
fn an_answer_of_3_1_1_has_no_reason_code() {
    let grant = Grant { filter: text("allowed"), ..Default::default() };
    let authentication = Authentication::Open(Grants::of(vec![grant]));
    let mut trace = Trace::with(V3_1_1, Config { authentication, ..Default::default() });
    trace.connect("ada");
    trace.send("ada", publish("forbidden", "x", AtLeastOnce, 1));
    trace.expect("ada", puback(1, ReasonCode::Success));
    trace.send("ada", publish("forbidden", "x", ExactlyOnce, 2));
    trace.expect("ada", pubrec(2, ReasonCode::Success));
    trace.send("ada", pubrel(2, ReasonCode::Success));
    trace.expect("ada", pubcomp(2, ReasonCode::Success));
}
