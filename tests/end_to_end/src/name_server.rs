//! A name server that knows one name.

use std::net::UdpSocket;
use std::thread;

/// Its header (RFC 1035 §4.1.1).
const HEADER: usize = 12;
const NO_SUCH_NAME: u8 = 3;
/// 127.0.0.1 of the name that was asked for, for a minute (RFC 1035 §4.1.3, §4.1.4).
const THIS_COMPUTER: [u8; 16] = [0xC0, 0x0C, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1];

/// Answers on port 53 of 127.0.0.1, as long as this program runs, that `name` is this computer and that there is
/// no other.
pub fn answer_for(name: &'static str) {
    let socket = UdpSocket::bind(("127.0.0.1", 53)).expect("port 53 is free");
    let mut query = [0; 512];
    thread::spawn(move || {
        while let Ok((length, asker)) = socket.recv_from(&mut query) {
            let answer = answer(&query[..length], name).expect("a question");
            socket.send_to(&answer, asker).expect("an answer can be sent");
        }
    });
}

fn answer(query: &[u8], name: &str) -> Option<Vec<u8>> {
    let asked = query.get(HEADER..)?.split_inclusive(|byte| *byte == 0).next()?;
    let question = query.get(HEADER..HEADER + asked.len() + 4)?;
    let is_known = asked.eq_ignore_ascii_case(&on_the_wire(name));
    let wants_ipv4 = question[asked.len()..] == [0, 1, 0, 1];
    let (code, count) = (if is_known { 0 } else { NO_SUCH_NAME }, u8::from(is_known && wants_ipv4));
    let header = [query[0], query[1], 0x81, 0x80 | code, 0, 1, 0, count, 0, 0, 0, 0];
    let address = THIS_COMPUTER.into_iter().take(THIS_COMPUTER.len() * usize::from(count));
    Some(header.into_iter().chain(question.iter().copied()).chain(address).collect())
}

/// Each label with its length before it, and the root (RFC 1035 §3.1).
fn on_the_wire(name: &str) -> Vec<u8> {
    let labels = name.split('.').chain([""]);
    labels.flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat()).collect()
}
