//! The shape of the command line: help, completions, what a pipe and a terminal get, and what never shows.

use std::io::Read;
use std::process::{Command, Stdio};

use hallpass_dev::DevServer;
use hallpass_test::command::{CLIENT, CommandSandbox, sent, visit};
use hallpass_test::skipped;
use serde_json::Value;

use crate::new_sandbox;

const VERBS: [&str; 9] =
    ["login", "whoami", "token", "logout", "status", "profiles", "dev", "demo", "completions"];
const SHELLS: [&str; 5] = ["bash", "zsh", "fish", "elvish", "powershell"];

fn server() -> DevServer {
    DevServer::start().unwrap()
}

#[test]
fn the_help_of_the_command_has_every_verb_examples_and_the_exit_codes() {
    let help = new_sandbox().run(&["--help"]).ok().stdout;
    for verb in VERBS {
        let line = help.lines().find(|line| line.trim_start().starts_with(verb));
        assert!(line.is_some_and(|line| line.split_whitespace().count() > 3), "{verb}: {help}");
    }
    for part in ["Examples:", "hallpass demo", "Exit codes:", "0 success", "130, 143, 129"] {
        assert!(help.contains(part), "{part}: {help}");
    }
}

#[test]
fn the_help_of_every_verb_says_what_it_does_and_describes_every_option() {
    let sandbox = new_sandbox();
    for verb in VERBS {
        let help = sandbox.run(&[verb, "--help"]).ok().stdout;
        let first = help.lines().next().unwrap();
        assert!(first.split(' ').count() > 2, "{verb}: {help}");
        assert!(help.contains(&format!("Usage: hallpass {verb}")), "{verb}: {help}");
        let lines: Vec<&str> = help.lines().collect();
        let is_option =
            |line: &str| line.trim_start().starts_with('-') && !line.trim_start().starts_with("- ");
        for pair in lines.windows(2).filter(|pair| is_option(pair[0])) {
            // The description stands behind the option or, where that is long, on the line below.
            let is_beside = pair[0].trim().contains("  ");
            let is_below = !pair[1].trim().is_empty() && !is_option(pair[1]);
            assert!(is_beside || is_below, "{verb}: {}", pair[0]);
        }
    }
}

/// The one password that is ever named is that of an account of the development server.
#[test]
fn n17_no_verb_takes_a_password() {
    let sandbox = new_sandbox();
    for verb in VERBS {
        let help = sandbox.run(&[verb, "--help"]).ok().stdout.to_lowercase();
        let is_named = ["password", "--username"].iter().any(|word| help.contains(word));
        assert_eq!(is_named, verb == "dev", "{verb}: {help}");
    }
    for option in ["--password", "--username", "--user"] {
        let login = sandbox.run(&["login", option, "x"]);
        assert_eq!(login.code, 2, "{login:#?}");
        assert!(login.stderr.contains("unexpected argument"), "{login:#?}");
    }
}

#[test]
fn what_is_no_command_is_exit_2() {
    let sandbox = new_sandbox();
    let table: [&[&str]; 8] = [
        &[],
        &["frobnicate"],
        &["token", "--frobnicate"],
        &["token", "--header", "--json"],
        &["token", "--id-token", "--min-ttl", "1m"],
        &["logout", "--all", "--profile", "x"],
        &["profiles"],
        &["token", "--min-ttl", "soon"],
    ];
    for args in table {
        let outcome = sandbox.run(args);
        if args.contains(&"--json") {
            outcome.fails_as_json(2, "usage");
            continue;
        }
        assert_eq!((outcome.code, outcome.stdout.as_str()), (2, ""), "{outcome:#?}");
        assert!(outcome.stderr.contains("Usage:") || outcome.stderr.contains("--help"), "{outcome:#?}");
    }
    assert!(sandbox.is_untouched());
}

#[test]
fn the_version_is_printed() {
    let version = format!("hallpass {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(new_sandbox().run(&["--version"]).ok().stdout, version);
}

/// A shell that is not here is told; the others check the script without running it.
#[test]
fn completions_are_scripts_that_their_shells_take() {
    let sandbox = new_sandbox();
    for shell in SHELLS {
        let script = sandbox.run(&["completions", shell]).ok().stdout;
        for verb in VERBS {
            assert!(script.contains(verb), "{shell}: {verb}");
        }
        if !["bash", "zsh", "fish"].contains(&shell) {
            continue;
        }
        let file = sandbox.file(&format!("completions.{shell}"), &script);
        match Command::new(shell).args(["-n", &file]).output() {
            Ok(output) => assert!(output.status.success() && output.stderr.is_empty(), "{shell}: {output:?}"),
            Err(_) => skipped(&format!("no {shell} here")),
        }
    }
    assert_eq!(sandbox.run(&["completions", "tcsh"]).code, 2);
}

/// Everything that can be said without a person, and a login.
fn all_talk(sandbox: &CommandSandbox, server: &DevServer, options: &[&str]) -> Vec<String> {
    let mut texts = Vec::new();
    let login = sandbox.login_at(server, options).play(|url| visit(server, url)).0.ok();
    texts.extend([login.stdout, login.stderr]);
    let calls: [&[&str]; 9] = [
        &["whoami", "--fresh"],
        &["status", "--check"],
        &["profiles", "list"],
        &["login", "--if-needed"],
        &["token", "--refresh", "--issuer", "https://other.example"],
        &["demo", "--headless"],
        &["logout"],
        &["status"],
        &["whoami"],
    ];
    for args in calls {
        let outcome = sandbox.run(&[args, options].concat());
        texts.extend([outcome.stdout, outcome.stderr]);
    }
    texts
}

#[test]
fn a_pipe_gets_no_escape_bytes() {
    for text in all_talk(&new_sandbox(), &server(), &[]) {
        assert!(!text.contains('\u{1b}') && !text.contains('\r'), "{text:?}");
    }
    for args in [&["--help"][..], &["login", "--help"], &["frobnicate"]] {
        let outcome = new_sandbox().run(args);
        assert!(!format!("{}{}", outcome.stdout, outcome.stderr).contains('\u{1b}'), "{outcome:?}");
    }
}

/// Returns the output of the command on a terminal, which `script` makes.
fn on_a_terminal(sandbox: &CommandSandbox, args: &str, variables: &[(&str, &str)]) -> Option<String> {
    let mut script = Command::new("script");
    let line = format!("{} {args}", env!("CARGO_BIN_EXE_hallpass"));
    script.args(["-qec", &line, "/dev/null"]);
    if Command::new("script").arg("--version").output().is_err() {
        skipped("no `script` here to make a terminal");
        return None;
    }
    let outcome = sandbox.call(script).env("TERM", "xterm").env("SHELL", "/bin/sh").envs(variables).run();
    Some(outcome.stdout)
}

#[test]
fn a_terminal_gets_colour_unless_it_is_not_wanted() {
    let sandbox = new_sandbox();
    let Some(coloured) = on_a_terminal(&sandbox, "token", &[]) else { return };
    assert!(coloured.contains("\u{1b}["), "{coloured:?}");
    for variables in [[("NO_COLOR", "1")], [("TERM", "dumb")]] {
        let plain = on_a_terminal(&sandbox, "token", &variables).unwrap();
        assert!(!plain.contains('\u{1b}') && plain.contains("error: not signed in"), "{plain:?}");
    }
}

/// A file that is opened meanwhile would get the number, and what is said there: a record, say.
#[cfg(target_os = "linux")]
#[test]
fn standard_streams_that_are_closed_lead_nowhere() {
    let (sandbox, server) = (new_sandbox(), server());
    for closed in ["<&- >&- 2>&-", ">&-", "<&- 2>&-"] {
        let mut shell = Command::new("/bin/sh");
        let browser = format!("--browser={}", sandbox.browser());
        shell.args(["-c", &format!("exec \"$0\" \"$@\" {closed}"), env!("CARGO_BIN_EXE_hallpass")]);
        shell.args(["login", &browser, "--issuer", server.issuer(), "--client-id", CLIENT]);
        let mut login = sandbox.call(shell).start();
        let url = login.url();
        for (number, sign) in ["<&-", " >&-", "2>&-"].into_iter().enumerate() {
            let leads_to = std::fs::read_link(format!("/proc/{}/fd/{number}", login.pid())).unwrap();
            let is_closed = format!(" {closed}").contains(sign);
            assert!(
                !is_closed || leads_to == std::path::Path::new("/dev/null"),
                "{closed}: {number} is {leads_to:?}"
            );
        }
        visit(&server, &url);
        login.finish().ok();
    }
}

/// The reader is gone before the first byte comes, as with `| head -c 0`.
#[test]
fn a_reader_that_went_away_is_no_panic() {
    let (sandbox, server) = (new_sandbox(), server());
    sandbox.sign_in(&server, &[]);
    let calls: [&[&str]; 8] = [
        &["token"],
        &["token", "--json"],
        &["whoami"],
        &["status"],
        &["profiles", "list"],
        &["--help"],
        &["completions", "bash"],
        &["frobnicate"],
    ];
    for args in calls {
        let mut command = sandbox.hallpass(args).into_command();
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let stderr = writer.try_clone().unwrap();
        let status = command.stdin(Stdio::null()).stdout(writer).stderr(stderr).status().unwrap();
        assert!(status.code().is_some_and(|code| code != 101), "{args:?}: {status}");
    }
    let mut shell = Command::new("sh");
    shell.args(["-c", "\"$0\" token | head -c 0", env!("CARGO_BIN_EXE_hallpass")]);
    let outcome = sandbox.call(shell).run();
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""));
}

#[test]
fn quiet_means_that_only_errors_and_what_a_person_needs_are_on_stderr() {
    let (sandbox, server) = (new_sandbox(), server());
    let login = sandbox.sign_in(&server, &["--quiet"]);
    assert!(!login.stderr.contains("Successfully") && !login.stderr.contains("Email:"), "{login:#?}");
    for args in
        [&["token"][..], &["whoami"], &["status"], &["login", "--if-needed"], &["logout"], &["logout"]]
    {
        let outcome = sandbox.run(&[args, &["-q"]].concat()).ok();
        assert_eq!(outcome.stderr, "", "{outcome:#?}");
    }
    sandbox.run(&["token", "-q"]).fails(4, "not signed in", "hallpass login");
}

#[test]
fn verbose_tells_about_requests_on_stderr_alone() {
    let (sandbox, server) = (new_sandbox(), server());
    sandbox.sign_in(&server, &[]);
    let plain = sandbox.run(&["whoami", "--fresh"]).ok();
    let verbose = sandbox.run(&["whoami", "--fresh", "-v"]).ok();
    assert_eq!(verbose.stdout, plain.stdout);
    assert!(verbose.stderr.contains("/userinfo") && verbose.stderr.contains("200"), "{verbose:#?}");
    let cached = sandbox.run(&["token", "-v"]).ok();
    assert_eq!(cached.stderr, "", "nothing is sent");
}

/// The sandbox looks at all that is shown.
#[test]
fn n93_p69_no_verb_but_token_shows_a_secret_at_any_verbosity() {
    let (sandbox, server) = (new_sandbox(), server());
    let (login, _) = sandbox.login_at(&server, &["-vv"]).play(|url| visit(&server, url));
    assert!(login.ok().stderr.contains("/token"), "requests are told");
    sandbox.let_expire_in("default", 0);
    let calls: [&[&str]; 11] = [
        &["token"],
        &["whoami"],
        &["whoami", "--fresh"],
        &["status", "--check"],
        &["status", "--json"],
        &["whoami", "--json"],
        &["profiles", "list", "--json"],
        &["login", "--if-needed"],
        &["login", "--if-needed", "--json"],
        &["doctor"],
        &["logout", "--json"],
    ];
    for args in calls {
        sandbox.run(&[args, &["-vv"]].concat()).ok();
    }
    // Among them the code, the verifier and the tokens that were sent, looked for to the letter.
    assert!(sandbox.secrets().len() >= 4, "{}", sandbox.secrets().len());
}

#[test]
fn p69_no_planted_secret_shows_in_a_failure() {
    const CANARY: &str = "CANARY";
    let (sandbox, server) = (new_sandbox(), server());
    sandbox.sign_in(&server, &[]);
    let record = sandbox.record_bytes("default");
    let plant = || {
        std::fs::write(sandbox.record_file("default"), &record).unwrap();
        sandbox.edit("default", |record| {
            for name in ["refresh_token", "id_token", "client_secret"] {
                record["secret"][name] = format!("{CANARY}.{name}").into();
            }
            record["secret"]["access_tokens"][0] = Value::from(format!("{CANARY}.access"));
        });
    };
    let calls: [(&[&str], i32); 5] = [
        (&["token", "--refresh"], 4),
        (&["token", "--id-token"], 4),
        (&["whoami", "--fresh"], 4),
        (&["status", "--check"], 4),
        (&["logout"], 0),
    ];
    for (args, code) in calls {
        plant();
        let outcome = sandbox.run(&[args, &["-vv"]].concat());
        assert_eq!(outcome.code, code, "{outcome:#?}");
        assert!(!outcome.stderr.contains(CANARY) && !outcome.stdout.contains(CANARY), "{outcome:#?}");
    }
    plant();
    drop(server);
    for args in [&["token", "--refresh", "-vv"][..], &["logout", "-vv"]] {
        let outcome = sandbox.run(args);
        assert_eq!(outcome.code, 5);
        assert!(!outcome.stderr.contains(CANARY), "{outcome:#?}");
    }
}

/// The browser gets the address as its one argument, and no secret in its environment.
#[test]
fn p69_the_browser_is_told_the_address_and_no_secret() {
    let (sandbox, server) = (new_sandbox(), server());
    let seen = sandbox.beside("seen");
    let script = format!(
        "printf '%s\\n' \"$#\" > '{0}'; env >> '{0}'; exec /bin/sh '{1}' \"$1\"",
        seen.display(),
        sandbox.beside("browser.sh").display()
    );
    let spy = sandbox.file("spy.sh", &script);
    let browser = format!("--browser=/bin/sh {spy}");
    let login = sandbox.hallpass(&["login", &browser, "--issuer", server.issuer(), "--client-id", CLIENT]);
    let login = login.env("HALLPASS_ACCESS_TOKEN", "CANARY-from-outside");
    login.play(|url| visit(&server, url)).0.ok();
    let mut text = String::new();
    std::fs::File::open(seen).unwrap().read_to_string(&mut text).unwrap();
    assert!(text.starts_with("1\n") && !text.contains("CANARY"), "{text}");
    for secret in sent(&server.journal()).into_iter().chain(sandbox.secrets()) {
        assert!(!text.contains(&secret));
    }
}
