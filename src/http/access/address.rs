//! The address of a client: the other end of the connection or, behind a trusted proxy, what `X-Forwarded-For` says.
//!
//! Before: the connection. After: the limits by address.
//! Promise: only a trusted proxy can name another address than its own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::Request;
use axum::http::HeaderMap;
use ipnet::Ipv6Net;

use super::Peer;
use crate::config::TrustedProxy;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// Bits of an IPv6 address that identify a subscriber, who may choose the other bits.
const SUBSCRIBER_BITS: u8 = 64;

pub(super) fn of<B>(request: &Request<B>, trusted: &[TrustedProxy]) -> IpAddr {
    let peer = request.extensions().get::<Peer>();
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.address.ip());
    as_counted(origin(peer.to_canonical(), request.headers(), trusted))
}

/// Goes back from the nearest proxy as long as proxies are trusted. What an untrusted client wrote is ignored.
fn origin(peer: IpAddr, headers: &HeaderMap, trusted: &[TrustedProxy]) -> IpAddr {
    let is_trusted = |address: &IpAddr| is_trusted(*address, trusted);
    let mut address = peer;
    let lines: Vec<&str> =
        headers.get_all(FORWARDED_FOR).iter().filter_map(|line| line.to_str().ok()).collect();
    let mut hops = lines.iter().rev().flat_map(|line| line.rsplit(','));
    while is_trusted(&address) {
        let Some(before) = hops.next().and_then(read) else { break };
        address = before;
    }
    address
}

/// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]:4711`
fn read(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let bare = hop.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|address| address.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

/// Whether it is a trusted proxy.
pub(in crate::http) fn is_trusted(address: IpAddr, trusted: &[TrustedProxy]) -> bool {
    trusted.iter().any(|TrustedProxy(net)| net.contains(&address))
}

/// The address as limits count it: of IPv6, the network of the subscriber.
pub(in crate::http) fn as_counted(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Net::new_assert(address, SUBSCRIBER_BITS).network().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin_of(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(FORWARDED_FOR, line.parse().expect("a header"));
        }
        let trusted: Vec<TrustedProxy> =
            trusted.iter().map(|net| TrustedProxy(net.parse().expect("a net"))).collect();
        as_counted(origin(peer.parse().expect("an address"), &headers, &trusted)).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_may_name_another_address() {
        assert_eq!(origin_of("192.0.2.1", &["198.51.100.7"], &[]), "192.0.2.1");
        assert_eq!(origin_of("192.0.2.1", &["198.51.100.7"], &["10.0.0.0/8"]), "192.0.2.1");
        assert_eq!(origin_of("10.0.0.1", &["198.51.100.7"], &["10.0.0.0/8"]), "198.51.100.7");
    }

    #[test]
    fn what_a_client_wrote_itself_is_ignored_behind_proxies_too() {
        let trusted = ["10.0.0.0/8"];
        assert_eq!(origin_of("10.0.0.1", &["1.1.1.1, 198.51.100.7, 10.0.0.2"], &trusted), "198.51.100.7");
        assert_eq!(origin_of("10.0.0.1", &["1.1.1.1", "198.51.100.7:99"], &trusted), "198.51.100.7");
        assert_eq!(origin_of("10.0.0.1", &["198.51.100.7, nonsense"], &trusted), "10.0.0.1");
        assert_eq!(origin_of("10.0.0.1", &[], &trusted), "10.0.0.1");
    }

    #[test]
    fn all_addresses_of_one_ipv6_subscriber_count_as_one() {
        assert_eq!(origin_of("2001:db8:1:2:3:4:5:6", &[], &[]), "2001:db8:1:2::");
        assert_eq!(origin_of("10.0.0.1", &["[2001:db8:1:2::9]:443"], &["10.0.0.1/32"]), "2001:db8:1:2::");
    }
}
