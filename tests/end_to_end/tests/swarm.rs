//! Many processes over one sign-in at a certified server that rotates refresh tokens and ends the session when one
//! comes twice. `benchmarks` runs the same with more of them, for longer.

use hallpass_end_to_end::{Expiry, Provider, Setup, Swarm, Tally, hallpass};
use hallpass_test::keychain::{GnomeKeyring, PrivateBus, REAL_KEYCHAIN, are_installed};

const PROCESSES: usize = 16;

/// Tokens of a short life are renewed after half of it, so two seconds are enough for who comes last.
const SHORT_LIFE: [(&str, &str); 1] = [("ACCESS_TTL", "4")];

fn swarmed(setup: Setup<'_>, provider: &Provider, expiry: Expiry, cycles: usize) {
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
    let program = hallpass();
    let setup = Setup { program, processes: PROCESSES, storage: "file", environment: &[] };
    swarmed(setup, &Provider::start(&[]), Expiry::SetBack, 20);
}

#[test]
fn p27_p35_tokens_that_really_end_every_four_seconds_are_renewed_once_each() {
    let program = hallpass();
    let setup = Setup { program, processes: PROCESSES, storage: "file", environment: &[] };
    swarmed(setup, &Provider::start(&SHORT_LIFE), Expiry::Awaited, 3);
}

/// The end of a sealed token cannot be moved: that would break the seal.
#[test]
fn p27_sixteen_processes_over_a_sealed_sign_in_make_one_refresh_each_time() {
    if !are_installed(&REAL_KEYCHAIN) {
        return;
    }
    let bus = PrivateBus::start().expect("a bus");
    let _keyring = GnomeKeyring::start(&bus).expect("a keyring");
    let variables = bus.variables();
    let environment: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let program = hallpass();
    let setup = Setup { program, processes: PROCESSES, storage: "keychain", environment: &environment };
    swarmed(setup, &Provider::start(&SHORT_LIFE), Expiry::Awaited, 3);
}
