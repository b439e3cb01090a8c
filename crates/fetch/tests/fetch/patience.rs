//! Connections that stand still, or nearly.

use std::net::TcpStream;
use std::time::Duration;

use mimelake_fetch::FetchError;
use mimelake_mock::{At, Endpoint, Fault, Options, Rule, Sequence};

use crate::lab::{Lab, ZIPS, seconds, small};

fn options(endpoint: Endpoint, fault: Fault) -> Options {
    Options { content: small(), script: vec![Rule::new(endpoint, fault)].into(), ..Options::default() }
}

#[test]
fn a_body_that_trickles_is_broken_off_and_asked_for_again() {
    for at in [0, 100] {
        let fault = Fault::Trickle { at: At::Body(at) };
        let mut lab = Lab::v1(options(Endpoint::Siem1, fault.clone()), "");
        lab.setting.patience.slow = Duration::from_millis(100);
        lab.fetch();
        lab.is_complete("siem-v1", ZIPS);
        assert_eq!(seconds(&lab), [1]);
        for endpoint in [Endpoint::Token, Endpoint::Batch, Endpoint::Presigned] {
            let mut lab = Lab::v2(options(endpoint, fault.clone()), "");
            lab.setting.patience.slow = Duration::from_millis(100);
            lab.fetch();
            lab.is_complete("siem-v2", Sequence::Batches);
            assert_eq!(seconds(&lab), [1], "{endpoint:?}");
        }
    }
}

/// Without the request to stop they would all be waited for much longer than a test may take.
#[test]
fn a_stop_does_not_wait_for_what_never_comes() {
    for fault in [
        Fault::Stall { at: At::Start },
        Fault::Stall { at: At::Body(100) },
        Fault::Trickle { at: At::Body(100) },
    ] {
        let mut lab = Lab::v1(options(Endpoint::Siem1, fault.clone()), "");
        let hour = Duration::from_hours(1);
        (lab.setting.patience.idle, lab.setting.patience.slow) = (hour, hour);
        lab.setting.patience.stop = Duration::ZERO;
        let fetcher = lab.fetcher(mimelake_fetch::Scope::All).unwrap();
        let round = std::thread::scope(|scope| {
            scope.spawn(|| {
                while lab.mock.requests().is_empty() {
                    std::thread::yield_now();
                }
                lab.setting.stop.request();
            });
            fetcher.round()
        });
        assert!(matches!(round.failures[0].error, FetchError::Stopped), "{fault:?}: {round:?}");
        assert!(lab.landed("siem-v1").is_empty());
    }
}

/// A listener whose queue is full lets a connection wait for minutes.
#[cfg(target_os = "linux")]
#[test]
fn a_connection_that_does_not_come_to_stand_passes() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _guard = runtime.enter();
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let moment = Duration::from_millis(100);
    let queue: Vec<_> = std::iter::from_fn(|| TcpStream::connect_timeout(&address, moment).ok()).collect();
    let mut lab = Lab::v1(Options::default(), "");
    let text = std::fs::read_to_string(&lab.config).unwrap();
    let there = format!("http://{address}");
    crate::lab::write_private(&lab.config, &text.replace(lab.mock.base_url(), &there));
    lab.setting.patience.connect = moment;
    lab.setting.patience.idle = Duration::from_hours(1);
    let error = lab.failure();
    assert!(error.passes() && error.to_string().contains("cannot connect"), "{error}");
    assert_eq!(seconds(&lab), [1, 2, 4, 8, 16]);
    drop(queue);
}
