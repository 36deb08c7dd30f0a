//! Sizes: the library's tree, the command's file, what they take of the memory, and the start of the
//! development server.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use hallpass_dev::DevServer;

use crate::home::Home;
use crate::programs::{BUILD, BUILD_STATIC, Programs, cargo_program, workspace};
use crate::provider::{METADATA, Provider, Script, TOKEN};
use crate::stats::{Samples, micros};
use crate::table::Row;
use crate::tls::Tls;
use crate::{Outcome, Settings};

const CRATES: usize = 90;
const CRATES_WITHOUT_KEYCHAIN: usize = 75;
const SIZE: u64 = 6_000_000;
const MIB: u64 = 1024 * 1024;
const STARTS: usize = 20;

pub(crate) fn measure(_settings: &Settings, programs: &Programs) -> Outcome<Vec<Row>> {
    let mut rows = vec![
        tree("crates that the library brings", &[], CRATES)?,
        tree("… without the keychain", &["--no-default-features"], CRATES_WITHOUT_KEYCHAIN)?,
        size("dynamic", &programs.hallpass, BUILD)?,
    ];
    if let Some(program) = &programs.hallpass_static {
        rows.push(size("static", program, BUILD_STATIC)?);
    }
    rows.extend(memory(programs)?);
    rows.push(dev_server()?);
    Ok(rows)
}

fn tree(what: &str, features: &[&str], bar: usize) -> Outcome<Row> {
    let args = ["tree", "-p", "hallpass", "-e", "normal", "--prefix", "none", "--locked"];
    let args = [&args, features].concat();
    let output = Command::new(cargo_program()).args(&args).current_dir(workspace()).output()?;
    let text = String::from_utf8(output.stdout)?;
    // Name and version; what stands behind them is where from, and whether it was shown before.
    let crates: BTreeSet<Vec<&str>> = text
        .lines()
        .map(|line| line.split(' ').take(2).collect())
        .filter(|id: &Vec<_>| id.len() == 2)
        .collect();
    let others = crates.len().saturating_sub(1);
    let names: BTreeSet<&str> = crates.iter().map(|id| id[0]).collect();
    let measured = format!("**{others}** ({} names)", names.len().saturating_sub(1));
    let command = format!("cargo {}", args.join(" "));
    let is_kept = (1..=bar).contains(&others);
    Ok(Row::judged(what, measured, &format!("≤ {bar}"), is_kept, &command))
}

fn size(how: &str, program: &Path, build: &str) -> Outcome<Row> {
    let bytes = fs::metadata(program)?.len();
    let what = format!("the command's file, stripped, {how}");
    let bar = format!("≤ {SIZE} bytes");
    Ok(Row::judged(what, format!("**{bytes}** bytes"), &bar, bytes <= SIZE, build))
}

fn memory(programs: &Programs) -> Outcome<Vec<Row>> {
    let dir = tempfile::tempdir()?;
    let tls = Tls::new(dir.path())?;
    let start = |flood| {
        let tls = Some(tls.config.clone());
        Provider::start(Script { tls, flood, ..Script::default() })
    };
    let login = |flood| -> Outcome<u64> {
        let home = Home::new()?;
        weigh(&home, programs, &home.login(programs, &start(flood)?, Some(&tls.ca_file)), flood.is_some())
    };
    let home = Home::signed_in(programs, &start(None)?, Some(&tls.ca_file))?;
    let call = |args: &[&str]| home.call(&programs.hallpass, args);
    let floor = weigh(&home, programs, &home.call(&programs.cat, &["/dev/null"]), false)?;
    Ok(vec![
        weight(
            "`token`, cached",
            6,
            weigh(&home, programs, &call(&["token"]), false)?,
            floor,
            "hallpass token",
        ),
        weight(
            "`token`, renewed over https",
            20,
            weigh(&home, programs, &call(&["token", "--refresh"]), false)?,
            floor,
            "hallpass token --refresh",
        ),
        weight("`login` over https", 20, login(None)?, floor, "hallpass login"),
        weight("`login`, the metadata are 300 MB", 20, login(Some(METADATA))?, floor, "hallpass login"),
        weight("`login`, the tokens are 300 MB", 20, login(Some(TOKEN))?, floor, "hallpass login"),
    ])
}

/// The peak of one call, which has to fail where it must.
fn weigh(home: &Home, programs: &Programs, command: &Command, fails: bool) -> Outcome<u64> {
    let (mut weighed, file) = home.weighed(programs, command);
    let output = weighed.output()?;
    if output.status.success() == fails {
        return Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(fs::read_to_string(file)?.parse()?)
}

fn weight(what: &str, bar: u64, bytes: u64, floor: u64, command: &str) -> Row {
    let mib = |bytes: u64| bytes as f64 / MIB as f64;
    let measured = format!("**{:.1} MiB** (`cat`: {:.1})", mib(bytes), mib(floor));
    let what = format!("peak memory: {what}");
    Row::judged(what, measured, &format!("≤ {bar} MiB"), bytes <= bar * MIB, command)
}

/// Each start leaves a thread that looks for an RSA key, so there is a pause after each.
fn dev_server() -> Outcome<Row> {
    let mut times = Samples::default();
    for _ in 0..STARTS {
        let begun = Instant::now();
        let server = DevServer::start()?;
        times.push(begun.elapsed());
        drop(server);
        thread::sleep(Duration::from_millis(500));
    }
    let measured = format!("median {}, minimum {}", micros(times.median()), micros(times.min()));
    Ok(Row::plain("start of the development server", measured, "DevServer::start()"))
}
