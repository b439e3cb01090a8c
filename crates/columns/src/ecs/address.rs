//! IP addresses, alone or with a port.

use std::net::{IpAddr, SocketAddr};

/// No IP address with a port is longer than this.
const LONGEST: usize = 64;

/// The IP address that a text is, and the port behind it; none if the text is anything else.
///
/// `192.0.2.1`, `192.0.2.1:25`, `2001:db8::1` and `[2001:db8::1]:25` are taken. Zones (`%eth0`) are not:
/// no index takes them.
pub(super) fn address(text: &str) -> Option<(&str, Option<u16>)> {
    let text = text.trim_ascii();
    if text.len() > LONGEST {
        return None;
    }
    if text.parse::<IpAddr>().is_ok() {
        return Some((text, None));
    }
    let socket = text.parse::<SocketAddr>().ok()?;
    let (ip, _) = text.rsplit_once(':')?;
    let ip = ip.trim_start_matches('[').trim_end_matches(']');
    ip.parse::<IpAddr>().is_ok().then_some((ip, Some(socket.port())))
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn only_what_is_an_address() {
        let cases = [
            ("192.0.2.1", Some(("192.0.2.1", None))),
            (" 192.0.2.1 ", Some(("192.0.2.1", None))),
            ("0.0.0.0", Some(("0.0.0.0", None))),
            ("198.51.100.4:55022", Some(("198.51.100.4", Some(55022)))),
            ("2001:db8::5", Some(("2001:db8::5", None))),
            ("[2001:db8::5]:25", Some(("2001:db8::5", Some(25)))),
            ("[fe80::1%1]:25", None),
            ("fe80::1%eth0", None),
            ("192.0.2.1:99999", None),
            ("192.0.2.999", None),
            ("192.0.2.1, 192.0.2.2", None),
            ("mx.example.net", None),
            ("[2001:db8::5]", None),
            (":25", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(address(text), expected, "{text}");
        }
        assert_eq!(address(&":".repeat(1 << 20)), None);
    }
}
