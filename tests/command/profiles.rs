//! Several servers and accounts side by side (P64, P65), and where settings come from.

use std::fs;

use hallpass_dev::{Client, DevServer, Visit};
use hallpass_test::command::{CLIENT, CommandSandbox, EMAIL, Outcome, param, visit};
use serde_json::json;

use crate::new_sandbox;

/// A client beside `demo`.
const OTHER_CLIENT: &str = "other-client";

fn server() -> DevServer {
    let other = Client::public(OTHER_CLIENT).redirect_uri("http://127.0.0.1/callback");
    DevServer::builder().client(other).start().unwrap()
}

/// The profile that a server gets of its own accord.
fn host_profile(server: &DevServer) -> String {
    format!("127.0.0.1-{}", server.port())
}

/// Signs in and tells where the browser ended.
fn login(sandbox: &CommandSandbox, server: &DevServer, args: &[&str]) -> (Outcome, Visit) {
    let (login, visit) = sandbox.login(args).play(|url| visit(server, url));
    (login.ok(), visit)
}

fn current(sandbox: &CommandSandbox) -> String {
    let list = sandbox.run(&["profiles", "list"]).ok().stdout;
    list.lines().find_map(|line| line.strip_prefix("* ")).unwrap_or_default().to_owned()
}

/// Signs in at two servers; the second profile is current.
fn at_two_servers() -> (CommandSandbox, [DevServer; 2]) {
    let (sandbox, servers) = (new_sandbox(), [server(), server()]);
    servers.iter().for_each(|server| drop(sandbox.sign_in(server, &[])));
    (sandbox, servers)
}

#[test]
fn the_first_login_makes_the_profile_default() {
    let (sandbox, server) = (new_sandbox(), server());
    let empty = sandbox.run(&["profiles", "list"]).ok();
    assert!(empty.stdout.is_empty() && empty.stderr.starts_with("No profiles yet."), "{empty:#?}");
    sandbox.sign_in(&server, &[]);
    assert_eq!(sandbox.run(&["profiles", "list"]).ok().stdout, "* default\n");
    assert!(!sandbox.config_dir().join("current").exists(), "nothing has to be said about it");
}

#[test]
fn n70_p65_the_same_account_at_another_server_is_another_profile_and_that_is_said() {
    let (sandbox, [first, second]) = (new_sandbox(), [server(), server()]);
    let quiet = sandbox.sign_in(&first, &[]);
    assert!(!quiet.stderr.contains("profile \""), "{quiet:#?}");
    let before = sandbox.record_bytes("default");
    let login = sandbox.sign_in(&second, &[]);
    let name = host_profile(&second);
    let note = format!(
        "Note: saved as profile \"{name}\", which is now the current one; to switch back, run: hallpass profiles use default\n"
    );
    assert!(login.stderr.ends_with(&note), "{login:#?}");
    assert_eq!(sandbox.record_bytes("default"), before);
    assert_eq!(sandbox.run(&["profiles", "list"]).ok().stdout, format!("* {name}\n  default\n"));
    let token = sandbox.run(&["token", "--json"]).ok().json();
    assert_eq!((&token["issuer"], &token["profile"]), (&json!(second.issuer()), &json!(name)));
}

#[test]
fn p65_another_client_of_the_same_server_is_another_profile_too() {
    let (sandbox, server) = (new_sandbox(), server());
    sandbox.sign_in(&server, &[]);
    for (client, profile) in [(OTHER_CLIENT, host_profile(&server)), (CLIENT, "default".to_owned())] {
        let (done, _) =
            login(&sandbox, &server, &["--issuer", server.issuer(), "--client-id", client, "--json"]);
        assert_eq!(done.events().last().unwrap()["profile"], profile);
        assert_eq!(current(&sandbox), profile);
    }
}

#[test]
fn the_same_server_and_client_are_the_same_profile() {
    let (sandbox, [first, second]) = at_two_servers();
    for server in [&first, &second] {
        sandbox.sign_in(server, &[]);
    }
    let names = [host_profile(&second), "default".to_owned()];
    assert_eq!(sandbox.run(&["profiles", "list"]).ok().stdout, format!("* {}\n  {}\n", names[0], names[1]));
}

#[test]
fn a_trailing_slash_makes_no_other_server() {
    let (sandbox, server) = (new_sandbox(), server());
    sandbox.sign_in(&server, &[]);
    let slash = format!("{}/", server.issuer());
    login(&sandbox, &server, &["--issuer", &slash, "--client-id", CLIENT]);
    assert_eq!(sandbox.run(&["profiles", "list"]).ok().stdout, "* default\n");
}

#[test]
fn a_named_profile_is_not_given_to_another_server_without_a_word() {
    let (sandbox, [first, second]) = (new_sandbox(), [server(), server()]);
    sandbox.sign_in(&first, &["--profile", "work", "--scope", "openid"]);
    let before = sandbox.files();
    let error = format!("profile \"work\" belongs to {} (client {CLIENT})", first.issuer());
    let refused = [
        sandbox.login_at(&second, &["--profile", "work"]).run(),
        sandbox.login_at(&second, &[]).env("HALLPASS_PROFILE", "work").run(),
        sandbox.login(&["--profile", "work", "--client-id", OTHER_CLIENT]).run(),
    ];
    for login in refused {
        login.fails(2, &error, "choose another name with --profile, or add --replace");
    }
    assert_eq!(sandbox.opened().len(), 1);
    assert_eq!(sandbox.files(), before);
    let (_, visit) = sandbox.login_at(&second, &["--profile", "work", "--replace"]).play(|url| {
        assert_eq!(param(url, "scope").as_deref(), Some("openid profile email offline_access"));
        visit(&second, url)
    });
    assert_eq!(visit.status, 200);
    assert_eq!(sandbox.record("work")["issuer"], second.issuer());
    assert_eq!(current(&sandbox), "work");
}

#[test]
fn replace_is_about_a_named_profile() {
    let login = new_sandbox().login(&["--replace"]).run();
    assert_eq!(login.code, 2);
    assert!(login.stderr.contains("--profile <NAME>"), "{login:#?}");
}

#[test]
fn the_first_profile_is_current_whatever_its_name_and_a_later_one_is_not() {
    let (sandbox, server) = (new_sandbox(), server());
    sandbox.sign_in(&server, &["--profile", "work"]);
    assert_eq!(current(&sandbox), "work");
    sandbox.sign_in(&server, &["--profile", "home"]);
    assert_eq!(current(&sandbox), "work");
}

#[test]
fn profiles_use_and_list_in_words_and_as_json() {
    let (sandbox, [_, second]) = at_two_servers();
    let chosen = sandbox.run(&["profiles", "use", "default"]).ok();
    assert_eq!(chosen.stderr, "\"default\" is now the current profile.\n");
    assert_eq!(current(&sandbox), "default");
    let name = host_profile(&second);
    let json = sandbox.run(&["profiles", "use", &name, "--json"]).ok().json();
    assert_eq!(json, json!({"profile": name, "current": true}));
    let list = sandbox.run(&["profiles", "list", "--json"]).ok().json();
    assert_eq!(list, json!([{"profile": name, "current": true}, {"profile": "default", "current": false}]));
    for verb in ["use", "remove"] {
        let hint = format!("available profiles: {name}, default");
        sandbox.run(&["profiles", verb, "nobody"]).fails(2, "no profile \"nobody\"", &hint);
        sandbox.run(&["profiles", verb, "../x"]).fails(2, "profile: ", "--profile NAME");
    }
}

#[test]
fn a_removed_profile_is_signed_out_and_its_settings_are_gone() {
    let (sandbox, [_, second]) = at_two_servers();
    let name = host_profile(&second);
    let removed = sandbox.run(&["profiles", "remove", &name]).ok();
    let lines: Vec<&str> = removed.stderr.lines().collect();
    let [logout, last] = lines.as_slice() else { panic!("{removed:#?}") };
    assert!(logout.contains(&name) && logout.contains("revoked"), "{removed:#?}");
    assert_eq!(*last, format!("Removed profile \"{name}\"."));
    assert_eq!(second.journal().count("/revoke"), 2);
    assert!(!sandbox.record_file(&name).exists() && !sandbox.settings_file(&name).exists());
    assert_eq!(sandbox.run(&["profiles", "list"]).ok().stdout, "* default\n");
    sandbox.value(&["token"]);
}

#[test]
fn settings_outlive_a_logout_and_not_the_profile() {
    let (sandbox, server) = (new_sandbox(), server());
    let uri = format!("http://127.0.0.1:{}/callback", hallpass_test::ports::free_port());
    sandbox
        .sign_in(&server, &["--redirect-uri", &uri, "--scope", "openid email", "--param", "ui_locales=de"]);
    sandbox.run(&["logout"]).ok();
    sandbox
        .login(&[])
        .play(|url| {
            let asked = ["redirect_uri", "scope", "ui_locales"].map(|name| param(url, name).unwrap());
            assert_eq!(asked, [uri.as_str(), "openid email", "de"]);
            visit(&server, url)
        })
        .0
        .ok();
    sandbox.run(&["profiles", "remove", "default"]).ok();
    sandbox.login(&[]).run().fails(2, "no issuer", "--issuer");
}

#[test]
fn the_profile_of_the_environment_is_meant_unless_one_is_named() {
    let (sandbox, [first, second]) = at_two_servers();
    let second = host_profile(&second);
    let profile = |args: &[&str], variable: &str| {
        let token = sandbox.hallpass(args).env("HALLPASS_PROFILE", variable).run().ok().json();
        token["profile"].as_str().unwrap().to_owned()
    };
    assert_eq!(profile(&["token", "--json"], ""), second);
    assert_eq!(profile(&["token", "--json"], "default"), "default");
    assert_eq!(profile(&["token", "--json", "--profile", &second], "default"), second);
    let whoami = sandbox.hallpass(&["whoami"]).env("HALLPASS_PROFILE", "nobody").run();
    whoami.fails(4, "not signed in (profile \"nobody\")", "hallpass login");
    sandbox.hallpass(&["token"]).env("HALLPASS_PROFILE", "../x").run().fails(
        2,
        "profile: ",
        "--profile NAME",
    );
    assert_eq!(first.journal().count("/token"), 1);
}

#[test]
fn a_current_profile_that_cannot_be_is_named() {
    let (sandbox, server) = (new_sandbox(), server());
    sandbox.sign_in(&server, &[]);
    fs::write(sandbox.config_dir().join("current"), "../../etc/passwd\n").unwrap();
    sandbox.run(&["token"]).fails(2, "profile: ", "--profile NAME");
}

/// Three servers, two accounts at each.
#[test]
fn p65_six_sessions_are_renewed_and_ended_each_by_itself() {
    let accounts = ["ada@example.com", "bob@example.com"];
    let start = || accounts.iter().fold(DevServer::builder(), |b, email| b.user(email, "pw")).start();
    let (sandbox, servers) = (new_sandbox(), [(); 3].map(|()| start().unwrap()));
    let mut sessions = Vec::new();
    for (number, server) in servers.iter().enumerate() {
        for email in accounts {
            let name = format!("{}-{number}", email.split('@').next().unwrap());
            let call = sandbox.login_at(server, &["--profile", &name]);
            call.play(|url| server.robot().as_user(email, "pw").visit(url).unwrap()).0.ok();
            sessions.push((name, server, email));
        }
    }
    let token = |name: &str| sandbox.record(name)["secret"]["access_tokens"][0].clone();
    for (index, (name, server, email)) in sessions.iter().enumerate() {
        let before: Vec<_> = sessions.iter().map(|(name, ..)| token(name)).collect();
        sandbox.let_expire_in(name, 0);
        server.journal().clear();
        let renewed = match index % 2 {
            0 => sandbox.run(&["token", "--profile", name]),
            _ => sandbox.hallpass(&["token"]).env("HALLPASS_PROFILE", name).run(),
        };
        assert_ne!(before[index], renewed.ok().value());
        assert_eq!(server.journal().count("/token"), 1);
        let others = sessions.iter().enumerate().filter(|(other, _)| *other != index);
        others.for_each(|(other, (name, ..))| assert_eq!(token(name), before[other], "{name}"));
        let whoami = sandbox.run(&["whoami", "--profile", name, "--fresh"]).ok();
        assert!(whoami.stdout.starts_with(&format!("Logged in as: {email}\n")), "{whoami:#?}");
    }
    let (gone, rest) = sessions.split_first().unwrap();
    sandbox.run(&["logout", "--profile", &gone.0]).ok();
    sandbox.run(&["token", "--profile", &gone.0]).fails(4, "not signed in", "hallpass login");
    for (name, ..) in rest {
        sandbox.run(&["token", "--refresh", "--profile", name]).ok();
    }
}

#[test]
fn logout_of_all_profiles_is_one_report_each() {
    let (sandbox, [first, second]) = at_two_servers();
    let reports = sandbox.run(&["logout", "--all", "--json"]).ok().json();
    let revoked = json!({"refresh_token": "revoked", "access_token": "revoked"});
    let report = |name: &str| json!({"profile": name, "erased": true, "revoked": revoked});
    assert_eq!(reports, json!([report(&host_profile(&second)), report("default")]));
    assert_eq!([&first, &second].map(|server| server.journal().count("/revoke")), [2, 2]);
    let status = sandbox.run(&["status", "--json"]);
    assert_eq!((status.code, &status.json()[0]["state"]), (4, &json!("login_required")));
}

#[test]
fn status_shows_every_profile_and_its_code_is_the_selected_ones() {
    let (sandbox, [_first, second]) = at_two_servers();
    sandbox.run(&["logout", "--profile", "default"]).ok();
    let status = sandbox.run(&["status"]).ok();
    assert!(status.stdout.starts_with(&format!("* {}\n", host_profile(&second))), "{status:#?}");
    let status = sandbox.run(&["status", "--profile", "default"]);
    assert_eq!(status.code, 4);
    let hint = "not signed in; sign in with: hallpass login --profile default";
    assert!(status.stdout.starts_with(&format!("  default\n    {hint}\n")), "{status:#?}");
    assert!(status.stdout.contains(&format!("\n* {}\n    {EMAIL} at ", host_profile(&second))));
}

#[test]
fn n90_a_verb_that_is_meant_for_another_session_is_refused_and_names_both() {
    let (sandbox, server) = (new_sandbox(), server());
    sandbox.sign_in(&server, &[]);
    let (before, sent) = (sandbox.files(), server.journal().entries().len());
    let other = "https://other.example";
    let stored = format!("profile \"default\" is signed in to {} (client {CLIENT}), not ", server.issuer());
    for verb in [&["token"][..], &["token", "--id-token"], &["whoami"], &["whoami", "--fresh"], &["logout"]] {
        let hint = "choose a profile with --profile NAME, or remove --issuer and --client-id";
        let by_issuer = format!("{stored}{other}");
        let by_client = format!("{stored}{} (client {OTHER_CLIENT})", server.issuer());
        sandbox.run(&[verb, &["--issuer", other]].concat()).fails(2, &by_issuer, hint);
        sandbox.run(&[verb, &["--client-id", OTHER_CLIENT]].concat()).fails(2, &by_client, hint);
        sandbox.hallpass(verb).env("HALLPASS_ISSUER", other).run().fails(2, &by_issuer, hint);
        sandbox.hallpass(verb).env("HALLPASS_CLIENT_ID", OTHER_CLIENT).run().fails(2, &by_client, hint);
    }
    assert_eq!((sandbox.files(), server.journal().entries().len()), (before, sent));
    let slash = format!("{}/", server.issuer());
    for issuer in [server.issuer(), &slash] {
        sandbox.run(&["token", "--issuer", issuer, "--client-id", CLIENT]).ok();
    }
    let over = sandbox.hallpass(&["token", "--issuer", server.issuer()]).env("HALLPASS_ISSUER", other);
    over.run().ok();
}

/// One setting and the five places that it can come from, in the order of precedence.
struct Setting {
    option: &'static str,
    variable: &'static str,
    key: &'static str,
    parameter: &'static str,
    values: [&'static str; 5],
}

const SETTINGS: [Setting; 4] = [
    Setting {
        option: "--scope",
        variable: "HALLPASS_SCOPE",
        key: "scope",
        parameter: "scope",
        values: ["a", "b", "c", "d", "e"],
    },
    Setting {
        option: "--client-id",
        variable: "HALLPASS_CLIENT_ID",
        key: "client_id",
        parameter: "client_id",
        values: ["a", "b", "c", "d", "e"],
    },
    Setting {
        option: "--resource",
        variable: "HALLPASS_RESOURCE",
        key: "resource",
        parameter: "resource",
        values: [
            "https://a.example",
            "https://b.example",
            "https://c.example",
            "https://d.example",
            "https://e.example",
        ],
    },
    Setting {
        option: "--redirect-uri",
        variable: "HALLPASS_REDIRECT_URI",
        key: "redirect_uri",
        parameter: "redirect_uri",
        values: [
            "http://127.0.0.1/a",
            "http://127.0.0.1/b",
            "http://127.0.0.1/c",
            "http://127.0.0.1/d",
            "http://127.0.0.1/e",
        ],
    },
];

impl Setting {
    /// Returns the value that the server gets when all sources from this one on have a value.
    fn asked(&self, server: &DevServer, from: usize) -> String {
        let sandbox = new_sandbox();
        let [option, variable, env_file, profile, config] = self.values;
        let toml = |value: &str| match self.key {
            "redirect_uri" => format!("redirect_uri = [\"{value}\"]\n"),
            key => format!("{key} = \"{value}\"\n"),
        };
        let base = format!("issuer = \"{}\"\n", server.issuer());
        let client = if self.key == "client_id" { "" } else { "client_id = \"demo\"\n" };
        let mut args = Vec::new();
        fs::create_dir_all(sandbox.settings_file("default").parent().unwrap()).unwrap();
        fs::write(sandbox.config_dir().join("config.toml"), format!("{base}{client}{}", toml(config)))
            .unwrap();
        if from <= 3 {
            fs::write(sandbox.settings_file("default"), format!("{base}{client}{}", toml(profile))).unwrap();
        }
        let file = sandbox.file("my.env", &format!("{}={env_file}\n", self.variable));
        if from <= 2 {
            args.extend(["--env-file", &file]);
        }
        if from == 0 {
            args.extend([self.option, option]);
        }
        let login = sandbox.login(&args);
        let mut login = if from <= 1 { login.env(self.variable, variable) } else { login }.start();
        param(&login.url(), self.parameter).unwrap()
    }
}

#[test]
fn an_option_rules_over_the_environment_the_env_file_the_profile_and_config_toml() {
    let server = server();
    for setting in &SETTINGS {
        let asked = [0, 1, 2, 3, 4].map(|from| setting.asked(&server, from));
        let without_port = asked.map(|value| match url::Url::parse(&value) {
            Ok(mut url) if url.port().is_some() => {
                url.set_port(None).unwrap();
                url.into()
            }
            _ => value,
        });
        assert_eq!(without_port, setting.values, "{}", setting.option);
    }
}

/// Which browser is opened, given one that is there (`true`) or not at each place.
fn browser_opens(server: &DevServer, places: [Option<bool>; 3], expected: bool) {
    let sandbox = new_sandbox();
    let line = |is_there| if is_there { sandbox.browser() } else { "/nonexistent/browser".to_owned() };
    let [option, variable, setting] = places.map(|place| place.map(line));
    if let Some(setting) = setting {
        fs::create_dir_all(sandbox.config_dir()).unwrap();
        fs::write(sandbox.config_dir().join("config.toml"), format!("browser = \"{setting}\"\n")).unwrap();
    }
    let option = option.map(|option| format!("--browser={option}"));
    let limit = if expected { "20s" } else { "400ms" };
    let mut args = vec!["login", "--issuer", server.issuer(), "--client-id", CLIENT, "--timeout", limit];
    args.extend(option.as_deref());
    let mut login = sandbox.hallpass(&args);
    if let Some(variable) = variable {
        login = login.env("BROWSER", &variable);
    }
    if expected {
        login.start().url();
    } else {
        assert_eq!(login.run().code, 7);
        assert!(sandbox.opened().is_empty(), "{places:?}");
    }
}

#[test]
fn the_browser_comes_from_the_option_the_environment_or_config_toml_in_this_order() {
    let server = server();
    browser_opens(&server, [Some(true), Some(false), Some(false)], true);
    browser_opens(&server, [None, Some(true), Some(false)], true);
    browser_opens(&server, [None, None, Some(true)], true);
    browser_opens(&server, [Some(false), Some(true), Some(true)], false);
    browser_opens(&server, [None, Some(false), Some(true)], false);
}
