//! DISCONNECT (3.14).

use super::*;

/// Table 3-10 says which a client may send. [MQTT-3.14.2-1]
#[test]
fn a_reason_code_that_a_client_may_not_give_is_a_protocol_error() {
    let allowed = [0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99];
    let rows = reason_codes().filter(|code| !allowed.contains(code)).flat_map(|code| {
        [
            row_5(format!("{code:#04x}"), format!("E0: {code:02X}"), Out(ProtocolError)),
            row_5(format!("{code:#04x} with properties"), format!("E0: {code:02X} {{}}"), Out(ProtocolError)),
        ]
    });
    judge(Scene::open(), rows);
}
