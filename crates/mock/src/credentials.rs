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

/// Both APIs at `base_url` as sources of `mimelake fetch`.
pub(crate) fn config(base_url: &str) -> String {
    let text = |value: &str| toml::Value::from(value).to_string();
    let (url, account) = (text(base_url), text(ACCOUNT));
    let (app_id, app_key) = (text(APP_ID), text(APP_KEY));
    let (access_key, secret_key) = (text(ACCESS_KEY), text(SECRET_KEY));
    let (client_id, client_secret) = (text(CLIENT_ID), text(CLIENT_SECRET));
    format!(
        r#"# The stand-in's own keys: they open nothing else.
[source.first]
api = "1.0"
base_url = {url}
account = {account}
app_id = {app_id}
app_key = {app_key}
access_key = {access_key}
secret_key = {secret_key}
file_format = "key_value"

[source.first.audit]
categories = ["mimecast_access_logs", "authentication_logs"]

[source.second]
api = "2.0"
base_url = {url}
account = {account}
client_id = {client_id}
client_secret = {client_secret}
types = ["receipt", "process", "delivery", "url protect"]
start = "7d"
"#
    )
}
