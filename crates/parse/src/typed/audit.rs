//! What the words of an audit event name: address, application, method.

/// The labels that the words end in, as in `…, IP: 192.0.2.1, Application: Console, Method: Cloud`.
const LABELS: [&str; 7] = ["Date:", "Time:", "IP:", "Application:", "Method:", "Reason:", "User Agent:"];

/// What stands behind `label` in the words of an audit event, up to the next label.
///
/// The last mention counts: Mimecast puts the labels last, whatever the names before them hold.
pub(crate) fn labelled<'a>(info: &'a str, label: &str) -> Option<&'a str> {
    let begins_word = |at: usize| at == 0 || matches!(info.as_bytes()[at - 1], b' ' | b',' | b';' | b'(');
    let find_last = |label: &str| info.rmatch_indices(label).map(|(at, _)| at).find(|&at| begins_word(at));
    let start = find_last(label)? + label.len();
    let next = LABELS.iter().filter_map(|other| find_last(other)).filter(|&at| at >= start).min();
    let value =
        info[start..next.unwrap_or(info.len())].trim_ascii().trim_end_matches([',', ';', ')']).trim_ascii();
    (!value.is_empty()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_is_labelled() {
        let spaced = "u@x.org logged on Date: 2023-03-09 Time: 09:37:36 +1100 IP: 66.159.210.211 Application: Administration Console";
        let commas = "Failed authentication for u <u@x.org>, IP: 2001:db8::1, Application: mimecast-case-review, Method: Cloud";
        let forged = "IP: 1.1.1.1 is my name, IP: 192.0.2.7, Application: A";
        let cases = [
            (spaced, "IP:", Some("66.159.210.211")),
            (spaced, "Application:", Some("Administration Console")),
            (spaced, "Method:", None),
            (commas, "IP:", Some("2001:db8::1")),
            (commas, "Application:", Some("mimecast-case-review")),
            (commas, "Method:", Some("Cloud")),
            (forged, "IP:", Some("192.0.2.7")),
            ("VIP: x", "IP:", None),
            ("IP:", "IP:", None),
            ("", "IP:", None),
        ];
        for (info, label, expected) in cases {
            assert_eq!(labelled(info, label), expected, "{info} {label}");
        }
    }
}
