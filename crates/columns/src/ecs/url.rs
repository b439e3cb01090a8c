//! What a URL is made of.

use std::net::Ipv6Addr;

/// The pieces of a URL that has a scheme, `://` and a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Url<'a> {
    /// Before `://`, as written.
    pub(super) scheme: &'a str,
    /// The host as written; an IPv6 address keeps its brackets.
    pub(super) host: &'a str,
    pub(super) port: Option<u16>,
    /// From the first `/` (or `\`, which browsers take for one).
    pub(super) path: &'a str,
    /// Behind `?`.
    pub(super) query: &'a str,
    /// Behind `#`.
    pub(super) fragment: &'a str,
}

impl<'a> Url<'a> {
    /// The pieces, or none if the text does not split into them; each byte is looked at a few times
    /// at most, whatever the text.
    pub(super) fn split(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.trim_ascii().split_once("://")?;
        if !is_scheme(scheme) {
            return None;
        }
        let end = rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let (host, port) = host_and_port(host)?;
        Some(Self { scheme, host, port, path, query, fragment })
    }
}

fn is_scheme(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic())
        && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

fn host_and_port(text: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = if text.starts_with('[') {
        let close = text.find(']')?;
        text[1..close].parse::<Ipv6Addr>().ok()?;
        let (host, port) = text.split_at(close + 1);
        (host, if port.is_empty() { "" } else { port.strip_prefix(':')? })
    } else {
        text.split_once(':').unwrap_or((text, ""))
    };
    let odd = |c: char| c.is_whitespace() || c.is_control() || "<>\"`{}|^[]".contains(c);
    if host.is_empty() || (!host.starts_with('[') && host.contains(odd)) {
        return None;
    }
    if port.is_empty() {
        return Some((host, None));
    }
    if !port.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some((host, Some(port.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Url;

    fn url<'a>(scheme: &'a str, host: &'a str, port: Option<u16>, tail: [&'a str; 3]) -> Url<'a> {
        Url { scheme, host, port, path: tail[0], query: tail[1], fragment: tail[2] }
    }

    #[test]
    fn splits() {
        let cases = [
            ("http://a.example.org", url("http", "a.example.org", None, ["", "", ""])),
            ("HTTPS://A.example/a?b=c#d", url("HTTPS", "A.example", None, ["/a", "b=c", "d"])),
            ("http://h:8080/p?q=a=b&c=d|e#f#g", url("http", "h", Some(8080), ["/p", "q=a=b&c=d|e", "f#g"])),
            ("http://[2001:db8::1]:8443/", url("http", "[2001:db8::1]", Some(8443), ["/", "", ""])),
            ("http://[::1]", url("http", "[::1]", None, ["", "", ""])),
            ("http://good.example:pw@evil.example/", url("http", "evil.example", None, ["/", "", ""])),
            (
                "http://evil.example\\@good.example/",
                url("http", "evil.example", None, ["\\@good.example/", "", ""]),
            ),
            ("http://h:/p", url("http", "h", None, ["/p", "", ""])),
            ("http://h?q", url("http", "h", None, ["", "q", ""])),
            ("http://h#?f", url("http", "h", None, ["", "", "?f"])),
            ("http://bücher.example/", url("http", "bücher.example", None, ["/", "", ""])),
        ];
        for (text, expected) in cases {
            assert_eq!(Url::split(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn does_not_split() {
        let cases = [
            "",
            "not a url",
            "www.example.org/a",
            "mailto:a@b.example",
            "://h",
            "1a://h",
            "http://",
            "http:///p",
            "http://u@/p",
            "http://h:99999/",
            "http://h:x/",
            "http://a b/",
            "http://[::1",
            "http://[x]/",
            "http://[::1]8/",
            "http://a]/",
        ];
        for text in cases {
            assert_eq!(Url::split(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn never_panics_and_makes_nothing_up(text in "(http://)?[\\[\\]:@/?#.a1 é\\\\]{0,40}") {
            if let Some(url) = Url::split(&text) {
                for piece in [url.scheme, url.host, url.path, url.query, url.fragment] {
                    prop_assert!(text.contains(piece));
                }
                prop_assert!(!url.host.is_empty());
            }
        }
    }
}
