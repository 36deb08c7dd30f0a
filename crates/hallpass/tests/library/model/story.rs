//! What may happen, in any order.

use hallpass::error::NetworkErrorKind;
use proptest::collection::vec;
use proptest::prelude::*;

use super::server::Spoilt;
use crate::wire::Mishap;

/// Processes that share the sign-in.
pub(super) const PROCESSES: usize = 3;

/// What comes after a first sign-in, and the circumstances that it happens in.
#[derive(Clone, Debug)]
pub(super) struct Story {
    pub(super) is_sealed: bool,
    /// How long the server takes a refresh token again, in seconds.
    pub(super) grace: u64,
    pub(super) acts: Vec<Act>,
}

#[derive(Clone, Debug)]
pub(super) enum Act {
    /// Seconds pass.
    Wait(u64),
    /// A process wants a token, a renewed one perhaps.
    Token {
        by: usize,
        is_forced: bool,
        mishaps: Vec<Mishap>,
        meanwhile: Option<Box<Act>>,
    },
    /// A process renews the token and is killed before it has noted that.
    TokenUnnoted(usize),
    Login {
        by: usize,
        user: u8,
        meanwhile: Option<Box<Act>>,
        end: End,
    },
    Logout(usize),
    /// A process asks who is signed in and how that stands.
    Look(usize),
    /// A process ends, and another one begins.
    Restart(usize),
    /// The sign-in is moved to the other store.
    Move(usize),
    /// An administrator ends every session.
    EndSessions,
    KeychainLocks,
    KeychainUnlocks,
    /// Somebody removes the journal, or leaves half of it.
    TearJournal(usize),
}

/// How a sign-in ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Well,
    Refused,
    Cancelled,
    Spoilt(Spoilt),
}

pub(super) fn stories() -> impl Strategy<Value = Story> {
    let acts = vec(acts(), 1..16);
    (any::<bool>(), prop_oneof![Just(0), Just(30)], acts).prop_map(|(is_sealed, grace, acts)| Story {
        is_sealed,
        grace,
        acts,
    })
}

fn acts() -> impl Strategy<Value = Act> {
    let meanwhile = prop::option::weighted(0.3, quick_acts().prop_map(Box::new));
    prop_oneof![
        12 => quick_acts(),
        4 => (processes(), 0u8..2, meanwhile, ends())
            .prop_map(|(by, user, meanwhile, end)| Act::Login { by, user, meanwhile, end }),
    ]
}

/// What may also happen while a person signs in.
fn quick_acts() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => prop_oneof![Just(5), Just(31), Just(100), Just(3590), Just(3700)].prop_map(Act::Wait),
        8 => tokens(),
        1 => processes().prop_map(Act::TokenUnnoted),
        1 => processes().prop_map(Act::Logout),
        1 => processes().prop_map(Act::Restart),
        1 => processes().prop_map(Act::Move),
        4 => calm_acts(),
    ]
}

fn tokens() -> impl Strategy<Value = Act> {
    let meanwhile = prop::option::weighted(0.3, calm_acts().prop_map(Box::new));
    (processes(), any::<bool>(), vec(mishaps(), 0..4), meanwhile)
        .prop_map(|(by, is_forced, mishaps, meanwhile)| Act::Token { by, is_forced, mishaps, meanwhile })
}

/// What does not wait for the lock, and so may happen while a refresh is under way.
fn calm_acts() -> impl Strategy<Value = Act> {
    prop_oneof![
        processes().prop_map(Act::Look),
        Just(Act::EndSessions),
        Just(Act::KeychainLocks),
        Just(Act::KeychainUnlocks),
        (0usize..200).prop_map(Act::TearJournal),
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
        1 => Just(End::Spoilt(Spoilt::Lost)),
        1 => Just(End::Spoilt(Spoilt::Forged)),
    ]
}

fn mishaps() -> impl Strategy<Value = Mishap> {
    use NetworkErrorKind::{Broken, TimedOut, Tls, Unreachable};
    prop_oneof![
        3 => Just(Mishap::None),
        3 => prop_oneof![Just(Broken), Just(TimedOut)].prop_map(Mishap::Lost),
        2 => prop_oneof![Just(Broken), Just(TimedOut), Just(Unreachable), Just(Tls)].prop_map(Mishap::Unsent),
        2 => prop_oneof![
            Just(Mishap::Instead(503, None, "")),
            Just(Mishap::Instead(429, Some(60), "")),
            Just(Mishap::Instead(401, None, "{\"error\":\"invalid_client\"}")),
            Just(Mishap::Instead(403, None, "<h1>Blocked</h1>")),
            Just(Mishap::Instead(200, None, "<h1>Welcome to our hotel</h1>")),
            Just(Mishap::Instead(302, None, "")),
        ],
        1 => Just(Mishap::KilledBefore),
        1 => Just(Mishap::KilledAfter),
        1 => Just(Mishap::KilledBeforeSaving),
    ]
}
