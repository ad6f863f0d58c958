//! A client of AWS for a server on the loopback interface.

use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::{Config, Credentials, Region};

/// What the client's credentials are made of; it has to show up nowhere.
pub const SECRETS: [&str; 3] = ["canary-key-id-1414", "canary-secret-key-1732", "canary-session-token-2236"];

/// The client that a program would have, for this endpoint.
#[must_use]
pub fn client(endpoint: &str) -> Client {
    Client::from_conf(config(endpoint).build())
}

/// How it is made.
#[must_use]
pub fn config(endpoint: &str) -> aws_sdk_lambda::config::Builder {
    let [id, key, token] = SECRETS;
    Config::builder()
        .behavior_version_latest()
        .region(Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .credentials_provider(Credentials::new(id, key, Some(token.to_owned()), None, "tests"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
}
