//! How often a cached token asks the kernel for something.

use std::collections::BTreeMap;
use std::fs;
use std::process::Stdio;

use crate::home::Home;
use crate::programs::{Programs, find};
use crate::provider::{Provider, Script};
use crate::table::Row;
use crate::{Outcome, Settings};

pub(crate) fn measure(_: &Settings, programs: &Programs) -> Outcome<Vec<Row>> {
    let Some(strace) = find("strace") else {
        eprintln!("the system calls are not counted: strace is not installed");
        return Ok(Vec::new());
    };
    let provider = Provider::start(Script::default())?;
    let home = Home::signed_in(programs, &provider, None)?;
    let mut rows = Vec::new();
    for (how, program) in
        [("dynamic", Some(&programs.hallpass)), ("static", programs.hallpass_static.as_ref())]
    {
        let Some(program) = program else { continue };
        let log = home.path().join("calls");
        let mut traced = home.call(&strace, &["-f", "-qq", "-o"]);
        traced.arg(&log).arg("--").arg(program).arg("token");
        if !traced.stdout(Stdio::null()).stderr(Stdio::null()).status()?.success() {
            eprintln!("the system calls are not counted: strace may not look into other programs");
            return Ok(rows);
        }
        let what = format!("system calls of a cached `token`, {how}, storage file");
        rows.push(Row::plain(what, told(&fs::read_to_string(&log)?), "strace -f hallpass token >/dev/null"));
    }
    Ok(rows)
}

/// All, and the five that come most often.
fn told(log: &str) -> String {
    let mut counts = BTreeMap::<&str, usize>::new();
    for name in log.lines().filter_map(name) {
        *counts.entry(name).or_default() += 1;
    }
    let mut by_count: Vec<_> = counts.iter().collect();
    by_count.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let most: Vec<_> = by_count.iter().take(5).map(|(name, count)| format!("{name} {count}")).collect();
    format!("**{}**: {}, …", counts.values().sum::<usize>(), most.join(", "))
}

/// A line is a process, a call and its arguments; an exit or a signal is none.
fn name(line: &str) -> Option<&str> {
    let (_, call) = line.split_once(' ')?;
    let (name, _) = call.trim_start().split_once('(')?;
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_').then_some(name)
}
