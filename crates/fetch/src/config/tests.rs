use std::ffi::OsString;

use super::*;

fn parse_with(text: &str, environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let environment = environment.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
    Config::parse(text, Path::new("/etc/mimelake"), environment)
}

fn parse(text: &str) -> Result<Config, ConfigError> {
    parse_with(text, &[])
}

const V1: &str =
    "[source.eu]\napi = \"1.0\"\naccount = \"C0A0\"\napp_id = \"a\"\napp_key = { env = \"K\" }\n";
const V2: &str =
    "[source.us]\napi = \"2.0\"\naccount = \"C0B0\"\nclient_id = \"a\"\nclient_secret = { file = \"s\" }\n";

#[test]
fn a_source_of_each_api() {
    let config = parse(&format!(
        "{V1}region = \"eu\"\n{V2}types = [\"receipt\", \"url protect\", \"url_protect\"]\nstart = \"12h\""
    ))
    .unwrap();
    let (eu, us) = (config.source("eu").unwrap(), config.source("us").unwrap());
    assert_eq!((eu.api, eu.file_format, eu.compress), (Api::V1, FileFormat::KeyValue, true));
    assert_eq!(eu.url().unwrap().as_str(), "https://eu-api.mimecast.com/");
    assert_eq!(us.types().unwrap(), [EventType::Receipt, EventType::UrlProtect, EventType::UrlProtect]);
    assert_eq!(us.start, Duration::from_hours(12));
    assert!(config.source("xx").unwrap_err().hint().contains("eu, us"));
}

#[test]
fn hosts_of_the_regions() {
    let cases = [
        (V1, "region = \"uspcom\"", "https://uspcom-api.mimecast-pscom-us.com/"),
        (V1, "region = \"sandbox\"", "https://sandbox-api.mimecast.com/"),
        (V1, "base_url = \"http://127.0.0.1:8080\"", "http://127.0.0.1:8080/"),
        (V1, "base_url = \"http://[::1]:80/\"", "http://[::1]/"),
        (V2, "", "https://api.services.mimecast.com/"),
        (V2, "region = \"uk\"", "https://uk-api.services.mimecast.com/"),
    ];
    for (source, more, url) in cases {
        let config = parse(&format!("{source}{more}")).unwrap();
        assert_eq!(config.sources.values().next().unwrap().url().unwrap().as_str(), url);
    }
}

#[test]
fn what_cannot_be_is_said() {
    let cases = [
        (String::new(), "no source"),
        ("[source.eu".to_owned(), "line 1"),
        (format!("{V1}region = \"eu\"\ncolour = 1"), "colour"),
        (format!("{V1}region = \"eu\"\n[source.eu.audit]\ncategories = [\"a\"]\nx = 1"), "unknown field `x`"),
        (format!("{V1}region = \"mars\""), "mars"),
        (V1.to_owned(), "region"),
        (format!("{V1}region = \"eu\"\nbase_url = \"https://x.test\""), "both"),
        (format!("{V1}base_url = \"http://x.test\""), "https"),
        (format!("{V1}base_url = \"https://u:p@x.test\""), "more than a host"),
        (format!("{V1}base_url = \"https://x.test/api\""), "more than a host"),
        (format!("{V1}region = \"eu\"\nclient_id = \"a\""), "client_id"),
        (format!("{V1}region = \"eu\"\ntypes = [\"receipt\"]"), "types"),
        (format!("{V1}region = \"eu\"\n[source.eu.audit]\ncategories = []"), "categories"),
        (format!("{V2}types = [\"wibble\"]"), "wibble"),
        (format!("{V2}start = \"7 days\""), "7 days"),
        (format!("{V2}region = \"eu\""), "eu"),
        (V1.replace("C0A0", "../x") + "region = \"eu\"", "account"),
        (V1.replace("app_id = \"a\"\n", "region = \"eu\"\n"), "app_id"),
        (
            format!("{V1}region = \"eu\"\n{}region = \"de\"", V1.replace("source.eu", "source.two")),
            "another source",
        ),
    ];
    for (text, said) in cases {
        let error = parse(&text).unwrap_err();
        assert!(error.to_string().contains(said), "{text}\n{error}");
        assert!(!error.hint().is_empty());
    }
}

#[test]
fn the_environment_is_above_the_file() {
    let environment = [
        ("MIMELAKE_EU_BASE_URL", "https://x.test"),
        ("MIMELAKE_EU_COMPRESS", "false"),
        ("MIMELAKE_EU_SECRET_KEY", "hunter2"),
        ("MIMELAKE_CONFIG", "elsewhere"),
    ];
    let config = parse_with(V1, &environment).unwrap();
    let eu = config.source("eu").unwrap();
    assert_eq!((eu.url().unwrap().as_str(), eu.compress), ("https://x.test/", false));
    assert!(!format!("{config:?}").contains("hunter2"));
    let config = parse_with(V2, &[("MIMELAKE_US_TYPES", "receipt, av")]).unwrap();
    assert_eq!(config.source("us").unwrap().types().unwrap(), [EventType::Receipt, EventType::Av]);
    assert!(parse_with(V1, &[("MIMELAKE_EU_COLOUR", "red")]).unwrap_err().to_string().contains("colour"));
}

#[test]
fn the_environment_tells_sources_apart_whose_names_begin_alike() {
    let west = V1.replace("source.eu", "source.eu-west").replace("C0A0", "C0C0");
    for text in [format!("{V1}{west}"), format!("{west}{V1}")] {
        let environment = [
            ("MIMELAKE_EU_WEST_REGION", "de"),
            ("MIMELAKE_EU_REGION", "eu"),
            ("MIMELAKE_EU_WEST_COMPRESS", "false"),
        ];
        let config = parse_with(&text, &environment).unwrap();
        let url = |name| config.source(name).unwrap().url().unwrap().to_string();
        assert_eq!(url("eu"), "https://eu-api.mimecast.com/");
        assert_eq!(url("eu-west"), "https://de-api.mimecast.com/");
        assert!(config.source("eu").unwrap().compress && !config.source("eu-west").unwrap().compress);
    }
}

#[test]
fn no_error_repeats_a_secret() {
    for text in [
        "[source.eu]\napi = \"1.0\"\naccount = \"a\"\napp_key = \"hunter2\"\napp_key = \"hunter2\"",
        "[source.eu]\napi = \"1.0\"\naccount = \"a\"\napp_key = \"hunter2",
        "[source.eu]\napi = \"1.0\"\naccount = \"a\"\napp_key = [\"hunter2\"]",
        "[source.eu]\napi = \"1.0\"\naccount = \"a\"\napp_key = { text = \"hunter2\" }",
    ] {
        let error = parse(text).unwrap_err();
        assert!(!format!("{error} {error:?} {}", error.hint()).contains("hunter2"), "{error}");
    }
}

#[test]
fn times_as_people_write_them() {
    for (text, seconds) in [("90s", 90), ("15m", 900), ("12h", 43_200), ("7d", 604_800)] {
        assert_eq!(parse_span(text), Ok(Duration::from_secs(seconds)));
    }
    for text in ["", "7", "d", "-1d", "1.5h", "7w", "99999999999999999999d", "10000d"] {
        assert!(parse_span(text).is_err(), "{text}");
    }
}

#[test]
fn pairs_in_files_lie_beside_the_configuration() {
    let pair = "region = \"eu\"\naccess_key = { file = \"a\" }\nsecret_key = { file = \"/s\" }";
    let config = parse(&format!("{V1}{pair}")).unwrap();
    let files = config.source("eu").unwrap().key_files().unwrap();
    assert_eq!(files, [PathBuf::from("/etc/mimelake/a"), PathBuf::from("/s")]);
    assert!(parse(&format!("{V1}region = \"eu\"")).unwrap().source("eu").unwrap().key_files().is_none());
}
