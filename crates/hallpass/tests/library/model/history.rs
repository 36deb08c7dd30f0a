//! The steps of a history, and how random ones are generated.

use hallpass::error::NetworkErrorKind;
use proptest::collection::vec;
use proptest::prelude::*;

use super::server::LoginFault;
use crate::unreliable_network::Fault;

/// Processes that share the sign-in.
pub(super) const PROCESSES: usize = 3;

/// The steps after a first sign-in, and their circumstances.
#[derive(Clone, Debug)]
pub(super) struct History {
    pub(super) is_sealed: bool,
    /// Seconds in which the server accepts a used refresh token again.
    pub(super) grace: u64,
    pub(super) steps: Vec<Step>,
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Advances the clock by seconds.
    Wait(u64),
    /// A process gets a token, possibly with a forced refresh.
    Token {
        by: usize,
        is_forced: bool,
        faults: Vec<Fault>,
        meanwhile: Option<Box<Step>>,
    },
    /// A process refreshes and is killed before it has updated the journal.
    TokenUnnoted(usize),
    Login {
        by: usize,
        user: u8,
        meanwhile: Option<Box<Step>>,
        end: End,
    },
    Logout(usize),
    /// A process calls `whoami` and `status`.
    Query(usize),
    /// A process ends, and a new one takes its place.
    Restart(usize),
    /// A process moves the sign-in to the other store.
    Move(usize),
    /// An administrator ends every session.
    EndSessions,
    KeychainLocks,
    KeychainUnlocks,
    /// The journal is truncated at this byte.
    TearJournal(usize),
}

/// How a sign-in ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Well,
    Refused,
    Cancelled,
    LoginFault(LoginFault),
}

pub(super) fn histories() -> impl Strategy<Value = History> {
    let steps = vec(steps(), 1..16);
    (any::<bool>(), prop_oneof![Just(0), Just(30)], steps).prop_map(|(is_sealed, grace, steps)| History {
        is_sealed,
        grace,
        steps,
    })
}

fn steps() -> impl Strategy<Value = Step> {
    let meanwhile = prop::option::weighted(0.3, quick_steps().prop_map(Box::new));
    prop_oneof![
        12 => quick_steps(),
        4 => (processes(), 0u8..2, meanwhile, ends())
            .prop_map(|(by, user, meanwhile, end)| Step::Login { by, user, meanwhile, end }),
    ]
}

/// Generates steps that can also happen during a login.
fn quick_steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop_oneof![Just(5), Just(31), Just(100), Just(3590), Just(3700)].prop_map(Step::Wait),
        8 => tokens(),
        1 => processes().prop_map(Step::TokenUnnoted),
        1 => processes().prop_map(Step::Logout),
        1 => processes().prop_map(Step::Restart),
        1 => processes().prop_map(Step::Move),
        4 => calm_steps(),
    ]
}

fn tokens() -> impl Strategy<Value = Step> {
    let meanwhile = prop::option::weighted(0.3, calm_steps().prop_map(Box::new));
    (processes(), any::<bool>(), vec(faults(), 0..4), meanwhile)
        .prop_map(|(by, is_forced, faults, meanwhile)| Step::Token { by, is_forced, faults, meanwhile })
}

/// Generates steps that do not wait for the lock, and so can happen during a refresh.
fn calm_steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        processes().prop_map(Step::Query),
        Just(Step::EndSessions),
        Just(Step::KeychainLocks),
        Just(Step::KeychainUnlocks),
        (0usize..200).prop_map(Step::TearJournal),
    ]
}

fn processes() -> impl Strategy<Value = usize> {
    0..PROCESSES
}

fn ends() -> impl Strategy<Value = End> {
    prop_oneof![
        5 => Just(End::Well),
        1 => Just(End::Refused),
        1 => Just(End::Cancelled),
        1 => Just(End::LoginFault(LoginFault::Lost)),
        1 => Just(End::LoginFault(LoginFault::Forged)),
    ]
}

fn faults() -> impl Strategy<Value = Fault> {
    use NetworkErrorKind::{Broken, TimedOut, Tls, Unreachable};
    prop_oneof![
        3 => Just(Fault::None),
        3 => prop_oneof![Just(Broken), Just(TimedOut)].prop_map(Fault::Lost),
        2 => prop_oneof![Just(Broken), Just(TimedOut), Just(Unreachable), Just(Tls)].prop_map(Fault::Unsent),
        2 => prop_oneof![
            Just(Fault::Instead(503, None, "")),
            Just(Fault::Instead(429, Some(60), "")),
            Just(Fault::Instead(401, None, "{\"error\":\"invalid_client\"}")),
            Just(Fault::Instead(403, None, "<h1>Blocked</h1>")),
            Just(Fault::Instead(200, None, "<h1>Welcome to our hotel</h1>")),
            Just(Fault::Instead(302, None, "")),
        ],
        1 => Just(Fault::KilledBefore),
        1 => Just(Fault::KilledAfter),
        1 => Just(Fault::KilledBeforeSaving),
    ]
}
