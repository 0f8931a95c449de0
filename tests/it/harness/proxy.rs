//! A cable to a server, to be cut, clogged and mended.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How the cable is.
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
    cable: Arc<watch::Sender<Cable>>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Forwards to `target` (`host:port`).
    pub async fn to(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let cable = Arc::new(watch::Sender::new(Cable::Whole));
        let state = Arc::clone(&cable);
        let accepting = tokio::spawn(async move {
            while let Ok((inner, _)) = listener.accept().await {
                if *state.borrow() != Cable::Cut {
                    tokio::spawn(forward(inner, target.clone(), state.subscribe()));
                }
            }
        });
        Self { address, cable, accepting }
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
        self.cable.send_replace(Cable::Cut);
    }

    /// Holds every byte back, either way, until [`Proxy::restore`]: to either side the other one says nothing.
    pub fn stall(&self) {
        self.cable.send_replace(Cable::Stalled);
    }

    /// Lets connections through again.
    pub fn restore(&self) {
        self.cable.send_replace(Cable::Whole);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn forward(inner: TcpStream, target: String, cable: watch::Receiver<Cable>) {
    let mut cut = cable.clone();
    let forwarding = async {
        if !is_whole(&mut cable.clone()).await {
            return;
        }
        let Ok(outer) = TcpStream::connect(target).await else { return };
        let _ = inner.set_nodelay(true);
        let _ = outer.set_nodelay(true);
        let ((from_inner, to_inner), (from_outer, to_outer)) = (inner.into_split(), outer.into_split());
        // Where one side has ended the other is told so, and may still say something.
        tokio::join!(carry(from_inner, to_outer, cable.clone()), carry(from_outer, to_inner, cable));
    };
    tokio::select! {
        () = forwarding => {}
        _ = cut.wait_for(|cable| *cable == Cable::Cut) => {}
    }
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut cable: watch::Receiver<Cable>) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        if !is_whole(&mut cable).await || to.write_all(&bytes[..read]).await.is_err() {
            break;
        }
    }
    let _ = is_whole(&mut cable).await && to.shutdown().await.is_ok();
}

/// Waits until bytes may pass; false: never again.
async fn is_whole(cable: &mut watch::Receiver<Cable>) -> bool {
    cable.wait_for(|cable| *cable == Cable::Whole).await.is_ok()
}
