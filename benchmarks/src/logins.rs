//! Whole logins over a long wire: how many round trips the user waits, and what is sent.

use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use hallpass::{Environment, Hallpass, LoginEvent, LoginUi};

use crate::home::Home;
use crate::programs::Programs;
use crate::provider::{CLIENT, Provider, Script};
use crate::stats::{Samples, millis, ratio};
use crate::table::Row;
use crate::tls::Tls;
use crate::{Outcome, Settings, helper};

const ROUND_TRIP: Duration = Duration::from_millis(100);
/// Node's default, and the shortest of the common ones.
const IDLE: Duration = Duration::from_secs(5);
const QUICK_USER: [u64; 1] = [300];
/// Around the moments at which the prepared connection is renewed.
const SLOW_USER: [u64; 3] = [11_900, 12_000, 12_300];

const COMMAND: &str = "Hallpass::login, from the callback's request until it returns";

pub(crate) fn measure(settings: &Settings, _programs: &Programs) -> Outcome<Vec<Row>> {
    let dir = tempfile::tempdir()?;
    let tls = Tls::new(dir.path())?;
    let rounds = if settings.quick { 3 } else { 7 };
    let mut kinds = kinds();
    for _ in 0..rounds {
        for kind in &mut kinds {
            kind.quick.push(login(kind, &tls, QUICK_USER[0])?);
        }
    }
    slow(&mut kinds, &tls)?;
    Ok(kinds.iter().flat_map(Kind::rows).collect())
}

/// One of http and https, with and without userinfo.
#[derive(Clone, Default)]
struct Kind {
    is_https: bool,
    asks_userinfo: bool,
    quick: Vec<Login>,
    slow: Vec<Login>,
}

/// What one login took.
#[derive(Clone)]
struct Login {
    waited: Duration,
    requests: usize,
    repeated: bool,
    connections: usize,
}

fn kinds() -> Vec<Kind> {
    let of = |is_https, asks_userinfo| Kind { is_https, asks_userinfo, ..Kind::default() };
    vec![of(false, false), of(true, false), of(false, true), of(true, true)]
}

/// All at once: they mostly wait for the user.
fn slow(kinds: &mut [Kind], tls: &Tls) -> Outcome {
    for user in SLOW_USER {
        let results: Vec<Outcome<Login>> = thread::scope(|scope| {
            let start = |(number, kind): (u32, &Kind)| {
                let kind = kind.clone();
                scope.spawn(move || {
                    // Apart from each other, so that they do not need the processor at the same moment.
                    thread::sleep(ROUND_TRIP * number / 3);
                    login(&kind, tls, user)
                })
            };
            let threads: Vec<_> = (0..).zip(kinds.iter()).map(start).collect();
            let join = |thread: thread::ScopedJoinHandle<'_, Outcome<Login>>| {
                thread.join().unwrap_or_else(|_| Err("a login panicked".into()))
            };
            threads.into_iter().map(join).collect()
        });
        for (kind, result) in kinds.iter_mut().zip(results) {
            kind.slow.push(result?);
        }
    }
    Ok(())
}

/// A login by somebody who takes `user` milliseconds.
fn login(kind: &Kind, tls: &Tls, user: u64) -> Outcome<Login> {
    let provider = Provider::start(Script {
        tls: kind.is_https.then(|| tls.config.clone()),
        round_trip: ROUND_TRIP,
        idle: IDLE,
        profile_in_id_token: !kind.asks_userinfo,
        ..Script::default()
    })?;
    let home = Home::new()?;
    let (set_out, came_back) = mpsc::channel();
    let browser = move |url: &str| {
        thread::sleep(Duration::from_millis(user));
        let begun = helper::visit(url).map_err(io::Error::other)?;
        set_out.send(begun).map_err(io::Error::other)
    };
    let pass = Hallpass::builder("bench", &provider.issuer, CLIENT)
        .environment(Environment::from_variables([]))
        .state_dir(home.state_dir())
        .ca_cert(&tls.ca_file)
        .browser(browser)
        .build()?;
    pass.login(&mut Silent)?;
    let signed_in = Instant::now();
    let waited = signed_in - came_back.recv()?;
    let requests = provider.requests();
    Ok(Login {
        waited,
        requests: requests.values().sum(),
        repeated: requests.values().any(|count| *count > 1),
        connections: provider.connections(),
    })
}

/// Nobody looks on.
pub(crate) struct Silent;

impl LoginUi for Silent {
    fn event(&mut self, _event: LoginEvent) {}
}

impl Kind {
    fn rows(&self) -> Vec<Row> {
        let users = [("0.3 s", &self.quick), ("12 s", &self.slow)];
        users
            .into_iter()
            .flat_map(|(user, logins)| [self.waiting(user, logins), self.sent(user, logins)])
            .collect()
    }

    fn name(&self, user: &str) -> String {
        let scheme = if self.is_https { "https" } else { "http" };
        let who = if self.asks_userinfo { "with userinfo" } else { "ID token suffices" };
        format!("{scheme}, {who}, user takes {user}")
    }

    fn waiting(&self, user: &str, logins: &[Login]) -> Row {
        let samples: Samples = logins.iter().map(|login| login.waited).collect();
        let trips = |time| ratio(time, ROUND_TRIP);
        let bar = if self.asks_userinfo { 2.2 } else { 1.2 };
        let measured = format!(
            "median **{:.2} RTT** ({}), {:.2} to {:.2} in {}",
            trips(samples.median()),
            millis(samples.median()),
            trips(samples.min()),
            trips(samples.max()),
            logins.len()
        );
        let what = format!("callback → signed in: {}", self.name(user));
        Row::judged(what, measured, &format!("≤ {bar} RTT"), trips(samples.median()) <= bar, COMMAND)
    }

    fn sent(&self, user: &str, logins: &[Login]) -> Row {
        let most = |count: fn(&Login) -> usize| logins.iter().map(count).max().unwrap_or_default();
        let (requests, connections) = (most(|login| login.requests), most(|login| login.connections));
        let wanted = if self.asks_userinfo { 4 } else { 3 };
        let is_lean = requests == wanted && !logins.iter().any(|login| login.repeated);
        let measured = format!("{requests} requests, {connections} connections at most");
        let what = format!("whole login: {}", self.name(user));
        // While the user is away, connections are renewed; only a quick one has a bar for them.
        match user {
            "12 s" => Row::judged(
                what,
                measured,
                &format!("{wanted} requests, each once"),
                is_lean,
                "the server's journal",
            ),
            _ => {
                let bar = format!("{wanted} requests, each once; ≤ 2 connections");
                Row::judged(what, measured, &bar, is_lean && connections <= 2, "the server's journal")
            }
        }
    }
}
