//! The signature of API 1.0.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use jiff::Timestamp;
use ring::hmac;

use crate::error::ConfigError;
use crate::secret::Secret;

/// What API 1.0 knows an application and its user by.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    pub(crate) app_id: Secret,
    pub(crate) app_key: Secret,
    pub(crate) access_key: Secret,
    /// Decoded.
    secret_key: hmac::Key,
}

impl Keys {
    /// Returns the keys; the secret key is base64, with or without its `=`.
    pub(crate) fn new(
        app_id: Secret,
        app_key: Secret,
        access_key: Secret,
        secret_key: &Secret,
    ) -> Result<Self, ConfigError> {
        let bytes = STANDARD_NO_PAD.decode(secret_key.expose().trim_end_matches('=')).map_err(|_| {
            ConfigError::new(
                "secret_key is not base64",
                "paste it again as Mimecast shows it, or run `mimelake login`",
            )
        })?;
        let secret_key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &bytes);
        Ok(Self { app_id, app_key, access_key, secret_key })
    }

    /// Returns the `Authorization` header for a call to `path` at `date`.
    pub(crate) fn authorization(&self, date: &str, request_id: &str, path: &str) -> String {
        let text = format!("{date}:{request_id}:{path}:{}", self.app_key.expose());
        let tag = hmac::sign(&self.secret_key, text.as_bytes());
        format!("MC {}:{}", self.access_key.expose(), STANDARD.encode(tag))
    }
}

/// Returns a time as `x-mc-date` wants it: `Tue, 24 Nov 2015 12:50:11 UTC`.
pub(crate) fn date(time: Timestamp) -> String {
    time.strftime("%a, %d %b %Y %H:%M:%S UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn hmac_sha1_as_in_rfc_2202() {
        let cases: [(Vec<u8>, Vec<u8>, &str); 7] = [
            (vec![0x0b; 20], b"Hi There".to_vec(), "b617318655057264e28bc0b6fb378c8ef146be00"),
            (
                b"Jefe".to_vec(),
                b"what do ya want for nothing?".to_vec(),
                "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
            ),
            (vec![0xaa; 20], vec![0xdd; 50], "125d7342b9ac11cd91a39af48aa17b4f63f175d3"),
            ((1..=25).collect(), vec![0xcd; 50], "4c9007f4026250c6bc8414f9bf50c86c2d7235da"),
            (vec![0x0c; 20], b"Test With Truncation".to_vec(), "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04"),
            (
                vec![0xaa; 80],
                b"Test Using Larger Than Block-Size Key - Hash Key First".to_vec(),
                "aa4ae5e15272d00e95705637ce8a3b55ed402112",
            ),
            (
                vec![0xaa; 80],
                b"Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data".to_vec(),
                "e8e99d0f45237d786d6bbaa7965c7808bbff1a91",
            ),
        ];
        for (key, data, digest) in cases {
            let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key);
            assert_eq!(hmac::sign(&key, &data).as_ref(), bytes(digest));
        }
    }

    fn keys(secret_key: &str) -> Keys {
        let [id, key, access] = ["app-id", "app-key", "access"].map(Secret::new);
        Keys::new(id, key, access, &Secret::new(secret_key)).unwrap()
    }

    /// The vendor's samples sign `date:id:path:app key` with the decoded secret key, and publish no value: this one is
    /// what they compute with Python's `hmac` for made-up keys.
    #[test]
    fn signs_as_the_vendors_samples_do() {
        let date = "Tue, 24 Nov 2015 12:50:11 UTC";
        let id = "8578FCFC-A305-4D9A-99CB-F4D5ECEFE297";
        let path = "/api/audit/get-siem-logs";
        let expected = "MC access:SXTJ86OjGoDU3ZnVNAHXPeAAOaQ=";
        for secret in
            ["c2VjcmV0IGtleQ==", "c2VjcmV0IGtleQ", "c2VjcmV0IGtleQ\\u003d\\u003d", " c2VjcmV0IGtleQ==\n"]
        {
            assert_eq!(keys(secret).authorization(date, id, path), expected);
        }
    }

    #[test]
    fn dates_as_the_vendor_writes_them() {
        let time: Timestamp = "2015-11-24T12:50:11Z".parse().unwrap();
        assert_eq!(date(time), "Tue, 24 Nov 2015 12:50:11 UTC");
        let time: Timestamp = "2026-03-02T01:02:03.9Z".parse().unwrap();
        assert_eq!(date(time), "Mon, 02 Mar 2026 01:02:03 UTC");
    }

    #[test]
    fn a_secret_key_that_is_no_base64_is_refused_unseen() {
        let [id, key, access] = ["app-id", "app-key", "access"].map(Secret::new);
        let error = Keys::new(id, key, access, &Secret::new("hunter2!")).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}
