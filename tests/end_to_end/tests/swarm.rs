//! Many processes over one sign-in at a certified server that rotates refresh tokens and ends the session when one
//! comes twice. `bench` runs the same with more of them, for longer.

use hallpass_end_to_end::{Expiry, Provider, Setup, Swarm, Tally, hallpass};

fn swarmed(provider: &Provider, processes: usize, cycles: usize, expiry: Expiry) {
    let program = hallpass();
    let setup = Setup { program: &program, processes, storage: "file", environment: &[] };
    let swarm = Swarm::signed_in(setup, provider).expect("signed in");
    let mut tally = Tally::default();
    for _ in 0..cycles {
        swarm.cycle(expiry, &mut tally).expect("every process starts");
    }
    assert!(tally.is_clean() && tally.cycles == cycles, "{tally:#?}");
    swarm.is_alive().expect("the session is alive");
}

#[test]
fn p27_sixteen_processes_at_twenty_expiries_in_a_row_make_one_refresh_each_time() {
    swarmed(&Provider::start(&[]), 16, 20, Expiry::SetBack);
}

/// Tokens of a real short life are renewed after half of it, so two seconds are enough for who comes last.
#[test]
fn p27_p35_tokens_that_really_end_every_four_seconds_are_renewed_once_each() {
    swarmed(&Provider::start(&[("ACCESS_TTL", "4")]), 16, 3, Expiry::Awaited);
}
