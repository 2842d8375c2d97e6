//! The engines as JavaScript sees them, in a browser: `wasm-pack test --headless --chrome`.
#![cfg(all(target_arch = "wasm32", feature = "wasm"))]

use js_sys::{Array, Error, Object, Reflect, Uint8Array, Uint32Array};
use mqlite::shell::wasm::{BrokerEngine, ClientEngine, Records, reason_name};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(inline_js = "
  /**
   * A host that writes down each call: its name, then its arguments, copied while they are valid. `calls.waiting` have not written
   * what they are given, but for what they are given in the next `calls.taken` calls.
   */
  export function notingHost(calls) {
    const copy = (value) => (ArrayBuffer.isView(value) ? Array.from(value) : value);
    return new Proxy({}, { get: (_, name) => (...given) => {
      calls.push([name, ...given.map(copy)]);
      return name === 'send' && !(calls.taken-- > 0) ? calls.waiting : undefined;
    } });
  }
")]
extern "C" {
    #[wasm_bindgen(js_name = notingHost)]
    fn noting_host(calls: &Array) -> JsValue;
}

const NOW: f64 = 1_000_000_000_000.0;
const SEED: [u8; 32] = [7; 32];

/// A broker and the calls of its host.
struct TestBroker {
    engine: BrokerEngine,
    calls: Array,
}

/// A client and the calls of its host.
struct TestClient {
    engine: ClientEngine,
    calls: Array,
    connection: u32,
}

impl TestBroker {
    fn open(config: &str) -> Self {
        let calls = Array::new();
        let engine =
            BrokerEngine::new(noting_host(&calls).unchecked_into(), json(config), JsValue::UNDEFINED, &SEED, None);
        Self { engine: engine.unwrap(), calls }
    }

    fn connect(&mut self, connection: u32, options: &str) -> TestClient {
        let calls = Array::new();
        let engine = ClientEngine::new(noting_host(&calls).unchecked_into(), json(options), None).unwrap();
        let mut client = TestClient { engine, calls, connection };
        self.engine.opened(NOW, connection);
        client.engine.opened(NOW, JsValue::UNDEFINED).unwrap();
        self.carry(&mut [&mut client]);
        client
    }

    /// Carries bytes to and fro until nobody has any.
    fn carry(&mut self, clients: &mut [&mut TestClient]) {
        loop {
            let mut idle = true;
            for client in clients.iter_mut() {
                for call in take(&client.calls, "send") {
                    self.engine.received(NOW, client.connection, bytes(&call.get(1)));
                    idle = false;
                }
            }
            for call in take(&self.calls, "send") {
                let mut rest = bytes(&call.get(2));
                let writes: Vec<_> =
                    call.get(1).unchecked_into::<Array>().iter().filter_map(|it| it.as_f64()).collect();
                for write in writes.chunks_exact(2) {
                    let client = clients.iter_mut().find(|client| f64::from(client.connection) == write[0]);
                    let client = client.expect("a client of this test");
                    let more = rest.split_off(write[1] as usize);
                    client.engine.received(NOW, core::mem::replace(&mut rest, more));
                }
                idle = false;
            }
            if idle {
                return;
            }
        }
    }
}

#[wasm_bindgen_test]
fn a_message_crosses_in_both_versions_and_at_every_qos() {
    for version in [4, 5] {
        for qos in [0, 1, 2] {
            let mut broker = TestBroker::open("{}");
            let mut subscriber = broker.connect(1, &format!("{{\"protocolVersion\": {version}, \"clientId\": \"a\"}}"));
            let mut publisher = broker.connect(2, &format!("{{\"protocolVersion\": {version}}}"));
            let options = json(&format!("{{\"qos\": {qos}}}"));
            subscriber.engine.subscribe(NOW, 1, 9, "a/+".into(), options, JsValue::UNDEFINED).unwrap();
            broker.carry(&mut [&mut subscriber, &mut publisher]);
            assert_eq!(
                text(&take(&subscriber.calls, "answered")),
                format!("[[\"answered\",1,[{qos}],{{\"userProperties\":[]}}]]")
            );

            // the second has the topic of the first
            let messages = [[2, qos, 3, 2], [3, qos | 8, 0, 1]].concat();
            publisher.engine.publish(NOW, &messages, b"a/b\x00\xFF\x01".to_vec(), None);
            assert_eq!(publisher.calls.iter().filter(|call| is(call, "send")).count(), 1);
            broker.carry(&mut [&mut subscriber, &mut publisher]);
            assert_eq!(text(&take(&subscriber.calls, "place")), r#"[["place",0,"a/b",[9]]]"#);
            let heads = if qos == 0 { "0,0,2,0,0,0,0,1,0,0".into() } else { format!("0,{qos},2,1,1,0,{qos},1,2,2") };
            assert_eq!(text(&take(&subscriber.calls, "deliver")), format!(r#"[["deliver",[{heads}],[0,255,1],null]]"#));

            if qos > 0 {
                subscriber.engine.acknowledge(NOW, &[1.0, 2.0]);
                assert_eq!(subscriber.calls.iter().filter(|call| is(call, "send")).count(), 1);
                broker.carry(&mut [&mut subscriber, &mut publisher]);
            }
            assert_eq!(number(&broker.engine.statistics(), "messagesStored"), 0.0);
            assert_eq!(text(&take(&publisher.calls, "published")), r#"[["published",[2,3]]]"#);
        }
    }
}

#[wasm_bindgen_test]
fn a_message_that_cannot_be_sent_does_not_keep_others_from_it() {
    let mut broker = TestBroker::open("{}");
    let mut client = broker.connect(1, "{}");
    // U+0000 in a topic, QoS 3, properties of the wrong type, and one that can
    let messages = [[1, 0, 1, 0], [2, 3, 1, 0], [3, 16, 1, 0], [4, 0, 1, 0]].concat();
    let wrong = json(r#"{"messageExpiryInterval": "1"}"#);
    client.engine.publish(NOW, &messages, b"\0aaa".to_vec(), Some(Array::of1(&wrong)));
    let failed = take(&client.calls, "failed");
    let said: Vec<_> = failed.iter().map(|call| text(&call.slice(1, 3))).collect();
    assert_eq!(said, [r#"[1,"invalid-options"]"#, r#"[2,"invalid-options"]"#, r#"[3,"invalid-options"]"#]);
    assert_eq!(text(&take(&client.calls, "published")), r#"[["published",[4]]]"#);
    assert_eq!(take(&client.calls, "send").length(), 1);
}

#[wasm_bindgen_test]
fn properties_cross_as_text_numbers_and_bytes() {
    let mut broker = TestBroker::open("{}");
    let mut client = broker.connect(1, "{}");
    client.engine.subscribe(NOW, 1, 1, "a".into(), json("{}"), JsValue::UNDEFINED).unwrap();
    let properties = json(
        r#"{"payloadFormatIndicator": true, "messageExpiryInterval": 60, "contentType": "text/plain",
        "responseTopic": "b", "userProperties": [["ä", "1"], ["ä", "2"]]}"#,
    );
    Reflect::set(&properties, &"correlationData".into(), &Uint8Array::from(&[1, 2][..])).unwrap();
    let messages = [[2, 0, 1, 0], [3, 16 | 8, 0, 0]].concat();
    client.engine.publish(NOW, &messages, b"a".to_vec(), Some(Array::of1(&properties)));
    broker.carry(&mut [&mut client]);
    let heard: Array = take(&client.calls, "deliver").get(0).unchecked_into();
    assert_eq!(text(&heard.get(1)), "[0,0,0,0,0,0,16,0,0,0]");
    let properties = heard.get(3).unchecked_into::<Array>().get(0);
    assert_eq!(bytes(&get(&properties, "correlationData")), [1, 2]);
    Reflect::delete_property(&properties.clone().unchecked_into::<Object>(), &"correlationData".into()).unwrap();
    assert_eq!(
        text(&properties),
        r#"{"payloadFormatIndicator":true,"messageExpiryInterval":60,"responseTopic":"b","userProperties":[["ä","1"],["ä","2"]],"subscriptionIdentifiers":[],"contentType":"text/plain"}"#
    );
}

#[wasm_bindgen_test]
fn all_frames_of_one_connection_are_one_write() {
    let mut broker = TestBroker::open("{}");
    let client = broker.connect(1, "{}");
    // SUBSCRIBE to `a`, then two PUBLISHes to it, in one chunk
    let chunk =
        [&[0x82, 7, 0, 1, 0, 0, 1, b'a', 0][..], &[0x30, 5, 0, 1, b'a', 0, b'x'], &[0x30, 5, 0, 1, b'a', 0, b'y']];
    broker.engine.received(NOW, client.connection, chunk.concat());
    assert_eq!(take(&broker.calls, "send").length(), 1);
}

#[wasm_bindgen_test]
fn what_an_input_sends_to_many_connections_crosses_in_one_call() {
    let mut broker = TestBroker::open("{}");
    let mut clients: Vec<_> = (1..=3).map(|connection| broker.connect(connection, "{}")).collect();
    for client in &mut clients {
        client.engine.subscribe(NOW, 1, 1, "a".into(), json("{}"), JsValue::UNDEFINED).unwrap();
    }
    broker.carry(&mut clients.iter_mut().collect::<Vec<_>>());
    broker.engine.received(NOW, 1, b"\x30\x05\0\x01a\0x".to_vec());
    let sent = take(&broker.calls, "send");
    assert_eq!(sent.length(), 1);
    let writes: Array = sent.get(0).get(1).unchecked_into();
    assert_eq!([0, 2, 4].map(|index| writes.get(index).as_f64().unwrap()), [1.0, 2.0, 3.0]);
}

/// A PUBLISH of MQTT 3.1.1 to `a` at QoS 0.
fn publish(payload: &str) -> Vec<u8> {
    let rest = [b"\0\x01a", payload.as_bytes()].concat();
    let length = match rest.len() {
        length @ ..128 => vec![length as u8],
        length => vec![length as u8 | 128, (length >> 7) as u8 | 128, (length >> 14) as u8],
    };
    [&[0x30], &length[..], &rest].concat()
}

/// A broker whose connection 1, subscribed to `a`, has not written what it was given.
fn unwritten(config: &str) -> TestBroker {
    let mut broker = TestBroker::open(config);
    broker.connect(1, r#"{"protocolVersion": 4}"#);
    broker.connect(2, r#"{"protocolVersion": 4}"#);
    broker.engine.received(NOW, 1, b"\x82\x06\0\x01\0\x01a\0".to_vec());
    take(&broker.calls, "send");
    broker.waits(&[1]);
    broker.engine.received(NOW, 2, publish("1"));
    assert_eq!(broker.sent(), [(1, publish("1"))]);
    broker
}

impl TestBroker {
    /// These have not written what they are given from now on.
    fn waits(&self, connections: &[u32]) {
        let waiting = Uint32Array::from(connections);
        assert!(Reflect::set(&self.calls, &"waiting".into(), &waiting).unwrap());
    }

    /// The next calls in which somebody is sent something are all written.
    fn takes(&self, calls: u32) {
        assert!(Reflect::set(&self.calls, &"taken".into(), &calls.into()).unwrap());
    }

    /// To whom what was sent since the last time.
    fn sent(&self) -> Vec<(u32, Vec<u8>)> {
        let writes = |call: Array| {
            let mut rest = bytes(&call.get(2));
            let numbers = Uint32Array::new(&call.get(1)).to_vec();
            let write = move |write: &[u32]| (write[0], rest.drain(..write[1] as usize).collect());
            numbers.chunks_exact(2).map(write).collect::<Vec<_>>()
        };
        take(&self.calls, "send").iter().flat_map(writes).collect()
    }
}

#[wasm_bindgen_test]
fn what_several_messages_at_a_time_cause_is_one_write_for_each_in_the_order_of_the_messages() {
    let mut broker = TestBroker::open("{}");
    // More than are told apart by one digit of what sorts them.
    for connection in 1..=70 {
        broker.connect(connection, r#"{"protocolVersion": 4}"#);
        broker.engine.received(NOW, connection, b"\x82\x06\0\x01\0\x01a\0".to_vec());
        broker.sent();
    }
    let chunk = ["1", "22", "333"].map(publish).concat();
    broker.engine.received(NOW, 70, chunk.clone());
    assert_eq!(broker.sent(), (1..=70).map(|connection| (connection, chunk.clone())).collect::<Vec<_>>());
}

#[wasm_bindgen_test]
fn what_has_written_a_part_of_what_an_input_causes_is_sent_no_more_than_the_send_buffer_before_it_has_written_the_rest()
{
    let mut broker = TestBroker::open(r#"{"sendBuffer": 200000}"#);
    for connection in [1, 2] {
        broker.connect(connection, r#"{"protocolVersion": 4}"#);
    }
    broker.engine.received(NOW, 1, b"\x82\x06\0\x01\0\x01a\x01".to_vec());
    broker.sent();
    broker.takes(1);
    broker.waits(&[1]);
    let payload = "x".repeat(10_000);
    let chunk = (1..=60).map(|id| [&b"\x32\x95\x4e\0\x01a\0"[..], &[id], payload.as_bytes()].concat());
    broker.engine.received(NOW, 2, chunk.flatten().collect());
    let sent: usize =
        broker.sent().iter().filter(|(connection, _)| *connection == 1).map(|(_, bytes)| bytes.len()).sum();
    assert!((190_000..=220_000).contains(&sent), "{sent} bytes");
    broker.waits(&[]);
    broker.engine.writable(NOW, 1);
    let rest: usize = broker.sent().iter().map(|(_, bytes)| bytes.len()).sum();
    assert!(rest > 180_000, "{rest} bytes");
}

#[wasm_bindgen_test]
fn what_has_not_written_is_sent_the_rest_at_once_when_it_has() {
    let mut broker = unwritten("{}");
    broker.engine.received(NOW, 2, publish("2"));
    broker.engine.received(NOW, 2, publish("3"));
    assert_eq!(broker.sent(), []);
    broker.waits(&[]);
    broker.engine.writable(NOW, 1);
    assert_eq!(broker.sent(), [(1, [publish("2"), publish("3")].concat())]);
    broker.engine.received(NOW, 2, publish("4"));
    assert_eq!(broker.sent(), [(1, publish("4"))]);
}

#[wasm_bindgen_test]
fn what_has_not_written_is_sent_more_when_it_is_much() {
    let mut broker = unwritten("{}");
    let much = "3".repeat(1 << 14);
    broker.engine.received(NOW, 2, publish("2"));
    broker.engine.received(NOW, 2, publish(&much));
    assert_eq!(broker.sent(), [(1, [publish("2"), publish(&much)].concat())]);
    broker.engine.received(NOW, 2, publish("4"));
    assert_eq!(broker.sent(), []);
}

#[wasm_bindgen_test]
fn what_writes_all_that_it_is_given_loses_nothing_although_more_waits_each_time() {
    let mut broker = unwritten(r#"{"sendBuffer": 100}"#);
    for _ in 0..50 {
        broker.engine.received(NOW, 2, publish("2"));
        broker.engine.writable(NOW, 1);
    }
    assert_eq!(number(&broker.engine.statistics(), "messagesDropped"), 0.0);
    assert_eq!(broker.sent().len(), 50);
}

#[wasm_bindgen_test]
fn no_more_is_held_than_the_send_buffer_has_room_for() {
    let mut broker = unwritten(r#"{"sendBuffer": 100}"#);
    let half = "2".repeat(50);
    broker.engine.received(NOW, 2, publish(&half));
    assert_eq!(broker.sent(), [(1, publish(&half))]);
}

#[wasm_bindgen_test]
fn what_has_not_written_is_sent_the_rest_before_it_is_closed() {
    let mut broker = unwritten("{}");
    broker.engine.received(NOW, 2, publish("2"));
    broker.engine.received(NOW, 1, vec![0x30, 0]);
    assert!(
        broker.calls.iter().position(|call| is(&call, "send"))
            < broker.calls.iter().position(|call| is(&call, "close"))
    );
    assert!(broker.sent()[0].1.starts_with(&publish("2")));
}

#[wasm_bindgen_test]
fn what_is_gone_is_sent_nothing() {
    let mut broker = unwritten("{}");
    broker.engine.received(NOW, 2, publish("2"));
    broker.engine.closed(NOW, 1);
    broker.engine.writable(NOW, 1);
    assert_eq!(broker.sent(), []);
}

#[wasm_bindgen_test]
fn an_option_of_the_wrong_type_is_refused_by_name() {
    let refused = |options: &str| {
        let error = ClientEngine::new(noting_host(&Array::new()).unchecked_into(), json(options), None).err().unwrap();
        let error: Error = JsValue::from(error).unchecked_into();
        (String::from(error.name()), String::from(error.message()))
    };
    for (options, field) in [
        (r#"{"keepAlive": 65536}"#, "keepAlive: "),
        (r#"{"protocolVersion": 3}"#, "protocolVersion: "),
        (r#"{"will": {"topic": 1}}"#, "will.topic: "),
        (r#"{"properties": {"userProperties": [["a", "b"], ["c"]]}}"#, "properties.userProperties[1]: "),
    ] {
        let (name, message) = refused(options);
        assert_eq!(name, "invalid-options");
        assert!(message.starts_with(field), "{message}");
    }
    assert_eq!(refused(r##"{"will": {"topic": "#"}}"##).0, "invalid-topic");
    let seed =
        BrokerEngine::new(noting_host(&Array::new()).unchecked_into(), json("{}"), JsValue::UNDEFINED, &[1], None);
    assert_eq!(
        String::from(JsValue::from(seed.err().unwrap()).unchecked_into::<Error>().message()),
        "seed: not 32 bytes"
    );
}

#[wasm_bindgen_test]
fn deadlines_are_milliseconds_and_silence_is_the_end() {
    let mut broker = TestBroker::open(r#"{"connectTimeoutMillis": 1234, "sysIntervalSeconds": 0}"#);
    assert_eq!(broker.engine.deadline(), None);
    broker.engine.opened(NOW, 1);
    assert_eq!(broker.engine.deadline(), Some(NOW + 1234.0));
    broker.engine.timeout(NOW + 1233.0);
    assert_eq!(take(&broker.calls, "close").length(), 0);
    broker.engine.timeout(NOW + 1234.0);
    assert_eq!(text(&take(&broker.calls, "close")), r#"[["close",1]]"#);
}

#[wasm_bindgen_test]
fn the_host_decides_who_is_let_in_and_hears_what_happened() {
    let calls = Array::new();
    let policy = json(r#"{"asks": true, "reports": true}"#);
    let mut engine = BrokerEngine::new(noting_host(&calls).unchecked_into(), json("{}"), policy, &SEED, None).unwrap();
    for (connection, verdict) in [(1, r#"{"type": "deny", "reason": 135}"#), (2, r#"{"type": "allow", "grants": []}"#)]
    {
        engine.opened(NOW, connection);
        // MQTT 5, Clean Start, client `a`, user `u`
        let connect = b"\x10\x11\x00\x04MQTT\x05\x82\x00\x00\x00\x00\x01a\x00\x01u";
        engine.received(NOW, connection, connect.to_vec());
        let asked = text(&take(&calls, "authenticate"));
        assert_eq!(
            asked,
            format!(r#"[["authenticate",{connection},{{"step":"connect","clientId":"a","userName":"u"}}]]"#)
        );
        engine.authenticated(NOW, connection, json(verdict)).unwrap();
    }
    assert!(engine.authenticated(NOW, 2, json(r#"{"type": "perhaps"}"#)).is_err());
    let reports = take(&calls, "report");
    let kinds: Vec<_> =
        reports.iter().map(|call| get(&call.unchecked_into::<Array>().get(1), "type").as_string().unwrap()).collect();
    assert_eq!(kinds, ["refused", "connected"]);
}

#[wasm_bindgen_test]
fn what_is_written_comes_before_what_is_sent_and_makes_the_next_broker() {
    let calls = Array::new();
    let policy = || json(r#"{"stores": true, "hibernates": true}"#);
    let open = |records| {
        BrokerEngine::new(noting_host(&calls).unchecked_into(), json("{}"), policy(), &SEED, records).unwrap()
    };
    let mut engine = open(None);
    engine.opened(NOW, 1);
    // MQTT 5, Client Identifier `a`, Session Expiry Interval 60; then PINGREQ
    engine.received(NOW, 1, b"\x10\x13\x00\x04MQTT\x05\x02\x00\x00\x05\x11\x00\x00\x00\x3c\x00\x01a".to_vec());
    let noted: Vec<Array> = calls.iter().map(JsCast::unchecked_into).collect();
    let names: Vec<_> = noted.iter().map(|call| call.get(0).as_string().unwrap()).collect();
    assert_eq!(names, ["write", "commit", "remember", "send"]);

    calls.set_length(0);
    let mut records = Records::new();
    records.push(bytes(&noted[0].get(1)), bytes(&noted[0].get(2)));
    records.push(b"zebra".to_vec(), Vec::new());
    let mut engine = open(Some(records));
    let rejected = take(&calls, "reject");
    assert_eq!(bytes(&rejected.get(0).get(1)), b"zebra");
    engine.resumed(NOW, 7, bytes(&noted[2].get(2)));
    engine.timeout(NOW);
    engine.received(NOW, 7, b"\xc0\x00".to_vec());
    assert_eq!(text(&take(&calls, "send")), r#"[["send",[7,2],[208,0]]]"#);
}

#[wasm_bindgen_test]
fn each_connection_may_have_credentials_and_a_version_of_its_own() {
    let calls = Array::new();
    let mut engine =
        ClientEngine::new(noting_host(&calls).unchecked_into(), json(r#"{"userName": "u"}"#), None).unwrap();
    let sent = |engine: &mut ClientEngine, credentials: &str| {
        engine.opened(NOW, json(credentials)).unwrap();
        let connect = bytes(&take(&calls, "send").get(0).get(1));
        engine.closed(NOW);
        String::from_utf8_lossy(&connect[4..]).into_owned()
    };
    let fresh = sent(&mut engine, r#"{"userName": "fresh"}"#);
    assert!(fresh.starts_with("MQTT\u{5}") && fresh.ends_with("\0\u{5}fresh"), "{fresh:?}");
    assert!(sent(&mut engine, "null").ends_with("\0\u{1}u"));
    engine.use_version(4).unwrap();
    assert!(sent(&mut engine, "{}").starts_with("MQTT\u{4}"));
    assert!(engine.use_version(3).is_err());
    assert!(engine.opened(NOW, json(r#"{"userName": 1}"#)).is_err());
}

#[wasm_bindgen_test]
fn what_waits_can_be_cancelled_or_make_room() {
    let calls = Array::new();
    let options = json(r#"{"outbox": {"maximumMessages": 1, "policy": "drop-oldest"}}"#);
    let mut engine = ClientEngine::new(noting_host(&calls).unchecked_into(), options, None).unwrap();
    for token in 1..=2 {
        engine.publish(NOW, &[token, 0, 1, 0], b"a".to_vec(), None);
    }
    assert_eq!(text(&take(&calls, "failed")), r#"[["failed",1,"dropped","the outbox had no room for it"]]"#);
    assert!(!engine.cancel(NOW, 1));
    assert!(engine.cancel(NOW, 2));
    assert!(!engine.cancel(NOW, 2));
    assert_eq!(calls.length(), 0);
    let refused =
        ClientEngine::new(noting_host(&calls).unchecked_into(), json(r#"{"outbox": {"policy": "drop"}}"#), None);
    assert!(refused.is_err());
}

#[wasm_bindgen_test]
fn subscriptions_are_made_again_and_keep_their_identifiers() {
    let mut broker = TestBroker::open("{}");
    let mut client = broker.connect(1, "{}");
    for (number, filter, properties) in
        [(1, "a", r#"{"subscriptionIdentifier": 5}"#), (2, "b", r#"{"subscriptionIdentifier": 5}"#), (3, "#", "{}")]
    {
        client.engine.subscribe(NOW, number, number, filter.into(), json("{}"), json(properties)).unwrap();
    }
    broker.carry(&mut [&mut client]);
    assert_eq!(take(&client.calls, "answered").length(), 3);
    client.engine.forget(NOW, 2, "b".into());

    client.engine.closed(NOW);
    broker.engine.closed(NOW, 1);
    client.connection = 2;
    broker.engine.opened(NOW, 2);
    client.engine.opened(NOW, JsValue::UNDEFINED).unwrap();
    client.engine.publish(NOW, &[4, 0, 1, 0, 5, 0, 1, 0], b"ab".to_vec(), None);
    broker.carry(&mut [&mut client]);
    let places = text(&take(&client.calls, "place"));
    assert_eq!(places, r#"[["place",0,"a",[3,1]],["place",1,"b",[3]]]"#);
    let heard: Array = take(&client.calls, "deliver").get(0).unchecked_into();
    assert_eq!(text(&heard.get(1)), "[0,16,0,0,0,1,0,0,0,0]", "those of the client itself are left out");
    assert_eq!(text(&get(&heard.get(3).unchecked_into::<Array>().get(0), "subscriptionIdentifiers")), "[5]");

    // CONNACK without a session, SUBACK for each of the two: the first is refused.
    client.engine.opened(NOW, JsValue::UNDEFINED).unwrap();
    client.engine.received(NOW, b"\x20\x03\0\0\0".to_vec());
    let packets: Vec<Array> = take(&client.calls, "send").iter().map(JsCast::unchecked_into).collect();
    let again = bytes(&packets[1].get(1));
    assert_eq!(again[usize::from(again[1]) + 2], 0x82, "both in one write");
    client.engine.received(NOW, vec![0x90, 4, again[2], again[3], 0, 0x87]);
    let lost = text(&take(&client.calls, "subscriptionLost"));
    assert_eq!(lost, r#"[["subscriptionLost",1,135,""]]"#);
}

#[wasm_bindgen_test]
fn what_a_client_writes_comes_before_what_it_sends_and_makes_the_next_client() {
    let calls = Array::new();
    let options = || json(r#"{"clientId": "a", "properties": {"sessionExpiryInterval": 60}}"#);
    let open = |records| ClientEngine::new(noting_host(&calls).unchecked_into(), options(), Some(records)).unwrap();
    let names =
        || -> Vec<_> { calls.iter().map(|call| call.unchecked_into::<Array>().get(0).as_string().unwrap()).collect() };
    let mut engine = open(Records::new());
    engine.opened(NOW, JsValue::UNDEFINED).unwrap();
    engine.received(NOW, b"\x20\x03\0\0\0".to_vec());
    assert_eq!(names(), ["send", "write", "commit", "connected"]);
    engine.publish(NOW, &[1, 1, 1, 1], b"ax".to_vec(), None);
    assert_eq!(names()[4..], ["write", "commit", "send"]);

    let mut records = Records::new();
    for call in take(&calls, "write") {
        records.push(bytes(&call.get(1)), bytes(&call.get(2)));
    }
    records.push(b"zebra".to_vec(), Vec::new());
    calls.set_length(0);
    let mut engine = open(records);
    assert_eq!(bytes(&take(&calls, "reject").get(0).get(1)), b"zebra");
    engine.opened(NOW, JsValue::UNDEFINED).unwrap();
    engine.received(NOW, b"\x20\x03\x01\0\0".to_vec());
    let sent = take(&calls, "send");
    assert_eq!(bytes(&sent.get(1).get(1)), b"\x3a\x07\0\x01a\0\x01\0x");
    engine.received(NOW, b"\x40\x02\0\x01".to_vec());
    assert_eq!(take(&calls, "published").length(), 0, "nobody waits for it");
    let deleted: Array = take(&calls, "write").iter().last().unwrap().unchecked_into();
    assert!(deleted.get(2).is_undefined());
}

#[wasm_bindgen_test]
fn a_probe_asks_whether_the_server_is_there() {
    let mut broker = TestBroker::open("{}");
    let mut client = broker.connect(1, "{}");
    client.engine.probe(NOW);
    assert_eq!(text(&take(&client.calls, "send")), r#"[["send",[192,0]]]"#);
    assert_eq!(client.engine.deadline(), Some(NOW + 10_000.0));
}

#[wasm_bindgen_test]
fn reason_codes_have_their_names() {
    assert_eq!(reason_name(0x87).as_deref(), Some("Not authorized"));
    assert_eq!(reason_name(0x7f), None);
}

fn json(text: &str) -> JsValue {
    js_sys::JSON::parse(text).unwrap()
}

fn text(value: &JsValue) -> String {
    js_sys::JSON::stringify(value).unwrap().into()
}

fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap()
}

fn number(object: &JsValue, name: &str) -> f64 {
    get(object, name).as_f64().unwrap()
}

fn bytes(value: &JsValue) -> Vec<u8> {
    Uint8Array::new(value).to_vec()
}

fn is(call: &JsValue, method: &str) -> bool {
    call.unchecked_ref::<Array>().get(0) == method
}

/// Takes the calls of one method away.
fn take(calls: &Array, method: &str) -> Array<Array> {
    let taken = Array::new_typed();
    let all: Vec<JsValue> = calls.iter().collect();
    calls.set_length(0);
    for call in all {
        let call: Array = call.unchecked_into();
        if call.get(0) == method {
            taken.push(&call);
        } else {
            calls.push(&call);
        }
    }
    taken
}
