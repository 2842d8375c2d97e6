//! A server on free ports, and clients that say and hear exactly what a test wants. Nothing waits longer than a hang would.

use bytes::{Bytes, BytesMut};
use mqlite::{
    broker::Config,
    codec::{
        Connect, ConnectProperties, Disconnect, Framer, MAXIMUM_PACKET_SIZE, Packet, PacketId, ProtocolVersion,
        Publish, QoS, ReasonCode, SubAck, Subscribe, SubscribeFilter, SubscriptionOptions, Text,
    },
    shell::native::{Secrets, Server, ServerConfig},
};
use std::{
    env, fs,
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process,
    sync::{
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::Duration,
};
use tokio::sync::oneshot;
use tokio_tungstenite::tungstenite::{
    self, Message, WebSocket, client::IntoClientRequest, http::HeaderValue, protocol::frame::coding::CloseCode,
};

pub use ProtocolVersion::{V3_1_1, V5};

/// A hang, not a measure of speed.
pub const HANG: Duration = Duration::from_secs(60);

/// A server in a thread of its own.
pub struct Running {
    pub tcp: SocketAddr,
    pub websocket: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    ended: mpsc::Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    pub fn start(broker: Config) -> Self {
        Self::start_with(broker, None)
    }

    /// A server whose operator has this token.
    pub fn start_with_token(broker: Config, token: &str) -> Self {
        let secrets = Secrets { admin_token: Some(token.to_owned()), ..Secrets::default() };
        Self::start_as(ServerConfig { broker, secrets, ..ServerConfig::default() })
    }

    /// A server that keeps its state in a directory.
    pub fn start_in(directory: &Directory, broker: Config) -> Self {
        Self::start_with(broker, Some(directory.path().to_owned()))
    }

    fn start_with(broker: Config, data: Option<PathBuf>) -> Self {
        Self::start_as(ServerConfig { data, broker, ..ServerConfig::default() })
    }

    /// A server as `config` says, but on free ports.
    pub fn start_as(config: ServerConfig) -> Self {
        let (stop, is_asked) = oneshot::channel();
        let (tell_addresses, addresses) = mpsc::channel();
        let (tell_end, ended) = mpsc::channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let any = || vec!["127.0.0.1:0".to_owned()];
                let config = ServerConfig { tcp: any(), websocket: any(), ..config };
                let server = Server::bind(config).await.unwrap();
                tell_addresses.send((server.tcp_addresses()[0], server.websocket_addresses()[0])).unwrap();
                server.run(async { _ = is_asked.await }).await.unwrap();
            });
            _ = tell_end.send(());
        });
        let (tcp, websocket) = addresses.recv_timeout(HANG).unwrap();
        Self { tcp, websocket, stop: Some(stop), ended, thread: Some(thread) }
    }

    pub fn ask_to_stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    pub fn wait_until_stopped(mut self) {
        self.ended.recv_timeout(HANG).expect("the server stops");
        self.thread.take().unwrap().join().unwrap();
    }

    /// A client over TCP.
    pub fn over_tcp(&self, version: ProtocolVersion) -> Client {
        Client::over(connect_to(self.tcp), version)
    }

    pub fn over_websocket(&self, version: ProtocolVersion) -> Client {
        Client::over_websocket(open_websocket(self.websocket), version)
    }

    /// One client for each transport and version, none connected.
    pub fn clients(&self) -> Vec<Client> {
        let versions = [V3_1_1, V5];
        versions.into_iter().flat_map(|version| [self.over_tcp(version), self.over_websocket(version)]).collect()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        _ = self.stop.take().map(|stop| stop.send(()));
        if let Some(thread) = self.thread.take() {
            assert!(thread.join().is_ok() || thread::panicking(), "the server panicked");
        }
    }
}

/// A directory that is not there yet, and is gone afterwards.
pub struct Directory(PathBuf);

impl Directory {
    pub fn new() -> Self {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let name = format!("mqlite-{}-{}", process::id(), LAST.fetch_add(1, Ordering::Relaxed));
        Self(env::temp_dir().join(name))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The path of a file or directory in it.
    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}

pub fn connect_to(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(HANG)).unwrap();
    stream.set_write_timeout(Some(HANG)).unwrap();
    stream
}

pub fn open_websocket(address: SocketAddr) -> WebSocket<TcpStream> {
    let mut request = format!("ws://{address}/mqtt").into_client_request().unwrap();
    request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("mqtt"));
    tungstenite::client(request, connect_to(address)).unwrap().0
}

enum Link {
    Tcp(TcpStream),
    WebSocket(Box<WebSocket<TcpStream>>),
}

/// A client that does nothing by itself.
pub struct Client {
    link: Link,
    version: ProtocolVersion,
    framer: Framer,
    /// The code of the WebSocket Close that came.
    pub close_code: Option<CloseCode>,
}

impl Client {
    pub fn over(stream: TcpStream, version: ProtocolVersion) -> Self {
        Self::new(Link::Tcp(stream), version)
    }

    pub fn over_websocket(socket: WebSocket<TcpStream>, version: ProtocolVersion) -> Self {
        Self::new(Link::WebSocket(Box::new(socket)), version)
    }

    fn new(link: Link, version: ProtocolVersion) -> Self {
        Self { link, version, framer: Framer::new(MAXIMUM_PACKET_SIZE), close_code: None }
    }

    pub fn version(&self) -> ProtocolVersion {
        self.version
    }

    pub fn is_over_websocket(&self) -> bool {
        matches!(self.link, Link::WebSocket(_))
    }

    pub fn send_bytes(&mut self, bytes: &[u8]) {
        match &mut self.link {
            Link::Tcp(stream) => stream.write_all(bytes).unwrap(),
            Link::WebSocket(socket) => socket.send(Message::Binary(Bytes::copy_from_slice(bytes))).unwrap(),
        }
    }

    pub fn send(&mut self, packet: Packet) {
        self.send_bytes(&encode(packet, self.version));
    }

    /// The next packet; `None` when the server closed the connection in order.
    pub fn hear(&mut self) -> Option<Packet> {
        loop {
            if let Some(frame) = self.framer.next().unwrap() {
                return Some(Packet::decode(frame, self.version).unwrap());
            }
            let bytes = self.receive()?;
            self.framer.push(bytes);
        }
    }

    /// Connects with Clean Start.
    pub fn connect(&mut self, client_id: &str) {
        self.connect_with(connect(client_id));
    }

    /// Whether the server has the session.
    pub fn connect_with(&mut self, connect: Connect) -> bool {
        self.send(Packet::Connect(Box::new(Connect { version: self.version, ..connect })));
        match self.hear() {
            Some(Packet::ConnAck(connack)) => {
                assert_eq!(connack.reason, ReasonCode::Success);
                connack.session_present
            }
            other => panic!("expected CONNACK, heard {other:?}"),
        }
    }

    /// Connects with a session that outlives the connection. Whether the server had it.
    pub fn resume(&mut self, client_id: &str) -> bool {
        let properties = ConnectProperties { session_expiry_interval: Some(3_600), ..Default::default() };
        self.connect_with(Connect { clean_start: false, properties, ..connect(client_id) })
    }

    /// Publishes with QoS 1 or 2 and waits until the server has taken it over.
    pub fn publish(&mut self, publish: Publish) {
        let qos = publish.qos;
        self.send(Packet::Publish(Publish { packet_id: Some(packet_id(1)), ..publish }));
        match self.hear() {
            Some(Packet::PubAck(ack)) if qos == QoS::AtLeastOnce => assert!(!ack.reason.is_failure()),
            Some(Packet::PubRec(ack)) if qos == QoS::ExactlyOnce => assert!(!ack.reason.is_failure()),
            other => panic!("expected an acknowledgement, heard {other:?}"),
        }
        if qos == QoS::ExactlyOnce {
            self.send(Packet::PubRel(packet_id(1).into()));
            assert!(matches!(self.hear(), Some(Packet::PubComp(_))));
        }
    }

    /// Takes over what comes next; QoS 2 to its end.
    pub fn take(&mut self) -> Publish {
        let publish = self.hear_publish();
        if let Some(id) = publish.packet_id {
            if publish.qos == QoS::AtLeastOnce {
                self.send(Packet::PubAck(id.into()));
            } else {
                self.send(Packet::PubRec(id.into()));
                assert!(matches!(self.hear(), Some(Packet::PubRel(_))));
                self.send(Packet::PubComp(id.into()));
            }
        }
        publish
    }

    pub fn subscribe(&mut self, filter: &str, qos: QoS) {
        let options = SubscriptionOptions { qos, ..Default::default() };
        let filters = vec![SubscribeFilter { filter: text(filter), options }];
        self.send(Packet::Subscribe(Subscribe { packet_id: packet_id(9), properties: Default::default(), filters }));
        let reasons = vec![[ReasonCode::Success, ReasonCode::GrantedQoS1, ReasonCode::GrantedQoS2][qos as usize]];
        let suback = SubAck { packet_id: packet_id(9), properties: Default::default(), reasons };
        assert_eq!(self.hear(), Some(Packet::SubAck(suback)));
    }

    pub fn hear_publish(&mut self) -> Publish {
        match self.hear() {
            Some(Packet::Publish(publish)) => publish,
            other => panic!("expected PUBLISH, heard {other:?}"),
        }
    }

    /// The server closes the connection; an MQTT 5 client is told why before.
    #[track_caller]
    pub fn expect_thrown_out(&mut self, reason: ReasonCode) {
        if self.version == V5 {
            match self.hear() {
                Some(Packet::Disconnect(Disconnect { reason: told, .. })) => assert_eq!(told, reason),
                other => panic!("expected DISCONNECT, heard {other:?}"),
            }
        }
        self.expect_closed();
    }

    #[track_caller]
    pub fn expect_closed(&mut self) {
        assert_eq!(self.hear(), None);
    }

    /// The client is served still.
    #[track_caller]
    pub fn expect_open(&mut self) {
        self.send(Packet::PingReq);
        assert_eq!(self.hear(), Some(Packet::PingResp));
    }

    /// Ends the TCP connection, and nothing else.
    pub fn cut(self) {}

    /// Sends what ends a connection below MQTT, and stays to hear the answer.
    pub fn end_transport(&mut self) {
        match &mut self.link {
            Link::Tcp(stream) => stream.shutdown(std::net::Shutdown::Write).unwrap(),
            Link::WebSocket(socket) => socket.close(None).unwrap(),
        }
    }

    /// The WebSocket below.
    pub fn socket(&mut self) -> &mut WebSocket<TcpStream> {
        match &mut self.link {
            Link::WebSocket(socket) => socket,
            Link::Tcp(_) => panic!("a TCP client"),
        }
    }

    fn receive(&mut self) -> Option<Bytes> {
        match &mut self.link {
            Link::Tcp(stream) => {
                let mut buffer = BytesMut::zeroed(64 << 10);
                let length = loop {
                    match stream.read(&mut buffer) {
                        Err(error) if error.kind() == ErrorKind::Interrupted => {}
                        read => break read.expect("bytes or an end in order"),
                    }
                };
                (length > 0).then(|| buffer.split_to(length).freeze())
            }
            Link::WebSocket(socket) => loop {
                match socket.read() {
                    Ok(Message::Binary(bytes)) => {
                        assert!(!bytes.is_empty(), "an empty message");
                        return Some(bytes);
                    }
                    Ok(Message::Close(frame)) => self.close_code = frame.map(|frame| frame.code),
                    Ok(Message::Pong(_)) => {}
                    Ok(other) => panic!("heard {other:?}"),
                    Err(tungstenite::Error::ConnectionClosed) => return None,
                    Err(error) => panic!("{error}"),
                }
            },
        }
    }
}

/// Reads until the other side closes in order.
pub fn read_to_end(mut stream: TcpStream) -> String {
    let mut text = String::new();
    match stream.read_to_string(&mut text) {
        Ok(_) => text,
        Err(error) => panic!("{:?} after {text:?}", error.kind()),
    }
}

pub fn encode(packet: Packet, version: ProtocolVersion) -> Bytes {
    let mut bytes = BytesMut::new();
    packet.encode(version, &mut bytes).unwrap();
    bytes.freeze()
}

/// A CONNECT with Clean Start, without keep-alive.
pub fn connect(client_id: &str) -> Connect {
    Connect { clean_start: true, client_id: text(client_id), ..Default::default() }
}

pub fn connect_bytes(client_id: &str, version: ProtocolVersion) -> Bytes {
    encode(Packet::Connect(Box::new(Connect { version, ..connect(client_id) })), version)
}

/// A PUBLISH; its Packet Identifier, if it needs one, is 1.
pub fn publish(topic: &str, payload: impl Into<Bytes>, qos: QoS) -> Packet {
    let packet_id = (qos > QoS::AtMostOnce).then(|| packet_id(1));
    Packet::Publish(Publish { topic: text(topic), payload: payload.into(), qos, packet_id, ..Default::default() })
}

pub fn disconnect(reason: ReasonCode) -> Packet {
    Packet::Disconnect(Disconnect { reason, properties: Default::default() })
}

pub fn text(text: &str) -> Text {
    Text::try_from(text).unwrap()
}

pub fn packet_id(value: u16) -> PacketId {
    PacketId::new(value).unwrap()
}
