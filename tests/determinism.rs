//! The same inputs lead to the same actions, byte for byte: again, and on wasm as natively.

#[allow(dead_code, unused_imports)]
#[path = "fuzz/bodies/mod.rs"]
mod bodies;

use mqlite::broker::Config;
use std::fmt::Debug;

#[cfg(not(target_arch = "wasm32"))]
#[test]
fn the_same_inputs_lead_to_the_same_actions_again() {
    let actions = actions();
    assert!(actions.count > 10_000, "{actions:?} are too few to tell much");
    assert_eq!(self::actions(), actions);
    // For `.ci/test-wasm.sh`, which tells it to the test below.
    println!("native: {actions:?}");
}

#[cfg(target_arch = "wasm32")]
#[wasm_bindgen_test::wasm_bindgen_test]
fn the_same_inputs_lead_to_the_same_actions_on_wasm() {
    // `.ci/test-wasm.sh` asks a native run for them; where nobody has, another run here must do.
    let wanted = option_env!("NATIVE_ACTIONS").map_or_else(|| format!("{:?}", actions()), str::to_owned);
    assert_eq!(format!("{:?}", actions()), wanted);
}

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

/// Inputs that look random, and what brokers and clients do about them.
fn actions() -> Actions {
    let mut actions = Actions { count: 0, digest: 0xCBF2_9CE4_8422_2325 };
    let mut bytes = Bytes(0);
    for _ in 0..50 {
        let input: Vec<u8> = bytes.by_ref().take(1_500).collect();
        bodies::broker(&input, without_memory, &mut |event| actions.add(event));
        bodies::client(&input, &mut |event| actions.add(event));
    }
    actions
}

/// The one thing that platforms may differ in: how many bytes of memory something takes. `$SYS` tells it too.
fn without_memory(config: &mut Config) {
    let default = Config::default();
    config.maximum_subscription_bytes = default.maximum_subscription_bytes;
    config.maximum_queued_bytes = default.maximum_queued_bytes;
    config.maximum_retained_bytes = default.maximum_retained_bytes;
    config.maximum_message_bytes = default.maximum_message_bytes;
    config.sys_interval_seconds = 0;
}

/// How many inputs and actions there were, and the FNV-1a hash of them all.
#[derive(Debug, PartialEq)]
struct Actions {
    count: u64,
    digest: u64,
}

impl Actions {
    fn add(&mut self, event: &dyn Debug) {
        self.count += 1;
        for byte in format!("{event:?}\n").bytes() {
            self.digest = (self.digest ^ u64::from(byte)).wrapping_mul(1_099_511_628_211);
        }
    }
}

/// SplitMix64, of which each number gives a byte.
struct Bytes(u64);

impl Iterator for Bytes {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        Some((mixed >> 56) as u8)
    }
}
