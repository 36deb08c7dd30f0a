//! Distance: a TCP relay that behaves as a wire of a given length does.
//!
//! A byte arrives half a round trip after it was sent, and so does the end of the stream. A connection costs
//! a whole round trip before its first byte may leave. The kernel completes the handshake on loopback at
//! once, so that trip is added to the first bytes instead: what a client sends right after connecting arrives
//! 1.5 round trips after it began to connect, as it would from afar. Bandwidth and slow start are left out;
//! a login's messages are small.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Relays what comes to `near` to the server at `far`.
pub(crate) fn relay(near: TcpListener, far: SocketAddr, round_trip: Duration) {
    thread::spawn(move || {
        for client in near.incoming().flatten() {
            let connected = Instant::now() + round_trip;
            if let Ok(server) = TcpStream::connect(far) {
                carry(&client, &server, connected, round_trip / 2);
                carry(&server, &client, connected, round_trip / 2);
            }
        }
    });
}

/// One direction. Two threads, so that a second message does not wait for the first one's arrival.
fn carry(from: &TcpStream, to: &TcpStream, connected: Instant, one_way: Duration) {
    let (Ok(mut from), Ok(mut to)) = (from.try_clone(), to.try_clone()) else { return };
    let _ = to.set_nodelay(true);
    let (sent, arriving) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        let mut buffer = [0; 64 * 1024];
        loop {
            let amount = from.read(&mut buffer).unwrap_or(0);
            let arrival = Instant::now().max(connected) + one_way;
            // An empty message is the end of the stream.
            if sent.send((arrival, buffer[..amount].to_vec())).is_err() || amount == 0 {
                return;
            }
        }
    });
    thread::spawn(move || {
        for (arrival, bytes) in arriving {
            thread::sleep(arrival.saturating_duration_since(Instant::now()));
            if bytes.is_empty() || to.write_all(&bytes).is_err() {
                let _ = to.shutdown(Shutdown::Write);
                return;
            }
        }
    });
}
