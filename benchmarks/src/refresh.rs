//! A refresh over https with nothing between: what the renewal itself costs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use hallpass::{Environment, Hallpass};

use crate::home::Home;
use crate::programs::Programs;
use crate::provider::{CLIENT, Provider, Script, TOKEN};
use crate::race::{Racer, race};
use crate::stats::{Samples, millis, ratio};
use crate::table::Row;
use crate::tls::Tls;
use crate::{Outcome, Settings};

const BAR: Duration = Duration::from_millis(9);
/// Debian's and its children's name for the list of authorities that curl reads there.
const SYSTEM_BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";

pub(crate) fn measure(settings: &Settings, programs: &Programs) -> Outcome<Vec<Row>> {
    let dir = tempfile::tempdir()?;
    let tls = Tls::new(dir.path())?;
    let bundle = bundle(dir.path(), &tls)?;
    let rounds = if settings.quick { 20 } else { 100 };
    let mut rows = Vec::new();
    for id_token in [false, true] {
        let script =
            Script { tls: Some(tls.config.clone()), id_token_at_refresh: id_token, ..Script::default() };
        let provider = Provider::start(script)?;
        let home = Home::signed_in(programs, &provider, Some(&tls.ca_file))?;
        let times = Times::take(&home, programs, &provider, &tls, &bundle, rounds)?;
        rows.extend(times.rows(id_token));
    }
    Ok(rows)
}

/// What curl is given: the system's list and our authority, as much as Hallpass reads.
fn bundle(dir: &Path, tls: &Tls) -> Outcome<PathBuf> {
    let mut pem = fs::read(SYSTEM_BUNDLE).unwrap_or_default();
    pem.extend(fs::read(&tls.ca_file)?);
    let file = dir.join("bundle.pem");
    fs::write(&file, pem)?;
    Ok(file)
}

/// The library's own time, and the processes: the command, then curl if it is here.
struct Times {
    library: Samples,
    racers: Vec<Racer>,
}

impl Times {
    fn take(
        home: &Home,
        programs: &Programs,
        provider: &Provider,
        tls: &Tls,
        bundle: &Path,
        rounds: usize,
    ) -> Outcome<Times> {
        let mut racers = vec![Racer::new(home.call(&programs.hallpass, &["token", "--refresh"]))];
        racers.extend(programs.curl.as_ref().map(|curl| Racer::new(curl_call(home, curl, provider, bundle))));
        race(&mut racers, rounds)?;
        let library = (0..rounds).map(|_| in_process(home, tls)).collect::<Outcome<Samples>>()?;
        Ok(Times { library, racers })
    }

    fn rows(&self, id_token: bool) -> Vec<Row> {
        let answer = if id_token { "answer with an ID token: keys fetched, verified" } else { "bare answer" };
        let mut rows = vec![Row::judged(
            format!("refresh over https, own time ({answer})"),
            both(&self.library),
            "≤ 9 ms",
            self.library.median() <= BAR,
            "Hallpass::force_refresh of a new pass",
        )];
        let [command, rest @ ..] = self.racers.as_slice() else { return rows };
        let mut measured = process(command);
        if let [curl] = rest {
            let wall = ratio(command.wall.median(), curl.wall.median());
            let cpu = ratio(command.cpu.median(), curl.cpu.median());
            measured += &format!(" = **{wall:.2}×**, CPU {cpu:.2}× of curl: {}", process(curl));
        }
        let command = "hallpass token --refresh; curl --cacert BUNDLE --data … /token";
        rows.push(Row::plain(format!("the same, whole process ({answer})"), measured, command));
        rows
    }
}

fn process(racer: &Racer) -> String {
    format!("{}, CPU {}", both(&racer.wall), millis(racer.cpu.median()))
}

fn both(samples: &Samples) -> String {
    format!("median {}, minimum {}", millis(samples.median()), millis(samples.min()))
}

/// A new pass each time: connections, authorities and settings are read anew, as in a new process.
fn in_process(home: &Home, tls: &Tls) -> Outcome<Duration> {
    let pass = Hallpass::stored("hallpass")
        .environment(Environment::from_variables([]))
        .state_dir(home.state_dir())
        .ca_cert(&tls.ca_file)
        .build()?;
    let begun = Instant::now();
    let token = pass.force_refresh()?;
    let took = begun.elapsed();
    match token.notes() {
        [] => Ok(took),
        [note, ..] => Err(note.as_str().into()),
    }
}

fn curl_call(home: &Home, curl: &Path, provider: &Provider, bundle: &Path) -> Command {
    let token = "r".repeat(180);
    let form = format!("grant_type=refresh_token&client_id={CLIENT}&refresh_token={token}");
    let mut command = home.call(curl, &["--silent", "--fail", "--data", &form, "--cacert"]);
    command.arg(bundle).arg(format!("{}{TOKEN}", provider.issuer));
    command
}
