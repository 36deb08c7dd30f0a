//! The issuer of a certificate, for messages only: nothing is decided by it.

use std::fmt;

/// Leaves room in a message for the advice after the name.
const MAX_NAME_CHARS: usize = 80;

const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ORGANIZATION: &[u8] = &[0x55, 0x04, 0x0a];

/// The issuer that a certificate names (RFC 5280 §4.1.2.4).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Issuer {
    name: String,
    is_itself: bool,
}

impl Issuer {
    /// Reads the issuer from a certificate in DER; `None` if it has an unusual form.
    pub(super) fn parse(certificate: &[u8]) -> Option<Issuer> {
        let tbs = Element::first(Element::first(certificate)?.content)?;
        let mut fields = Elements(tbs.content).peekable();
        fields.next_if(|field| field.tag == 0xa0); // version
        let issuer = fields.nth(2)?; // after serial number and signature algorithm
        let subject = fields.nth(1)?; // after validity
        let name = attribute(issuer.content, COMMON_NAME).or(attribute(issuer.content, ORGANIZATION))?;
        Some(Issuer { name, is_itself: issuer.content == subject.content })
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Issuer { name, is_itself } = self;
        match is_itself {
            true => write!(f, "self-signed (\"{name}\") and not trusted"),
            false => write!(f, "issued by \"{name}\", which is not trusted"),
        }
    }
}

impl std::error::Error for Issuer {}

/// The value of one attribute of a distinguished name: a sequence of sets of (type, value).
fn attribute(name: &[u8], wanted: &[u8]) -> Option<String> {
    Elements(name).flat_map(|set| Elements(set.content)).find_map(|pair| {
        let mut parts = Elements(pair.content);
        let (kind, value) = (parts.next()?, parts.next()?);
        (kind.content == wanted)
            .then(|| String::from_utf8_lossy(value.content).chars().take(MAX_NAME_CHARS).collect())
    })
}

/// One DER element (X.690 §8.1).
struct Element<'a> {
    tag: u8,
    content: &'a [u8],
}

impl<'a> Element<'a> {
    fn first(input: &'a [u8]) -> Option<Element<'a>> {
        Elements(input).next()
    }
}

struct Elements<'a>(&'a [u8]);

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let (&tag, rest) = self.0.split_first()?;
        let (length, rest) = length(rest)?;
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(Element { tag, content })
    }
}

fn length(input: &[u8]) -> Option<(usize, &[u8])> {
    let (&first, rest) = input.split_first()?;
    if first < 0x80 {
        return Some((usize::from(first), rest));
    }
    let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
    (1..=3)
        .contains(&bytes.len())
        .then(|| (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest))
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer as Signer, KeyPair};

    use super::Issuer;

    fn authority(name: &str) -> (CertificateParams, KeyPair) {
        let mut params = CertificateParams::new([]).unwrap();
        params.distinguished_name.remove(DnType::CommonName);
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        (params, KeyPair::generate().unwrap())
    }

    #[test]
    fn the_issuer_of_a_leaf_is_its_authority() {
        let (params, key) = authority("Inspecting Proxy CA");
        let leaf = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let leaf = leaf.signed_by(&KeyPair::generate().unwrap(), &Signer::new(params, key)).unwrap();
        let found = Issuer::parse(leaf.der()).unwrap();
        assert_eq!(found, Issuer { name: "Inspecting Proxy CA".to_owned(), is_itself: false });
    }

    #[test]
    fn a_self_signed_certificate_is_its_own_issuer() {
        let (params, key) = authority("Büro");
        let found = Issuer::parse(params.self_signed(&key).unwrap().der()).unwrap();
        assert_eq!(found, Issuer { name: "Büro".to_owned(), is_itself: true });
    }

    #[test]
    fn cut_and_odd_certificates_have_no_issuer() {
        let (params, key) = authority("Cut");
        let whole = params.self_signed(&key).unwrap();
        for end in 0..whole.der().len() {
            assert_eq!(Issuer::parse(&whole.der()[..end]), None);
        }
        assert_eq!(Issuer::parse(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
        assert_eq!(Issuer::parse(&[0x30, 0x80, 0x00, 0x00]), None);
    }
}
