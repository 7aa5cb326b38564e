use super::*;
use proptest::prelude::*;

const UDP: &str = "syslog_udp";

fn declared(source: &str, networks: &[&str], host: Option<&str>, program: Option<&str>) -> Declared {
    Declared {
        source: source.to_owned(),
        input: UDP.to_owned(),
        networks: networks.iter().map(|each| (*each).to_owned()).collect(),
        host: host.map(str::to_owned),
        program: program.map(str::to_owned),
    }
}

fn hop() -> Origins {
    Origins::new(&[
        declared("both", &["198.51.100.9/32"], Some("Sw1"), Some("sshd")),
        declared("host", &["198.51.100.9/32"], Some("sw1"), None),
        declared("program", &["198.51.100.9/32"], None, Some("sshd")),
        declared("lan", &["198.51.100.0/24", "2001:db8:1::/48"], None, None),
        declared("all", &["0.0.0.0/0"], None, None),
    ])
    .expect("the networks are sound")
}

#[test]
fn host_and_program_are_before_host_and_host_is_before_program() {
    for (line, expected) in [
        ("<13>Nov 29 12:00:00 SW1 sshd[1]: x", Origin::Source("both")),
        ("<13>1 2026-11-29T12:00:00Z sw1 sshd - - - x", Origin::Source("both")),
        ("<13>Nov 29 12:00:00 sw1 su: x", Origin::Source("host")),
        ("<13>Nov 29 12:00:00 CET sw1 su: x", Origin::Source("host")),
        ("<13>Nov 29 12:00:00 sw2 sshd: x", Origin::Source("program")),
        ("<13>Nov 29 12:00:00 sw2 su: x", Origin::Undeclared(Some("sw2".to_owned()))),
        ("<13>Nov 29 12:00:00 localhost su: x", Origin::Undeclared(None)),
        ("<13>date=2026-11-29 devname=sw1", Origin::Undeclared(None)),
    ] {
        assert_eq!(hop().of(UDP, "198.51.100.9", line.as_bytes()), expected, "{line}");
    }
}

#[test]
fn the_narrowest_place_decides_alone() {
    let line = b"<13>Nov 29 12:00:00 sw1 su: x";
    for (sender, expected) in [
        ("198.51.100.9", "host"),
        ("::ffff:198.51.100.9", "host"),
        ("198.51.100.8", "lan"),
        ("2001:db8:1::5", "lan"),
        ("203.0.113.1", "all"),
    ] {
        assert_eq!(hop().of(UDP, sender, line), Origin::Source(expected), "{sender}");
    }
    for sender in ["2001:db8:2::5", "x", ""] {
        assert_eq!(hop().of(UDP, sender, line), Origin::Undeclared(None), "{sender}");
    }
    assert_eq!(hop().of("syslog_tcp", "198.51.100.8", line), Origin::Undeclared(None));
}

#[test]
fn what_is_no_network_is_said() {
    for network in ["198.51.100.1/24", "198.51.100.0/33", "198.51.100.0", "x/8", "2001:db8::/129"] {
        let told = Origins::new(&[declared("a", &[network], None, None)]).expect_err("it is wrong");
        assert_eq!(told, format!("{network} is no network"));
    }
}

#[test]
fn a_name_of_no_device_names_none() {
    for name in ["localhost", "LOCALHOST.localdomain", "127.0.0.1", "::1", "::", "Okt", "MAJ", "okt.", "CET", "cest", "none", "Nov"] {
        assert!(!header::is_device(name), "{name}");
    }
    for name in ["sw1", "may-fw", "cet1", "localhost1", "198.51.100.9", "2001:db8::1"] {
        assert!(header::is_device(name), "{name}");
    }
}

proptest! {
    #[test]
    fn any_bytes_from_anywhere_have_one_origin(sender in ".{0,20}|198\\.51\\.100\\.[0-9]{1,2}", line in prop::collection::vec(any::<u8>(), 0..80)) {
        let origins = hop();
        prop_assert_eq!(origins.of(UDP, &sender, &line), origins.of(UDP, &sender, &line));
    }
}
