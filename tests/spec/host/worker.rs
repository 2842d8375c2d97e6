//! The worker in workerd: one process for all scripts, each with a room of its own, which it steers over one more WebSocket.

use super::{
    json::{self, Reply},
    network::{Address, Ends, HANG, Shared},
    remote,
};
use mqlite::{
    broker::{Config, ConnectionId, Input, Statistics},
    time::Timestamp,
};
use serde_json::{Map, Value, json};
use std::{
    env,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio_tungstenite::tungstenite::{self, Message, WebSocket};

pub struct Worker {
    host: String,
    room: String,
    socket: WebSocket<TcpStream>,
    now: Timestamp,
    orders: Vec<Value>,
    statistics: Statistics,
    deadline: Option<Timestamp>,
}

impl Worker {
    /// A room of its own, which is put to sleep as often as can be if it `sleeps`.
    pub fn new(config: &Config, sleeps: bool) -> Self {
        static ROOMS: AtomicU64 = AtomicU64::new(0);
        let room = format!("room-{}", ROOMS.fetch_add(1, Ordering::Relaxed));
        let host = format!("127.0.0.1:{}", Workerd::running().port);
        let now = Timestamp(0);
        let policy = json::policy(&config.authentication);
        let settings = json!({ "now": now.0, "config": json::config(config), "policy": policy, "sleeps": sleeps });
        post(&host, &format!("/steer/{room}"), &settings.to_string());
        let socket = tungstenite::client(format!("ws://{host}/steer/{room}"), connect(&host)).unwrap().0;
        let statistics = Statistics::default();
        Self { host, room, socket, now, orders: Vec::new(), statistics, deadline: None }
    }

    /// Tells the room what is to be told, and takes what it says once all has arrived that `shared` knows of.
    fn steer(&mut self, shared: Option<&Shared>) {
        let clients: Map<_, _> = shared.map(clients).unwrap_or_default();
        let request = json!({ "now": self.now.0, "orders": std::mem::take(&mut self.orders), "clients": clients });
        self.socket.send(Message::text(request.to_string())).unwrap();
        let reply = loop {
            if let Message::Text(reply) = self.socket.read().expect("the room answers") {
                break serde_json::from_str::<Value>(&reply).unwrap();
            }
        };
        let Reply { outputs, statistics, deadline } = Reply::of(&reply);
        (self.statistics, self.deadline) = (statistics, deadline);
        let Some(shared) = shared else { return };
        shared.change(|state| {
            state.orders = 0;
            state.outputs.extend(outputs);
            for (number, facts) in reply["connections"].as_object().unwrap() {
                state.at(ConnectionId(number.parse().unwrap()), |Ends { server, .. }| {
                    server.is_open = true;
                    server.received = facts["received"].as_u64().unwrap() as usize;
                    server.sent = facts["sent"].as_u64().unwrap() as usize;
                    server.closed = (facts["closed"] == true).then_some(None);
                    server.is_gone = facts["gone"] == true;
                });
            }
        });
    }
}

impl remote::Server for Worker {
    fn address(&self) -> Address {
        Address::WebSocket(self.host.clone(), format!("/mqtt/{}?", self.room))
    }

    fn set_time(&mut self, now: Timestamp) {
        if self.now != now {
            self.now = now;
            self.steer(None);
        }
    }

    fn order(&mut self, input: Input) {
        let (input, about) = match input {
            Input::Authenticated { verdict, .. } => ("authenticated", json::verdict(&verdict)),
            Input::Publish { publish, .. } => ("publish", json::publish(&publish)),
            Input::Disconnect { client_id, reason, end_session } => (
                "disconnect",
                json!({ "clientId": client_id.as_str(), "reason": reason.value(), "endSession": end_session }),
            ),
            Input::Moved { server, permanent } => {
                ("moved", json!({ "server": server.as_str(), "permanent": permanent }))
            }
            Input::ShutDown => ("shutDown", Value::Null),
            Input::Timeout => ("timeout", Value::Null),
            other => panic!("{other:?} is not the host's to tell"),
        };
        self.orders.push(json!({ "input": input, "about": about }));
    }

    fn look(&mut self, shared: &Shared) {
        self.steer(Some(shared));
    }

    fn statistics(&mut self) -> Statistics {
        self.statistics
    }

    fn deadline(&mut self) -> Option<Timestamp> {
        self.deadline
    }
}

/// What the clients did, by their numbers.
fn clients(shared: &Shared) -> Map<String, Value> {
    let state = shared.lock();
    let clients = state.ends.iter().map(|(connection, ends)| {
        let client = json!({ "written": ends.client.written, "isCut": ends.client.is_cut });
        (connection.0.to_string(), client)
    });
    clients.collect()
}

/// The process. It ends with its standard input, which is open as long as this one.
struct Workerd {
    port: u16,
    _process: Child,
}

impl Workerd {
    fn running() -> &'static Self {
        static RUNNING: OnceLock<Workerd> = OnceLock::new();
        RUNNING.get_or_init(Self::start)
    }

    fn start() -> Self {
        let root = env!("CARGO_MANIFEST_DIR");
        // wrangler wants a newer Node than we do, and brings it.
        let path = format!("{root}/worker/node_modules/.bin:{}", env::var("PATH").unwrap_or_default());
        let mut command = Command::new("node");
        let command = command.arg(format!("{root}/tests/spec/host/worker.mjs")).env("PATH", path);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("Node runs");
        let mut port = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut port).unwrap();
        let port = port.trim().parse().expect("workerd says its port, once `make spec-worker` has built the worker");
        Self { port, _process: process }
    }
}

fn connect(host: &str) -> TcpStream {
    let stream = TcpStream::connect(host).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(HANG)).unwrap();
    stream
}

fn post(host: &str, path: &str, body: &str) {
    let mut stream = connect(host);
    let head = format!("POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\n", body.len());
    write!(stream, "{head}Connection: close\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}
