//! Replays what the fuzzer has found worth keeping: `make fuzz` looks for more. `REPLAY=FILE cargo test --test fuzz TARGET`
//! replays one input, and shows its steps if it fails.
#![cfg(not(target_arch = "wasm32"))]

#[allow(unused_imports)]
mod bodies;

use std::{env, fmt::Debug, fs, path::Path};

#[test]
fn decode() {
    replay("decode", |data, _| bodies::decode(data));
}

#[test]
fn frame() {
    replay("frame", |data, _| bodies::frame(data));
}

#[test]
fn topic() {
    replay("topic", |data, _| bodies::topic(data));
}

#[test]
fn broker() {
    replay("broker", |data, log| bodies::broker(data, |_| (), log));
}

#[test]
fn restore() {
    replay("restore", bodies::restore);
}

#[test]
fn client() {
    replay("client", bodies::client);
}

fn replay(target: &str, body: impl Fn(&[u8], &mut dyn FnMut(&dyn Debug))) {
    if let Some(file) = env::var_os("REPLAY") {
        return body(&fs::read(file).unwrap(), &mut |event| println!("{event:?}"));
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target);
    let mut inputs: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    inputs.sort();
    assert!(!inputs.is_empty());
    for input in inputs {
        println!("{}", input.display());
        body(&fs::read(input).unwrap(), &mut |_| ());
    }
}
