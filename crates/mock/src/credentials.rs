//! Who may come in: what the stand-in accepts, for tests and for a first try by hand.

/// The application's id, sent as `x-mc-app-id`.
pub const APP_ID: &str = "7a1c1f0e-0000-4000-8000-6d696d656c6b";
/// The application's key, part of what is signed.
pub const APP_KEY: &str = "app-key-of-the-stand-in";
/// The access key of the binding that exists from the start.
pub const ACCESS_KEY: &str = "access-key-of-the-stand-in";
/// The secret key to [`ACCESS_KEY`], base64 as Mimecast hands it out.
pub const SECRET_KEY: &str = "YSBzZWNyZXQga2V5IG9mIHRoZSBzdGFuZC1pbiwgNjQr";
/// The address that discover and login know; others have no region.
pub const EMAIL: &str = "admin@example.com";
/// The password that `Basic-Cloud` takes.
pub const CLOUD_PASSWORD: &str = "cloud password: ünïcode";
/// The password that `Basic-AD` takes.
pub const DOMAIN_PASSWORD: &str = "domain password";
/// The API 2.0 client.
pub const CLIENT_ID: &str = "client-of-the-stand-in";
/// The secret to [`CLIENT_ID`]; it holds what a form must escape.
pub const CLIENT_SECRET: &str = "client+secret & more=";
/// The account that generated logs belong to.
pub const ACCOUNT: &str = "C0A0";
