//! The signature of API 1.0, computed apart from the fetcher so that the two check each other.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use jiff::civil::DateTime;
use sha1::Sha1;

/// Returns the base64 of HMAC-SHA1 over date, request id, path and application key, or `None` where the secret key
/// is no base64.
///
/// ```
/// let signature = mimelake_mock::signature(
///     "YSBzZWNyZXQga2V5IG9mIHRoZSBzdGFuZC1pbiwgNjQr",
///     "Tue, 24 Nov 2015 12:50:11 UTC",
///     "8578FCFC-A305-4D9A-99CB-F4D5ECEFE297",
///     "/api/audit/get-siem-logs",
///     "app-key-of-the-stand-in",
/// );
/// assert_eq!(signature.as_deref(), Some("N1eOfX3dyIRftZ8nXVkToO5F1rw="));
/// ```
pub fn signature(
    secret_key: &str,
    date: &str,
    request_id: &str,
    path: &str,
    app_key: &str,
) -> Option<String> {
    let key = STANDARD.decode(secret_key).ok()?;
    let message = [date, request_id, path, app_key].join(":");
    Some(STANDARD.encode(hmac_sha1(&key, message.as_bytes())))
}

/// Returns the HMAC-SHA1 of `message`.
pub(crate) fn hmac_sha1(key: &[u8], message: &[u8]) -> Vec<u8> {
    // Every length of key is taken: longer ones are hashed first.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(key) else { return Vec::new() };
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

/// Returns the bytes in lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or_default();
    bytes.iter().flat_map(|&b| [digit(b >> 4), digit(b & 15)]).collect()
}

/// Returns the instant that an `x-mc-date` names, or `None` where it is not spelled as Mimecast wants it.
///
/// `GMT` is taken beside `UTC`, because the vendor's own C# sample sends it.
pub(crate) fn date(text: &str) -> Option<Timestamp> {
    let bare = text.strip_suffix(" UTC").or_else(|| text.strip_suffix(" GMT"))?;
    let civil = DateTime::strptime("%a, %d %b %Y %H:%M:%S", bare).ok()?;
    let instant = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    // Two digits for the day and no blanks elsewhere: spelled anew it must be the same.
    (spelled(instant, "UTC")[..bare.len()] == *bare).then_some(instant)
}

/// Returns `instant` as `Tue, 24 Nov 2015 12:50:11 UTC` with `zone` at the end.
pub(crate) fn spelled(instant: Timestamp, zone: &str) -> String {
    format!("{} {zone}", instant.strftime("%a, %d %b %Y %H:%M:%S"))
}

/// Whether `text` has the form of a random UUID (version 4), in either case.
pub(crate) fn is_uuid_v4(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => *b == b'-',
            14 => *b == b'4',
            19 => matches!(b, b'8' | b'9' | b'a' | b'b' | b'A' | b'B'),
            _ => b.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test cases of RFC 2202, section 3.
    #[test]
    fn hmac_sha1_is_that_of_rfc_2202() {
        let counted: Vec<u8> = (1..=25).collect();
        let cases: [(&[u8], &[u8], &str); 7] = [
            (&[0x0b; 20], b"Hi There", "b617318655057264e28bc0b6fb378c8ef146be00"),
            (b"Jefe", b"what do ya want for nothing?", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
            (&[0xaa; 20], &[0xdd; 50], "125d7342b9ac11cd91a39af48aa17b4f63f175d3"),
            (&counted, &[0xcd; 50], "4c9007f4026250c6bc8414f9bf50c86c2d7235da"),
            (&[0x0c; 20], b"Test With Truncation", "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04"),
            (
                &[0xaa; 80],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "aa4ae5e15272d00e95705637ce8a3b55ed402112",
            ),
            (
                &[0xaa; 80],
                b"Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data",
                "e8e99d0f45237d786d6bbaa7965c7808bbff1a91",
            ),
        ];
        for (key, message, expected) in cases {
            assert_eq!(hex(&hmac_sha1(key, message)), expected);
        }
    }

    #[test]
    fn dates_are_read_as_mimecast_spells_them_and_no_other_way() {
        let sample = date("Tue, 24 Nov 2015 12:50:11 UTC").map(Timestamp::as_second);
        assert_eq!(sample, Some(1_448_369_411));
        assert_eq!(date("Tue, 24 Nov 2015 12:50:11 GMT").map(Timestamp::as_second), sample);
        for bad in [
            "Tue, 24 Nov 2015 12:50:11",
            "Wed, 24 Nov 2015 12:50:11 UTC",
            "Di, 24 Nov 2015 12:50:11 UTC",
            "Tue, 4 Nov 2015 12:50:11 UTC",
            "Tue, 3 Nov 2015 12:50:11 UTC",
            "2015-11-24T12:50:11Z",
            "",
        ] {
            assert_eq!(date(bad), None, "{bad}");
        }
    }

    #[test]
    fn request_ids_are_random_uuids() {
        assert!(is_uuid_v4("8578FCFC-A305-4D9A-99CB-F4D5ECEFE297"));
        for bad in ["", "8578FCFC-A305-1D9A-99CB-F4D5ECEFE297", "8578FCFC-A305-4D9A-79CB-F4D5ECEFE297", "x"] {
            assert!(!is_uuid_v4(bad), "{bad}");
        }
    }
}
