//! The clients' ends of real connections, and when all that was sent has arrived. Knows no MQTT.

use super::Output;
use bytes::{Bytes, BytesMut};
use futures::{SinkExt, StreamExt};
use mqlite::{broker::ConnectionId, codec::ReasonCode};
use std::{
    collections::BTreeMap,
    convert::Infallible,
    error::Error,
    future,
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread::{self, JoinHandle},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::{self, Handle},
    select,
    sync::{
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
        oneshot,
    },
    task::AbortHandle,
};
use tokio_tungstenite::{
    client_async,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue},
};

/// A hang, not a measure of speed.
pub const HANG: Duration = Duration::from_secs(30);

/// Where the connections go.
#[derive(Clone)]
pub enum Address {
    /// `HOST:PORT`
    Tcp(String),
    /// `HOST:PORT`, and the path, to which the connection's number is added.
    WebSocket(String, String),
}

/// All connections of a script, in a thread of their own.
pub struct Network {
    shared: Arc<Shared>,
    handle: Handle,
    links: BTreeMap<ConnectionId, Link>,
    held: Option<Held>,
    /// WebSocket messages that were sent, which decides how the next are cut.
    messages: usize,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Link {
    writes: UnboundedSender<Bytes>,
    task: AbortHandle,
}

/// Packets that wait for the next ones, to be sent in one piece with them.
struct Held {
    connection: ConnectionId,
    bytes: BytesMut,
    count: usize,
}

/// What the connections, the server and the script know of each other.
#[derive(Default)]
pub struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
pub struct State {
    pub ends: BTreeMap<ConnectionId, Ends>,
    /// The server has something to do that needs no input.
    pub is_due: bool,
    /// What the script told the server itself, and the server has not heard yet.
    pub orders: usize,
    pub outputs: Vec<Output>,
}

/// What is known at both ends of a connection.
#[derive(Debug, Default)]
pub struct Ends {
    pub client: Client,
    pub server: Server,
}

#[derive(Debug, Default)]
pub struct Client {
    pub written: usize,
    pub read: usize,
    pub is_cut: bool,
    /// Why nothing more can be read.
    ended: Option<String>,
}

#[derive(Debug, Default)]
pub struct Server {
    pub is_open: bool,
    pub received: usize,
    pub sent: usize,
    /// What was sent is not written yet.
    pub is_writing: bool,
    /// It closed the connection; why, if that is known.
    pub closed: Option<Option<ReasonCode>>,
    /// It saw the connection end.
    pub is_gone: bool,
}

impl Network {
    pub fn new() -> Self {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let handle = runtime.handle().clone();
        let (stop, is_stopped) = oneshot::channel();
        let thread = thread::spawn(move || runtime.block_on(async { _ = is_stopped.await }));
        Self {
            shared: Arc::default(),
            handle,
            links: BTreeMap::new(),
            held: None,
            messages: 0,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Where the connections run.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    pub fn open(&mut self, connection: ConnectionId, address: &Address) {
        self.shared.change(|state| _ = state.ends.insert(connection, Ends::default()));
        let (writes, wanted) = unbounded_channel();
        let (shared, address) = (self.shared.clone(), address.clone());
        let task = self.handle.spawn(async move {
            let talking = async {
                match address {
                    Address::Tcp(address) => talk_over_tcp(address, connection, wanted, &shared).await,
                    Address::WebSocket(host, path) => {
                        talk_over_websocket(host, path, connection, wanted, &shared).await
                    }
                }
            };
            let why = talking.await.map_or_else(|error| error.to_string(), |()| "in order".into());
            shared.change(|state| state.at(connection, |ends| ends.client.ended = Some(why)));
        });
        self.links.insert(connection, Link { writes, task: task.abort_handle() });
    }

    pub fn write(&mut self, connection: ConnectionId, bytes: Bytes) {
        self.shared.change(|state| state.at(connection, |ends| ends.client.written += bytes.len()));
        if let Some(link) = self.links.get(&connection) {
            _ = link.writes.send(bytes); // a connection that has ended takes nothing
        }
    }

    /// Whether more for `connection` may be held together with what is held.
    pub fn joins(&self, connection: ConnectionId) -> bool {
        self.held.as_ref().is_some_and(|held| held.connection == connection && held.count < MOST_JOINED)
    }

    /// Keeps these bytes, to write them with those that follow.
    pub fn hold(&mut self, connection: ConnectionId, bytes: &[u8]) {
        let held = self.held.get_or_insert_with(|| Held { connection, bytes: BytesMut::new(), count: 0 });
        held.bytes.extend_from_slice(bytes);
        held.count += 1;
    }

    /// Writes what is held, in pieces that know nothing of packets.
    pub fn release(&mut self) {
        let Some(Held { connection, mut bytes, .. }) = self.held.take() else { return };
        while !bytes.is_empty() {
            let length = CUTS[self.messages % CUTS.len()].min(bytes.len());
            self.messages += 1;
            self.write(connection, bytes.split_to(length).freeze());
        }
    }

    /// The network of `connection` fails.
    pub fn cut(&mut self, connection: ConnectionId) {
        self.shared.change(|state| state.at(connection, |ends| ends.client.is_cut = true));
        if let Some(link) = self.links.get(&connection) {
            link.task.abort();
        }
    }

    /// Waits until nothing is under way.
    pub fn settle(&self) {
        self.shared.wait(State::is_settled);
    }

    /// What came, once all is settled; then connections that are over are forgotten.
    pub fn outputs(&mut self) -> Vec<Output> {
        let mut state = self.shared.lock();
        let mut outputs = std::mem::take(&mut state.outputs);
        for (connection, ends) in state.ends.extract_if(.., |_, ends| ends.are_over()) {
            self.links.remove(&connection);
            outputs.extend(ends.server.closed.map(|reason| Output::Closed { connection, reason }));
        }
        outputs
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        drop(self.stop.take());
        _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Shared {
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    pub fn wait(&self, enough: impl Fn(&State) -> bool) {
        let waiting = self.changed.wait_timeout_while(self.lock(), HANG, |state| !enough(state));
        let (state, timeout) = waiting.unwrap();
        if timeout.timed_out() {
            let State { ends, is_due, orders, .. } = &*state;
            panic!("the host does not come to rest: is due: {is_due}, orders: {orders}, {ends:#?}");
        }
    }
}

impl State {
    /// Looks at a connection, unless it was over and is forgotten.
    pub fn at(&mut self, connection: ConnectionId, look: impl FnOnce(&mut Ends)) {
        _ = self.ends.get_mut(&connection).map(look);
    }

    fn is_settled(&self) -> bool {
        !self.is_due && self.orders == 0 && self.ends.values().all(Ends::are_settled)
    }
}

impl Ends {
    fn are_over(&self) -> bool {
        self.server.closed.is_some() || self.client.is_cut
    }

    fn are_settled(&self) -> bool {
        let Self { client, server } = self;
        let is_all_read = client.read == server.sent;
        if client.is_cut {
            server.is_gone || server.closed.is_some()
        } else if server.closed.is_some() {
            is_all_read && client.ended.is_some()
        } else {
            is_all_read && server.is_open && server.received == client.written && !server.is_writing
        }
    }
}

async fn talk_over_tcp(
    address: String,
    connection: ConnectionId,
    mut wanted: UnboundedReceiver<Bytes>,
    shared: &Shared,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut incoming, mut outgoing) = stream.split();
    let reading = async {
        let mut buffer = BytesMut::new();
        while incoming.read_buf(&mut buffer).await? > 0 {
            came(shared, connection, buffer.split().freeze());
        }
        Ok(())
    };
    let writing = async {
        while let Some(bytes) = wanted.recv().await {
            if outgoing.write_all(&bytes).await.is_err() {
                break;
            }
        }
        future::pending::<Infallible>().await // there may be something to read still
    };
    select! {
        ended = reading => ended,
        never = writing => match never {},
    }
}

async fn talk_over_websocket(
    host: String,
    path: String,
    connection: ConnectionId,
    mut wanted: UnboundedReceiver<Bytes>,
    shared: &Shared,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let stream = TcpStream::connect(&host).await?;
    stream.set_nodelay(true)?;
    let mut request = format!("ws://{host}{path}{}", connection.0).into_client_request()?;
    request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("mqtt"));
    let (mut outgoing, mut incoming) = client_async(request, stream).await?.0.split();
    let reading = async {
        while let Some(message) = incoming.next().await {
            match message? {
                Message::Binary(bytes) => came(shared, connection, bytes),
                Message::Close(_) => break,
                other => return Err(format!("{other:?}").into()),
            }
        }
        Ok(())
    };
    let writing = async {
        while let Some(bytes) = wanted.recv().await {
            if outgoing.send(Message::Binary(bytes)).await.is_err() {
                break;
            }
        }
        future::pending::<Infallible>().await
    };
    select! {
        ended = reading => ended,
        never = writing => match never {},
    }
}

fn came(shared: &Shared, connection: ConnectionId, bytes: Bytes) {
    shared.change(|state| {
        state.at(connection, |ends| ends.client.read += bytes.len());
        state.outputs.push(Output::Sent { connection, bytes });
    });
}

/// Packets that go together, at most.
const MOST_JOINED: usize = 3;
/// The lengths of WebSocket messages, in turn.
const CUTS: [usize; 9] = [1, 30, 2, 7, 1_000, 3, 5, 50, 100_000];
