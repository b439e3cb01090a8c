//! TLS versions.

/// The number and the protocol that a TLS version names, such as `1.2` and `tls` for `TLSv1.2`; none
/// if it reads otherwise.
pub(super) fn version(text: &str) -> Option<(&str, &'static str)> {
    let text = text.trim_ascii();
    let (protocol, rest) = [("tls", "tls"), ("ssl", "ssl")].into_iter().find_map(|(name, protocol)| {
        let (head, rest) = text.split_at_checked(name.len())?;
        head.eq_ignore_ascii_case(name).then_some((protocol, rest))
    })?;
    let number = rest.trim_start_matches([' ', '_', '-']).trim_start_matches(['v', 'V']);
    let well_formed = number.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && number.starts_with(|c: char| c.is_ascii_digit())
        && number.ends_with(|c: char| c.is_ascii_digit());
    (well_formed && number.len() <= 4).then_some((number, protocol))
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn versions() {
        let cases = [
            ("TLSv1.2", Some(("1.2", "tls"))),
            ("TLSv1", Some(("1", "tls"))),
            ("TLS1.3", Some(("1.3", "tls"))),
            ("tls_v1.0", Some(("1.0", "tls"))),
            ("SSLv3", Some(("3", "ssl"))),
            ("TLSv", None),
            ("TLS", None),
            ("TLSv1.", None),
            ("TLSvone", None),
            ("none", None),
            ("ü", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(version(text), expected, "{text}");
        }
    }
}
