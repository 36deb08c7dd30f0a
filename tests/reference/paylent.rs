//! Paylent's tutorial for command-line tools, in its order.
//!
//! The tutorial's redirect URI is `http://localhost:9999/callback` exactly. The tests that need that port
//! queue for it, across processes too; where another program has it they say so and do nothing.

use std::fs::File;
use std::net::TcpStream;

use hallpass_dev::DevServer;
use hallpass_test::command::{CommandSandbox, Outcome, Page, browse, param, visit};
use hallpass_test::ports::{free_port, is_free};
use hallpass_test::provider::{AUTHORIZE, CANARY, CLIENT, EMAIL, Provider, SUB, TOKEN};
use hallpass_test::{jose, skipped};
use serde_json::{Value, json};

use crate::new_sandbox;

const REDIRECT_URI: &str = "http://localhost:9999/callback";

/// The port of the tutorial, while this lives.
struct Port9999 {
    _lock: File,
}

impl Port9999 {
    fn take() -> Option<Port9999> {
        let user = rustix::process::geteuid().as_raw(); // a lock file of root's is nobody else's to open
        let path = std::env::temp_dir().join(format!("hallpass-tests-port-9999-{user}.lock"));
        let lock = File::options().create(true).truncate(false).write(true).open(path).unwrap();
        lock.lock().unwrap();
        if is_free(("127.0.0.1", 9999)) && is_free(("::1", 9999)) {
            return Some(Port9999 { _lock: lock });
        }
        skipped("another program has port 9999");
        None
    }
}

/// A user who followed the tutorial up to "Run the example".
struct Example {
    sandbox: CommandSandbox,
    paylent: Provider,
    env_file: String,
}

impl Example {
    /// With the redirect URI that is registered.
    fn new(registered: &str) -> Example {
        let (sandbox, paylent) = (new_sandbox(), Provider::paylent(registered));
        let text = format!("ISSUER={}\nCLIENT_ID={CLIENT}\nREDIRECT_URI={registered}\n", paylent.issuer());
        let env_file = sandbox.file(".env", &text);
        Example { sandbox, paylent, env_file }
    }

    /// On a port that no other test wants, where the sentence is about something else.
    fn anywhere() -> Example {
        Example::new(&format!("http://localhost:{}/callback", free_port()))
    }

    /// Runs `login` and signs in.
    fn login(&self) -> (Outcome, (String, Page)) {
        let call = self.sandbox.login(&["--env-file", &self.env_file]);
        let (login, seen) = call.play(|url| (url.to_owned(), browse(url).unwrap()));
        (login.ok(), seen)
    }

    fn signed_in() -> Example {
        let example = Example::anywhere();
        example.login();
        example.paylent.forget();
        example
    }
}

/// "it uses a public client (no client secret needed)."
#[test]
fn no_secret_is_needed() {
    let example = Example::anywhere();
    example.login();
    assert!(example.sandbox.record("default")["secret"].get("client_secret").is_none());
}

/// "The code_verifier is generated fresh for each login attempt and never leaves the local machine, so even if
/// an attacker intercepts the authorization code, they can't exchange it for tokens." It goes to the token
/// endpoint alone, and is written down nowhere.
#[test]
fn the_verifier_is_fresh_and_kept_from_everybody() {
    let example = Example::anywhere();
    let logins = [(); 2].map(|()| example.login());
    let exchanges = example.paylent.requests_to(TOKEN);
    assert_ne!(exchanges[0].param("code_verifier"), exchanges[1].param("code_verifier"));
    for ((outcome, (url, page)), exchange) in logins.iter().zip(&exchanges) {
        let verifier = exchange.param("code_verifier").unwrap();
        assert_eq!(param(url, "code_challenge"), Some(jose::s256(verifier)));
        for text in [url, &page.body, &outcome.stdout, &outcome.stderr] {
            assert!(!text.contains(verifier));
        }
        for content in example.sandbox.files().into_values() {
            assert!(!String::from_utf8(content).unwrap().contains(verifier));
        }
    }
    assert_eq!(steal_code(&example), 400);
}

/// Another party gets hold of a code, and tries it without the verifier.
fn steal_code(example: &Example) -> u16 {
    let mut login = example.sandbox.login(&[]).start();
    let config = ureq::Agent::config_builder().proxy(None).http_status_as_error(false);
    let thief = config.max_redirects(0).build().new_agent();
    let redirect = thief.get(login.url()).call().unwrap();
    let callback = redirect.headers()["location"].to_str().unwrap().to_owned();
    let form = [
        ("grant_type", "authorization_code".to_owned()),
        ("client_id", CLIENT.to_owned()),
        ("code", param(&callback, "code").unwrap()),
        ("redirect_uri", callback.split('?').next().unwrap().to_owned()),
        ("code_verifier", "a".repeat(43)),
    ];
    let url = format!("{}{TOKEN}", example.paylent.issuer());
    thief.post(url).send_form(form).unwrap().status().as_u16()
}

/// "Register a public client … Redirect URIs: `http://localhost:9999/callback`" and "Add the `client_id` to the
/// example's `.env` file."
#[test]
fn the_env_file_and_the_registered_redirect_uri_are_used_exactly() {
    let Some(_port) = Port9999::take() else { return };
    let example = Example::new(REDIRECT_URI);
    let (_, (url, _)) = example.login();
    assert_eq!(param(&url, "redirect_uri").as_deref(), Some(REDIRECT_URI));
    assert_eq!(param(&url, "client_id").as_deref(), Some(CLIENT));
    let exchange = &example.paylent.requests_to(TOKEN)[0];
    assert_eq!(exchange.param("redirect_uri"), Some(REDIRECT_URI));
}

/// "The redirect URI `http://localhost:9999/callback` is where the CLI starts a temporary HTTP server to
/// receive the callback." A browser may take `localhost` for either address.
#[test]
fn the_temporary_server_is_on_both_addresses_of_localhost_and_goes_away() {
    let Some(_port) = Port9999::take() else { return };
    let example = Example::new(REDIRECT_URI);
    let addresses = ["127.0.0.1", "::1"];
    let call = example.sandbox.login(&["--env-file", &example.env_file]);
    let (login, _) = call.play(|url| {
        for address in addresses {
            assert!(TcpStream::connect((address, 9999)).is_ok(), "{address}");
        }
        browse(url).unwrap()
    });
    login.ok();
    for address in addresses {
        assert!(TcpStream::connect((address, 9999)).is_err(), "{address}");
    }
}

/// "The CLI opens your default browser to Paylent's login page."
#[test]
fn the_browser_goes_to_the_login_page() {
    let example = Example::anywhere();
    let call = example.sandbox.hallpass(&["login", "--env-file", &example.env_file]);
    let (login, url) = call.env("BROWSER", &example.sandbox.browser()).play(|url| {
        browse(url).unwrap();
        url.to_owned()
    });
    login.ok();
    assert!(url.starts_with(&format!("{}/oauth/authorize?", example.paylent.issuer())), "{url}");
    assert_eq!(example.sandbox.opened(), [url]);
}

/// "After login, the browser shows a success message and you can close the tab."
#[test]
fn the_browser_shows_success() {
    let (_, (_, page)) = Example::anywhere().login();
    assert_eq!(page.status, 200);
    assert!(page.body.contains("You can close this tab") && page.body.contains(EMAIL), "{}", page.body);
}

/// "The CLI prints a confirmation: Opening browser for authentication... Waiting for callback on
/// http://localhost:9999/callback... Successfully logged in! - Email:"
#[test]
fn the_confirmation_has_the_tutorials_lines() {
    let Some(_port) = Port9999::take() else { return };
    let example = Example::new(REDIRECT_URI);
    let (login, (url, _)) = example.login();
    let lines: Vec<&str> = login.stderr.lines().filter(|line| !line.is_empty()).collect();
    let kept = format!(
        "Credentials will be saved in {}, not encrypted (no keychain available: no D-Bus session)",
        example.sandbox.record_file("default").display()
    );
    let email = format!("Email: {EMAIL}");
    let expected = [
        kept.as_str(),
        "Opening browser for authentication...",
        &url,
        "Waiting for callback on http://localhost:9999/callback...",
        "Successfully logged in!",
        &email,
    ];
    assert_eq!(lines, expected);
}

/// The same against the development server, whose client `demo` has the tutorial's redirect URI and whose
/// account has the tutorial's password.
#[test]
fn the_development_server_takes_paylents_place() {
    let Some(_port) = Port9999::take() else { return };
    let (sandbox, server) = (new_sandbox(), DevServer::start().unwrap());
    let text = format!("ISSUER={}\nCLIENT_ID=demo\nREDIRECT_URI={REDIRECT_URI}\n", server.issuer());
    let env_file = sandbox.file(".env", &text);
    let login = sandbox.login(&["--env-file", &env_file]).play(|url| visit(&server, url)).0.ok();
    assert!(login.stderr.contains("Waiting for callback on http://localhost:9999/callback...\n"));
    assert!(sandbox.run(&["whoami"]).ok().stdout.starts_with("Logged in as: test@example.com\n"));
}

/// "Output: Logged in as: … {"sub": "019c...","email": "…","given_name": "…","family_name": "…"}"
#[test]
fn whoami_prints_the_line_and_the_claims() {
    let example = Example::signed_in();
    let whoami = example.sandbox.run(&["whoami"]).ok();
    let (line, claims) = whoami.stdout.split_once('\n').unwrap();
    assert_eq!(line, format!("Logged in as: {EMAIL}"));
    let claims: Value = serde_json::from_str(claims).unwrap();
    let expected = [("sub", SUB), ("email", EMAIL), ("given_name", "Ada"), ("family_name", "Lovelace")];
    for (name, value) in expected {
        assert_eq!(claims[name], value);
    }
    for name in ["iss", "aud", "exp", "iat", "nonce", "at_hash"] {
        assert!(claims.get(name).is_none(), "{name} is about the token");
    }
}

/// "whoami — Fetches and displays the authenticated user's profile": from the server, where asked.
#[test]
fn whoami_can_ask_the_server() {
    let example = Example::signed_in();
    let user = example.sandbox.run(&["whoami", "--fresh", "--json"]).ok().json();
    assert_eq!(user["email"], EMAIL);
    assert_eq!(example.paylent.count("/oauth/userinfo"), 1);
}

/// "logout — Clears stored tokens". "This clears the locally stored tokens." And those at Paylent.
#[test]
fn logout_clears_the_tokens_here_and_there() {
    let example = Example::signed_in();
    let tokens = example.sandbox.record("default")["secret"].clone();
    let logout = example.sandbox.run(&["logout"]).ok();
    assert_eq!(logout.stderr, "Logged out; the server revoked the tokens.\n");
    for content in example.sandbox.files().into_values() {
        assert!(!String::from_utf8(content).unwrap().contains(CANARY));
    }
    example.sandbox.run(&["whoami"]).fails(4, "not signed in", "hallpass login");
    let revoked: Vec<_> = example.paylent.requests_to("/oauth/revoke");
    let revoked: Vec<_> = revoked.iter().map(|request| request.param("token").unwrap()).collect();
    assert_eq!(json!(revoked), json!([tokens["refresh_token"], tokens["access_tokens"][0]]));
}

/// "Login flow: 1. Start a temporary HTTP server … 2. Generate PKCE verifier and challenge … 3. Open the
/// browser: `${ISSUER}/oauth/authorize?...`" The server listens before the browser opens.
#[test]
fn the_flow_has_the_tutorials_order() {
    let example = Example::anywhere();
    let call = example.sandbox.login(&["--env-file", &example.env_file]);
    let (login, _) = call.play(|url| {
        let redirect_uri = url::Url::parse(&param(url, "redirect_uri").unwrap()).unwrap();
        assert!(TcpStream::connect(("127.0.0.1", redirect_uri.port().unwrap())).is_ok());
        assert_eq!((example.paylent.count(AUTHORIZE), example.paylent.count(TOKEN)), (0, 0));
        browse(url).unwrap()
    });
    login.ok();
    assert_eq!((example.paylent.count(AUTHORIZE), example.paylent.count(TOKEN)), (1, 1));
}

/// "Since this is a public client, the token exchange omits the client_secret": `POST ${ISSUER}/oauth/token`
/// with grant_type, client_id, code, code_verifier and redirect_uri.
#[test]
fn the_exchange_has_the_tutorials_fields() {
    let example = Example::anywhere();
    let (_, (url, _)) = example.login();
    let exchange = &example.paylent.requests_to(TOKEN)[0];
    let mut fields = exchange.fields();
    fields.sort_unstable();
    assert_eq!(fields, ["client_id", "code", "code_verifier", "grant_type", "redirect_uri"]);
    assert_eq!((exchange.method.as_str(), exchange.header("authorization")), ("POST", None));
    assert_eq!(exchange.param("client_id"), Some(CLIENT));
    assert_eq!(exchange.param("redirect_uri"), param(&url, "redirect_uri").as_deref());
}

/// "Tokens are stored locally in a file …, so subsequent commands can use them without re-authenticating."
#[test]
fn later_commands_use_the_stored_tokens() {
    let example = Example::signed_in();
    let token = example.sandbox.value(&["token"]);
    assert_eq!(example.sandbox.record("default")["secret"]["access_tokens"][0], token);
    example.sandbox.run(&["whoami"]).ok();
    assert_eq!(example.sandbox.opened().len(), 1);
    assert!(example.paylent.requests().is_empty());
}

/// "Grant Types: Authorization Code, Refresh Token"
#[test]
fn the_refresh_token_is_used_and_kept_where_paylent_sends_no_new_one() {
    let example = Example::signed_in();
    let before = example.sandbox.record("default")["secret"].clone();
    example.sandbox.let_expire_in("default", 0);
    assert_ne!(example.sandbox.value(&["token"]), before["access_tokens"][0]);
    assert_eq!(example.sandbox.record("default")["secret"]["refresh_token"], before["refresh_token"]);
    assert_eq!(example.paylent.requests_to(TOKEN)[0].param("grant_type"), Some("refresh_token"));
}

/// Not in the tutorial: a second login on the one port is told at once which login has it.
#[test]
fn the_port_that_is_taken_is_named() {
    let Some(_port) = Port9999::take() else { return };
    let _other_program = std::net::TcpListener::bind("127.0.0.1:9999").unwrap();
    let example = Example::new(REDIRECT_URI);
    let login = example.sandbox.login(&["--env-file", &example.env_file]).run();
    login.fails(2, "port 9999 on localhost (in use by another program)", "--redirect-uri URI");
    assert!(example.sandbox.opened().is_empty());
}
