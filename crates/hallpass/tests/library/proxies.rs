//! Behind a company's proxy: everything goes through it, and nothing that stays on this computer.

use hallpass::error::{NetworkError, NetworkErrorKind};
use hallpass::{Builder, Environment, Error, Revocation};
use hallpass_test::certificate_authority::CertificateAuthority;
use hallpass_test::connect_proxy::ConnectProxy;
use hallpass_test::library::{
    LibrarySandbox, PATIENCE, failure, get, login, playing, sign_in, unopened, visitor,
};
use hallpass_test::provider::{CLIENT, JWKS, OPENID_CONFIGURATION, Provider, TOKEN, USERINFO};
use hallpass_test::tls_terminator::TlsTerminator;
use rustls::version::TLS13;
use serde_json::json;
use url::Url;

/// No name server knows it: whoever reaches it goes through the proxy.
const ISSUER: &str = "https://idp.example";

/// A provider on the other side of a proxy.
struct Company {
    sandbox: LibrarySandbox,
    provider: Provider,
    authority: CertificateAuthority,
    terminator: TlsTerminator,
    proxy: ConnectProxy,
}

impl Company {
    fn new() -> Company {
        let (provider, authority) = (Provider::clerk(), CertificateAuthority::new("Company CA"));
        let inside = provider.issuer().to_owned();
        provider.twist_metadata(move |document| {
            *document = document.to_string().replace(&inside, ISSUER).parse().unwrap();
        });
        provider.twist_claims(|claims| claims["iss"] = json!(ISSUER));
        let server = provider.origin().replace("http://", "").parse().unwrap();
        let terminator = TlsTerminator::start(authority.server("idp.example", &TLS13), server);
        let proxy = ConnectProxy::start(Some(terminator.addr));
        Company { sandbox: LibrarySandbox::new(), provider, authority, terminator, proxy }
    }

    /// With one more variable beside the one that names the proxy.
    fn builder(&self, variable: &str, more: (&str, &str)) -> Builder {
        let proxy = format!("http://name:s3cret@{}", self.proxy.addr);
        let environment = Environment::from_variables([(variable, proxy.as_str()), more]);
        let builder = self.sandbox.builder(ISSUER, CLIENT).redirect_uris([self.provider.redirect_uri()]);
        builder.environment(environment).ca_cert(self.authority.file()).login_timeout(PATIENCE)
    }

    /// The URL for the user's browser, which does not go through the proxy.
    fn seen_by_browser(&self, url: &Url) -> Url {
        Url::parse(&url.as_str().replace(ISSUER, self.provider.issuer())).unwrap()
    }
}

#[test]
fn p56_every_endpoint_is_reached_through_the_proxy_from_login_to_logout() {
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        let company = Company::new();
        let inside = company.seen_by_browser(&Url::parse(ISSUER).unwrap());
        let (browser, _pages) = playing(move |url| {
            let mut there = url.clone();
            there.set_scheme("http").unwrap();
            there.set_host(inside.host_str()).unwrap();
            there.set_port(inside.port()).unwrap();
            get(&sign_in(&there))
        });
        let builder = company.builder(variable, ("NO_PROXY", "other.example,10.0.0.0/8"));
        let pass = builder.browser(browser).build().unwrap();
        pass.login(&mut hallpass_test::library::RecordingUi::default()).unwrap();
        pass.force_refresh().unwrap();
        pass.fetch_user().unwrap();
        assert_eq!(pass.logout().unwrap().refresh_token, Revocation::Revoked);
        let provider = &company.provider;
        let asked = [OPENID_CONFIGURATION, JWKS, TOKEN, USERINFO, provider.revoke_path()];
        assert_eq!(asked.map(|path| provider.count(path)), [1, 2, 2, 1, 2], "{variable}");
        let heads = company.proxy.heads();
        assert!(
            heads.iter().all(|head| head.starts_with("CONNECT idp.example:443 HTTP/1.1\r\n")),
            "{heads:?}"
        );
        assert_eq!(heads.len(), company.terminator.connections(), "{variable}");
        assert!(!format!("{pass:?}").contains("s3cret"));
    }
}

#[test]
fn p56_this_computer_and_whom_no_proxy_names_are_not_reached_through_it() {
    let company = Company::new();
    for names in ["idp.example", ".example", "*", "other.example, idp.example:443"] {
        let builder = company.builder("HTTPS_PROXY", ("NO_PROXY", names));
        let error = failure(names, login(builder, unopened));
        let is_right =
            matches!(&error, Error::Network(NetworkError { kind: NetworkErrorKind::Unreachable, .. }));
        assert!(is_right, "{names}: {error:?}");
    }
    let (sandbox, provider, proxy) = (LibrarySandbox::new(), Provider::clerk(), ConnectProxy::start(None));
    let proxies = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy"];
    let address = format!("http://{}", proxy.addr);
    let environment = Environment::from_variables(proxies.map(|name| (name, address.as_str())));
    let pass = sandbox.at(&provider).environment(environment).browser(visitor().0).build().unwrap();
    pass.login(&mut hallpass_test::library::RecordingUi::default()).unwrap();
    pass.force_refresh().unwrap();
    assert!(pass.logout().unwrap().erased);
    assert_eq!((company.proxy.heads(), proxy.heads()), (vec![], vec![]));
}
