use super::*;
use proptest::prelude::*;

/// Host, program, pid, message id, data, body and the time as it stands.
fn parts(text: &str) -> [&str; 7] {
    let found = read(text);
    let get = |span: Option<Span>| span.map_or("", |span| &text[span.start..span.end]);
    [get(found.host), get(found.program), get(found.pid), get(found.message_id), get(found.data), get(Some(found.body)), get(found.time_at)]
}

#[test]
fn headers_of_the_standards() {
    for (text, expected) in [
        (
            "<134>1 2026-11-29T12:00:00.5Z fw filterlog 92653 - - 7,,,x",
            ["fw", "filterlog", "92653", "", "", "7,,,x", "2026-11-29T12:00:00.5Z"],
        ),
        (
            "<14>1 2026-11-29T13:00:00.500 srx1 RT_FLOW - RT_FLOW_SESSION_CREATE [junos@2 a=\"1]\\\"\" b=\"2\"][x y=\"1\"] t",
            ["srx1", "RT_FLOW", "", "RT_FLOW_SESSION_CREATE", "[junos@2 a=\"1]\\\"\" b=\"2\"][x y=\"1\"]", "t", "2026-11-29T13:00:00.500"],
        ),
        ("<134>1 - h a - - -  INFO  x", ["h", "a", "", "", "", "INFO  x", ""]),
        ("<14>1 - - - - - -", ["", "", "", "", "", "", ""]),
        ("<38>Nov 29 12:00:00 web1 sshd[2737]: Invalid user", ["web1", "sshd", "2737", "", "", "Invalid user", "Nov 29 12:00:00"]),
        ("<38>Nov  9 12:00:00 sshd[2737]: x", ["", "sshd", "2737", "", "", "x", "Nov  9 12:00:00"]),
        ("<134>Nov 29 13:00:00 CET sw1 a: x", ["sw1", "a", "", "", "", "x", "Nov 29 13:00:00"]),
        ("<134>Nov 29 13:00:00 May a: x", ["May", "a", "", "", "", "x", "Nov 29 13:00:00"]),
        ("<134>Nov 29 13:00:00 2026 h a: x", ["h", "a", "", "", "", "x", "Nov 29 13:00:00 2026"]),
        ("<134>2026-07-01T03:00:00Z h a: x", ["h", "a", "", "", "", "x", "2026-07-01T03:00:00Z"]),
        ("<22>Nov 29 13:00:00 mail1 postfix/smtpd[812]: x: y", ["mail1", "postfix/smtpd", "812", "", "", "x: y", "Nov 29 13:00:00"]),
        ("<134>Nov 29 13:00:00 h CEF:0|a|b", ["h", "", "", "", "", "CEF:0|a|b", "Nov 29 13:00:00"]),
        ("<158>Nov 29 13:00:00 r1 fpc0 FW: ge", ["r1", "", "", "", "", "fpc0 FW: ge", "Nov 29 13:00:00"]),
        (
            "<134>Nov 29 13:00:00 mt1 firewall,info denied input: in:e",
            ["mt1", "", "", "", "", "firewall,info denied input: in:e", "Nov 29 13:00:00"],
        ),
        ("<150>Nov 29 13:00:00 px1 (squid-1)[812]: 17", ["px1", "(squid-1)", "812", "", "", "17", "Nov 29 13:00:00"]),
        ("<189>date=2026-11-20 time=09:15:01", ["", "", "", "", "", "date=2026-11-20 time=09:15:01", ""]),
        ("<13>just text, no time", ["", "", "", "", "", "just text, no time", ""]),
        ("no header", ["", "", "", "", "", "no header", ""]),
        ("", [""; 7]),
    ] {
        assert_eq!(parts(text), expected, "{text}");
    }
}

#[test]
fn headers_of_cisco() {
    for (text, host, id, time) in [
        ("<190>30: sw1: 6340004: *Nov 29 2026 12:00:00: %SEC-6-IPACCESSLOGP: x", "sw1", "SEC-6-IPACCESSLOGP", "Nov 29 2026 12:00:00"),
        ("<190>sw1: Nov 29 2026 12:00:00: %SEC-6-X: x", "sw1", "SEC-6-X", "Nov 29 2026 12:00:00"),
        ("<190>33: .Nov 29 12:00:00.123: %SYS-5-RESTART: x", "", "SYS-5-RESTART", "Nov 29 12:00:00.123"),
        ("<189>: 2026 Nov 29 13:00:00 CET: %ACLLOG-6-ACLLOG_FLOW_INTERVAL: x", "", "ACLLOG-6-ACLLOG_FLOW_INTERVAL", "2026 Nov 29 13:00:00"),
        (
            "<186>2679101: 2679098: Jul  7 2026 11:26:31.667 MET-DST: %PORT_SECURITY-2-P: x",
            "",
            "PORT_SECURITY-2-P",
            "Jul  7 2026 11:26:31.667",
        ),
        ("<166>:Jul 01 12:00:00 CEST: %ASA-session-6-302013: x", "", "ASA-session-6-302013", "Jul 01 12:00:00"),
        ("<166>2026-11-29T12:00:00Z asa1 : %ASA-6-106100: x", "asa1", "ASA-6-106100", "2026-11-29T12:00:00Z"),
        ("<166>Nov 29 2026 12:00:00 asa1 : %ASA-6-106100: x", "asa1", "ASA-6-106100", "Nov 29 2026 12:00:00"),
        ("<166>%ASA-6-106100: x", "", "ASA-6-106100", ""),
        ("<187>Nov 29 13:00:00 10.1.1.1 77: *Nov 29 12:00:00: %LINK-3-UPDOWN: x", "10.1.1.1", "LINK-3-UPDOWN", "Nov 29 12:00:00"),
        ("<187>77: 1w2d: %LINK-3-UPDOWN: x", "", "LINK-3-UPDOWN", ""),
        ("<187>77: 00:00:46: %LINK-3-UPDOWN: x", "", "LINK-3-UPDOWN", ""),
        ("<187>77: Nov 29 2026 12:00:00 XYZ: %LINK-3-UPDOWN: x", "", "LINK-3-UPDOWN", "Nov 29 2026 12:00:00"),
        ("<188>179767: sw1: Nov 23 22:23:27.833 NewYork: %SW_MATM-4-MACFLAP: x", "sw1", "SW_MATM-4-MACFLAP", "Nov 23 22:23:27.833"),
        ("<165>7433: ASR920: 007439: 2y10w: %SEC_LOGIN-5-X: x", "ASR920", "SEC_LOGIN-5-X", ""),
        ("<190>3132783: ::: 3132779: Jul 11 2023 19:25:44.568 UTC: %SEC-6-X: x", "", "SEC-6-X", "Jul 11 2023 19:25:44.568"),
        ("<189>3132785: 0.0.0.0: 3132781: Jul 11 2023 19:30:04.771 UTC: %SYS-5-X: x", "", "SYS-5-X", "Jul 11 2023 19:30:04.771"),
        ("<166>Jul 11 2023 19:30:04 asa: %ASA-6-1: x", "asa", "ASA-6-1", "Jul 11 2023 19:30:04"),
        ("<189>7: RP/0/RSP0/CPU0:Nov 29 13:00:00.1 CET: ifmgr[1]: %PKT-3-LINK: x", "", "PKT-3-LINK", "Nov 29 13:00:00.1"),
    ] {
        let [found_host, _, _, found_id, _, body, found_time] = parts(text);
        assert_eq!((found_host, found_id, found_time), (host, id, time), "{text}");
        assert_eq!(body, format!("%{id}: x"));
    }
    let text = "Nov 1 04:01:12 xr1 -1504483602: RP/0/RSP0/CPU0:Nov 1 04:01:07.416 UTC: acl[297]: %ACL-IPV6_ACL-6-X : y";
    assert_eq!(parts(text)[..4], ["xr1", "acl", "", "ACL-IPV6_ACL-6-X"]);
    let text = "<13>Nov 29 12:00:00 h app: user said \"%ASA-6-106100: x";
    assert_eq!(parts(text)[1], "app");
}

proptest! {
    #[test]
    fn any_text_has_a_body_at_its_end(text in "(<[0-9]{1,3}>)?(1 )?(Nov 29 12:00:00|2026-11-29T12:00:00Z|[*.:]Nov 29 2026 12:00:00)?[ :%\\[\\]A-Z0-9a-zæ-]{0,40}(%SYS-5-X: )?.{0,20}") {
        let found = read(&text);
        prop_assert_eq!(found.body.end, text.len());
        prop_assert!(text.is_char_boundary(found.body.start));
        for span in [found.host, found.program, found.pid, found.message_id, found.data, found.time_at].into_iter().flatten() {
            prop_assert!(span.start <= span.end && text.get(span.start..span.end).is_some());
        }
    }
}
