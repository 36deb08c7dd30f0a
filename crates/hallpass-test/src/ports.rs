//! Free ports of this machine.

use std::net::TcpListener;

/// Returns a port that is free on both loopback addresses.
pub fn free_port() -> u16 {
    for _ in 0..100 {
        let v4 = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = v4.local_addr().unwrap().port();
        if TcpListener::bind(("::1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free on both families")
}

/// Whether nothing listens at this address.
pub fn is_free(address: (&str, u16)) -> bool {
    TcpListener::bind(address).is_ok()
}
