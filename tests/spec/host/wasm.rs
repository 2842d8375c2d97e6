//! The wasm build under Node: one process for each thread of tests, told one thing at a time.

use super::{
    Host, Output,
    json::{self, Reply},
};
use mqlite::{
    broker::{Config, Input, Statistics},
    time::Timestamp,
};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::Mutex,
    thread,
};

pub struct Wasm {
    /// Present until the script ends.
    bridge: Option<Bridge>,
    outputs: Vec<Output>,
    statistics: Statistics,
    deadline: Option<Timestamp>,
}

impl Wasm {
    pub fn new(config: &Config) -> Self {
        let idle = IDLE.lock().unwrap().pop();
        let bridge = idle.unwrap_or_else(Bridge::new);
        let mut wasm =
            Self { bridge: Some(bridge), outputs: Vec::new(), statistics: Statistics::default(), deadline: None };
        wasm.tell(json!({ "config": json::config(config), "policy": json::policy(&config.authentication) }));
        wasm
    }

    fn tell(&mut self, request: Value) {
        let reply = Reply::of(&self.bridge.as_mut().unwrap().ask(&request));
        self.outputs.extend(reply.outputs);
        self.statistics = reply.statistics;
        self.deadline = reply.deadline;
    }
}

impl Host for Wasm {
    fn input(&mut self, now: Timestamp, input: Input) {
        let (what, about) = match input {
            Input::Opened { connection } => ("opened", json!([connection.0])),
            Input::Resumed { .. } => panic!("the build has no storage"),
            Input::Received { connection, bytes } => ("received", json!([connection.0, json::bytes(&bytes)])),
            Input::Writable { connection } => ("writable", json!([connection.0])),
            Input::Closed { connection } => ("closed", json!([connection.0])),
            Input::Authenticated { connection, verdict } => {
                ("authenticated", json!([connection.0, json::verdict(&verdict)]))
            }
            Input::Publish { publish, .. } => ("publish", json!([json::publish(&publish)])),
            Input::Keep { .. } | Input::Reviewed { .. } | Input::Trace { .. } => {
                panic!("such scripts need the broker in their own process")
            }
            Input::Disconnect { client_id, reason, end_session } => {
                ("disconnect", json!([client_id.as_str(), reason.value(), end_session]))
            }
            Input::Timeout => ("timeout", json!([])),
            Input::Moved { server, permanent } => ("moved", json!([server.as_str(), permanent])),
            Input::ShutDown => ("shutDown", json!([])),
        };
        self.tell(json!({ "now": now.0, "input": what, "about": about }));
    }

    fn outputs(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.outputs)
    }

    fn statistics(&mut self) -> Statistics {
        self.statistics
    }

    fn deadline(&mut self) -> Option<Timestamp> {
        self.deadline
    }
}

impl Drop for Wasm {
    fn drop(&mut self) {
        if !thread::panicking() {
            IDLE.lock().unwrap().extend(self.bridge.take());
        }
    }
}

/// Those that no script uses. What is left in the end ends with its standard input.
static IDLE: Mutex<Vec<Bridge>> = Mutex::new(Vec::new());

/// A process that answers each line with a line.
struct Bridge {
    process: Child,
    requests: ChildStdin,
    replies: BufReader<ChildStdout>,
}

impl Bridge {
    fn new() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/spec/host/wasm.mjs");
        let mut command = Command::new("node");
        let command = command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("Node runs");
        let (requests, replies) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        Self { process, requests, replies: BufReader::new(replies) }
    }

    fn ask(&mut self, request: &Value) -> Value {
        let mut line = request.to_string();
        line.push('\n');
        self.requests.write_all(line.as_bytes()).expect("the bridge listens");
        line.clear();
        self.replies.read_line(&mut line).expect("the bridge answers");
        serde_json::from_str(&line)
            .unwrap_or_else(|_| panic!("the wasm answers, once `make spec-wasm` has built it: {line:?}"))
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}
