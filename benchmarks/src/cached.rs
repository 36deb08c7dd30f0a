//! A cached token: the whole process of `hallpass token` against `cat` of the file that it comes from.

use std::fs;
use std::path::Path;

use crate::home::Home;
use crate::programs::{BUILD, BUILD_STATIC, Programs};
use crate::provider::{Provider, Script};
use crate::race::{Racer, race};
use crate::stats::{micros, ratio};
use crate::table::Row;
use crate::{Outcome, Settings};

const PROFILES: usize = 10_000;

/// Noise of two medians of the same thing on a busy machine.
const SAME: f64 = 1.05;

pub(crate) fn measure(settings: &Settings, programs: &Programs) -> Outcome<Vec<Row>> {
    let provider = Provider::start(Script::default())?;
    let one = Home::signed_in(programs, &provider, None)?;
    let many = Home::signed_in(programs, &provider, None)?;
    many.multiply(PROFILES)?;
    let token = |home: &Home, program: &Path| home.call(program, &["token"]);
    let mut racers = vec![
        Racer::new(one.call(&programs.cat, &[&one.record().to_string_lossy()])),
        Racer::new(token(&one, &programs.hallpass)),
        Racer::new(token(&many, &programs.hallpass)),
    ];
    racers.extend(programs.hallpass_static.as_ref().map(|program| Racer::new(token(&one, program))));
    race(&mut racers, if settings.quick { 100 } else { 500 })?;
    let bytes = fs::metadata(one.record())?.len();
    Ok(rows(&racers, bytes))
}

fn rows(racers: &[Racer], bytes: u64) -> Vec<Row> {
    let [cat, dynamic, many, rest @ ..] = racers else { return Vec::new() };
    let mut rows = vec![against_cat("dynamic", dynamic, cat, bytes, 1.5, BUILD)];
    if let [linked] = rest {
        rows.push(against_cat("static", linked, cat, bytes, 1.1, BUILD_STATIC));
    }
    let factor = ratio(many.wall.median(), dynamic.wall.median());
    let measured = format!(
        "median {factor:.2}×, minimum {:.2}× of the time with one profile",
        ratio(many.wall.min(), dynamic.wall.min())
    );
    let what = format!("the same, {PROFILES} profiles");
    rows.push(Row::judged(what, measured, "1×", factor <= SAME, "hallpass token"));
    rows
}

fn against_cat(how: &str, racer: &Racer, cat: &Racer, bytes: u64, bar: f64, build: &str) -> Row {
    let factor = ratio(racer.wall.median(), cat.wall.median());
    let measured = format!(
        "median **{factor:.2}×** ({} / {}), minimum {:.2}× ({} / {}), CPU {:.2}×",
        micros(racer.wall.median()),
        micros(cat.wall.median()),
        ratio(racer.wall.min(), cat.wall.min()),
        micros(racer.wall.min()),
        micros(cat.wall.min()),
        ratio(racer.cpu.median(), cat.cpu.median()),
    );
    let what = format!("cached `token`, {how}, against `cat` of the {bytes} bytes");
    let command = format!("hallpass token >/dev/null (built by {build})");
    Row::judged(what, measured, &format!("≤ {bar}×"), factor <= bar, &command)
}
