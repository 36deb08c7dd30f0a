//! Many processes at one expiry, against a server that rotates refresh tokens and ends a session when one
//! comes twice.

use std::collections::HashSet;
use std::fs;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant, SystemTime};

use hallpass::{Environment, Hallpass};
use hallpass_dev::DevServer;
use serde_json::Value;

use crate::home::{Home, succeeded};
use crate::logins::Silent;
use crate::programs::Programs;
use crate::stats::{Samples, millis};
use crate::table::Row;
use crate::{Outcome, Settings};

const PROCESSES: usize = 50;

pub(crate) fn measure(settings: &Settings, programs: &Programs) -> Outcome<Vec<Row>> {
    let server = DevServer::start()?;
    let home = signed_in(&server)?;
    let cycles = if settings.quick { 20 } else { 200 };
    let mut herd = Herd::default();
    for _ in 0..cycles {
        herd.expire(&home, programs, &server)?;
    }
    let alive = home.call(&programs.hallpass, &["token", "--refresh"]).output()?;
    let is_alive = succeeded(&alive).is_ok();
    let measured = format!(
        "{} refreshes, {} failures, {} cycles with two tokens or more, session {}; {} for all {PROCESSES}",
        herd.refreshes,
        herd.failures,
        herd.torn,
        if is_alive { "alive" } else { "dead" },
        millis(herd.times.median()),
    );
    let is_kept = herd.refreshes == cycles && herd.failures == 0 && herd.torn == 0 && is_alive;
    let what = format!("{PROCESSES} processes at one expiry, {cycles} times in a row");
    let bar = format!("{cycles} refreshes, 0 failures, session alive");
    Ok(vec![Row::judged(what, measured, &bar, is_kept, "hallpass token, against hallpass-dev")])
}

#[derive(Default)]
struct Herd {
    refreshes: usize,
    failures: usize,
    torn: usize,
    times: Samples,
}

impl Herd {
    fn expire(&mut self, home: &Home, programs: &Programs, server: &DevServer) -> Outcome {
        let_expire(home)?;
        server.journal().clear();
        let begun = Instant::now();
        let start = |_| {
            home.call(&programs.hallpass, &["token"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
        };
        let children = (0..PROCESSES).map(start).collect::<Result<Vec<Child>, _>>()?;
        let mut tokens = HashSet::new();
        for child in children {
            let output = child.wait_with_output()?;
            if succeeded(&output).is_err() {
                self.failures += 1;
            } else {
                tokens.insert(output.stdout);
            }
        }
        self.times.push(begun.elapsed());
        self.torn += usize::from(tokens.len() > 1);
        let asked = server.journal().requests_to("/token");
        self.refreshes +=
            asked.iter().filter(|entry| entry.param("grant_type") == Some("refresh_token")).count();
        Ok(())
    }
}

fn signed_in(server: &DevServer) -> Outcome<Home> {
    let home = Home::new()?;
    let pass = Hallpass::builder("hallpass", server.issuer(), "demo")
        .environment(Environment::from_variables([]))
        .state_dir(home.state_dir())
        .browser(server.robot().opener())
        .build()?;
    pass.login(&mut Silent)?;
    Ok(home)
}

/// Moves the end of the stored access token into the past.
fn let_expire(home: &Home) -> Outcome {
    let mut record: Value = serde_json::from_slice(&fs::read(home.record())?)?;
    let end = SystemTime::now() - Duration::from_secs(1);
    record["access"][0]["expires_at"] = humantime::format_rfc3339_seconds(end).to_string().into();
    Ok(fs::write(home.record(), record.to_string())?)
}
