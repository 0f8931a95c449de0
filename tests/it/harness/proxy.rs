//! A TCP proxy in front of a server, which can cut, stall and restore the link.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The state of the link, and how many of the first connections never receive anything more.
#[derive(Debug, Clone, Copy)]
struct State {
    link: Link,
    silenced: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    Up,
    /// Connections stay and are accepted, but no byte passes.
    Stalled,
    /// Connections are closed.
    Down,
}

/// A TCP proxy on a free port of loopback.
pub struct Proxy {
    address: SocketAddr,
    target: Arc<Mutex<String>>,
    state: Arc<watch::Sender<State>>,
    connections: Arc<AtomicU64>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Forwards to `target` (`host:port`).
    pub async fn to(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(watch::Sender::new(State { link: Link::Up, silenced: 0 }));
        let connections: Arc<AtomicU64> = Arc::default();
        let target = Arc::new(Mutex::new(target));
        let (now, made, present) = (Arc::clone(&state), Arc::clone(&connections), Arc::clone(&target));
        let accepting = tokio::spawn(async move {
            while let Ok((inner, _)) = listener.accept().await {
                let number = made.fetch_add(1, Ordering::SeqCst);
                if now.borrow().link != Link::Down {
                    let target = present.lock().expect("whole").clone();
                    tokio::spawn(forward(inner, target, Connection { number, state: now.subscribe() }));
                }
            }
        });
        Self { address, target, state, connections, accepting }
    }

    /// `url` with this proxy in place of its host and port.
    pub async fn before(url: &str) -> (Self, String) {
        let (scheme, rest) = url.split_once("://").expect("a URL");
        let (authority, path) = rest.split_once('/').expect("a path");
        let (user, target) = authority.rsplit_once('@').map_or(("", authority), |(user, host)| (user, host));
        let proxy = Self::to(target.to_owned()).await;
        let user = if user.is_empty() { String::new() } else { format!("{user}@") };
        let through = format!("{scheme}://{user}{}/{path}", proxy.address);
        (proxy, through)
    }

    /// Where it listens, as a service that it forwards to.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Forwards new connections to `target` (`host:port`).
    pub fn redirect(&self, target: &str) {
        target.clone_into(&mut self.target.lock().expect("whole"));
    }

    /// Ends every connection; new ones are closed at once.
    pub fn cut(&self) {
        self.set_link(Link::Down);
    }

    /// Holds back every byte in both directions until [`Proxy::restore`].
    pub fn stall(&self) {
        self.set_link(Link::Stalled);
    }

    /// Lets connections through again.
    pub fn restore(&self) {
        self.set_link(Link::Up);
    }

    /// Present connections never pass a byte more, in either direction; new ones work.
    pub fn silence(&self) {
        let silenced = self.connections.load(Ordering::SeqCst);
        self.state.send_modify(|state| state.silenced = silenced);
    }

    fn set_link(&self, link: Link) {
        self.state.send_modify(|state| state.link = link);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// One connection through the proxy.
#[derive(Clone)]
struct Connection {
    number: u64,
    state: watch::Receiver<State>,
}

impl Connection {
    /// Waits until bytes may pass; false: never again.
    async fn wait_until_up(&mut self) -> bool {
        let number = self.number;
        let whole = |state: &State| state.link == Link::Up && number >= state.silenced;
        self.state.wait_for(whole).await.is_ok()
    }

    async fn wait_until_down(&mut self) {
        let _ = self.state.wait_for(|state| state.link == Link::Down).await;
    }
}

async fn forward(inner: TcpStream, target: String, connection: Connection) {
    let mut cut = connection.clone();
    let forwarding = async {
        if !connection.clone().wait_until_up().await {
            return;
        }
        let Ok(outer) = TcpStream::connect(target).await else { return };
        let _ = inner.set_nodelay(true);
        let _ = outer.set_nodelay(true);
        let ((from_inner, to_inner), (from_outer, to_outer)) = (inner.into_split(), outer.into_split());
        // When one side closes its half, the other is notified and may still send.
        tokio::join!(copy(from_inner, to_outer, connection.clone()), copy(from_outer, to_inner, connection));
    };
    tokio::select! {
        () = forwarding => {}
        () = cut.wait_until_down() => {}
    }
}

async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut connection: Connection) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        if !connection.wait_until_up().await || to.write_all(&bytes[..read]).await.is_err() {
            break;
        }
    }
    let _ = connection.wait_until_up().await && to.shutdown().await.is_ok();
}
