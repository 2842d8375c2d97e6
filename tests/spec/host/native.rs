//! The native server in this process, over TCP or WebSocket. A pilot keeps its clock and sees what the broker is told.

use super::{
    Output,
    network::{Address, Ends, Network, Shared},
    remote,
};
use mqlite::{
    broker::{Action, Broker, Config, Input, Statistics},
    shell::native::{ConnectionRate, Pilot, Server, ServerConfig, WEBSOCKET_PATH},
    time::Timestamp,
};
use std::sync::{Arc, Mutex, mpsc};
use tokio::sync::{
    mpsc::{UnboundedSender, unbounded_channel},
    oneshot,
};

pub struct Native {
    address: Address,
    orders: UnboundedSender<Input>,
    stop: Option<oneshot::Sender<()>>,
    instruments: Arc<Mutex<Instruments>>,
}

/// What the pilot reads and sets.
#[derive(Default)]
struct Instruments {
    now: Timestamp,
    statistics: Statistics,
    deadline: Option<Timestamp>,
}

impl Native {
    pub fn over_tcp(config: Config, network: &Network) -> Self {
        Self::start(config, network, true)
    }

    pub fn over_websocket(config: Config, network: &Network) -> Self {
        Self::start(config, network, false)
    }

    fn start(broker: Config, network: &Network, is_tcp: bool) -> Self {
        let any = || vec!["127.0.0.1:0".to_owned()];
        let (tcp, websocket) = if is_tcp { (any(), Vec::new()) } else { (Vec::new(), any()) };
        let (orders, taken) = unbounded_channel();
        let (stop, is_stopped) = oneshot::channel();
        let instruments = Arc::<Mutex<Instruments>>::default();
        let pilot = Watch { shared: network.shared().clone(), instruments: instruments.clone(), seen: Vec::new() };
        let (tell_address, addresses) = mpsc::channel();
        network.handle().spawn(async move {
            // Some scripts break rules on very many connections.
            let connection_rate = ConnectionRate { per_second: 1_000_000.0, burst: 1_000_000 };
            let config = ServerConfig { tcp, websocket, broker, connection_rate, ..ServerConfig::default() };
            let server = Server::bind(config).await.unwrap();
            tell_address
                .send(*[server.tcp_addresses(), server.websocket_addresses()].concat().first().unwrap())
                .unwrap();
            server.steered(Box::new(pilot), taken).run(async { _ = is_stopped.await }).await.unwrap();
        });
        let address = addresses.recv().unwrap().to_string();
        let address =
            if is_tcp { Address::Tcp(address) } else { Address::WebSocket(address, format!("{WEBSOCKET_PATH}?")) };
        Self { address, orders, stop: Some(stop), instruments }
    }
}

impl remote::Server for Native {
    fn address(&self) -> Address {
        self.address.clone()
    }

    fn set_time(&mut self, now: Timestamp) {
        self.instruments.lock().unwrap().now = now;
    }

    fn order(&mut self, input: Input) {
        match input {
            Input::ShutDown => self.stop.take().expect("it ends once").send(()).unwrap(),
            input => self.orders.send(input).unwrap(),
        }
    }

    fn look(&mut self, _shared: &Shared) {}

    fn statistics(&mut self) -> Statistics {
        self.instruments.lock().unwrap().statistics
    }

    fn deadline(&mut self) -> Option<Timestamp> {
        self.instruments.lock().unwrap().deadline
    }
}

struct Watch {
    shared: Arc<Shared>,
    instruments: Arc<Mutex<Instruments>>,
    /// All that the input caused so far.
    seen: Vec<Seen>,
}

enum Seen {
    Input(Input),
    Action(Action),
}

impl Pilot for Watch {
    fn now(&mut self) -> Timestamp {
        self.instruments.lock().unwrap().now
    }

    fn before(&mut self, input: &Input) {
        self.seen.push(Seen::Input(input.clone()));
    }

    fn action(&mut self, action: &Action) {
        self.seen.push(Seen::Action(action.clone()));
    }

    fn after(&mut self, broker: &Broker) {
        let mut instruments = self.instruments.lock().unwrap();
        instruments.statistics = broker.statistics();
        instruments.deadline = broker.deadline().map(|deadline| deadline.at);
        let is_due = instruments.deadline.is_some_and(|at| at <= instruments.now);
        drop(instruments);
        self.shared.change(|state| {
            state.is_due = is_due;
            for seen in self.seen.drain(..) {
                match seen {
                    Seen::Input(Input::Opened { connection }) => {
                        state.at(connection, |ends| ends.server.is_open = true)
                    }
                    Seen::Input(Input::Received { connection, bytes }) => {
                        state.at(connection, |ends| ends.server.received += bytes.len());
                    }
                    Seen::Input(Input::Writable { connection }) => {
                        state.at(connection, |ends| ends.server.is_writing = false);
                    }
                    Seen::Input(Input::Closed { connection }) => {
                        state.at(connection, |ends| ends.server.is_gone = true)
                    }
                    Seen::Input(_) => state.orders = state.orders.saturating_sub(1),
                    Seen::Action(Action::Send { connection, frame }) => {
                        state.at(connection, |Ends { server, .. }| {
                            server.sent += frame.len();
                            server.is_writing = true;
                        })
                    }
                    Seen::Action(Action::Close { connection, reason }) => {
                        state.at(connection, |ends| ends.server.closed = Some(Some(reason)));
                    }
                    Seen::Action(Action::Authenticate { connection, request }) => {
                        state.outputs.push(Output::Asked { connection, request: *request });
                    }
                    Seen::Action(Action::Review { .. }) => panic!("such scripts need the broker in their own process"),
                    Seen::Action(Action::Report(event)) => state.outputs.push(Output::Reported(event)),
                    Seen::Action(Action::Published { .. }) => {}
                    Seen::Action(Action::Put { .. } | Action::Delete { .. } | Action::Remember { .. }) => {
                        panic!("the server has no storage")
                    }
                }
            }
        });
    }
}
