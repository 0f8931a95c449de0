//! A cable to a server, to be cut, clogged and mended.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How the cable is, and how many of the first connections never hear anything again.
#[derive(Debug, Clone, Copy)]
struct State {
    cable: Cable,
    silenced: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cable {
    Whole,
    /// Connections stay, and are made, but nothing comes through.
    Stalled,
    /// There is none.
    Cut,
}

/// A TCP proxy on a free port of loopback.
pub struct Proxy {
    address: SocketAddr,
    state: Arc<watch::Sender<State>>,
    connections: Arc<AtomicU64>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Forwards to `target` (`host:port`).
    pub async fn to(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(watch::Sender::new(State { cable: Cable::Whole, silenced: 0 }));
        let connections: Arc<AtomicU64> = Arc::default();
        let (now, made) = (Arc::clone(&state), Arc::clone(&connections));
        let accepting = tokio::spawn(async move {
            while let Ok((inner, _)) = listener.accept().await {
                let number = made.fetch_add(1, Ordering::SeqCst);
                if now.borrow().cable != Cable::Cut {
                    tokio::spawn(forward(inner, target.clone(), Strand { number, state: now.subscribe() }));
                }
            }
        });
        Self { address, state, connections, accepting }
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

    /// Ends every connection; new ones are closed at once.
    pub fn cut(&self) {
        self.turn(Cable::Cut);
    }

    /// Holds every byte back, either way, until [`Proxy::restore`]: to either side the other one says nothing.
    pub fn stall(&self) {
        self.turn(Cable::Stalled);
    }

    /// Lets connections through again.
    pub fn restore(&self) {
        self.turn(Cable::Whole);
    }

    /// The connections there are never hear anything again, nor does the server of them; new ones are as they should be.
    pub fn silence(&self) {
        let silenced = self.connections.load(Ordering::SeqCst);
        self.state.send_modify(|state| state.silenced = silenced);
    }

    fn turn(&self, cable: Cable) {
        self.state.send_modify(|state| state.cable = cable);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// One connection's view of the cable.
#[derive(Clone)]
struct Strand {
    number: u64,
    state: watch::Receiver<State>,
}

impl Strand {
    /// Waits until bytes may pass; false: never again.
    async fn is_whole(&mut self) -> bool {
        let number = self.number;
        let whole = |state: &State| state.cable == Cable::Whole && number >= state.silenced;
        self.state.wait_for(whole).await.is_ok()
    }

    async fn is_cut(&mut self) {
        let _ = self.state.wait_for(|state| state.cable == Cable::Cut).await;
    }
}

async fn forward(inner: TcpStream, target: String, strand: Strand) {
    let mut cut = strand.clone();
    let forwarding = async {
        if !strand.clone().is_whole().await {
            return;
        }
        let Ok(outer) = TcpStream::connect(target).await else { return };
        let _ = inner.set_nodelay(true);
        let _ = outer.set_nodelay(true);
        let ((from_inner, to_inner), (from_outer, to_outer)) = (inner.into_split(), outer.into_split());
        // Where one side has ended the other is told so, and may still say something.
        tokio::join!(carry(from_inner, to_outer, strand.clone()), carry(from_outer, to_inner, strand));
    };
    tokio::select! {
        () = forwarding => {}
        () = cut.is_cut() => {}
    }
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut strand: Strand) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        if !strand.is_whole().await || to.write_all(&bytes[..read]).await.is_err() {
            break;
        }
    }
    let _ = strand.is_whole().await && to.shutdown().await.is_ok();
}
